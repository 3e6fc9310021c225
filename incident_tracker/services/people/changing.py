"""People added by hand, and those of a reading taken off the list again."""

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import PeopleImported, PeopleRemoved
from incident_tracker.domain.incident import ReasonIsMissing, must_be_open
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.domain.people import NAME_LIMIT, tidied, wrong_signs
from incident_tracker.services import emails, phones
from incident_tracker.services.context import Context
from incident_tracker.services.people.checking import Checked
from incident_tracker.services.people.pieces import hashes_of, sealed
from incident_tracker.services.work import Work, working
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import people as rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.people_imports import READING, Reading

_AT_ONCE = 1_000


class AddressIsMissing(Refusal):
    """Somebody cannot be told: neither e-mail nor phone is given."""

    message = "Write an e-mail address or a phone number, so that the person can be told."


class NameIsNotAName(Refusal):
    """The name is too long, or holds signs that cannot be kept."""

    message = "Write the name in at most %(limit)s signs, without control characters."


class LanguageIsNotKnown(Refusal):
    """People are told in Danish or English."""

    message = "People are told in Danish (da) or English (en)."


class IsOnTheList(Refusal):
    """Somebody with this address stands on the list already."""

    message = "Somebody with this address is on the list already."


class StillBeingRead(Refusal):
    """The list is still being read."""

    message = "The list is still being read. Stop the reading first."


class WereTold(Refusal):
    """Messages to people of this list were written already; they are proof and stay."""

    message = "People of this list were told already, or are being told. They stay on the list as proof of that."


class NobodyToRemove(Refusal):
    """Nobody of this list is on it any more."""

    message = "Nobody of this list is left to take off."


def add_person(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    name: str = "",
    email: str = "",
    phone: str = "",
    language: str = "da",
) -> str:
    """Add one person to the list of those affected; return her id."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        must_be_open(loaded.incident)
        one = _read(context, name, email, phone, language)
        (hashes,) = hashes_of(context, loaded, [one], work.now)
        (new,) = sealed(context, loaded, [(one, hashes)], work.now)
        if rows.add(work.session, (loaded.incident.controller_id, loaded.id, None), [new], work.now):
            raise IsOnTheList(field="email" if one.email else "phone")
        work.note_on(loaded.head, PeopleImported("", 1, 1, 0, 0, ""))
    return new.id


def remove(context: Context, actor: Actor, reference: str, import_id: str, *, reason: str) -> int:
    """Take the people of a reading off the list again, if nobody of them was told anything; return how many.

    A thousand at a time. Broken off anywhere, the same again takes off the rest, and the one entry in the journal
    counts all. Where a notice begins meanwhile, whoever is left stays, and the entry counts those who are gone.
    """
    if not reason.strip():
        raise ReasonIsMissing(field="reason")
    _must_not_be_told(context, actor, reference, import_id)
    gone, told = 0, False
    while not told:
        with working(context, actor, urgent=False) as work:
            loaded, found = _removable(work, actor, reference, import_id)
            some = rows.some_of_import(work.session, actor.scope, import_id, _AT_ONCE)
            told = rows.is_being_told(work.session, loaded.id) or rows.any_told(work.session, some)
            if told and not gone:
                raise WereTold
            if not told:
                rows.remove(work.session, some)
                gone += len(some)
            if told or len(some) < _AT_ONCE:
                removed = found.accepted - (rows.left_of_import(work.session, import_id) if told else 0)
                work.note_on(loaded.head, PeopleRemoved(import_id, removed, reason.strip()))
                if not told:
                    readings.mark_removed(work.session, import_id, work.now)
                    return removed
    raise WereTold


def _must_not_be_told(context: Context, actor: Actor, reference: str, import_id: str) -> None:
    """Look through everybody of a reading before anything is locked: that takes long for a long list."""
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        actor.must(Act.WORK, loaded.incident.controller_id)
        found = readings.get(session, context.keyring, actor.scope, loaded.id, import_id)
        if rows.any_told_of_import(session, found.id):
            raise WereTold


def _removable(work: Work, actor: Actor, reference: str, import_id: str) -> tuple[Loaded, Reading]:
    loaded = work.load(reference, Act.WORK)
    found = readings.get(work.session, work.keyring, actor.scope, loaded.id, import_id)
    if found.state == READING:
        raise StillBeingRead
    if found.removed_at is not None or not found.accepted:
        raise NobodyToRemove
    return loaded, found


def _read(context: Context, name: str, email: str, phone: str, language: str) -> Checked:
    name = tidied(name)
    if len(name) > NAME_LIMIT or wrong_signs(name):
        raise NameIsNotAName(field="name", limit=NAME_LIMIT)
    if language not in LANGUAGES:
        raise LanguageIsNotKnown(field="language")
    email = emails.read(email, required=False)
    number = ""
    if phone.strip():
        number = phones.to_e164(phone, countries=context.settings.people.phone_countries)
    if not email and not number:
        raise AddressIsMissing(field="email")
    return Checked(name, email, number, language, {})
