"""Who may see which page. A view without a declared guard is shown to nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import structlog
from flask import Flask, Response, current_app, redirect, request, session
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response as AnyResponse

from incident_tracker.domain.access import Act
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.web import current
from incident_tracker.web.security import MEGABYTE, PLAIN_LIMIT

View = TypeVar("View", bound=Callable[..., Any])
_log = structlog.get_logger()
_ATTRIBUTE = "page_guard"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Guard:
    """What a view asks for: any of these acts. A view without one is public, for the written reason."""

    acts: tuple[Act, ...] = ()
    reason: str = ""
    csrf: bool = True
    uploads: bool = False


def guarded(*acts: Act, uploads: bool = False) -> Callable[[View], View]:
    """Show a view only to who may do any of the acts for some controller; the service checks for which.

    `uploads`: the view takes files, so that its requests may be large.
    """
    if not acts:
        raise ValueError("say which act the view is for")
    return _declaring(Guard(acts, uploads=uploads))


def public(reason: str, *, csrf: bool = True) -> Callable[[View], View]:
    """Show a view to everybody, for the written reason. `csrf=False` only where the request proves itself."""
    return _declaring(Guard((), reason, csrf=csrf))


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """Return what a view declares."""
    if endpoint == "static":
        return Guard((), "files that we ship")
    return cast("Guard | None", getattr(app.view_functions.get(endpoint), _ATTRIBUTE, None))


def watch(app: Flask, form_key: bytes) -> None:
    """Check every request before its view."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SECRET_KEY=form_key.hex(),
        WTF_CSRF_SSL_STRICT=app.config["SESSION_COOKIE_SECURE"],
    )
    _csrf.init_app(app)
    app.before_request(_check)


def _declaring(guard: Guard) -> Callable[[View], View]:
    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, guard)
        return view

    return declare


def _check() -> AnyResponse | Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint == "static":
        return None
    guard = guard_of(current_app, endpoint)
    if guard is None:
        _log.error("page_without_guard", endpoint=endpoint)
        raise Forbidden
    request.max_content_length = _limit(guard)
    if guard.acts:
        _check_person(guard.acts)
    if request.method not in _READING and guard.csrf:
        _csrf.protect()
    return _kept_choice() if guard.csrf else None


def _check_person(acts: tuple[Act, ...]) -> None:
    found = current.signed_in()
    if found is None:
        raise Unauthorized
    _tie_form_cookie(found.secret_hash.hex())
    if not any(found.actor.may_anywhere(act) for act in acts):
        raise Forbidden


def _tie_form_cookie(sign_in: str) -> None:
    """Let tokens of forms live only as long as the sign-in that they were made for."""
    if session.get("of") != sign_in:
        kept = {name: session[name] for name in ("language", "controller", "_flashes") if name in session}
        session.clear()
        session.update(kept)
        session["of"] = sign_in


def _limit(guard: Guard) -> int:
    if not guard.uploads:
        return PLAIN_LIMIT
    return current.context().settings.security.max_upload_megabytes * MEGABYTE + PLAIN_LIMIT


def _kept_choice() -> AnyResponse | None:
    """Keep a language or controller chosen by a link in this browser, and go on without it in the address."""
    if request.method != "GET" or not {"language", "controller"} & set(request.args):
        return None
    language = request.args.get("language", "")
    if language in LANGUAGES:
        session["language"] = language
    slug = request.args.get("controller", "")
    house = current.house() if slug and current.signed_in() else None
    if house is not None and any(one.slug == slug for one in house.controllers):
        session["controller"] = slug
    rest = request.args.copy()
    rest.pop("language", None)
    rest.pop("controller", None)
    query = urlencode(list(rest.items(multi=True)))
    return redirect(request.path + (f"?{query}" if query else ""), 303)
