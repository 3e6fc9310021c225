"""Where a partner tells us of a breach, behind its own link: no account, no cookie."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.partners import Partner
from incident_tracker.services import partners
from incident_tracker.web import current, public_forms
from incident_tracker.web.guard import public
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.public import showing
from incident_tracker.web.public.showing import Place

pages = Blueprint("partner_tips", __name__, url_prefix="/partner")
PURPOSE = "partner-tip"


@pages.get("/<secret>")
@public("a partner has no account; its link is the proof", csrf=False)
def show(secret: str) -> ResponseReturnValue:
    """Show the form."""
    return _show(*_behind(secret), secret)


@pages.post("/<secret>")
@public("a partner has no account; its link is the proof", csrf=False)
def tell(secret: str) -> ResponseReturnValue:
    """Open an incident from what the partner wrote."""
    partner, controller = _behind(secret)
    try:
        public_forms.check(PURPOSE)
        reference = partners.take_tip(
            current.context(),
            secret,
            what=request.form.get("what", ""),
            reach=request.form.get("reach", ""),
            once=request.form.get(public_forms.TOKEN, ""),
        )
    except Refusal as refusal:
        return _show(partner, controller, secret, refusal)
    if reference is None:
        raise NotFound
    return _private("thanks", controller, partner=partner, reference=reference)


def _behind(secret: str) -> tuple[Partner, Controller]:
    found = partners.by_secret(current.context(), secret)
    if found is None:
        raise NotFound
    return found


def _show(
    partner: Partner, controller: Controller, secret: str, refusal: Refusal | None = None
) -> ResponseReturnValue:
    return _private(
        "tell",
        controller,
        200 if refusal is None else 422,
        partner=partner,
        sent_to=f"/partner/{secret}{showing.chosen()}",
        token=public_forms.again(PURPOSE),
        typed=request.form,
        wrong="" if refusal is None else refusal_text(refusal),
        wrong_field="" if refusal is None else refusal.field or "",
    )


def _private(name: str, controller: Controller, code: int = 200, **values: object) -> ResponseReturnValue:
    """Return a page whose address nobody else learns, and that no search engine keeps."""
    response = showing.show(f"web/partners/{name}.html", Place(controller, None), code, **values)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
