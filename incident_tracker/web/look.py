"""Light or dark, chosen by a small form on every page. The language is chosen by a link, `?language=en`."""

from flask import Blueprint, redirect, request, session
from werkzeug.wrappers import Response

from incident_tracker.services import accounts
from incident_tracker.web import current
from incident_tracker.web.guard import public
from incident_tracker.web.security import same_site_referrer

pages = Blueprint("look", __name__, url_prefix="/look")


@pages.post("/theme")
@public("anybody may choose how pages look")
def theme() -> Response:
    """Remember light or dark: for who is signed in with the account, else in this browser."""
    chosen = request.form.get("theme", "")
    if chosen not in current.THEMES:
        chosen = ""
    found = current.signed_in()
    if found is not None:
        accounts.choose(current.context(), found.actor, theme=chosen)
    else:
        session["theme"] = chosen
    return redirect(same_site_referrer(), 303)
