"""Where a partner tells us of a breach, behind its own link: no account, no cookie."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.partners import Partner
from incident_tracker.services import partners
from incident_tracker.web import current, public_forms
from incident_tracker.web.guard import public
from incident_tracker.web.languages import refusal_text

pages = Blueprint("partner_tips", __name__, url_prefix="/partner")
PURPOSE = "partner-tip"


@pages.get("/<secret>")
@public("a partner has no account; its link is the proof")
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
    return _closed(
        render_template("web/partners/thanks.html", partner=partner, controller=controller, reference=reference)
    )


def _behind(secret: str) -> tuple[Partner, Controller]:
    found = partners.by_secret(current.context(), secret)
    if found is None:
        raise NotFound
    return found


def _show(
    partner: Partner, controller: Controller, secret: str, refusal: Refusal | None = None
) -> ResponseReturnValue:
    page = render_template(
        "web/partners/tell.html",
        partner=partner,
        controller=controller,
        secret=secret,
        token=public_forms.token(PURPOSE),
        typed=request.form,
        wrong="" if refusal is None else refusal_text(refusal),
        wrong_field="" if refusal is None else refusal.field or "",
    )
    return _closed(page, 200 if refusal is None else 422)


def _closed(page: str, code: int = 200) -> ResponseReturnValue:
    """Return a page whose address is a secret: not passed on, not kept, not found."""
    answer = make_response(page, code)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Cache-Control"] = "no-store"
    return answer
