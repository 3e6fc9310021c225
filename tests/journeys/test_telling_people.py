"""Journey 6: a list of people from a CRM becomes a notice in two languages, approved, sent, followed and proved.

The official clients of SendGrid and Twilio talk to the stand-in over HTTP; the clock is wound by hand.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from incident_tracker import bootstrap
from incident_tracker.domain.parties import Role
from incident_tracker.services import approving, notices, outbox, people, register
from notifiers.protocol import Channel
from notifiers.testing import ScriptedProvider
from notifiers.testing.provider import ACCOUNT_SID, API_KEY, AUTH_TOKEN
from tests.conftest import SQLITE_FILE
from tests.delivery.world import NEVER
from tests.journeys.world import BEN, CLARA, World, dk
from tests.makers import HandClock, make_actor, make_contact, make_controller, make_settings, make_user
from tests.notices import DANISH, ENGLISH, TICKS

EVENTS = "https://brud.example.dk/webhooks/sendgrid_email/status"
PEOPLE = 300
BOUNCING = ("kunde7@example.org", "kunde19@example.org", "kunde20@example.org")
"""Two with a phone, one without."""


@pytest.fixture
def hand() -> HandClock:
    return HandClock(dk("2026-11-20 16:45"))


@pytest.fixture
def make_house(tmp_path: Path, provider: ScriptedProvider, hand: HandClock) -> Iterator[Callable[[str], World]]:
    """Give a maker of Nordlys with Ben on call, SendGrid for mail and Twilio for SMS."""
    made: list[World] = []

    def one(database_url: str) -> World:
        settings = make_settings(
            tmp_path,
            database_url,
            data={"dir": tmp_path},
            server={"public_url": "https://brud.example.dk"},
            routing={"sms": ["twilio_sms"], "email": ["sendgrid_email"]},
            notifiers={
                "twilio_sms": {
                    "account_sid": ACCOUNT_SID,
                    "auth_token": AUTH_TOKEN,
                    "from_number": CLARA,
                    "api_base": provider.address,
                },
                "sendgrid_email": {
                    "api_key": API_KEY,
                    "from_email": "brud@example.dk",
                    "api_base": provider.address,
                    "webhook_public_key": provider.sendgrid_signer.public_key,
                    "max_batch": 50,
                },
            },
        )
        bootstrap.make_master_key(settings)
        tracker = bootstrap.build(settings, now=hand)
        world = World(tracker, hand, provider, make_controller(tracker.context))
        world.contacts.append(make_contact(world.context, world.controller, "Ben", BEN))
        made.append(world)
        return world

    yield one
    for world in made:
        world.close()


@pytest.fixture
def house(make_house: Callable[[str], World], migrated_sqlite: Path, tmp_path: Path) -> World:
    shutil.copytree(migrated_sqlite, tmp_path, dirs_exist_ok=True)
    return make_house(f"sqlite:///{tmp_path / SQLITE_FILE}")


def export(folder: Path) -> Path:
    """Write a list as a CRM exports it: Danish letters, semicolons, some without a mail, one without anything."""
    lines = ["Navn;E-mail;Mobil;Sprog;Ordrenummer"]
    for number in range(PEOPLE):
        mail = "" if number % 50 == 49 else f"kunde{number}@example.org"
        phone = f"+45 34 41 {number // 100:02d} {number % 100:02d}" if number % 2 or number == 20 - 1 else ""
        lines.append(f"Søren Ærø {number};{mail};{phone};{'en' if number % 4 == 3 else 'da'};{1000 + number}")
    lines += ["Kunde 7 igen;KUNDE7@example.org;;da;1", "Uden adresse;;;da;2"]
    file = folder / "kunder.csv"
    file.write_bytes("\r\n".join(lines).encode("cp1252"))
    return file


def beat(world: World, rounds: int = 3) -> None:
    """Let the clock and the outbox of a node do a few rounds."""
    for _ in range(rounds):
        notices.go_on(world.context, world.clock())
        world.beat(asking=False)


def mails(provider: ScriptedProvider) -> Counter[str]:
    """Return how often each person of the list got a mail."""
    return Counter(one.to for one in provider.mails if one.to.startswith("kunde"))


def texts(provider: ScriptedProvider) -> Counter[str]:
    """Return how often each number of the list got an SMS."""
    return Counter(one.to for one in provider.sms if one.to not in (BEN, CLARA))


def report_back(world: World, event: str, addresses: Sequence[str]) -> None:
    """Let SendGrid call back about some mails, rightly signed."""
    events = [
        {
            "event": event,
            "email": one.to,
            "timestamp": int(world.clock().timestamp()),
            "sg_message_id": f"{one.message_id}.recvd-1",
            **next(
                person["custom_args"]
                for person in one.payload["personalizations"]
                if person["to"][0]["email"] == one.to
            ),
        }
        for one in world.provider.mails
        if one.to in addresses
    ]
    request = world.provider.sendgrid_signer.request(EVENTS, events, 1_800_000_000)
    carrier = world.tracker.carriers["sendgrid_email", Channel.EMAIL]
    world.tracker.engine.receive("sendgrid_email", carrier.read_callback(request))  # type: ignore[attr-defined]
    world.tracker.engine.sweep()


@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_list_of_people_becomes_a_notice_told_once_and_proved(
    make_house: Callable[[str], World], database_url: str, tmp_path: Path
) -> None:
    story = Story(make_house(database_url), tmp_path)
    story.imports_the_list()
    story.writes_and_looks_at_it_before_anything_leaves()
    story.sends_a_test_to_oneself()
    story.has_it_approved()
    story.sends_it_with_a_pause_in_the_middle()
    story.reads_what_people_got()
    story.finds_the_duties_met_with_proof()
    story.tells_those_whose_mail_came_back_by_sms()
    story.reads_the_ledger_of_one_person()
    story.shows_it_to_everybody_and_corrects_it()


class Story:
    """Clara writes and sends, Ada approves."""

    def __init__(self, house: World, folder: Path) -> None:
        self.house, self.folder, self.provider, self.context = house, folder, house.provider, house.context
        self.clara = make_actor(house.controller, Role.RESPONDER, 11)
        user = make_user(house.context, house.controller, Role.DECISION_MAKER)
        self.ada = make_actor(house.controller, Role.DECISION_MAKER, user.id)
        self.reference = house.log("Nyhedsbrev sendt med alle adresser i CC")
        self.notice = 0
        house.confirm(self.reference)

    def status(self) -> notices.Status:
        return notices.status(self.context, self.clara, self.notice)

    def imports_the_list(self) -> None:
        reading = people.read_file(self.context, self.clara, self.reference, file=export(self.folder))
        assert (reading.accepted, reading.duplicates, reading.refused) == (PEOPLE, 1, 1)
        assert people.columns_of(self.context, self.clara, self.reference) == ("ordrenummer",)

    def writes_and_looks_at_it_before_anything_leaves(self) -> None:
        body = f"{DANISH.body}\nDin ordre: {{{{field.ordrenummer}}}}."
        written = {"da": replace(DANISH, body=body), "en": ENGLISH}
        before = len(self.provider.requests)
        self.notice = notices.create(
            self.context, self.clara, self.reference, texts=written, channels=["email", "sms"]
        )
        seen = notices.preview(self.context, self.clara, self.notice, language="da", channel="email")
        assert "Kære Søren Ærø " in seen.text
        assert "Din ordre: 1" in seen.text
        reach = notices.audience(self.context, self.clara, self.notice)
        assert (reach.recipients, reach.unreachable) == (PEOPLE, 0)
        assert reach.by_channel == {"email": PEOPLE - 6, "sms": 6}
        assert reach.segments["da"].encoding == "gsm7"
        assert len(self.provider.requests) == before

    def sends_a_test_to_oneself(self) -> None:
        notices.send_test(self.context, self.ada, self.notice)
        beat(self.house)
        tests = [one for one in self.provider.mails if one.to == "ada@example.dk" and one.subject.startswith("[")]
        assert len(tests) == 2
        assert "Kære Ada\n" in tests[0].text + tests[1].text

    def has_it_approved(self) -> None:
        approval = notices.submit(self.context, self.clara, self.notice, ticked=TICKS, dismissed={})
        approving.approve(self.context, self.ada, approval, reason="Klar tekst.")

    def sends_it_with_a_pause_in_the_middle(self) -> None:
        self.house.clock.advance(minutes=10)
        notices.begin(self.context, self.clara, self.notice)
        notices.pause(self.context, self.clara, self.notice, reason="Vent på telefonvagten")
        beat(self.house)
        assert not mails(self.provider)
        self.house.clock.advance(minutes=20)
        notices.resume(self.context, self.clara, self.notice)
        beat(self.house)
        status = self.status()
        assert (status.state, status.recipients, status.reached) == ("finished", PEOPLE, PEOPLE)

    def reads_what_people_got(self) -> None:
        assert set(mails(self.provider).values()) == set(texts(self.provider).values()) == {1}
        assert (len(mails(self.provider)), len(texts(self.provider))) == (PEOPLE - 6, 6)
        danish = next(one for one in self.provider.mails if one.to == "kunde8@example.org")
        shown = notices.show(self.context, self.clara, self.notice)
        assert "Kære Søren Ærø 8\n" in danish.text
        assert "Din ordre: 1008." in danish.text
        assert f"tilføj /notice/{shown.public_reference}." in danish.text
        assert "<a " not in (danish.html or "")
        assert {part["enable"] for part in danish.payload["tracking_settings"].values()} == {False}
        assert "Dear Søren Ærø 3\n" in next(one.text for one in self.provider.mails if one.to == "kunde3@example.org")

    def finds_the_duties_met_with_proof(self) -> None:
        standings = self.house.standings(self.reference)
        assert (standings["notify_people"], standings["inform_parties"]) == ("met", "met")
        finished = next(one.event for one in self.house.journal(self.reference) if one.kind == "notice_finished")
        met = next(one.event for one in self.house.journal(self.reference) if one.kind == "duty_met")
        assert finished.digest in met.how
        assert (finished.recipients, finished.reached, finished.counts["accepted"]) == (PEOPLE, PEOPLE, PEOPLE)

    def tells_those_whose_mail_came_back_by_sms(self) -> None:
        self.house.clock.advance(hours=3)
        report_back(self.house, "delivered", [one for one in mails(self.provider) if one not in BOUNCING])
        report_back(self.house, "bounce", BOUNCING)
        beat(self.house)
        status = self.status()
        assert (status.counts["failed"], status.reached) == (len(BOUNCING), PEOPLE - len(BOUNCING))
        already = texts(self.provider)
        assert notices.retry(self.context, self.clara, self.notice, channel="sms", reason="Retur") == 2
        beat(self.house)
        assert sorted(texts(self.provider) - already) == ["+4534410007", "+4534410019"]
        status = self.status()
        assert (status.state, status.reached) == ("finished", PEOPLE - 1)

    def reads_the_ledger_of_one_person(self) -> None:
        found = notices.ledger(self.context, self.clara, self.notice, limit=1000)
        lines = [one.delivery for one in found if one.name == "Søren Ærø 7"]
        assert [(one.channel, one.state) for one in lines] == [("email", "failed"), ("sms", "accepted")]
        assert all(one.sent_at is not None for one in lines)
        assert self.provider.duplicates == 0
        assert set(mails(self.provider).values()) == set(texts(self.provider).values()) == {1}
        finals = [one.event for one in self.house.journal(self.reference) if one.kind == "notice_finished"]
        assert [one.reached for one in finals] == [PEOPLE, PEOPLE - 1]
        assert self.house.journal_is_whole()

    def shows_it_to_everybody_and_corrects_it(self) -> None:
        shown = notices.show(self.context, self.clara, self.notice)
        page = notices.public(self.context, shown.public_reference)
        assert page is not None
        assert "Søren" not in "".join(one.html for one in page.texts)
        correction = notices.create(
            self.context, self.clara, self.reference, texts={"da": DANISH}, channels=["email"], corrects=shown.number
        )
        seen = notices.preview(self.context, self.clara, correction, language="da", channel="email")
        assert f"retter vores tidligere besked med reference {shown.public_reference}" in seen.text


def test_a_sending_that_is_stopped_tells_nobody_more(
    house: World, tmp_path: Path, provider: ScriptedProvider
) -> None:
    clara = make_actor(house.controller, Role.RESPONDER, 11)
    ada = make_actor(house.controller, Role.DECISION_MAKER, 12)
    reference = house.log("Nyhedsbrev sendt med alle adresser i CC")
    house.confirm(reference)
    people.read_file(house.context, clara, reference, file=export(tmp_path))
    texts_of = {"da": DANISH}
    notice_id = notices.create(house.context, clara, reference, texts=texts_of, channels=["email"])
    approval = notices.submit(house.context, clara, notice_id, ticked=TICKS, dismissed={})
    approving.approve(house.context, ada, approval)
    notices.begin(house.context, clara, notice_id)
    notices.stop(house.context, ada, notice_id, reason="Forkert liste")
    house.tracker.engine.drain(NEVER)
    beat(house)
    assert not mails(provider)
    status = notices.status(house.context, clara, notice_id)
    assert (status.state, status.counts["cancelled"]) == ("stopped", PEOPLE - 6)
    assert house.standing(reference, "notify_people") == "open"


def test_a_wrong_key_at_the_provider_pauses_the_sending_and_calls_who_is_on_call(
    house: World, tmp_path: Path, provider: ScriptedProvider
) -> None:
    clara = make_actor(house.controller, Role.RESPONDER, 11)
    ada = make_actor(house.controller, Role.DECISION_MAKER, 12)
    reference = house.log("Nyhedsbrev sendt med alle adresser i CC")
    house.confirm(reference)
    beat(house)
    people.read_file(house.context, clara, reference, file=export(tmp_path))
    notice_id = notices.create(house.context, clara, reference, texts={"da": DANISH}, channels=["email"])
    approving.approve(house.context, ada, notices.submit(house.context, clara, notice_id, ticked=TICKS, dismissed={}))
    notices.begin(house.context, clara, notice_id)
    provider.credentials_rejected = True
    beat(house)
    status = notices.status(house.context, clara, notice_id)
    assert status.state == "paused"
    assert not mails(provider)

    # The set-up is repaired, and the sending goes on: everybody once.
    provider.credentials_rejected = False
    house.clock.advance(minutes=5)
    for name in ("sendgrid_email", "twilio_sms"):
        outbox.open_lane(house.context, make_actor(house.controller, Role.ADMINISTRATOR), name)
    beat(house)
    notices.resume(house.context, clara, notice_id)
    beat(house)
    assert set(mails(provider).values()) == {1}
    calls = [text for _, phone, text in house.heard(BEN) if "pause" in text]
    assert calls == [
        f"{reference}: udsendelsen til de berørte er sat på pause, fordi noget er galt. Log ind for at se hvad."
    ]
    halted = [
        one.event.change for one in register.history(house.context, ada, reference) if one.kind == "notice_halted"
    ]
    assert halted == ["paused", "resumed"]
    assert house.clock() - dk("2026-11-20 16:45") < timedelta(hours=1)
