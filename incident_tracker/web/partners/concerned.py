"""The partners of an incident: who is concerned, and what each was told."""

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import partners, register
from incident_tracker.web import current, words
from incident_tracker.web.forms import choices
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.partners.forms import ConcernForm

pages = Blueprint("incident_partners", __name__, url_prefix="/incidents/<reference>/partners")


@pages.get("")
@guarded(Act.READ)
def listing(reference: str) -> ResponseReturnValue:
    """Show who is concerned, with the ledger of each."""
    return _show(reference, ConcernForm(formdata=None))


@pages.post("")
@guarded(Act.WORK)
def add(reference: str) -> ResponseReturnValue:
    """Name a partner on the incident."""
    form = ConcernForm()
    chosen = form.partner.data or ""
    try:
        partners.concern(
            current.context(), current.actor(), reference, int(chosen) if chosen.isascii() and chosen.isdigit() else 0
        )
    except Refusal as refusal:
        form.place(refusal)
        return _show(reference, form, 422)
    return redirect(f"/incidents/{reference}/partners", 303)


@pages.post("/<int:partner_id>/leave-out")
@guarded(Act.WORK)
def leave_out(reference: str, partner_id: int) -> ResponseReturnValue:
    """Take a partner off the incident."""
    partners.leave_out(current.context(), current.actor(), reference, partner_id)
    flash(_("The partner is off this incident. What it was told stays in the ledger."), "said")
    return redirect(f"/incidents/{reference}/partners", 303)


def _show(reference: str, form: ConcernForm, code: int = 200) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="partners")
    concerned = partners.of_incident(context, actor, reference)
    there = {one.partner.id for one in concerned}
    others = [
        one.partner for one in partners.listing(context, actor, overview.controller.id) if one.partner.id not in there
    ]
    form.partner.choices = choices((str(one.id), one.name) for one in others)
    page = render_template(
        "web/partners/concerned.html",
        heading=heading(overview, "partners"),
        form=form,
        concerned=concerned,
        others=others,
        zone=overview.controller.time_zone,
        channel_word=words.channel,
        delivery_word=words.delivery_state,
        reason_words=words.reason,
        may_write=actor.may(Act.WORK, overview.controller.id) and overview.incident.is_open,
    )
    return make_response(page, code)
