"""Journey 7, Is this real? From the mail to the page, from the page to the incident, and back by mail.

And its neighbour: somebody outside tells of a leak, who is on call hears of it, and it becomes an incident.
"""

import email
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.services import notices, questions, suspicions
from incident_tracker.services.suspicions import paging
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.web.app import create_app
from notifiers.testing import ScriptedProvider
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from tests.journeys.world import BEN, CLARA, World
from tests.makers import HandClock, make_contact, make_controller, make_database, make_settings
from tests.notices import begin, make_people
from tests.web.work import words

TITLE = "Kundeliste lå åbent på webserveren"
PEOPLE = [("Åse Ørsted", "aase@example.org", "", "da"), ("John Doe", "john@example.org", "", "en")]
QUESTION = "Er mit kortnummer med?\nJeg har {{name}} <b>to</b> konti & æøå."
ANSWER = "Nej. Kortnumre lå ikke i filen.\n\nBrug {{kontoen}} som før <hilsen> & pas på dig selv."


@pytest.fixture
def world(tmp_path: Path, provider: ScriptedProvider, hand: HandClock) -> Iterator[World]:
    """Nordlys with Twilio's stand-in for SMS; mails become files."""
    settings = make_settings(
        tmp_path,
        routing={"sms": ["twilio_sms"], "email": ["outbox"]},
        notifiers={
            "twilio_sms": {
                "account_sid": ACCOUNT_SID,
                "auth_token": AUTH_TOKEN,
                "from_number": CLARA,
                "api_base": provider.address,
            }
        },
    )
    make_database(settings).close()
    tracker = bootstrap.build(settings, now=hand)
    made = World(tracker, hand, provider, make_controller(tracker.context))
    for name, phone in (("Ben", BEN), ("Clara", CLARA)):
        made.contacts.append(make_contact(made.context, made.controller, name, phone))
    yield made
    made.close()


@pytest.fixture
def reader(world: World) -> FlaskClient:
    """Somebody at home, whose browser keeps no cookies."""
    return create_app(world.tracker).test_client(use_cookies=False)


def _mails(world: World) -> list[EmailMessage]:
    """Return the mails that lie in the folder of the local outbox, oldest first."""
    with world.context.database.reading() as session:
        rows = session.execute(
            select(DeliveryRow.provider_id)
            .where(DeliveryRow.channel == "email", DeliveryRow.provider_id.is_not(None))
            .order_by(DeliveryRow.id)
        )
        names = [row.provider_id for row in rows]
    folder = world.context.settings.data.dir / "outbox"
    files = [next(folder.rglob(f"{Path(name).stem}*.eml")) for name in names]
    return [cast("EmailMessage", email.message_from_bytes(one.read_bytes(), policy=default)) for one in files]


def _text(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _send(reader: FlaskClient, world: World, path: str, typed: dict[str, str]) -> str:
    """Fill in the form of a page as a person does, and return where it leads."""
    found = re.search(r'name="form_token" value="([^"]+)"', reader.get(path).text)
    assert found
    world.clock.advance(seconds=40)
    answer = reader.post(path, data={"form_token": found[1], **typed})
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def _told(world: World) -> str:
    """Let the two people be told; return the public reference in their mail."""
    reference = world.log(TITLE)
    world.beat()
    world.confirm(reference)
    make_people(world.context, reference, PEOPLE)
    notice_id = begin(world.context, reference, world.controller, channels=["email"])
    for _ in range(3):
        notices.go_on(world.context, world.clock())
        world.beat()
    assert notices.show(world.context, SHELL, notice_id).state == "finished"
    return reference


def test_from_the_mail_to_the_page_to_the_incident_and_back(world: World, reader: FlaskClient) -> None:
    reference = _told(world)
    hers = next(one for one in _mails(world) if one["To"] == "aase@example.org")
    found = re.search(r"Reference: ([0-9A-Z]{4}-[0-9A-Z]{4})", _text(hers, "plain"))
    assert found

    page = reader.get("/notice", query_string={"reference": found[1].lower()}, follow_redirects=True)
    said = words(page)
    assert "Er denne besked ægte? Ja. Nordlys ApS har sendt den den 20. november 2026." in said
    body = _text(hers, "plain").partition("--")[0]
    for line in body.splitlines():
        if line.strip() and "Åse" not in line:
            assert _flat(re.sub(r"^\d+\. ", "", line)) in said
    assert "Åse" not in said

    heard = len(world.heard())
    thanks = _send(reader, world, f"/notice/{found[1]}", {"text": QUESTION, "email": "aase@example.org"})
    assert "Et menneske, der arbejder med bruddet, læser det" in words(reader.get(thanks))
    world.wind(hours=1)
    assert [one for one in world.heard()[heard:] if "spørgsmål" in one[2]] == [], "nobody is woken by a question"

    (asked,) = questions.listing(world.context, world.clara, reference)
    assert asked.asked is not None
    assert (asked.asked.text, asked.state, asked.notice_reference) == (QUESTION, "open", found[1])
    assert thanks.endswith(asked.receipt)
    assert "question_received" in world.kinds(reference)

    questions.answer(world.context, world.clara, asked.id, text=ANSWER)
    world.beat()
    mail = _mails(world)[-1]
    assert mail["To"] == "aase@example.org"
    assert mail["Subject"] == f"Svar på din henvendelse ({found[1]})"
    assert "Nordlys ApS" in mail["From"]
    assert mail["Reply-To"] == "ada@example.dk"
    plain = _text(mail, "plain")
    assert "Nej. Kortnumre lå ikke i filen.\n\nBrug {{kontoen}} som før <hilsen> & pas på dig selv." in plain
    assert f"Du skrev til os fredag 20. november 2026 om vores besked med reference {found[1]}." in plain
    assert "Vi beder dig aldrig om CPR-nummer, MitID, adgangskode eller kortoplysninger." in plain
    html = _text(mail, "html")
    assert "Brug {{kontoen}} som før &lt;hilsen&gt; &amp; pas på dig selv." in html
    assert "http" not in html, "no links, no pictures"
    assert world.kinds(reference)[-1] == "question_settled"
    assert world.journal_is_whole()


def test_a_report_from_outside_wakes_who_is_on_call_and_becomes_an_incident(
    world: World, reader: FlaskClient
) -> None:
    typed = {"what": "Jeg kan se andres ordrer.", "email": "kim@example.org", "phone": "+45 32 12 34 56"}
    thanks = _send(reader, world, "/report", typed)
    received = world.clock()
    paging.tell(world.context)
    (page,) = world.beat()
    assert page[1:] == (
        BEN,
        "Nordlys ApS: ny henvendelse udefra om mulig læk. Ikke vurderet. Svar OK for at tage den. Log ind.",
    )
    world.clock.advance(seconds=30)
    world.writes(BEN, "OK")
    world.tracker.engine.poll(replies=paging.waits_for_answer(world.context))
    (answer,) = world.beat(asking=False)
    assert answer[2].startswith("Noteret: du tager henvendelsen udefra.")

    (one,) = suspicions.listing(world.context, world.clara)
    assert thanks.endswith(one.receipt)
    reference = suspicions.accept(world.context, world.clara, one.id, title="Ordrelink kan gættes")
    shown = world.shown(reference)
    assert (shown["status"], shown["became_aware_at"]) == ("suspected", None)
    assert shown["detected_at"] == received.strftime("%Y-%m-%dT%H:%M:%SZ")
    world.clock.advance(minutes=5)
    world.confirm(reference)
    assert world.duty(reference, "notify_authority")["anchor_at"] == world.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {to for _, to, _ in world.heard()} <= {BEN, CLARA}
    assert world.journal_is_whole()


def test_no_report_ever_sends_an_sms_to_the_number_in_it(world: World, reader: FlaskClient) -> None:
    for number in ("+45 34 41 77 77", "+882 16 12345678", "+263 77 123 4567", "+1 900 555 0100", "4534417777"):
        _send(reader, world, "/report", {"what": "En mappe", "phone": number})
        paging.tell(world.context)
        world.wind(minutes=31)
    assert {one.to for one in world.provider.sms} <= {BEN, CLARA}
