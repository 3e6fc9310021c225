"""Tokens of programs: one's own, and of those whom one administers."""

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import tokens
from incident_tracker.services.tokens import Made
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.settings.forms import EnableForm, TokenForm

pages = Blueprint("tokens", __name__, url_prefix="/settings/tokens")


@pages.get("")
@guarded(Act.READ, Act.REPORT)
def listing() -> ResponseReturnValue:
    """Show which programs may come in."""
    return _listing(TokenForm())


@pages.post("")
@guarded(Act.READ, Act.REPORT)
def create() -> ResponseReturnValue:
    """Make a token that acts as oneself, and show it, this once."""
    form, actor = TokenForm(), current.actor()
    if form.validate() and actor.user_id is not None:
        try:
            made = tokens.create(
                current.context(),
                actor,
                owner_id=actor.user_id,
                name=form.name.data or "",
                scopes=form.scope.data or (),
                days=form.expires_days.data,
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            return _listing(TokenForm(formdata=None), 201, made)
    return _listing(form, 422)


@pages.post("/<token_id>/revoke")
@guarded(Act.READ, Act.REPORT)
def revoke(token_id: str) -> ResponseReturnValue:
    """Let a token open nothing any more."""
    if not token_id.isalnum():
        raise NotFound
    tokens.revoke(current.context(), current.actor(), token_id)
    flash(_("The token is revoked; it opens nothing any more."), "said")
    return redirect("/settings/tokens", 303)


def _listing(form: TokenForm, code: int = 200, made: Made | None = None) -> ResponseReturnValue:
    page = render_template(
        "web/settings/tokens.html",
        form=form,
        revoke_form=EnableForm(formdata=None),
        made=made,
        tokens=tokens.listing(current.context(), current.actor()),
        now=current.context().now(),
    )
    return make_response(page, code)
