import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from incident_tracker.bootstrap import Tracker, build
from incident_tracker.domain.access import SHELL
from incident_tracker.services import alert_texts, clock, incidents, register
from incident_tracker.services.alert_texts import Told
from incident_tracker.store.tables.incidents import AlarmRow, AlertRow
from tests.four_eyes import set_aside
from tests.makers import in_threads
from tests.services.world import BEN, World

DK = ZoneInfo("Europe/Copenhagen")
HOUR = timedelta(hours=1)


def due_of(world: World, reference: str) -> datetime:
    due = world.duty(reference, "notify_authority").due_at
    assert due is not None
    return due


def test_a_tick_with_nothing_due_writes_nothing(either: World) -> None:
    either.open()
    either.tick()
    before = either.snapshot()
    assert clock.tick(either.context, "node") == 0
    assert either.snapshot() == before


def test_the_ladder_is_climbed_rung_by_rung_at_its_hours(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    for regime, duty in (("gdpr", "notify_people"), ("promise", "inform_parties")):
        set_aside(world.context, reference, regime, duty, "Lav risiko")
    world.tick()
    fired = []
    for hour in range(1, 76):
        world.clock.advance(hours=1)
        clock.tick(world.context, "node")
        fired += [(hour, one.rung) for one in world.alerts(reference) if one.raised_at == world.clock() and one.rung]
    assert fired == [
        (24, "48h"),
        (48, "24h"),
        (60, "12h"),
        (66, "6h"),
        (69, "3h"),
        (71, "1h"),
        (72, "overdue"),
        (73, "overdue"),
        (74, "overdue"),
        (75, "overdue"),
    ]


@pytest.mark.parametrize("silence", [timedelta(minutes=10), timedelta(hours=10), timedelta(days=10)])
def test_after_a_silence_everything_due_is_raised_once_and_nothing_is_lost(world: World, silence: timedelta) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    world.clock.set(due_of(world, reference) - timedelta(hours=6, minutes=1))
    world.tick()
    world.clock.at += silence
    called = [address for address, _ in world.tick()]
    assert BEN in called
    assert len(called) == len(set(called))
    assert world.tick() == []
    later = [one.fire_at for one in world.alarms()]
    assert later
    assert min(later) > world.clock()
    raised = [(one.obligation_id, one.rung, one.alarm_id) for one in world.alerts(reference) if one.rung]
    assert len(raised) == len(set(raised))


def test_after_ten_hours_one_alert_speaks_for_the_rungs_that_were_missed(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.clock.set(due_of(world, reference) - 13 * HOUR)
    world.tick()
    text = dict(world.advance(hours=10))[BEN]
    assert "3 t 0 min til anmeldelsesfristen" in text
    assert {one.rung for one in world.alarms("merged")} >= {"12h", "6h"}


def test_the_clock_two_hours_back_sends_nothing_twice_and_loses_nothing(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    due = due_of(world, reference)
    world.tick()
    world.clock.set(due - 24 * HOUR)
    world.tick()
    world.clock.advance(seconds=5)
    world.reply("OK ALLE")
    world.clock.set(due - 26 * HOUR)
    assert world.tick() == []
    world.clock.set(due - 24 * HOUR)
    assert world.tick() == []
    assert due_of(world, reference) == due
    world.clock.set(due - 12 * HOUR)
    assert len(world.tick()) == 1


def test_the_clock_eighty_hours_ahead_raises_everything_overdue_once_in_one_message_a_person(world: World) -> None:
    for number in range(5):
        world.open(f"nummer {number}", aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    world.clock.advance(hours=80)
    carried = world.tick()
    assert [address for address, _ in carried] == [BEN]
    assert carried[0][1].startswith("5 hændelser kræver dig: 2026-0001, 2026-0002, 2026-0003")
    rungs = [one.rung for one in world.open_alerts() if one.due_at is not None]
    assert rungs == ["overdue"] * 10


@pytest.mark.parametrize(
    ("aware", "due", "shown"),
    [
        # The clocks go forward on Sunday 28 March 2027 and back on Sunday 31 October 2027.
        (
            datetime(2027, 3, 26, 16, 45, tzinfo=DK),
            datetime(2027, 3, 29, 17, 45, tzinfo=DK),
            "man 17.45",
        ),
        (
            datetime(2027, 10, 29, 16, 45, tzinfo=DK),
            datetime(2027, 11, 1, 15, 45, tzinfo=DK),
            "man 15.45",
        ),
        (
            datetime(2028, 2, 27, 12, 0, tzinfo=DK),
            datetime(2028, 3, 1, 12, 0, tzinfo=DK),
            "ons 12.00",
        ),
        (
            datetime(2026, 12, 30, 23, 30, tzinfo=DK),
            datetime(2027, 1, 2, 23, 30, tzinfo=DK),
            "lør 23.30",
        ),
    ],
)
def test_on_nights_when_the_clocks_change_the_hours_are_elapsed_hours(
    world: World, aware: datetime, due: datetime, shown: str
) -> None:
    world.clock.set(aware.astimezone(UTC))
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    assert due_of(world, reference) == due.astimezone(UTC)
    assert due_of(world, reference) - world.clock() == 72 * HOUR
    world.clock.set(due_of(world, reference) - 12 * HOUR)
    ((_, text),) = world.tick()
    assert f"12 t 0 min til anmeldelsesfristen ({shown})" in text


def node_of(world: World) -> Tracker:
    """Return another node on the same database."""
    return build(world.tracker.settings, now=world.clock, notifiers=dict(world.tracker.carriers))


@pytest.mark.parametrize("rungs", [1, 6])
def test_two_clocks_at_once_raise_each_rung_once(either: World, rungs: int) -> None:
    references = [
        either.open(f"nummer {number}", aware_at=either.clock(), aware_reason="Set i loggen") for number in range(25)
    ]
    either.tick()
    due = due_of(either, references[0])
    either.clock.set(due - (48 * HOUR if rungs == 1 else 1 * HOUR))
    nodes = [either.tracker, node_of(either), node_of(either)]
    failed = []

    def tick(index: int) -> None:
        for _ in range(3):
            try:
                clock.tick(nodes[index].context, f"node-{index}")
            except Exception as error:  # noqa: BLE001 - counted below
                failed.append(error)

    in_threads(3, tick)
    for other in nodes[1:]:
        other.close()
    clock.tick(either.context, "node")
    assert failed == []
    with either.context.database.reading() as session:
        alerts = session.execute(
            select(AlertRow.obligation_id, AlertRow.rung, func.count())
            .where(AlertRow.raised_at == either.clock())
            .group_by(AlertRow.obligation_id, AlertRow.rung)
        ).all()
        waiting = session.execute(
            select(func.count()).where(AlarmRow.state == "planned", AlarmRow.fire_at <= either.clock())
        ).scalar_one()
    assert {count for _, _, count in alerts} == {1}
    assert len({obligation for obligation, _, _ in alerts}) >= 50
    assert waiting == 0


def test_a_clock_and_people_who_decide_at_the_same_moment_do_not_lock_each_other_out(either: World) -> None:
    references = [
        either.open(f"nummer {number}", aware_at=either.clock(), aware_reason="Set i loggen") for number in range(20)
    ]
    either.tick()
    either.clock.set(due_of(either, references[0]) - 24 * HOUR)
    done = threading.Event()
    wrong: list[Exception] = []

    def decide(index: int) -> None:
        try:
            for reference in references[index::2]:
                incidents.find_not_a_breach(either.context, SHELL, reference, reason="Kun testdata")
        except Exception as error:  # noqa: BLE001 - asserted below
            wrong.append(error)
        finally:
            done.set()

    def tick_on(_: int) -> None:
        try:
            clock.tick(either.context, "node")
        except Exception as error:  # noqa: BLE001 - asserted below
            wrong.append(error)

    in_threads(4, lambda index: decide(index) if index < 2 else tick_on(index))
    assert wrong == []
    clock.tick(either.context, "node")
    assert [one.incident_id for one in either.open_alerts()] == []
    assert either.alarms() == []
    assert register.board(either.context, SHELL) == []


def test_one_alert_that_cannot_be_raised_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    references = [world.open(f"nummer {number}") for number in range(4)]
    world.tick()
    bad = world.overview(references[1]).id
    single = alert_texts.content

    def planted(items: list[Told], *rest: object) -> object:
        if any(one.head.id == bad for one in items):
            raise KeyError("planted")
        return single(items, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(alert_texts, "content", planted)
    world.clock.advance(hours=4)
    with pytest.raises(KeyError):
        clock.tick(world.context, "node")
    raised = {one.incident_id for one in world.open_alerts() if one.rung == "asked_4h"}
    assert raised == {world.overview(one).id for one in references} - {bad}
    monkeypatch.setattr(alert_texts, "content", single)
    clock.tick(world.context, "node")
    assert bad in {one.incident_id for one in world.open_alerts() if one.rung == "asked_4h"}


def test_one_step_that_cannot_be_taken_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    references = [world.open(f"nummer {number}") for number in range(3)]
    world.tick()
    bad = world.overview(references[0]).id
    single = alert_texts.content

    def planted(items: list[Told], *rest: object) -> object:
        if any(one.head.id == bad for one in items):
            raise KeyError("planted")
        return single(items, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(alert_texts, "content", planted)
    world.clock.advance(minutes=5)
    with pytest.raises(KeyError):
        clock.tick(world.context, "node")
    assert {one.incident_id: one.step for one in world.open_alerts()} == {
        world.overview(one).id: (0 if world.overview(one).id == bad else 1) for one in references
    }


def test_many_alarms_due_at_once_are_raised_in_batches_and_all_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "BATCH", 7)
    for number in range(20):
        world.open(f"nummer {number}", aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    world.clock.advance(hours=66)
    assert clock.tick(world.context, "node") >= 60
    assert [one for one in world.alarms() if one.fire_at <= world.clock()] == []
    assert {one.rung for one in world.open_alerts()} == {"6h", "asked_48h"}
