"""Who is called when an alarm goes off, in which order, and whether the number was shown to reach her."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import ContactChanged
from incident_tracker.domain.parties import LANGUAGES, Controller, OnCallContact
from incident_tracker.services import accounts, emails, phones, texts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import alerts, controllers
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from incident_tracker.store.keys import KeyKind
from notifiers.protocol import Channel, Content

NAME_LIMIT = 60
_TEST_IS_FOR = timedelta(minutes=30)
_TEST_RANK = 20


class PhoneIsTaken(Refusal):
    """Somebody on call has this number already."""

    message = "Somebody on call has this number already."


class MostContacts(Refusal):
    """Longer lists are mistakes; alarms would come round too late."""

    message = "At most %(most)s people can be on call."


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """Someone to be called, as typed. `verified` vouches that the number reaches her."""

    name: str
    phone: str
    email: str = ""
    language: str = "da"
    verified: bool = False


MOST = 30


def listing(context: Context, actor: Actor, controller_id: int) -> list[OnCallContact]:
    """Return who is on call for a controller, in the order of calling."""
    actor.must(Act.READ, controller_id)
    with context.database.reading() as session:
        return controllers.contacts(session, context.keyring, frozenset({controller_id})).get(controller_id, [])


def everybody(context: Context) -> list[OnCallContact]:
    """Return every contact on call of every controller, in the order of calling, for the clock."""
    with context.database.reading() as session:
        by_controller = controllers.contacts(session, context.keyring, None)
    return [one for contacts in by_controller.values() for one in contacts]


def add(context: Context, actor: Actor, controller_id: int, facts: ContactFacts) -> int:
    """Put someone on call, last in the order; return the contact's id."""
    actor.must(Act.ADMINISTER, controller_id)
    checked = check(facts)
    ready(context, controller_id)
    try:
        with working(context, actor) as work:
            return insert(work, controller_id, checked)
    except IntegrityError:
        raise PhoneIsTaken(field="phone") from None


def check(facts: ContactFacts) -> ContactFacts:
    """Return the facts in the form in which they are kept, or refuse the first that cannot be."""
    accounts.one_of(facts.language, LANGUAGES, "language")
    return ContactFacts(
        name=texts.clean_line(facts.name, "name", limit=NAME_LIMIT),
        phone=phones.to_e164(facts.phone, "phone"),
        email=emails.read(facts.email, "email", required=False),
        language=facts.language,
        verified=facts.verified,
    )


def ready(context: Context, controller_id: int) -> None:
    """Have the key at hand by which a controller's people are found; it must be made outside any transaction."""
    context.keyring.ensure([KeyKind.LOOK_UP], controllers.look_up_subject(controller_id), context.now())


def insert(work: Work, controller_id: int, facts: ContactFacts) -> int:
    """Insert a checked contact in a transaction that is under way, after `ready`."""
    position = controllers.next_position(work.session, controller_id)
    if position > MOST:
        raise MostContacts(field="name", most=MOST)
    contact = OnCallContact(0, controller_id, position, **{name: getattr(facts, name) for name in facts.__slots__})
    phone_hash = work.keyring.fingerprint(controllers.look_up_subject(controller_id), facts.phone, work.now)
    key_id = work.keyring.year(work.now)
    contact_id = controllers.add_contact(work.session, work.keyring, key_id, contact, phone_hash, work.now)
    alerts.hurry_untold(work.session, controller_id, work.now)
    if facts.verified:
        controllers.verify_contact(work.session, contact_id, "vouched", work.now)
    work.note(ContactChanged(controller_id, contact_id, "added"), controller_id)
    return contact_id


def remove(context: Context, actor: Actor, contact_id: int) -> None:
    """Take someone off call; who comes after her moves up."""
    with working(context, actor) as work:
        contact, others = _contact(work, contact_id)
        controllers.remove_contact(work.session, contact_id, work.now)
        _number(work, others)
        work.note(ContactChanged(contact.controller_id, contact_id, "removed"), contact.controller_id)


def move(context: Context, actor: Actor, contact_id: int, position: int) -> None:
    """Give someone another place in the order of calling, from 1; the others close up."""
    with working(context, actor) as work:
        contact, others = _contact(work, contact_id)
        others.insert(max(0, min(position - 1, len(others))), contact)
        _number(work, others)
        work.note(ContactChanged(contact.controller_id, contact_id, "moved"), contact.controller_id)


def verify(context: Context, actor: Actor, contact_id: int, how: str = "vouched") -> None:
    """Record that the number was shown to reach her: an administrator vouches, or she answered a test."""
    with working(context, actor) as work:
        contact, _ = _contact(work, contact_id)
        if controllers.verify_contact(work.session, contact_id, how, work.now):
            work.note(ContactChanged(contact.controller_id, contact_id, "verified"), contact.controller_id)


def send_test(context: Context, actor: Actor, contact_id: int) -> str:
    """Send someone the SMS of a test, so that she sees what an alarm looks like; return the delivery's id."""
    for controller_id in _controllers_of(context, actor, contact_id):
        ready(context, controller_id)
    with working(context, actor) as work:
        contact, _ = _contact(work, contact_id)
        controller = controllers.get(work.session, work.keyring, contact.controller_id, actor.scope)
        work.note(ContactChanged(contact.controller_id, contact_id, "tested"), contact.controller_id)
        return enqueue(
            work.session,
            work.keyring,
            work.keyring.year(work.now),
            work.now,
            work.context.routing,
            [_test(work, controller, contact)],
            local_only=False,
        )[0]


def _test(work: Work, controller: Controller, contact: OnCallContact) -> NewDelivery:
    text = rendering.message("alert/test", "sms", contact.language, controller=controller.name)
    subject = controllers.look_up_subject(contact.controller_id)
    return NewDelivery(
        controller_id=contact.controller_id,
        contact_id=contact.id,
        purpose=Purpose.TEST,
        once=f"test:{contact.id}:{new_id(work.now)}",
        channel=Channel.SMS,
        address=contact.phone,
        address_hash=work.keyring.fingerprint(subject, contact.phone, work.now),
        content=Content(text=text, subject="", language=contact.language),
        rank=_TEST_RANK,
        valid_for=int(_TEST_IS_FOR.total_seconds()),
    )


def _contact(work: Work, contact_id: int) -> tuple[OnCallContact, list[OnCallContact]]:
    """Return someone on call and the others in order, if the actor may change them."""
    everyone = controllers.contacts(work.session, work.keyring, work.actor.scope)
    for controller_id, contacts in everyone.items():
        for one in contacts:
            if one.id == contact_id:
                work.actor.must(Act.ADMINISTER, controller_id)
                return one, [other for other in contacts if other.id != contact_id]
    raise NotFound(what="contact")


def _controllers_of(context: Context, actor: Actor, contact_id: int) -> list[int]:
    with context.database.reading() as session:
        found = controllers.contacts_by_ids(session, context.keyring, [contact_id], actor.scope)
    return [one.controller_id for one in found.values()]


def _number(work: Work, contacts: list[OnCallContact]) -> None:
    for position, one in enumerate(contacts, start=1):
        if one.position != position:
            controllers.move_contact(work.session, one.id, position)
