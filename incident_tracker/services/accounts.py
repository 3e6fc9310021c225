"""Accounts of staff: made, given roles, shut and opened by administrators. There is no default password."""

from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import UserChanged
from incident_tracker.domain.parties import LANGUAGES, Role
from incident_tracker.services import emails, passwords, texts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers, sessions, users
from incident_tracker.store.users import NewUser
from incident_tracker.store.users import User as User  # noqa: PLC0414 - pages name it, and never open a table

NAME_LIMIT = 100
THEMES = ("", "light", "dark")


class EmailIsTaken(Refusal):
    """There is an account with this e-mail already."""

    message = (
        "There is already an account with this e-mail. If you see it among the accounts, give it a role there; "
        "if not, ask whoever runs the tracker to give it one."
    )


class NoRoleGiven(Refusal):
    """An account without a role could do nothing."""

    message = "Choose a role."


class LastAdministrator(Refusal):
    """Without this account nobody could administer a controller any more."""

    message = "This is the last administrator. Make somebody else administrator first."


class PasswordIsNotRight(Refusal):
    """The present password was asked for, and another one was typed."""

    message = "This is not your present password."


class ChoiceUnknown(Refusal):
    """A value that is not among the choices."""

    message = "Choose one of: %(choices)s."


def create(
    context: Context,
    actor: Actor,
    *,
    name: str,
    email: str,
    password: str,
    grants: Mapping[int, Role],
    language: str = "da",
) -> int:
    """Make an account with a role for each controller named; return its id."""
    if not grants:
        raise NoRoleGiven(field="role")
    for controller_id in grants:
        actor.must(Act.ADMINISTER, controller_id)
    new = prepare(context, name=name, email=email, password=password, language=language)
    try:
        with working(context, actor) as work:
            return insert(work, new, grants)
    except IntegrityError:
        raise EmailIsTaken(field="email") from None


def prepare(context: Context, *, name: str, email: str, password: str, language: str) -> NewUser:
    """Check and hash what an account is made of, before any transaction."""
    one_of(language, LANGUAGES, "language")
    address = emails.read(email)
    called = texts.clean_line(name, "name", limit=NAME_LIMIT)
    passwords.check(password, known=(address, address.partition("@")[0], called))
    return NewUser(
        name=called,
        email=address,
        email_hash=context.keyring.fingerprint(users.LOOK_UP, emails.key_of(address), context.now()),
        password_hash=passwords.hashed(password),
        language=language,
    )


def insert(work: Work, new: NewUser, grants: Mapping[int, Role]) -> int:
    """Insert an account and its roles in a transaction that is under way."""
    user_id = users.add(work.session, work.keyring, work.keyring.year(work.now), new, work.now)
    for controller_id, role in grants.items():
        users.grant(work.session, user_id, controller_id, role, work.now)
        work.note(UserChanged(user_id, "created", controller_id, role.value), controller_id)
    return user_id


def set_role(context: Context, actor: Actor, user_id: int, controller_id: int, role: Role | None) -> None:
    """Give an account a role for a controller, or take it away (None); it holds from the next page on."""
    actor.must(Act.ADMINISTER, controller_id)
    with working(context, actor) as work:
        user = _visible(work, user_id)
        if user.grants.get(controller_id) is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR:
            _keep_an_administrator(work, user, [controller_id])
        users.grant(work.session, user_id, controller_id, role, work.now)
        change = "role_given" if role is not None else "role_taken"
        work.note(UserChanged(user_id, change, controller_id, role.value if role else ""), controller_id)


def disable(context: Context, actor: Actor, user_id: int) -> None:
    """Shut an account: every sign-in of it ends at once, and no new one begins."""
    with working(context, actor) as work:
        user = _own_to_administer(work, user_id)
        administered = [one for one, role in user.grants.items() if role is Role.ADMINISTRATOR]
        _keep_an_administrator(work, user, administered)
        users.set_disabled(work.session, user_id, work.now)
        sessions.end_all(work.session, user_id)
        _note(work, user, "disabled")


def enable(context: Context, actor: Actor, user_id: int) -> None:
    """Open a shut account again."""
    with working(context, actor) as work:
        user = _own_to_administer(work, user_id)
        users.set_disabled(work.session, user_id, None)
        _note(work, user, "enabled")


def set_password(context: Context, actor: Actor, user_id: int, password: str) -> None:
    """Give an account a new password; all its sign-ins end."""
    with context.database.reading() as session:
        user = users.get(session, context.keyring, user_id)
    _must_administer(actor, user)
    _change_password(context, actor, user_id, password)


def change_own_password(context: Context, actor: Actor, *, current: str, password: str) -> None:
    """Change one's own password, knowing the present one; all sign-ins end, also the one in use."""
    user_id = _self(actor)
    with context.database.reading() as session:
        before = users.password_of(session, user_id)
    if not passwords.matches(before, current):
        raise PasswordIsNotRight(field="current")
    _change_password(context, actor, user_id, password)


def choose(context: Context, actor: Actor, *, language: str | None = None, theme: str | None = None) -> None:
    """Remember how one's own pages look and read."""
    user_id = _self(actor)
    if language is not None:
        one_of(language, LANGUAGES, "language")
    if theme is not None:
        one_of(theme, THEMES, "theme")
    with context.database.writing() as session:
        if language is not None:
            users.set_language(session, user_id, language)
        if theme is not None:
            users.set_theme(session, user_id, theme)


def listing(context: Context, actor: Actor) -> list[User]:
    """Return the accounts that serve the controllers that the actor administers, with their roles there."""
    with context.database.reading() as session:
        return users.listing(session, context.keyring, actor.scope_for(Act.ADMINISTER))


def find(context: Context, email: str) -> User:
    """Return the account with an e-mail, for the shell."""
    email_hash = context.keyring.fingerprint(users.LOOK_UP, emails.key_of(email), context.now())
    with context.database.reading() as session:
        user = users.by_email(session, context.keyring, email_hash)
    if user is None:
        raise NotFound(what=email)
    return user


def one_of(value: str, choices: tuple[str, ...], field: str) -> None:
    """Refuse a value that is not among the choices."""
    if value not in choices:
        raise ChoiceUnknown(field=field, choices=", ".join(one or "-" for one in choices))


def _change_password(context: Context, actor: Actor, user_id: int, password: str) -> None:
    with context.database.reading() as session:
        user = users.get(session, context.keyring, user_id)
    known = (user.email, user.email.partition("@")[0], user.name) if user is not None else ()
    passwords.check(password, known=known)
    password_hash = passwords.hashed(password)
    with working(context, actor) as work:
        user = _existing(work, user_id)
        users.set_password(work.session, user_id, password_hash)
        sessions.end_all(work.session, user_id)
        _note(work, user, "password")


def _visible(work: Work, user_id: int) -> User:
    """Return an account that serves a controller of the actor's, or refuse alike whether there is such an account."""
    user = _existing(work, user_id)
    scope = work.actor.scope_for(Act.ADMINISTER)
    if scope is not None and not scope & set(user.grants):
        raise NotFound(what="account")
    return user


def _own_to_administer(work: Work, user_id: int) -> User:
    user = _visible(work, user_id)
    _must_administer(work.actor, user)
    return user


def _must_administer(actor: Actor, user: User | None) -> None:
    """Let only who administers every controller that an account serves shut it, open it or set its password."""
    scope = actor.scope_for(Act.ADMINISTER)
    if user is None or (scope is not None and not scope & set(user.grants)):
        raise NotFound(what="account")
    for controller_id in user.grants:
        actor.must(Act.ADMINISTER, controller_id)


def _existing(work: Work, user_id: int) -> User:
    user = users.get(work.session, work.keyring, user_id)
    if user is None:
        raise NotFound(what="account")
    return user


def _keep_an_administrator(work: Work, user: User, controller_ids: list[int]) -> None:
    """Refuse to leave a controller without one; of two who ask at once, the second sees what the first did."""
    if user.is_disabled:
        return
    controllers.lock(work.session, controller_ids)
    for controller_id in controller_ids:
        if not users.other_administrators(work.session, controller_id, user.id):
            raise LastAdministrator(field="role")


def _note(work: Work, user: User, change: str) -> None:
    """Enter the change once for each controller, so that each reads it in its own journal."""
    for controller_id, role in user.grants.items():
        work.note(UserChanged(user.id, change, controller_id, role.value), controller_id)
    if not user.grants:
        work.note(UserChanged(user.id, change))


def _self(actor: Actor) -> int:
    if actor.user_id is None:
        raise NotFound(what="account")
    return actor.user_id
