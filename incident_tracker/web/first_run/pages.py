"""The first run, behind the one-time link that the service prints; then the recovery sheet, shown once."""

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import controllers, first_run, sign_in
from incident_tracker.services.first_run import LinkIsDead, SeveralMistakes
from incident_tracker.web import current
from incident_tracker.web.first_run.forms import FirstRunForm, SheetForm
from incident_tracker.web.guard import guarded, public
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.sign_in.pages import welcome

pages = Blueprint("first_run", __name__, url_prefix="/first-run")


@pages.get("/<token>")
@public("the link itself is the proof, and it works once")
def form(token: str) -> ResponseReturnValue:
    """Show the form of the first run; opening the link uses nothing up."""
    try:
        first_run.check_link(current.context(), token)
    except LinkIsDead as refusal:
        return _dead(refusal)
    beginning = FirstRunForm.begin_with(controllers.from_settings(current.context()))
    return render_template("web/first_run/first_run.html", form=FirstRunForm(data=beginning), token=token)


@pages.post("/<token>")
@public("the link itself is the proof, and it works once")
def complete(token: str) -> ResponseReturnValue:
    """Make administrator, controller and people on call, and sign the administrator in."""
    form = FirstRunForm()
    context = current.context()
    if form.validate():
        try:
            user_id = first_run.complete(
                context,
                token,
                administrator=form.administrator(current.language()),
                controller=form.controller(),
                contacts=form.contacts(),
            )
        except LinkIsDead as refusal:
            return _dead(refusal)
        except SeveralMistakes as refused:
            for one in refused.refusals:
                form.place(one)
        except Refusal as refusal:
            form.place(refusal)
        else:
            return welcome(sign_in.begin(context, user_id), "/first-run/recovery-sheet")
    form.ask_for_the_password_again()
    return make_response(render_template("web/first_run/first_run.html", form=form, token=token), 422)


@pages.get("/recovery-sheet")
@guarded(Act.ADMINISTER)
def sheet() -> ResponseReturnValue:
    """Say what the recovery sheet is; looking does not show it."""
    is_due = first_run.sheet_is_due(current.context())
    return render_template("web/first_run/sheet.html", form=SheetForm(), is_due=is_due, sheet=None, sheet_at=None)


@pages.post("/recovery-sheet")
@guarded(Act.ADMINISTER)
def show_sheet() -> ResponseReturnValue:
    """Show the master key, once, to be printed."""
    shown = first_run.show_sheet(current.context(), current.actor())
    at = current.context().now()
    return render_template("web/first_run/sheet.html", form=SheetForm(), is_due=False, sheet=shown, sheet_at=at)


def _dead(refusal: LinkIsDead) -> ResponseReturnValue:
    page = render_template("web/first_run/dead.html", text=refusal_text(refusal))
    return make_response(page, 404)
