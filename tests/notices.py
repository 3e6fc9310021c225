"""Notices for tests: a text that passes every check, a list of people, and the way from a draft to its approval."""

from collections.abc import Sequence
from typing import Any

from incident_tracker.domain.access import Actor
from incident_tracker.domain.notices import NoticeText
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import approving, notices, register
from incident_tracker.services.context import Context
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as notice_rows
from incident_tracker.store import people as rows
from incident_tracker.store import questions as question_rows
from incident_tracker.store.ids import new_ids
from incident_tracker.store.plain import to_json
from incident_tracker.store.questions import Question
from tests.makers import make_actor

WRITER, SECOND = 901, 902
DANISH = NoticeText(
    "Vigtigt om dine oplysninger",
    """Kære {{name}}

Du er berørt af et brud på datasikkerheden.

## Hvad er der sket?

Fredag den 20. november sendte vi et nyhedsbrev. Alle kunne se alles adresser.

## Hvad skal du gøre?

1. Vær på vagt over for falske mails den næste uge. Nogen kan bruge din adresse.
2. Slet nyhedsbrevet i dag. Så ser ingen de andres adresser.

Vi beder dig aldrig om dit CPR-nummer.

## Spørg os

{{contact}}. Sig referencen {{reference}}. Du kan klage til Datatilsynet.
""",
)
ENGLISH = NoticeText(
    "Important: your data",
    """Dear {{name}}

You are affected by a data breach.

## What happened?

On Friday 20 November we sent a newsletter. All could see the address of all others.

## What should you do?

1. Watch out for false mails in the next week. Some may use your address.
2. Delete the mail today. Then no one sees the others.

We never ask you for your password.

## Ask us

{{contact}}. Give the reference {{reference}}. You can complain to the Danish Data Protection Agency.
""",
)
TEXTS = {"da": DANISH, "en": ENGLISH}
TICKS = (
    "nature",
    "your_data",
    "consequences",
    "measures",
    "separate",
    "language",
    "own_domain",
    "channel",
    "subject_line",
)
"""What a person vouches for in a notice; everything else software sees."""
Listed = tuple[str, str, str, str]
"""Name, e-mail, phone, language."""


def make_people(context: Context, reference: str, people: Sequence[Listed], **fields: str) -> list[str]:
    """Put people on the list of an incident, each with the same further columns; return their ids in order."""
    now = context.now()
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, None)
    subject = controller_rows.look_up_subject(loaded.incident.controller_id)

    def hashed(text: str) -> bytes | None:
        return context.keyring.fingerprint(subject, text, now) if text else None

    new = [
        rows.NewPerson(
            id=person_id,
            email_hash=hashed(email),
            phone_hash=hashed(phone),
            language=language,
            sealed=context.keyring.seal(loaded.people_key, rows.PLACE, rows.plain(name, email, phone, fields)),
        )
        for person_id, (name, email, phone, language) in zip(sorted(new_ids(now, len(people))), people, strict=True)
    ]
    with context.database.writing() as session:
        rows.add(session, (loaded.incident.controller_id, loaded.id, None), new, now)
    return [one.id for one in new]


def crowd(size: int, *, phones: bool = False, emails: bool = True) -> list[Listed]:
    """Return so many people, every third of whom reads English."""
    return [
        (
            f"Person {number}",
            f"person{number}@example.org" if emails else "",
            f"+453441{number:04d}" if phones else "",
            "en" if number % 3 == 2 else "da",
        )
        for number in range(size)
    ]


def writer(controller: Controller) -> Actor:
    return make_actor(controller, Role.RESPONDER, WRITER)


def second(controller: Controller) -> Actor:
    return make_actor(controller, Role.DECISION_MAKER, SECOND)


def make_notice(context: Context, reference: str, **facts: Any) -> int:
    """Write a draft as the responder."""
    controller = register.overview(context, Actor("shell"), reference).controller
    values = {"texts": TEXTS, "channels": ["email", "sms"]} | facts
    return notices.create(context, writer(controller), reference, **values)


def approve(context: Context, notice_id: int, controller: Controller) -> str:
    """Hand a draft over and let a colleague approve it; return the id of the approval."""
    approval = notices.submit(context, writer(controller), notice_id, ticked=TICKS, dismissed={})
    approving.approve(context, second(controller), approval)
    return approval


def begin(context: Context, reference: str, controller: Controller, **facts: Any) -> int:
    """Write a notice, have it approved and begin to send it."""
    notice_id = make_notice(context, reference, **facts)
    approve(context, notice_id, controller)
    notices.begin(context, writer(controller), notice_id)
    return notice_id


def make_question(context: Context, notice_id: int, text: str = "Er mit kortnummer med?", **facts: Any) -> str:
    """Let a reader of a notice have asked something, whether it was sent or not; return the question's id."""
    now = context.now()
    with context.database.writing() as session:
        notice = notice_rows.get(session, context.keyring, notice_id, None)
        loaded = incident_rows.load(session, context.keyring, notice.reference, None)
        asked = {"text": text, "email": "kim@example.org", "language": "da"} | facts
        new = Question(
            id=new_ids(now, 1)[0],
            controller_id=notice.controller_id,
            incident_id=notice.incident_id,
            notice_id=notice_id,
            once=text,
            kind="question",
            state="open",
            sealed=context.keyring.seal(loaded.people_key, question_rows.PLACE, to_json(asked)),
            received_at=now,
        )
        return question_rows.add(session, new)
