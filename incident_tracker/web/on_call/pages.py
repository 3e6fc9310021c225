"""Who is called when an alarm goes off."""

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import on_call, phones
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.on_call.forms import ContactForm, RemoveForm

pages = Blueprint("on_call", __name__, url_prefix="/on-call")


@pages.get("")
@guarded(Act.READ)
def listing() -> ResponseReturnValue:
    """Show who is called, in which order."""
    return _show(ContactForm(data={"language": current.controller().language}))


@pages.post("")
@guarded(Act.ADMINISTER)
def add() -> ResponseReturnValue:
    """Put someone on call, last in the order."""
    form = ContactForm()
    if form.validate():
        try:
            on_call.add(current.context(), current.actor(), current.controller().id, form.facts())
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("%(name)s is on call.", name=form.name.data.strip()), "said")
            return _back()
    return _show(form, 422)


@pages.post("/<int:contact_id>/test")
@guarded(Act.ADMINISTER)
def test(contact_id: int) -> ResponseReturnValue:
    """Send the SMS of a test."""
    contact = _contact(contact_id)
    on_call.send_test(current.context(), current.actor(), contact_id)
    flash(
        _("A test is on its way to %(name)s. The answer OK shows that the number works.", name=contact.name), "said"
    )
    return _back()


@pages.post("/<int:contact_id>/verify")
@guarded(Act.ADMINISTER)
def verify(contact_id: int) -> ResponseReturnValue:
    """Vouch for a number."""
    contact = _contact(contact_id)
    on_call.verify(current.context(), current.actor(), contact_id)
    flash(_("You vouch for the number of %(name)s.", name=contact.name), "said")
    return _back()


@pages.post("/<int:contact_id>/up")
@guarded(Act.ADMINISTER)
def up(contact_id: int) -> ResponseReturnValue:
    """Call someone one place earlier."""
    return _move(contact_id, -1)


@pages.post("/<int:contact_id>/down")
@guarded(Act.ADMINISTER)
def down(contact_id: int) -> ResponseReturnValue:
    """Call someone one place later."""
    return _move(contact_id, 1)


@pages.get("/<int:contact_id>/remove")
@guarded(Act.ADMINISTER)
def ask_remove(contact_id: int) -> ResponseReturnValue:
    """Say what taking someone off call means, and ask for the name."""
    return render_template("web/on_call/remove.html", form=RemoveForm(), contact=_contact(contact_id))


@pages.post("/<int:contact_id>/remove")
@guarded(Act.ADMINISTER)
def remove(contact_id: int) -> ResponseReturnValue:
    """Take someone off call."""
    contact = _contact(contact_id)
    form = RemoveForm()
    if form.validate() and form.name.data.strip().casefold() == contact.name.casefold():
        on_call.remove(current.context(), current.actor(), contact_id)
        flash(_("%(name)s is no longer on call.", name=contact.name), "said")
        return _back()
    if not form.errors:
        form.name.errors = [_("This is not the name. Type %(name)s.", name=contact.name)]
    return make_response(render_template("web/on_call/remove.html", form=form, contact=contact), 422)


def _show(form: ContactForm, code: int = 200) -> ResponseReturnValue:
    context, actor, controller = current.context(), current.actor(), current.controller()
    page = render_template(
        "web/on_call/on_call.html",
        form=form,
        contacts=on_call.listing(context, actor, controller.id),
        spoken=phones.spoken,
        step_minutes=int(context.policy.step_delay.total_seconds() // 60),
        may_change=actor.may(Act.ADMINISTER, controller.id),
    )
    return make_response(page, code)


def _move(contact_id: int, by: int) -> ResponseReturnValue:
    contact = _contact(contact_id)
    on_call.move(current.context(), current.actor(), contact_id, contact.position + by)
    return _back()


def _contact(contact_id: int) -> OnCallContact:
    """Return someone on call for the controller shown; anybody else's id answers like a random one."""
    house = current.house()
    found = next((one for one in house.contacts if one.id == contact_id), None) if house is not None else None
    if found is None:
        raise NotFound
    return found


def _back() -> ResponseReturnValue:
    return redirect("/on-call", 303)
