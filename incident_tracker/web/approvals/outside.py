"""The page behind a one-time link: somebody outside decides, without an account and without a cookie.

Opening it shows; only the form decides. Its address is the secret, so nothing of it is passed on or kept.
"""

import structlog
from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from incident_tracker.domain.approvals import InvitationIsDead
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import approving
from incident_tracker.services.approving import Invitation
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web import current, public_forms, words
from incident_tracker.web.approvals import said
from incident_tracker.web.approvals.forms import OutsideForm
from incident_tracker.web.guard import public
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.public import showing
from incident_tracker.web.public.reports import not_saved
from incident_tracker.web.public.showing import Place

pages = Blueprint("outside_approvals", __name__, url_prefix="/approve/<secret>")
PURPOSE = "approve"
_log = structlog.get_logger()
_REASON = "the link itself is the proof, works once, and needs no account"


@pages.get("")
@public(_REASON, csrf=False)
def show(secret: str) -> ResponseReturnValue:
    """Show what is asked for; opening the link decides nothing."""
    try:
        found = approving.by_secret(current.context(), secret)
    except InvitationIsDead as refusal:
        return _dead(refusal)
    return _page(found, secret)


@pages.post("")
@public(_REASON, csrf=False)
def decide(secret: str) -> ResponseReturnValue:
    """Approve or reject, once."""
    context = current.context()
    yes = said.is_yes()
    try:
        found = approving.by_secret(context, secret)
    except InvitationIsDead as refusal:
        return _dead(refusal)
    try:
        public_forms.check(PURPOSE)
        if public_forms.trapped():
            raise public_forms.FormNotOurs
        approving.decide_outside(context, secret, approve=yes, reason=request.form.get("reason", ""))
    except InvitationIsDead as refusal:
        return _dead(refusal)
    except NotSaved:
        raise
    except Refusal as refusal:
        return _page(found, secret, refusal)
    return _private("outside_done", found, approved=yes)


@pages.errorhandler(NotSaved)
def unavailable(error: NotSaved) -> ResponseReturnValue:
    """Say that the database does not answer, and show again what was typed; nothing was decided."""
    _log.error("not_saved", endpoint=request.endpoint, why=type(error).__name__)
    request.environ["page_failed"] = True
    return make_response(not_saved(Place(None, None), OutsideForm()), {"Referrer-Policy": "no-referrer"})


def _page(found: Invitation, secret: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    zone, approval = found.controller.time_zone, found.approval
    return _private(
        "outside",
        found,
        200 if refusal is None else 422,
        matter=said.matter(found.reader, found.incident, approval, zone),
        until=words.moment(approval.invited_until or approval.asked_at, zone),
        asked_at=words.moment(approval.asked_at, zone),
        sent_to=f"/approve/{secret}{showing.chosen()}",
        token=public_forms.token(PURPOSE),
        wrong=refusal_text(refusal) if refusal is not None else "",
        at_reason=refusal is not None and refusal.field == "reason",
        typed=request.form.get("reason", "") if request.method == "POST" else "",
    )


def _dead(refusal: Refusal) -> Response:
    return _private("outside_dead", None, 404, text=refusal_text(refusal))


def _private(name: str, found: Invitation | None, code: int = 200, **values: object) -> Response:
    """Return a page whose address nobody else learns, and that no search engine keeps."""
    where = Place(found.controller if found is not None else None, None)
    response = showing.show(f"web/approvals/{name}.html", where, code, found=found, **values)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
