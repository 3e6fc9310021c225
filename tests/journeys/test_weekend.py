"""Journey 4, the weekend: reminders climb a ladder through nights, crashes and outages until the duty is met."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from incident_tracker import bootstrap
from incident_tracker.domain.deadlines import lateness
from incident_tracker.domain.sms import fits_one_segment
from incident_tracker.services import outbox, register
from notifiers.testing import ScriptedProvider, steps
from tests.journeys.world import BEN, CLARA, Heard, World, dk, hours_after, make_world
from tests.makers import HandClock, in_threads
from tests.postgresql import Databases

HOUR = timedelta(hours=1)
BUNDLE = (
    "3 hændelser kræver dig: 2026-0001, 2026-0002, 2026-0003. Svar OK for at kvittere dem. Log ind for at handle."
)
RUNGS = (24, 48, 60, 66, 69, 71, 72)
"""Hours after awareness at which something is said: 48, 24, 12, 6, 3 and 1 h before the deadline, and at it."""


def aware(world: World, title: str = "Stjålet bærbar computer") -> str:
    """Log a breach that is known to be one, and let Ben take it."""
    reference = world.log(title, actor=world.clara, aware_at=world.clock(), aware_reason="Den er meldt stjålet.")
    world.take(world.beat())
    return reference


def only_the_authority(world: World, reference: str) -> None:
    world.set_aside(reference, "gdpr.notify_people", "promise.inform_parties")


def times(heard: list[Heard]) -> list[str]:
    return [at for at, _, _ in heard]


def test_the_ladder_is_climbed_across_the_weekend_and_overdue_comes_every_hour(either: World) -> None:
    began = either.clock()
    reference = aware(either)
    reminded = either.walk_taking(began + 75 * HOUR)
    assert times(reminded) == hours_after(began, *RUNGS, 73, 74, 75)
    texts = [text for _, _, text in reminded]
    assert texts[2] == (
        "2026-0001: 12 t 0 min til anmeldelsesfristen (man 16.45). Svar OK for at kvittere. Log ind for at handle."
    )
    assert texts[7] == (
        "2026-0001: fristen er overskredet med 1 t. Anmeld nu og begrund forsinkelsen. Svar OK for at kvittere."
    )
    assert [text.partition(" til ")[0].partition(": ")[2] for text in texts[:6]] == [
        "2 d 0 t",
        "1 d 0 t",
        "12 t 0 min",
        "6 t 0 min",
        "3 t 0 min",
        "1 t 0 min",
    ]
    assert all(map(fits_one_segment, texts))
    assert either.standings(reference)["notify_authority"] == "overdue"
    assert either.journal_is_whole()


def test_the_standing_is_approaching_for_the_last_24_hours_and_overdue_only_after_the_deadline(world: World) -> None:
    began = world.clock()
    reference = aware(world)
    seen = {}
    for hours in (47.99, 48, 72, 72.01):
        world.clock.set(began + hours * HOUR)
        seen[hours] = world.standing(reference, "notify_authority")
    assert seen == {47.99: "open", 48: "approaching", 72: "approaching", 72.01: "overdue"}


def test_when_the_clocks_go_back_the_deadline_comes_an_hour_earlier_on_the_wall(world: World) -> None:
    world.clock.set(dk("2026-10-23 16:45"))
    began = world.clock()
    reference = aware(world)
    only_the_authority(world, reference)
    reminded = world.walk_taking(began + 73 * HOUR)
    assert times(reminded) == [
        "Sat 24 Oct 16:45 +0200",
        "Sun 25 Oct 15:45 +0100",
        "Mon 26 Oct 03:45 +0100",
        "Mon 26 Oct 09:45 +0100",
        "Mon 26 Oct 12:45 +0100",
        "Mon 26 Oct 14:45 +0100",
        "Mon 26 Oct 15:45 +0100",
        "Mon 26 Oct 16:45 +0100",
    ]
    assert "(man 15.45)" in reminded[0][2]


def test_overdue_reminders_in_the_doubled_hour_are_an_hour_apart(world: World) -> None:
    world.clock.set(dk("2026-10-21 23:30"))
    began = world.clock()
    only_the_authority(world, aware(world))
    reminded = world.walk_taking(began + 77 * HOUR)
    assert times(reminded)[-6:] == [
        "Sat 24 Oct 23:30 +0200",
        "Sun 25 Oct 00:30 +0200",
        "Sun 25 Oct 01:30 +0200",
        "Sun 25 Oct 02:30 +0200",
        "Sun 25 Oct 02:30 +0100",
        "Sun 25 Oct 03:30 +0100",
    ]


def test_a_crash_before_every_rung_and_after_it_loses_nothing_and_doubles_nothing(world: World) -> None:
    began = world.clock()
    aware(world)
    heard: list[Heard] = []
    for hours in (*RUNGS, 73, 74):
        world.restart()
        assert world.walk(began + hours * HOUR - timedelta(minutes=1), minutes=1440) == []
        world.clock.advance(minutes=1)
        new = world.beat()
        world.restart()
        assert world.beat() == []
        heard += new
        world.take(new)
    assert times(heard) == hours_after(began, *RUNGS, 73, 74)
    assert world.journal_is_whole()


def test_an_answer_lost_on_the_way_is_looked_up_and_nobody_is_told_twice(world: World) -> None:
    began = world.clock()
    aware(world)
    world.clock.set(began + 24 * HOUR)
    world.provider.script(steps.drop(accepted=True))
    told = world.beat()
    told += world.walk(world.clock() + timedelta(minutes=4), minutes=0.5)
    assert len(told) == 1
    assert Counter(text for _, _, text in world.heard(BEN))[told[0][2]] == 1
    assert {one.delivery.state for one in outbox.listing(world.context, world.ada)} == {"accepted"}


def test_where_the_provider_does_not_know_either_it_is_sent_again_and_marked(world: World) -> None:
    began = world.clock()
    aware(world)
    world.clock.set(began + 24 * HOUR)
    world.provider.script(steps.drop(accepted=True))
    world.provider.script_reads(*[steps.broken(500)] * 40)
    told = world.beat()
    told += world.walk(world.clock() + timedelta(minutes=4), minutes=0.5)
    assert len(told) == 2
    marked = [one.delivery for one in outbox.listing(world.context, world.ada) if one.delivery.possible_duplicate]
    assert len(marked) == 1


@pytest.fixture
def shared(
    postgres_databases: Databases, migrated_postgres: str, tmp_path: Path, provider: ScriptedProvider, hand: HandClock
) -> Iterator[World]:
    """Give the world on a PostgreSQL that several nodes may share."""
    url = postgres_databases.create(template=migrated_postgres)
    made = make_world(tmp_path, url, provider, hand)
    yield made
    made.close()
    postgres_databases.drop(url)


@pytest.mark.postgresql
def test_two_nodes_tick_at_once_and_every_reminder_is_sent_once(shared: World) -> None:
    began = shared.clock()
    aware(shared)
    second = World(
        bootstrap.build(shared.tracker.settings, now=shared.clock),
        shared.clock,
        shared.provider,
        shared.controller,
        node="shelf",
    )
    nodes = (shared, second)
    heard: list[Heard] = []
    for hours in (*RUNGS, 73):
        shared.clock.set(began + hours * HOUR)
        before = len(shared.heard())
        in_threads(2, lambda index: nodes[index].beat())
        new = shared.heard()[before:]
        heard += new
        nodes[hours % 2].take(new)
    second.close()
    assert times(heard) == hours_after(began, *RUNGS, 73)
    assert shared.journal_is_whole()


def test_an_outage_of_ten_hours_ends_in_one_message_with_the_incidents_in_order(either: World) -> None:
    began = either.clock()
    for number in range(3):
        aware(either, f"Hændelse {number}")
        either.clock.advance(hours=1)
    either.clock.set(began + 23 * HOUR)
    either.beat()
    either.tracker.close()
    either.clock.advance(hours=10)
    either.tracker = bootstrap.build(either.tracker.settings, now=either.clock)
    assert [(phone, text) for _, phone, text in either.beat()] == [
        (
            BEN,
            BUNDLE,
        )
    ]
    assert either.take([("", BEN, "")]) == [
        "Kvitteret: 2026-0001, 2026-0002, 2026-0003. Fristen løber stadig: 1 d 15 t."
    ]
    reminded = either.walk_taking(began + 51 * HOUR)
    assert [text[:9] for _, _, text in reminded] == ["2026-0001", "2026-0002", "2026-0003"]
    assert times(reminded) == hours_after(began, 48, 49, 50)


def test_an_outage_over_the_deadline_says_at_once_how_far_it_is_overdue_and_goes_on_hourly(world: World) -> None:
    began = world.clock()
    aware(world)
    world.clock.set(began + 76 * HOUR + timedelta(minutes=20))
    caught_up = world.beat()
    assert [text.partition(". ")[0] for _, _, text in caught_up] == [
        "2026-0001: fristen er overskredet med 4 t 20 min"
    ]
    world.take(caught_up)
    assert times(world.walk_taking(began + 79 * HOUR, minutes=10)) == hours_after(began, 77, 78, 79)


def test_nobody_answering_all_weekend_is_no_reason_to_stop(world: World) -> None:
    began = world.clock()
    aware(world)
    world.walk(began + 71 * HOUR + timedelta(minutes=55), minutes=240)
    told = world.walk(began + 73 * HOUR, minutes=5)
    assert {phone for _, phone, _ in told} == {BEN, CLARA}
    assert len(told) >= 13, "every five minutes somebody is called"


def test_filing_in_time_ends_the_reminders_and_stays_met(world: World) -> None:
    began = world.clock()
    reference = aware(world)
    only_the_authority(world, reference)
    world.walk_taking(began + 66 * HOUR)
    world.file(reference)
    assert world.walk(began + 100 * HOUR) == []
    duty = world.duty(reference, "notify_authority")
    assert (duty["standing"], duty["met_at"]) == ("met", "2026-11-23T09:45:00Z")


def test_filing_late_ends_the_reminders_and_the_lateness_never_grows(world: World) -> None:
    began = world.clock()
    reference = aware(world)
    only_the_authority(world, reference)
    world.walk_taking(began + 74 * HOUR)
    world.file(reference, late_reason="Vagten havde ingen adgang til Virk før mandag aften.")
    lengths = []
    for hours in (0, 1, 24, 100):
        assert world.walk(began + (74 + hours) * HOUR) == []
        assert world.standing(reference, "notify_authority") == "met_late"
        duties = register.overview(world.context, world.ada, reference).obligations
        lengths.append(next(lateness(one) for one, _ in duties if one.duty == "notify_authority"))
    assert set(lengths) == {2 * HOUR}


def test_what_waits_to_be_told_is_not_told_once_the_report_is_filed(world: World) -> None:
    began = world.clock()
    reference = aware(world)
    only_the_authority(world, reference)
    world.clock.set(began + 73 * HOUR)
    world.provider.rule = lambda _: steps.broken(503)
    assert world.beat() == []
    world.file(reference, late_reason="Udbyderen var nede.")
    world.provider.rule = None
    assert world.walk(began + 80 * HOUR, minutes=30) == []
