"""Settings as they are (secrets never), one's own account, the accounts of staff, the controllers."""

from flask import Blueprint, flash, make_response, redirect, render_template, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import accounts, controllers, first_run, installation, sign_in
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.languages import when
from incident_tracker.web.settings.forms import ControllerForm, LookForm, NewControllerForm, OwnPasswordForm
from incident_tracker.web.sign_in.pages import welcome

pages = Blueprint("settings", __name__, url_prefix="/settings")


@pages.get("")
@guarded(Act.READ)
def overview() -> ResponseReturnValue:
    """Show what is set."""
    context, actor = current.context(), current.actor()
    shown = installation.shown(context)
    return render_template(
        "web/settings/settings.html",
        shown=shown,
        last_backup=when(shown.last_backup_at, "short") if shown.last_backup_at else "",
        controller=current.controller(),
        may_change=actor.may(Act.ADMINISTER, current.controller().id),
        sheet_is_due=first_run.sheet_is_due(context),
    )


@pages.get("/account")
@guarded(Act.READ, Act.REPORT)
def account() -> ResponseReturnValue:
    """Show one's own account."""
    return _account()


@pages.post("/account/look")
@guarded(Act.READ, Act.REPORT)
def look() -> ResponseReturnValue:
    """Choose how one's own pages look and read."""
    form = LookForm()
    if not form.validate():
        return _account(look_form=form, code=422)
    accounts.choose(current.context(), current.actor(), language=form.language.data, theme=form.theme.data)
    session.pop("language", None)
    flash(_("Saved."), "said")
    return redirect("/settings/account", 303)


@pages.post("/account/password")
@guarded(Act.READ, Act.REPORT)
def password() -> ResponseReturnValue:
    """Change one's own password; every other sign-in ends, and this one begins anew."""
    form = OwnPasswordForm()
    context, actor = current.context(), current.actor()
    if form.validate() and actor.user_id is not None:
        try:
            accounts.change_own_password(
                context, actor, current=form.current.data or "", password=form.password.data or ""
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            answer = welcome(sign_in.begin(context, actor.user_id), "/settings/account")
            flash(_("The password is changed. Everywhere else you are signed out."), "said")
            return answer
    return _account(password_form=form, code=422)


@pages.get("/controller")
@guarded(Act.ADMINISTER)
def controller() -> ResponseReturnValue:
    """Show what is known of the controller, to be changed."""
    shown = current.controller()
    current.actor().must(Act.ADMINISTER, shown.id)
    return _controller(ControllerForm(data=ControllerForm.of(shown)), is_new=False)


@pages.post("/controller")
@guarded(Act.ADMINISTER)
def change_controller() -> ResponseReturnValue:
    """Change what is known of the controller."""
    form = ControllerForm()
    if form.validate():
        try:
            controllers.change(current.context(), current.actor(), current.controller().id, form.facts())
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("Saved."), "said")
            return redirect("/settings", 303)
    return _controller(form, is_new=False, code=422)


@pages.get("/controllers/new")
@guarded(Act.ADMINISTER)
def new_controller() -> ResponseReturnValue:
    """Show the form for another controller."""
    return _controller(NewControllerForm(), is_new=True)


@pages.post("/controllers/new")
@guarded(Act.ADMINISTER)
def create_controller() -> ResponseReturnValue:
    """Keep another controller, and show it."""
    form = NewControllerForm()
    if form.validate():
        try:
            made = controllers.create(
                current.context(),
                current.actor(),
                form.facts(),
                slug=(form.slug.data or "").strip(),
                reference_prefix=(form.reference_prefix.data or "").strip().upper(),
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            session["controller"] = made.slug
            flash(_("%(name)s is kept here now. Put someone on call.", name=made.name), "said")
            return redirect("/on-call", 303)
    return _controller(form, is_new=True, code=422)


def _account(
    look_form: LookForm | None = None, password_form: OwnPasswordForm | None = None, code: int = 200
) -> ResponseReturnValue:
    found = current.signed_in()
    if found is None:
        raise NotFound
    beginning = {"language": found.user.language, "theme": found.user.theme}
    page = render_template(
        "web/settings/account.html",
        user=found.user,
        look_form=look_form or LookForm(data=beginning, formdata=None),
        password_form=password_form or OwnPasswordForm(formdata=None),
    )
    return make_response(page, code)


def _controller(form: ControllerForm, *, is_new: bool, code: int = 200) -> ResponseReturnValue:
    page = render_template("web/settings/controller.html", form=form, is_new=is_new)
    return make_response(page, code)
