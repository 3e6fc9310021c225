"""One decision that needs a second pair of eyes: look at it, approve, reject, invite, decide alone, carry out."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from incident_tracker.domain.access import Act
from incident_tracker.domain.approvals import INVITED_FOR, WAIT_ALONE
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import approving, register
from incident_tracker.services.approving import Shown
from incident_tracker.services.sign_in import SignInSlowedDown
from incident_tracker.web import current, words
from incident_tracker.web.approvals import said
from incident_tracker.web.approvals.forms import AloneForm, DecisionForm, InviteForm, PlainForm
from incident_tracker.web.forms import PageForm
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.languages import refusal_text

pages = Blueprint("approvals", __name__, url_prefix="/incidents/<reference>/approvals/<approval_id>")
UNPROCESSABLE = 422
TOO_MANY = 429
MINUTES = int(WAIT_ALONE.total_seconds() // 60)
HOURS = int(INVITED_FOR.total_seconds() // 3600)


@pages.get("")
@guarded(Act.READ)
def show(reference: str, approval_id: str) -> ResponseReturnValue:
    """Show what is asked for, and how it stands."""
    return _page(_known(reference, approval_id))


@pages.post("/decide")
@guarded(Act.DECIDE)
def decide(reference: str, approval_id: str) -> ResponseReturnValue:
    """Approve or reject as a colleague."""
    _known(reference, approval_id)
    form = DecisionForm()
    yes = said.is_yes()
    act = approving.approve if yes else approving.reject
    done = _("Approved.") if yes else _("Rejected. Whoever asked is told.")
    return _do(
        reference,
        approval_id,
        form,
        lambda: act(current.context(), current.actor(), approval_id, reason=form.reason.data or ""),
        done,
    )


@pages.post("/alone")
@guarded(Act.DECIDE)
def alone(reference: str, approval_id: str) -> ResponseReturnValue:
    """Approve alone, where the controller allows it."""
    _known(reference, approval_id)
    form = AloneForm()
    return _do(
        reference,
        approval_id,
        form,
        lambda: approving.approve_alone(
            current.context(),
            current.actor(),
            approval_id,
            reason=form.reason.data or "",
            password=form.password.data or "",
            address=request.remote_addr or "",
        ),
        _("Recorded that you decided alone. It can be carried out in %(minutes)s minutes.", minutes=MINUTES),
    )


@pages.post("/invite")
@guarded(Act.DECIDE)
def invite(reference: str, approval_id: str) -> ResponseReturnValue:
    """Send a one-time link to somebody outside."""
    _known(reference, approval_id)
    form = InviteForm()
    return _do(
        reference,
        approval_id,
        form,
        lambda: approving.invite(
            current.context(),
            current.actor(),
            approval_id,
            name=form.name.data or "",
            email=form.email.data or "",
        ),
        _("The link is on its way. It is valid for %(hours)s hours and works once.", hours=HOURS),
    )


@pages.post("/carry-out")
@guarded(Act.DECIDE)
def carry_out(reference: str, approval_id: str) -> ResponseReturnValue:
    """Do what somebody alone decided, after the wait."""
    _known(reference, approval_id)
    return _do(
        reference,
        approval_id,
        PlainForm(),
        lambda: approving.carry_out(current.context(), current.actor(), approval_id),
        _("Carried out."),
    )


@pages.post("/take-back")
@guarded(Act.DECIDE)
def take_back(reference: str, approval_id: str) -> ResponseReturnValue:
    """End what was asked for, before it is done."""
    _known(reference, approval_id)
    return _do(
        reference,
        approval_id,
        PlainForm(),
        lambda: approving.take_back(current.context(), current.actor(), approval_id),
        _("Taken back. Nothing was done."),
    )


def _known(reference: str, approval_id: str) -> Shown:
    shown = approving.show(current.context(), current.actor(), approval_id)
    if shown.incident.reference != reference:
        raise NoSuchPage
    return shown


def _do(reference: str, approval_id: str, form: PageForm, act: Callable[[], None], done: str) -> ResponseReturnValue:
    """Do it and go back to the page; what is refused stands beside its field, and nothing typed is lost."""
    code = UNPROCESSABLE
    if form.validate():
        try:
            act()
        except SignInSlowedDown as refusal:
            form.form_errors.append(refusal_text(refusal))
            code = TOO_MANY
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(done, "said")
            return redirect(f"/incidents/{reference}/approvals/{approval_id}", 303)
    return _page(_known(reference, approval_id), form, code)


def _page(shown: Shown, wrong: PageForm | None = None, code: int = 200) -> ResponseReturnValue:
    context, actor, approval = current.context(), current.actor(), shown.approval
    reference, zone = shown.incident.reference, shown.controller.time_zone
    overview = register.overview(context, actor, reference, looked_at="approval" if wrong is None else "")
    forms = {
        kind: wrong if isinstance(wrong, kind) else kind(formdata=None)
        for kind in (DecisionForm, AloneForm, InviteForm, PlainForm)
    }
    page = render_template(
        "web/approvals/approval.html",
        heading=heading(overview, "approvals"),
        shown=shown,
        approval=approval,
        matter=said.matter(actor, shown.incident, approval, zone),
        asked_by=shown.names.get(approval.asked_by, _("The shell")),
        asked_at=words.moment(approval.asked_at, zone),
        decided=said.decided(approval),
        standing=said.standing(approval, shown.names, zone),
        not_before=_later(approval.not_before, zone),
        invited_until=_later(approval.invited_until, zone),
        decision=forms[DecisionForm],
        alone=forms[AloneForm],
        invitation=forms[InviteForm],
        plain=forms[PlainForm],
        wrong=wrong,
        minutes=MINUTES,
        hours=HOURS,
    )
    return make_response(page, code)


def _later(at: datetime | None, zone: str) -> str:
    """Return an instant in words while it lies ahead."""
    return words.moment(at, zone) if at is not None and at > current.context().now() else ""
