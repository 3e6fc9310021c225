"""Signing in and out."""

from flask import Blueprint, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from incident_tracker.domain.access import Act, Actor
from incident_tracker.services import first_run, sign_in
from incident_tracker.services.sign_in import SignInSlowedDown
from incident_tracker.web import current
from incident_tracker.web.guard import public
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.security import safe_next
from incident_tracker.web.sign_in.forms import SignInForm

pages = Blueprint("sign_in", __name__)
_KEPT = ("language", "theme")


@pages.get("/sign-in")
@public("who is not signed in has to")
def form() -> ResponseReturnValue:
    """Show the form; also what a guarded page shows to who is not signed in, under its own address."""
    return _show(SignInForm())


@pages.post("/sign-in")
@public("who is not signed in has to")
def enter() -> ResponseReturnValue:
    """Sign in, and go on to where one wanted to."""
    form = SignInForm()
    if not form.validate():
        return _show(form, 422)
    try:
        secret = sign_in.sign_in(
            current.context(),
            email=form.email.data or "",
            password=form.password.data or "",
            address=request.remote_addr or "",
        )
    except SignInSlowedDown as refusal:
        response = make_response(_show(form, 429, refusal_text(refusal)))
        response.headers["Retry-After"] = str(refusal.params["seconds"])
        return response
    except sign_in.SignInRefused as refusal:
        return _show(form, 422, refusal_text(refusal))
    return welcome(secret, request.args.get("next"))


@pages.post("/sign-out")
@public("whose sign-in has run out may sign out too")
def leave() -> ResponseReturnValue:
    """End the sign-in on the server; the cookie is worthless afterwards."""
    secret = request.cookies.get(current.sign_in_cookie(), "")
    if secret:
        sign_in.sign_out(current.context(), secret)
    _begin_anew()
    response = redirect("/sign-in", 303)
    response.delete_cookie(current.sign_in_cookie(), path="/", secure=_is_https(), httponly=True, samesite="Lax")
    return response


def welcome(secret: str, target: str | None = None) -> Response:
    """Answer with the cookie of a new sign-in; one that was there before ends."""
    context = current.context()
    before = request.cookies.get(current.sign_in_cookie(), "")
    if before:
        sign_in.sign_out(context, before)
    found = sign_in.resume(context, secret)
    if found is None:
        raise sign_in.SignInRefused
    _begin_anew()
    response = redirect(safe_next(target, _home(found.actor)), 303)
    response.set_cookie(
        current.sign_in_cookie(),
        secret,
        max_age=context.settings.security.session_hours * 3600,
        path="/",
        secure=_is_https(),
        httponly=True,
        samesite="Lax",
    )
    return response


def _show(form: SignInForm, code: int = 200, wrong: str = "") -> ResponseReturnValue:
    wanted = request.args.get("next") if request.path == "/sign-in" else request.full_path.rstrip("?")
    page = render_template(
        "web/sign_in/sign_in.html",
        form=form,
        wrong=wrong,
        next=safe_next(wanted, ""),
        first_run_is_open=first_run.is_open(current.context()),
    )
    return make_response(page, code)


def _home(actor: Actor) -> str:
    return "/" if actor.may_anywhere(Act.READ) else "/incidents/new"


def _begin_anew() -> None:
    """Leave nothing of the sign-in before: tokens of forms made until now are worthless."""
    kept = {name: session[name] for name in _KEPT if name in session}
    session.clear()
    session.update(kept)


def _is_https() -> bool:
    return current.context().settings.server.is_https
