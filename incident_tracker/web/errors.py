"""What is shown when something does not work. What was typed is shown again; nothing of the machine is."""

import secrets
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from urllib.parse import urlencode

import structlog
from flask import Flask, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.services.sign_in import SignInSlowedDown
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web.languages import refusal_text

_log = structlog.get_logger()
_SECRET = ("password", "current", "csrf_token", "token")
_REPEATABLE = frozenset({503})
_OURS = frozenset({"version", "after_version", "once"})
"""What a form carries for us; nobody typed it."""


def answer(app: Flask) -> None:
    """Register the pages of what does not work."""
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(HTTPException, _refused_by_http)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(Exception, _failed)


def typed() -> dict[str, str]:
    """Return what was typed into the form that came with this request, without secrets."""
    if request.method in ("GET", "HEAD"):
        return {}
    try:
        form = request.form
    except HTTPException:
        return {}
    return {
        name: value
        for name, value in form.items()
        if value.strip() and name not in _OURS and not any(name.endswith(secret) for secret in _SECRET)
    }


def _words(code: int) -> tuple[str, str]:
    words: Mapping[int, tuple[str, str]] = {
        400: (_("This could not be understood"), _("Go back, and try again.")),
        401: (_("Sign in first"), _("You are not signed in any more. Sign in, then do it again.")),
        403: (_("Your role does not allow this"), _("Ask an administrator if you need it.")),
        404: (_("There is nothing here"), _("Check the address or the reference.")),
        405: (_("This cannot be done here"), _("Go back, and use the buttons of the page.")),
        413: (_("This is too large"), _("Shorten the text, or attach a smaller file.")),
        429: (_("Too many tries"), _("Wait a little, then try again.")),
        500: (_("Something went wrong here"), _("It is not your fault, and it was written down. Try again.")),
        503: (_("Not saved"), _("The database does not answer. Try again in a moment.")),
    }
    return words.get(code, words[400] if code < 500 else words[500])  # noqa: PLR2004


def _page(code: int, text: str = "", mark: str = "") -> ResponseReturnValue:
    title, said = _words(code)
    kept = typed()
    if code >= 500:  # noqa: PLR2004 - the frame would ask what has just failed
        request.environ["page_failed"] = True
    wants_fragment = request.headers.get("HX-Request") == "true"
    name = "web/errors/fragment.html" if wants_fragment else "web/errors/page.html"
    repeat = request.path if code in _REPEATABLE and kept else ""
    again = f"/sign-in?{urlencode({'next': _form_of_this()})}" if code == 401 else ""  # noqa: PLR2004
    page = render_template(
        name, title=title, text=text or said, typed=kept, repeat=repeat, mark=mark, code=code, again=again
    )
    return make_response(page, code)


def _form_of_this() -> str:
    """Return the page whose form was sent, where it can be opened again; the browser has kept what was typed."""
    try:
        current_app.url_map.bind("").match(request.path, method="GET")
    except HTTPException:
        return "/"
    return request.path


def _form_too_old(_error: CSRFError) -> ResponseReturnValue:
    return _page(400, _("The form is too old, or was opened before you signed in. Open it again and send it anew."))


def _refused_by_http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if error.response is not None or code < 400:  # noqa: PLR2004 - a redirect is no error
        return error
    if code == 401 and request.method in ("GET", "HEAD"):  # noqa: PLR2004
        return _sign_in_page()
    if isinstance(error, RequestEntityTooLarge):
        request.environ["page_failed"] = True
    response = make_response(_page(code))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _sign_in_page() -> ResponseReturnValue:
    response = make_response(current_app.view_functions["sign_in.form"]())
    response.status_code = 401
    return response


def _refused(error: Refusal) -> ResponseReturnValue:
    if isinstance(error, NotFound):
        return _page(404)
    if isinstance(error, NotAllowed):
        return _page(403, refusal_text(error))
    if isinstance(error, NotSaved):
        _log.error("not_saved", endpoint=request.endpoint, why=type(error).__name__)
        return _page(503, refusal_text(error))
    if isinstance(error, SignInSlowedDown):
        response = make_response(_page(429, refusal_text(error)))
        response.headers["Retry-After"] = str(error.params["seconds"])
        return response
    return _page(400, refusal_text(error))


def _failed(error: Exception) -> ResponseReturnValue:
    mark = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{PurePath(one.filename).name}:{one.lineno} {one.name}" for one in frames[-12:]]
    _log.error("page_failed", mark=mark, endpoint=request.endpoint, error=type(error).__name__, where=where)
    try:
        return _page(500, mark=mark)
    except Exception as again:  # noqa: BLE001 - the last resort of all must answer
        _log.error("error_page_failed", mark=mark, error=type(again).__name__)
        return make_response(f"500 ({mark})", 500, {"Content-Type": "text/plain; charset=utf-8"})
