"""Who asks, in which language, for which controller: what a view may know about the present request."""

from typing import cast

from flask import current_app, g, request, session
from flask_babel import get_locale

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.parties import LANGUAGES, Controller
from incident_tracker.services import frame as frames
from incident_tracker.services import sign_in
from incident_tracker.services.context import Context
from incident_tracker.services.frame import House
from incident_tracker.services.sign_in import SignedIn
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web.security import cookie_name

THEMES = ("light", "dark")


def tracker() -> Tracker:
    """Return the product behind the pages."""
    return cast("Tracker", current_app.extensions["incident_tracker"])


def context() -> Context:
    """Return what services need."""
    return tracker().context


def sign_in_cookie() -> str:
    """Return the name of the cookie that holds a sign-in."""
    return cookie_name("sign-in", https=context().settings.server.is_https)


def signed_in() -> SignedIn | None:
    """Return who is signed in; asked of the database once a request."""
    if "signed_in" not in g:
        g.signed_in = sign_in.resume(context(), request.cookies.get(sign_in_cookie(), ""))
    return cast("SignedIn | None", g.signed_in)


def actor() -> Actor:
    """Return who acts. Only guarded views may ask."""
    found = signed_in()
    if found is None:
        raise RuntimeError("a view without a guard asked who acts")
    return found.actor


def house() -> House | None:
    """Return the facts of the frame, for the controller chosen last; asked of the database once a request."""
    if "house" not in g:
        found = signed_in()
        g.house = None if found is None else frames.house(context(), found.actor, session.get("controller", ""))
    return cast("House | None", g.house)


def controller() -> Controller:
    """Return the controller whose pages are shown."""
    found = house()
    if found is None:
        raise RuntimeError("a view asked for a controller, and there is none")
    return found.controller


def controller_name() -> str:
    """Return the name for pages before signing in: that of the only controller, else nothing."""
    try:
        found = frames.house(context(), SHELL)
    except NotSaved:  # the page that says so must be shown
        return ""
    return found.controller.name if found is not None and len(found.controllers) == 1 else ""


def language() -> str:
    """Return `da` or `en`: what the babel of this request speaks."""
    locale = get_locale()
    return str(locale.language) if locale is not None else "da"


def choose_language() -> str:
    """Return the language of a request: chosen in this browser, the account's, the browser's, else Danish.

    Public pages keep nothing in the browser: there a link chooses.
    """
    if request.blueprint in ("public", "outside_approvals"):
        asked = request.args.get("language", "")
        return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "da") or "da"
    chosen = session.get("language", "")
    if chosen in LANGUAGES:
        return str(chosen)
    found = g.get("signed_in")
    if found is not None:
        return str(found.user.language)
    return request.accept_languages.best_match(LANGUAGES, "da") or "da"


def theme() -> str:
    """Return `light`, `dark` or, empty, what the machine says."""
    found = g.get("signed_in")
    chosen = found.user.theme if found is not None else session.get("theme", "")
    return chosen if chosen in THEMES else ""


def zone() -> str:
    """Return the zone in which times are shown and typed."""
    found = house()
    return found.controller.time_zone if found is not None else "Europe/Copenhagen"
