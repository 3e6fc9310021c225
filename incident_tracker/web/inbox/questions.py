"""`/incidents/<reference>/questions`: what readers of a notice asked, answered by mail."""

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import colleagues, questions, register
from incident_tracker.services.questions import SettledMeanwhile, Shown
from incident_tracker.web import current
from incident_tracker.web.forms import PageForm
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.inbox.forms import AnswerForm, CloseQuestionForm
from incident_tracker.web.languages import refusal_text

pages = Blueprint("questions", __name__, url_prefix="/incidents/<reference>/questions")
UNPROCESSABLE = 422


@pages.get("")
@guarded(Act.READ)
def listed(reference: str) -> ResponseReturnValue:
    """Show what was asked, open ones first."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="questions")
    found = questions.listing(context, actor, reference)
    return render_template(
        "web/inbox/questions.html",
        heading=heading(overview, "questions"),
        waiting=[one for one in found if one.state == "open"],
        settled=[one for one in reversed(found) if one.state != "open"],
        names=colleagues.names(context, actor, {one.settled_by for one in found}),
        zone=overview.controller.time_zone,
    )


@pages.get("/<question_id>")
@guarded(Act.READ)
def show(reference: str, question_id: str) -> ResponseReturnValue:
    """Show one question with the form for its answer."""
    return _page(reference, _one(reference, question_id))


@pages.post("/<question_id>/answer")
@guarded(Act.WORK)
def answer(reference: str, question_id: str) -> ResponseReturnValue:
    """Send the answer by mail."""
    form = AnswerForm()
    return _settle(reference, question_id, form)


@pages.post("/<question_id>/close")
@guarded(Act.WORK)
def close(reference: str, question_id: str) -> ResponseReturnValue:
    """Close a question without an answer."""
    form = CloseQuestionForm()
    return _settle(reference, question_id, form)


def _settle(reference: str, question_id: str, form: AnswerForm | CloseQuestionForm) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    one = _one(reference, question_id)
    if not form.validate():
        return _page(reference, one, form, UNPROCESSABLE)
    try:
        if isinstance(form, AnswerForm):
            questions.answer(context, actor, question_id, text=form.text.data or "")
            flash(_("The answer is on its way by e-mail."))
        else:
            questions.close(context, actor, question_id, reason=form.reason.data or "")
            flash(_("Closed without an answer, with your reason."))
    except SettledMeanwhile as refusal:
        flash(refusal_text(refusal), "warning")
    except Refusal as refusal:
        form.place(refusal)
        return _page(reference, one, form, UNPROCESSABLE)
    return redirect(f"/incidents/{reference}/questions", 303)


def _one(reference: str, question_id: str) -> Shown:
    """Return a question of this incident."""
    found, of = questions.show(current.context(), current.actor(), question_id)
    if of != reference:
        raise NotFound
    return found


def _page(reference: str, one: Shown, form: PageForm | None = None, code: int = 200) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="questions")
    page = render_template(
        "web/inbox/question.html",
        heading=heading(overview, "questions"),
        question=one,
        answer_form=form if isinstance(form, AnswerForm) else AnswerForm(formdata=None),
        close_form=form if isinstance(form, CloseQuestionForm) else CloseQuestionForm(formdata=None),
        may_settle=one.state == "open" and actor.may(Act.WORK, overview.incident.controller_id),
        settled_by=colleagues.names(context, actor, [one.settled_by]).get(one.settled_by, one.settled_by),
        zone=overview.controller.time_zone,
    )
    return make_response(page, code)
