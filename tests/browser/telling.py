"""Notices in every state, for the pages and the pictures: told through the services, answered as providers would."""

from collections.abc import Mapping

from sqlalchemy import select, update

from incident_tracker.domain.access import Actor
from incident_tracker.domain.notices import NoticeText
from incident_tracker.services import approving, notices, people, register
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.browser.story import Story
from tests.delivery.world import NEVER
from tests.notices import ENGLISH, TICKS

DANISH = NoticeText(
    "Vigtigt om dine oplysninger hos Nordlys",
    """Kære {{name}}

Du er berørt af et brud på persondatasikkerheden hos Nordlys ApS.

## Hvad er der sket?

Fra den 12. november til fredag den 20. november kl. 18.05 lå en kundeliste åbent på vores webserver.
Den er hentet tre gange af nogen, vi ikke kender.

## Dine oplysninger

Det er dit navn, din adresse, din e-mail og dit telefonnummer. Adgangskode og kortoplysninger er ikke berørt.

## Hvad kan det betyde for dig?

Nogen kan ringe eller skrive til dig og lade, som om de er os.

## Hvad har vi gjort?

Vi lukkede mappen fredag kl. 18.05 og slettede listen. Vi har anmeldt bruddet til Datatilsynet.

## Hvad skal du gøre?

1. Vær på vagt over for opkald og mails om din ordre i de næste uger. De kan være falske.
2. Ring til os, hvis nogen beder dig betale. Gør det, før du betaler.

## Kontakt

{{contact}}

Du kan klage til Datatilsynet, hvis du mener, at vi behandler dine oplysninger forkert.
""",
)
TEXTS = {"da": DANISH, "en": ENGLISH}
TITLE = "Kundeliste hentet af uvedkommende"
NAMES = (
    "Åse Ørsted", "Søren Bæk", "Jørgen Æbeltoft", "Grø Kjær", "Eva Holm", "Finn Lund", "Ib Krogh", "Jo Dahl",
    "Kaj Friis", "Liv Møller", "Per Østergård", "Ulla Skov",
)  # fmt: skip


def listed(size: int = 36) -> bytes:
    """Return a list as a shop exports it: Danish names, a few who read English, some without an e-mail address."""
    lines = ["Navn;E-mail;Telefon;Sprog;Ordre"]
    for number in range(size):
        name = f"{NAMES[number % len(NAMES)]} {'ABCDEFGHIJKLMNOP'[number // len(NAMES) % 16]}."
        email = "" if number % 9 == 8 else f"person{number}@example.org"
        phone = "" if email and number % 4 == 3 else f"+45 34 41 {23 + number // 100} {number % 100:02d}"
        lines.append(f"{name};{email};{phone};{'en' if number % 7 == 6 else 'da'};{4700 + number}")
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def read_people(story: Story, reference: str, size: int = 36) -> None:
    """Read such a list, as its page would."""
    plain = listed(size)
    context, ben = story.tracker.context, story.actor("Ben")
    reading = people.start(context, ben, reference, file_name="kunder.csv", pieces=[plain], size=len(plain))
    assert people.wait(reading, 60)
    assert people.count(context, ben, reference) == size


def draft(story: Story, reference: str, name: str = "Ben", corrects: int | None = None) -> int:
    return notices.create(
        story.tracker.context,
        story.actor(name),
        reference,
        texts=TEXTS,
        channels=["email", "sms"],
        corrects=corrects,
    )


def submitted(story: Story, reference: str) -> tuple[int, str]:
    notice_id = draft(story, reference)
    context, ben = story.tracker.context, story.actor("Ben")
    return notice_id, notices.submit(context, ben, notice_id, ticked=TICKS, dismissed={})


def approved(story: Story, reference: str) -> int:
    notice_id, approval = submitted(story, reference)
    approving.approve(story.tracker.context, story.actor("Clara"), approval)
    return notice_id


def begun(story: Story, reference: str) -> int:
    notice_id = approved(story, reference)
    notices.begin(story.tracker.context, story.actor("Ben"), notice_id)
    return notice_id


def finish(story: Story, notice_id: int) -> None:
    """Send a notice to the local outbox, to the last message."""
    for _ in range(3):
        story.tracker.engine.drain(NEVER)
        story.tracker.engine.sweep()
        notices.go_on(story.tracker.context, story.clock())
    assert notices.show(story.tracker.context, Actor("shell"), notice_id).state == "finished"


def answer(story: Story, notice_id: int, states: Mapping[str, int]) -> None:
    """Let the first messages of a notice have come this far: `{"delivered": 20, "failed": 2}`."""
    now = story.tracker.context.now()
    with story.tracker.context.database.writing() as session:
        of_notice = select(DeliveryRow.id).where(DeliveryRow.notice_id == notice_id).order_by(DeliveryRow.id)
        ids = iter(session.scalars(of_notice).all())
        for state, count in states.items():
            values = {"state": state, "sent_at": now, "attempts": 1, "provider_id": f"250 {state}"}
            if state == "failed":
                values |= {"reason": "the mailbox does not exist", "code": "550"}
            some = [next(ids) for _ in range(count)]
            session.execute(update(DeliveryRow).where(DeliveryRow.id.in_(some)).values(**values))


def in_every_state(story: Story, reference: str) -> dict[str, int]:
    """Write notices on an incident in every state there is; return their numbers by state."""
    read_people(story, reference)
    made = {"finished": begun(story, reference)}
    finish(story, made["finished"])
    answer(story, made["finished"], {"delivered": 20, "failed": 2})
    context, clara = story.tracker.context, story.actor("Clara")
    made["stopped"] = begun(story, reference)
    notices.stop(context, clara, made["stopped"], reason="Teksten nævnte den forkerte dato.")
    made["draft"] = draft(story, reference, corrects=1)
    made["submitted"] = submitted(story, reference)[0]
    made["approved"] = approved(story, reference)
    made["paused"] = begun(story, reference)
    notices.pause(context, clara, made["paused"], reason="Vi venter på udbyderen.")
    made["sending"] = begun(story, reference)
    answer(story, made["sending"], {"delivered": 19, "accepted": 4, "failed": 2, "in_doubt": 1, "suppressed": 1})
    return {state: notices.show(context, clara, one).number for state, one in made.items()}


def tell(story: Story) -> None:
    """Open an incident of its own, with notices in every state."""
    reference = story.open("Ben", TITLE)
    story.aware("Ben", reference)
    in_every_state(story, reference)


def values(story: Story) -> dict[str, str]:
    """Return what stands in the addresses of the pages of notices; a number is that of the one being sent."""
    reference = _reference(story)
    person = people.listing(story.tracker.context, story.actor("Ada"), reference, limit=1)[0]
    return {"<int:number>": _numbers(story)["sending"], "<person_id>": person.id}


def references(story: Story) -> dict[str, str]:
    """Return which incident these pages are opened for."""
    notice = "/incidents/<reference>/notices"
    under = ("", "/<int:number>", "/<int:number>/edit", "/<int:number>/proof", "/<int:number>/stop")
    return dict.fromkeys(
        ("/incidents/<reference>/people/<person_id>", *(f"{notice}{one}" for one in under)), _reference(story)
    )


def further(story: Story) -> list[str]:
    """Return the pages of notices in the other states."""
    base, numbers = f"/incidents/{_reference(story)}/notices", _numbers(story)
    pages = [f"{base}/{number}" for number in numbers.values()]
    return [
        *pages,
        f"{base}/{numbers['draft']}/edit",
        f"{base}/{numbers['finished']}/proof",
        f"{base}/new?corrects=1",
    ]


def _reference(story: Story) -> str:
    found = register.listing(story.tracker.context, story.actor("Ada"), search=TITLE)
    return found[0].reference


def _numbers(story: Story) -> dict[str, str]:
    found = notices.of_incident(story.tracker.context, story.actor("Ada"), _reference(story))
    return {str(one.state): str(one.number) for one in found}
