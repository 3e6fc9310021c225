"""The accounts of staff, for administrators."""

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import Role
from incident_tracker.services import accounts
from incident_tracker.services.accounts import User
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.settings.forms import DisableForm, EnableForm, PasswordForm, RoleForm, UserForm

pages = Blueprint("users", __name__, url_prefix="/settings/users")


@pages.get("")
@guarded(Act.ADMINISTER)
def listing() -> ResponseReturnValue:
    """Show who has an account for the controller."""
    return _listing(UserForm())


@pages.post("")
@guarded(Act.ADMINISTER)
def create() -> ResponseReturnValue:
    """Make an account with a role for the controller."""
    form = UserForm()
    if form.validate():
        try:
            accounts.create(
                current.context(),
                current.actor(),
                name=form.name.data or "",
                email=form.email.data or "",
                password=form.password.data or "",
                grants={current.controller().id: Role(form.role.data)},
                language=form.language.data or "",
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("%(name)s has an account. Say the password face to face.", name=form.name.data.strip()), "said")
            return redirect("/settings/users", 303)
    return _listing(form, 422)


@pages.get("/<int:user_id>")
@guarded(Act.ADMINISTER)
def show(user_id: int) -> ResponseReturnValue:
    """Show one account, to be changed."""
    return _one(_user(user_id))


@pages.post("/<int:user_id>/role")
@guarded(Act.ADMINISTER)
def role(user_id: int) -> ResponseReturnValue:
    """Give another role."""
    user, form = _user(user_id), RoleForm()
    if form.validate():
        try:
            chosen = Role(form.role.data) if form.role.data else None
            accounts.set_role(current.context(), current.actor(), user_id, current.controller().id, chosen)
        except Refusal as refusal:
            form.place(refusal)
        else:
            return _done(_("The role of %(name)s is changed.", name=user.name))
    return _one(user, role_form=form)


@pages.post("/<int:user_id>/password")
@guarded(Act.ADMINISTER)
def password(user_id: int) -> ResponseReturnValue:
    """Give a new password."""
    user, form = _user(user_id), PasswordForm()
    if form.validate():
        try:
            accounts.set_password(current.context(), current.actor(), user_id, form.password.data or "")
        except Refusal as refusal:
            form.place(refusal)
        else:
            return _done(_("%(name)s has a new password, and is signed out everywhere.", name=user.name))
    return _one(user, password_form=form)


@pages.post("/<int:user_id>/disable")
@guarded(Act.ADMINISTER)
def disable(user_id: int) -> ResponseReturnValue:
    """Shut an account."""
    user, form = _user(user_id), DisableForm()
    if form.validate():
        try:
            if form.email.data.strip().casefold() == user.email.casefold():
                accounts.disable(current.context(), current.actor(), user_id)
                return _done(_("%(name)s is shut out.", name=user.name))
            form.email.errors = [_("This is not the e-mail. Type %(email)s.", email=user.email)]
        except Refusal as refusal:
            form.place(refusal)
    return _one(user, disable_form=form)


@pages.post("/<int:user_id>/enable")
@guarded(Act.ADMINISTER)
def enable(user_id: int) -> ResponseReturnValue:
    """Open a shut account again."""
    user = _user(user_id)
    accounts.enable(current.context(), current.actor(), user_id)
    return _done(_("%(name)s can sign in again.", name=user.name))


def _listing(form: UserForm, code: int = 200) -> ResponseReturnValue:
    page = render_template("web/settings/users.html", form=form, users=_users(), controller=current.controller())
    return make_response(page, code)


def _one(
    user: User,
    role_form: RoleForm | None = None,
    password_form: PasswordForm | None = None,
    disable_form: DisableForm | None = None,
) -> ResponseReturnValue:
    present = user.grants.get(current.controller().id)
    page = render_template(
        "web/settings/user.html",
        user=user,
        role=present,
        role_form=role_form or RoleForm(formdata=None, data={"role": present.value if present else ""}),
        password_form=password_form or PasswordForm(formdata=None),
        disable_form=disable_form or DisableForm(formdata=None),
        enable_form=EnableForm(formdata=None),
    )
    return make_response(page, 422 if role_form or password_form or disable_form else 200)


def _users() -> list[User]:
    """Return the accounts of the controller shown, which the actor must administer."""
    actor, controller = current.actor(), current.controller()
    actor.must(Act.ADMINISTER, controller.id)
    return [one for one in accounts.listing(current.context(), actor) if controller.id in one.grants]


def _user(user_id: int) -> User:
    """Return one of them; anybody else's id answers like a random one."""
    found = next((one for one in _users() if one.id == user_id), None)
    if found is None:
        raise NotFound
    return found


def _done(text: str) -> ResponseReturnValue:
    flash(text, "said")
    return redirect("/settings/users", 303)
