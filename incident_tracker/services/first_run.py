"""The first run: a one-time link makes the first administrator, the controller and the people on call.

No default password exists. The token is kept as a hash, replaced at each start until it is used, and dead afterwards.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from incident_tracker.domain.access import SHELL, Act, Actor
from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.events import UserChanged
from incident_tracker.domain.parties import Role
from incident_tracker.services import accounts, controllers, on_call
from incident_tracker.services.context import Context
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.on_call import ContactFacts, PhoneIsTaken
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import installation, users
from incident_tracker.store.keys import format_master_key, load_master_key, read_master_key

TOKEN = "first_run_token"  # noqa: S105 - the name of a fact
SHEET = "recovery_sheet"
_DUE = "due"
Checked = TypeVar("Checked")


class LinkIsDead(Refusal):
    """The one-time link was used, replaced by a newer start, or never was one."""

    message = (
        "This link does not work any more: it was used, or a newer start has replaced it. "
        "If you have an account, sign in. If nobody has one yet, start the service again; it prints a new link."
    )


class SeveralMistakes(Refusal):
    """More than one thing that was typed cannot be right; each is refused for itself."""

    message = "Several fields need correcting."

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Keep them all, so that they can be corrected in one go."""
        super().__init__()
        self.refusals = tuple(refusals)


class SheetWasShown(Refusal):
    """The recovery sheet was shown before; it is shown once."""

    message = "The recovery sheet was already shown. The master key lies in the file that the settings name."


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first account, as typed."""

    name: str
    email: str
    password: str
    language: str = "da"


@dataclass(frozen=True, slots=True)
class RecoverySheet:
    """What has to be kept on paper, away from this machine."""

    master_key: str
    where: str


def ensure_link(context: Context) -> str | None:
    """Return the address of the first run, with a fresh token that kills earlier ones; None once it was used."""
    token = secrets.token_urlsafe(32)
    now = context.now()
    with context.database.writing() as session:
        if users.exist(session):
            return None
        installation.put(session, TOKEN, _hash(token), now)
    return f"{context.settings.public_url}/first-run/{token}"


def is_open(context: Context) -> bool:
    """Return whether the first run is still to come."""
    with context.database.reading() as session:
        return not users.exist(session)


def check_link(context: Context, token: str) -> None:
    """Refuse a token that is not the newest unused one."""
    with context.database.reading() as session:
        kept = installation.get(session, TOKEN)
        used = users.exist(session)
    if used or kept is None or not hmac.compare_digest(kept, _hash(token)):
        raise LinkIsDead


def complete(
    context: Context,
    token: str,
    *,
    administrator: Administrator,
    controller: ControllerFacts,
    contacts: Sequence[ContactFacts],
) -> int:
    """Make the first administrator, the controller and the people on call in one transaction; return her id.

    A controller that the shell has made is kept, and takes the facts that were typed.
    """
    check_link(context, token)
    facts, checked, new = _checked(context, administrator, controller, contacts)
    present = controllers.listing(context, SHELL)
    controller_id = present[0].id if present else controllers.reserve(context)
    on_call.ready(context, controller_id)
    with _no_phone_twice(checked), working(context, SHELL) as work:
        if users.exist(work.session) or not installation.take(work.session, TOKEN, _hash(token)):
            raise LinkIsDead
        _keep_controller(work, controller_id, facts, is_new=not present)
        user_id = accounts.insert(work, new, {one.id: Role.ADMINISTRATOR for one in present})
        if not present:
            users.grant(work.session, user_id, controller_id, Role.ADMINISTRATOR, work.now)
            work.note(UserChanged(user_id, "created", controller_id, Role.ADMINISTRATOR.value), controller_id)
        for one in checked:
            on_call.insert(work, controller_id, one)
        installation.put(work.session, SHEET, _DUE, work.now)
    return user_id


def _checked(
    context: Context, administrator: Administrator, controller: ControllerFacts, contacts: Sequence[ContactFacts]
) -> tuple[ControllerFacts, list[ContactFacts], users.NewUser]:
    """Return what was typed, checked; refuse with one mistake of each part at once."""
    wrong: list[Refusal] = []

    def tried(check: Callable[[], Checked]) -> Checked | None:
        try:
            return check()
        except Refusal as refusal:
            wrong.append(refusal)
            return None

    facts = tried(lambda: _check_controller(controller))
    found = [tried(partial(_check_contact, number, one)) for number, one in enumerate(contacts)]
    new = tried(lambda: _check_administrator(context, administrator))
    if len(wrong) == 1:
        raise wrong[0]
    if facts is None or new is None or wrong:
        raise SeveralMistakes(wrong)
    return facts, [one for one in found if one is not None], new


def _check_controller(controller: ControllerFacts) -> ControllerFacts:
    with _about("controller"):
        return controllers.check(controller)


def _check_administrator(context: Context, administrator: Administrator) -> users.NewUser:
    with _about("administrator"):
        return accounts.prepare(
            context,
            name=administrator.name,
            email=administrator.email,
            password=administrator.password,
            language=administrator.language,
        )


def sheet_is_due(context: Context) -> bool:
    """Return whether the recovery sheet has not been shown yet."""
    with context.database.reading() as session:
        return installation.get(session, SHEET) == _DUE


def show_sheet(context: Context, actor: Actor) -> RecoverySheet:
    """Return the master key for paper, once; the journal says who saw it."""
    if not actor.may_anywhere(Act.ADMINISTER) or actor.user_id is None:
        raise NotAllowed(who="an administrator")
    settings = context.settings
    if settings.security.master_key:
        key, where = read_master_key(settings.security.master_key, "in the environment"), "INCIDENT_TRACKER__*"
    else:
        key, where = load_master_key(settings.master_key_file), str(settings.master_key_file.absolute())
    with working(context, actor) as work:
        if not installation.take(work.session, SHEET, _DUE):
            raise SheetWasShown
        installation.put(work.session, SHEET, f"shown to {actor.name}", work.now)
        work.note(UserChanged(actor.user_id, "recovery_sheet_shown"))
    return RecoverySheet(format_master_key(key), where)


def _keep_controller(work: Work, controller_id: int, facts: ControllerFacts, *, is_new: bool) -> None:
    if is_new:
        controllers.insert(work, controller_id, facts)
        return
    before = controller_rows.get(work.session, work.keyring, controller_id, None)
    values = {name: getattr(facts, name) for name in facts.__slots__}
    controller_rows.save(work.session, work.keyring, work.keyring.year(work.now), replace(before, **values))


def _check_contact(number: int, facts: ContactFacts) -> ContactFacts:
    with _about(f"contact_{number}"):
        return on_call.check(facts)


@contextmanager
def _no_phone_twice(contacts: Sequence[ContactFacts]) -> Iterator[None]:
    """Refuse two people with one number, whether both were typed or the shell had put one on call before."""
    numbers = [one.phone for one in contacts]
    twice = next((place for place, number in enumerate(numbers) if number in numbers[:place]), None)
    if twice is not None:
        raise PhoneIsTaken(field=f"contact_{twice}_phone")
    try:
        yield
    except IntegrityError:
        raise PhoneIsTaken(field="contact_0_phone") from None


@contextmanager
def _about(whom: str) -> Iterator[None]:
    """Say in a refusal whose field is at fault: `controller_cvr`, `contact_0_phone`."""
    try:
        yield
    except Refusal as error:
        error.field = f"{whom}_{error.field}"
        raise


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
