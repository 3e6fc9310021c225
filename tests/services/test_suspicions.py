"""Reports from outside: kept once, told in few messages, settled by one person."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, NotFound, TextIsMissing, TextIsTooLong
from incident_tracker.domain.events import NoteAdded
from incident_tracker.domain.parties import Role
from incident_tracker.domain.sms import fits_one_segment
from incident_tracker.domain.suspicions import read_receipt, receipt
from incident_tracker.services import health, public_limits, register, suspicions
from incident_tracker.services.emails import EmailIsNotAnAddress
from incident_tracker.services.public_limits import TooManyForms
from incident_tracker.services.suspicions import SettledMeanwhile, Told, paging
from incident_tracker.services.suspicions.receiving import WHAT_LIMIT
from incident_tracker.store import heartbeats
from incident_tracker.store import journal as journal_rows
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.outside import SuspicionRow
from incident_tracker.store.tables.parties import ContactRow
from tests.makers import in_threads, make_actor, make_contact, make_controller
from tests.services.world import BEN, CLARA, World

WHAT = "Jeg kan se andres ordrer, når jeg retter nummeret i linket."
TOLD = Told(WHAT, "nordlys.example.dk/ordre", "i går aftes", "kim@example.org", "+45 34 41 23 45")
FIRST = "Nordlys ApS: ny henvendelse udefra om mulig læk. Ikke vurderet. Svar OK for at tage den. Log ind."
TAKEN = "Noteret: du tager henvendelsen udefra. Log ind og vurdér den under Henvendelser."
HALF_AN_HOUR = timedelta(minutes=30)


def _report(world: World, once: str = "a", told: Told = TOLD, **facts: Any) -> str:
    return suspicions.receive(world.context, world.controller.id, told, once=once, **facts)


def _tick(world: World, **length: float) -> list[tuple[str, str]]:
    """Let time pass, then let the clock do one round."""
    world.clock.advance(**length)
    paging.tell(world.context)
    return world.tick()


def _rows(world: World) -> list[SuspicionRow]:
    with world.context.database.reading() as session:
        return list(session.scalars(select(SuspicionRow).order_by(SuspicionRow.id)))


def _journal(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    opened = world.context.keyring.open
    with world.context.database.reading() as session:
        return [
            (one.actor, one.kind, from_json(opened(journal_rows.PLACE, one.payload)))
            for one in journal_rows.entries(session)
        ]


def _notes(world: World, reference: str) -> list[str]:
    history = register.history(world.context, SHELL, reference)
    return [one.event.text for one in history if isinstance(one.event, NoteAdded)]


def test_a_report_is_kept_sealed_and_its_sender_gets_a_number(either: World) -> None:
    found = _report(either)
    shown = suspicions.show(either.context, SHELL, found, look=False)
    assert (shown.told, shown.state, shown.source) == (TOLD, "open", "public")
    assert shown.receipt == suspicions.receipt_of(found)
    assert suspicions.find(either.context, SHELL, shown.receipt.lower().replace("-", " "))[0].id == found
    (row,) = _rows(either)
    assert b"ordre" not in row.sealed
    assert _journal(either)[-1] == (
        "public",
        "suspicion_received",
        {"suspicion_id": found, "controller_id": either.controller.id, "source": "public"},
    )


def test_a_form_sent_twice_is_one_report_and_another_is_another(either: World) -> None:
    first = _report(either, "a")
    assert _report(either, "a") == first
    assert _report(either, "b") != first
    assert [kind for _, kind, _ in _journal(either)].count("suspicion_received") == 2


def test_a_form_sent_twice_at_the_same_moment_is_one_report(either: World) -> None:
    in_threads(8, lambda _: _report(either, "a"))
    assert len(_rows(either)) == 1


@pytest.mark.parametrize(
    ("told", "refusal", "field"),
    [
        (Told(" \n"), TextIsMissing, "what"),
        (Told("x" * (WHAT_LIMIT + 1)), TextIsTooLong, "what"),
        (Told("x", where="y" * 501), TextIsTooLong, "where"),
        (Told("x", email="kim@example.org\r\nBcc: e@example.org"), EmailIsNotAnAddress, "email"),
        (Told("x", email="kim"), EmailIsNotAnAddress, "email"),
        (Told("x", phone="1" * 41), TextIsTooLong, "phone"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_field(world: World, told: Told, refusal: type, field: str) -> None:
    with pytest.raises(refusal) as caught:
        _report(world, told=told)
    assert caught.value.field == field
    assert _rows(world) == []


@pytest.mark.parametrize("bits", ["0000000000", "ffffffffff", "0123456789", "8a3f00c1d2"])
def test_a_receipt_reads_back_as_it_was_given(bits: str) -> None:
    assert read_receipt(receipt(bits)) == bits
    assert read_receipt(receipt(bits).replace("0", "o").replace("1", "l").lower()) == bits


@pytest.mark.parametrize("text", ["", "K7M4", "K7M4-2QR!", "K7M4-2QRD-1", "ÆØÅÆ-ØÅÆØ"])
def test_what_is_no_receipt_finds_nothing(world: World, text: str) -> None:
    assert suspicions.find(world.context, SHELL, text) == []


def test_the_first_report_is_told_at_once_without_facts_in_one_segment(either: World) -> None:
    _report(either)
    assert _tick(either) == [(BEN, FIRST)]
    assert fits_one_segment(FIRST)
    assert _tick(either, minutes=1) == []


def test_later_reports_are_told_in_one_further_message_after_half_an_hour(world: World) -> None:
    first = _report(world, "a")
    _tick(world)
    suspicions.show(world.context, make_actor(world.controller), first)
    for number in range(5):
        _report(world, f"later {number}")
        assert _tick(world, minutes=1) == []
    (told,) = _tick(world, minutes=25)
    assert told[0] == BEN
    assert told[1].startswith("Nordlys ApS: 5 nye henvendelser udefra om mulig læk.")
    assert fits_one_segment(told[1])


def test_a_report_after_half_an_hour_of_quiet_is_told_at_once(world: World) -> None:
    suspicions.show(world.context, make_actor(world.controller), _report(world, "a"))
    _tick(world)
    suspicions.show(world.context, make_actor(world.controller), _report(world, "b"))
    assert _tick(world, minutes=40) == []
    _report(world, "c")
    assert [to for to, _ in _tick(world)] == [BEN]


def test_while_nobody_answers_the_next_person_is_told_round_and_round(world: World) -> None:
    _report(world, "a")
    heard = _tick(world)
    _report(world, "b")
    for _ in range(4):
        heard += _tick(world, minutes=5)
    assert [to for to, _ in heard] == [BEN, CLARA, BEN, CLARA, BEN]
    assert heard[1][1].startswith("Nordlys ApS: 2 nye henvendelser")


def test_who_opens_a_report_ends_the_messages_but_an_auditor_does_not(world: World) -> None:
    found = _report(world)
    _tick(world)
    suspicions.show(world.context, make_actor(world.controller, Role.AUDITOR), found)
    assert [to for to, _ in _tick(world, minutes=5)] == [CLARA]
    suspicions.show(world.context, make_actor(world.controller, Role.RESPONDER), found)
    assert _tick(world, minutes=60) == []


def test_a_message_that_was_not_sent_yet_is_called_off_when_somebody_looks(world: World) -> None:
    found = _report(world)
    paging.tell(world.context)
    suspicions.show(world.context, make_actor(world.controller), found)
    assert world.tick() == []
    assert [one.state for one in world.deliveries()] == ["cancelled"]


def test_ok_takes_the_reports_that_somebody_was_told_of(either: World) -> None:
    _report(either, "a")
    _tick(either)
    either.clock.advance(seconds=20)
    assert either.reply("OK") == [TAKEN]
    assert _tick(either, minutes=60) == []
    assert either.reply("OK") == []


def test_ok_leaves_a_report_that_came_after_it(world: World) -> None:
    _report(world, "a")
    _tick(world)
    written = world.clock.advance(seconds=20)
    world.clock.advance(seconds=20)
    _report(world, "b")
    assert world.reply("OK", at=written) == [TAKEN]
    assert [one.seen_at is None for one in _rows(world)] == [False, True]
    assert [to for to, _ in _tick(world, minutes=30)] == [BEN]


def test_ok_belongs_to_what_was_told_last_alert_or_report(world: World) -> None:
    reference = world.open()
    world.tick()
    world.clock.advance(minutes=1)
    _report(world, "a")
    _tick(world)
    world.clock.advance(seconds=20)
    assert world.reply("OK") == [f"{TAKEN} 1 alarm er åben: svar OK ALLE."]
    assert [one.state for one in world.alerts(reference)] == ["open"]
    assert world.reply("OK") == [f"Kvitteret: {reference}."]


def test_ok_takes_a_newer_alert_before_older_reports(world: World) -> None:
    _report(world, "a")
    _tick(world)
    world.clock.advance(minutes=1)
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=20)
    assert world.reply("OK") == [f"Kvitteret: {reference}."]
    assert _rows(world)[0].seen_at is None
    assert world.reply("OK") == [TAKEN]


def test_ok_alle_takes_reports_and_alerts(world: World) -> None:
    reference = world.open()
    _report(world, "a")
    _tick(world)
    world.clock.advance(seconds=20)
    assert world.reply("OK ALLE") == [f"Kvitteret: {reference}."]
    assert _rows(world)[0].seen_at is not None
    assert world.open_alerts() == []


def test_the_answer_of_somebody_who_was_not_told_takes_nothing(world: World) -> None:
    _report(world, "a")
    _tick(world)
    world.clock.advance(seconds=20)
    assert world.reply("OK", CLARA) == []
    assert _rows(world)[0].seen_at is None


def test_two_thousand_reports_cost_a_handful_of_messages(world: World) -> None:
    heard: list[tuple[str, str]] = []
    for number in range(2000):
        _report(world, str(number))
        world.clock.advance(seconds=0.9)
        if number % 20 == 0:
            heard += _tick(world)
            world.reply("OK")
    assert len(heard) <= 3
    assert all(fits_one_segment(text) for _, text in heard)
    assert {to for to, _ in heard} == {BEN}


def test_the_outside_watch_is_not_told_that_all_is_well_while_somebody_ought_to_be_told(world: World) -> None:
    with world.context.database.writing() as session:
        heartbeats.start(session, "node", "0", world.clock())

    def beat() -> bool:
        with world.context.database.writing() as session:
            heartbeats.beat(session, "node", world.clock())
        return health.nothing_due_unsent(world.context)

    _report(world)
    assert beat()
    world.clock.advance(seconds=31)
    assert not beat(), "nobody was told"
    paging.tell(world.context)
    assert beat()
    world.clock.advance(seconds=31)
    assert not beat(), "the message does not leave"
    world.tick()
    assert beat()
    world.clock.advance(minutes=5, seconds=31)
    assert not beat(), "the next person was not told"
    _tick(world)
    assert beat()


def test_two_nodes_tell_once(either: World) -> None:
    _report(either)
    in_threads(8, lambda _: paging.tell(either.context))
    assert [to for to, _ in either.tick()] == [BEN]


def test_nobody_on_call_is_told_as_soon_as_there_is_somebody(make_quick_world: Any) -> None:
    world = make_quick_world()
    with world.context.database.writing() as session:
        session.execute(update(ContactRow).values(removed_at=world.clock()))
    _report(world)
    assert _tick(world) == []
    make_contact(world.context, world.controller, "Clara", CLARA)
    assert [to for to, _ in _tick(world, minutes=1)] == [CLARA]


def test_who_wrote_stop_is_told_by_mail(world: World) -> None:
    sydlys = make_controller(world.context, "Sydlys ApS")
    make_contact(world.context, sydlys, "Clara", CLARA, email="clara@example.dk", language="en")
    with world.context.database.writing() as session:
        session.execute(
            update(ContactRow).where(ContactRow.controller_id == sydlys.id).values(muted_at=world.clock())
        )
    suspicions.receive(world.context, sydlys.id, TOLD, once="a")
    said = "Sydlys ApS: new report from outside of a possible leak. Not assessed. Reply OK to take it. Sign in."
    assert _tick(world) == [("clara@example.dk", said)]


@pytest.mark.parametrize(
    "name", ["Nordlys Kommunale Ældre- og Sundhedsforvaltning " * 3, "Ðelfin Łódź", "{{x}} ApS", ""]
)
def test_any_name_of_a_controller_makes_one_segment(name: str) -> None:
    for language in ("da", "en"):
        for count in (1, 2000):
            said = paging.text(name, count, language)
            assert fits_one_segment(said), said
            assert said.isprintable()


def test_a_report_becomes_an_incident_whose_awareness_is_still_to_be_decided(either: World) -> None:
    found = _report(either)
    received = either.clock()
    _tick(either)
    either.clock.advance(minutes=50)
    actor = make_actor(either.controller, Role.RESPONDER)
    reference = suspicions.accept(either.context, actor, found, title="Ordrelink kan gættes")
    incident = either.overview(reference).incident
    assert (incident.what_happened, incident.detected_at, incident.became_aware_at) == (WHAT, received, None)
    assert incident.place == TOLD.where
    (note,) = _notes(either, reference)
    assert note.splitlines() == [
        f"Henvendelse udefra {suspicions.receipt_of(found)}, modtaget fredag 20. november 2026 kl. 14.00.",
        "",
        "Hvor: nordlys.example.dk/ordre",
        "Hvornår: i går aftes",
        "Kontakt: kim@example.org, +45 34 41 23 45",
    ]
    shown = suspicions.show(either.context, actor, found)
    assert (shown.state, shown.reference, shown.told, shown.settled_by) == ("accepted", reference, TOLD, "user:1")
    assert "suspicion_settled" in either.kinds(reference)
    assert suspicions.count_open(either.context, actor) == 0


def test_the_words_of_an_accepted_report_are_forgotten_with_its_incident(world: World) -> None:
    found = _report(world)
    before = _rows(world)[0].sealed
    suspicions.accept(world.context, SHELL, found, title="Ordrelink kan gættes")
    after = _rows(world)[0].sealed
    year = world.context.keyring.year(world.clock())
    assert world.context.keyring.is_sealed_by(year, before)
    assert not world.context.keyring.is_sealed_by(year, after)


def test_a_report_is_added_to_an_incident_that_is_open(world: World) -> None:
    reference = world.open()
    found = _report(world)
    suspicions.add_to_incident(world.context, SHELL, found, to=reference)
    (note,) = [
        one.event.text for one in register.history(world.context, SHELL, reference) if one.kind == "note_added"
    ]
    assert WHAT in note
    assert "kim@example.org" in note
    assert suspicions.show(world.context, SHELL, found).reference == reference


def test_a_report_is_dismissed_for_a_written_reason(world: World) -> None:
    found = _report(world)
    with pytest.raises(TextIsMissing):
        suspicions.dismiss(world.context, SHELL, found, reason=" ")
    suspicions.dismiss(world.context, SHELL, found, reason="Reklame")
    shown = suspicions.show(world.context, SHELL, found)
    assert (shown.state, shown.reason, shown.told) == ("dismissed", "Reklame", TOLD)
    assert suspicions.listing(world.context, SHELL) == []
    assert [one.id for one in suspicions.listing(world.context, SHELL, settled=True)] == [found]


def test_what_is_settled_is_settled_once(world: World) -> None:
    found = _report(world)
    suspicions.dismiss(world.context, SHELL, found, reason="Reklame")
    reference = world.open()
    before = world.snapshot()
    for settle in (
        lambda: suspicions.accept(world.context, SHELL, found, title="x"),
        lambda: suspicions.add_to_incident(world.context, SHELL, found, to=reference),
        lambda: suspicions.dismiss(world.context, SHELL, found, reason="Igen"),
    ):
        with pytest.raises(SettledMeanwhile):
            settle()
    assert world.snapshot() == before


def test_of_several_people_who_settle_at_once_one_gets_it(either: World) -> None:
    found = _report(either)
    won: list[int] = []

    def settle(number: int) -> None:
        actor = make_actor(either.controller, Role.RESPONDER, user_id=number + 1)
        try:
            if number % 2:
                suspicions.accept(either.context, actor, found, title="Ordrelink kan gættes")
            else:
                suspicions.dismiss(either.context, actor, found, reason="Reklame")
        except SettledMeanwhile:
            return
        won.append(number)

    in_threads(6, settle)
    assert len(won) == 1
    incidents = register.listing(either.context, SHELL)
    assert len(incidents) == won[0] % 2
    assert len(either.open_alerts()) == len(incidents)


def test_a_report_cannot_be_carried_to_another_controller(world: World) -> None:
    other = make_controller(world.context, "Sydlys ApS")
    theirs = world.open(controller_id=other.id)
    found = _report(world)
    with pytest.raises(NotFound):
        suspicions.add_to_incident(world.context, SHELL, found, to=theirs)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.REPORTER])
def test_a_role_that_does_not_work_on_incidents_settles_nothing(world: World, role: Role) -> None:
    found = _report(world)
    actor = make_actor(world.controller, role)
    for settle in (
        lambda: suspicions.accept(world.context, actor, found, title="x"),
        lambda: suspicions.dismiss(world.context, actor, found, reason="Reklame"),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            settle()


def test_lists_are_walked_by_key_newest_first(world: World) -> None:
    ids = []
    for number in range(5):
        world.clock.advance(minutes=1)
        ids.append(_report(world, str(number)))
    first = suspicions.listing(world.context, SHELL, limit=3)
    rest = suspicions.listing(world.context, SHELL, before=first[-1].id, limit=3)
    assert [one.id for one in [*first, *rest]] == ids[::-1]


def test_a_machine_gets_a_receipt_and_is_counted(world: World) -> None:
    decoys = {suspicions.decoy(world.context, world.controller.id) for _ in range(3)}
    assert len(decoys) == 3
    assert all(read_receipt(one) for one in decoys)
    assert suspicions.count_trapped(world.context, world.controller.id) == 3
    assert _rows(world) == []


def _knock(world: World, address: str, times: int = 1) -> int:
    """Send so many forms; return how many were let in."""
    taken = 0
    for _ in range(times):
        try:
            public_limits.let_in(world.context, world.controller.id, "report", address)
        except TooManyForms:
            continue
        taken += 1
    return taken


def test_one_address_gets_through_ten_times_a_minute(either: World) -> None:
    assert _knock(either, "192.0.2.7", 200) == 10
    assert _knock(either, "198.51.100.1") == 1, "another address is not concerned"
    either.clock.advance(minutes=1)
    assert _knock(either, "192.0.2.7") == 1


def test_the_addresses_of_one_household_count_as_one(world: World) -> None:
    assert sum(_knock(world, f"2001:db8:1:2::{number:x}") for number in range(1, 40)) == 10


def test_two_thousand_forms_from_many_addresses_are_mostly_refused(world: World) -> None:
    taken = sum(_knock(world, f"10.{number % 250}.{number // 250}.7") for number in range(2000))
    assert taken == 60
    world.clock.advance(minutes=1)
    assert _knock(world, "192.0.2.7") == 1


def test_those_who_were_told_to_write_do_not_shut_one_another_out(world: World) -> None:
    def ask(number: int, crowd: int) -> bool:
        address = f"10.{number % 250}.{number // 250}.7"
        try:
            public_limits.let_in(world.context, world.controller.id, "question", address, crowd=crowd)
        except TooManyForms:
            return False
        return True

    assert sum(ask(number, 20_000) for number in range(300)) == 200
    assert not ask(300, 6000), "fewer who were told are fewer who may ask"


def test_an_office_behind_one_address_is_all_heard_within_minutes(world: World) -> None:
    taken = 0
    for _ in range(4):
        taken += _knock(world, "192.0.2.7", 8)
        world.clock.advance(minutes=1)
    assert taken == 32


def test_a_refusal_says_how_long_to_wait(world: World) -> None:
    _knock(world, "192.0.2.7", 10)
    with pytest.raises(TooManyForms) as caught:
        public_limits.let_in(world.context, world.controller.id, "report", "192.0.2.7")
    assert 1 <= int(str(caught.value.params["seconds"])) <= 61


def test_many_at_once_are_counted_exactly(either: World) -> None:
    in_threads(16, lambda _: _knock(either, "192.0.2.7"))
    assert _knock(either, "192.0.2.7") == 0
    either.clock.advance(minutes=1)
    assert _knock(either, "192.0.2.7", 20) == 10
