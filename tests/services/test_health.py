from datetime import timedelta

import pytest
from sqlalchemy import update

from incident_tracker.domain.access import SHELL
from incident_tracker.scheduler import Clock
from incident_tracker.services import clock, health, on_call, replies
from incident_tracker.store import heartbeats
from incident_tracker.store.tables.incidents import JournalRow
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import Message, NotSent, Outcome
from tests.services.world import World


def out_of_reach(message: Message) -> Outcome:
    return NotSent(message.attempt, "the provider does not answer")


def beat(world: World, node: str = "node") -> None:
    with world.context.database.writing() as session:
        heartbeats.start(session, node, "0", world.clock())


def test_without_a_sign_of_life_the_clock_does_not_run(either: World) -> None:
    state = health.clock_state(either.context)
    assert (state.running, state.age) == (False, None)
    assert not health.readiness(either.context).ready


def test_a_sign_of_life_counts_for_thirty_seconds(world: World) -> None:
    beat(world)
    assert health.readiness(world.context).ready
    world.clock.advance(seconds=30)
    assert health.clock_state(world.context).running
    world.clock.advance(seconds=1)
    assert not health.clock_state(world.context).running
    assert health.readiness(world.context).heartbeat_age_seconds == 31


def test_a_sign_of_life_from_the_future_hides_no_silence(world: World) -> None:
    beat(world)
    world.clock.advance(hours=-80)
    assert not health.clock_state(world.context).running
    beat(world, "another")
    assert health.clock_state(world.context).running


def test_an_alarm_that_should_have_gone_off_is_counted(world: World) -> None:
    world.open()
    world.tick()
    world.clock.advance(hours=4, seconds=31)
    beat(world)
    found = health.readiness(world.context)
    assert not found.ready
    assert found.overdue_unsent_alarms == 2  # the rung, and the step of the suspicion
    clock.tick(world.context, "node")
    assert health.readiness(world.context).ready


def test_an_alert_whose_message_does_not_leave_is_not_fine(world: World) -> None:
    world.sms.answer = out_of_reach
    beat(world, "one")
    world.open()
    world.tick()
    assert health.nothing_due_unsent(world.context)
    world.clock.advance(seconds=31)
    beat(world, "another")
    assert not health.nothing_due_unsent(world.context)


def test_a_message_whose_sender_died_with_it_is_not_fine(either: World) -> None:
    either.open()
    clock.tick(either.context, "node")
    lease = either.clock() + timedelta(seconds=60)
    with either.context.database.writing() as session:
        session.execute(update(DeliveryRow).values(state="sending", lease_until=lease))
    either.clock.advance(seconds=60)
    beat(either, "one")
    assert health.nothing_due_unsent(either.context)
    either.clock.advance(seconds=31)
    beat(either, "another")
    assert not health.nothing_due_unsent(either.context)


def test_a_clock_that_stands_still_is_not_fine_even_with_nothing_due(world: World) -> None:
    assert not health.nothing_due_unsent(world.context)
    beat(world)
    assert health.nothing_due_unsent(world.context)
    world.clock.advance(seconds=31)
    assert not health.nothing_due_unsent(world.context)


def test_an_alert_that_nobody_could_be_told_of_is_not_fine(world: World) -> None:
    for one in world.contacts:
        on_call.remove(world.context, SHELL, one.id)
    world.open()
    world.tick()
    world.clock.advance(seconds=31)
    beat(world)
    clock.tick(world.context, "node")
    assert not health.nothing_due_unsent(world.context)
    on_call.add(world.context, SHELL, world.controller.id, on_call.ContactFacts("Ben", "+4534412345"))
    world.tick()
    assert health.nothing_due_unsent(world.context)


def test_a_tick_of_a_busy_clock_is_a_sign_of_life(world: World) -> None:
    beat(world)
    world.open()
    world.clock.advance(hours=4)
    clock.tick(world.context, "node")
    assert health.clock_state(world.context).running


def test_a_broken_reply_stops_no_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("planted")

    monkeypatch.setattr(replies, "apply", broken)
    world.open()
    world.clock.advance(hours=4)
    Clock(world.tracker)._tick()
    assert [one.rung for one in world.open_alerts()] == ["asked_4h"]


def test_a_jump_of_the_machines_clock_is_written_down(world: World) -> None:
    running = Clock(world.tracker)
    running._tick()
    world.clock.advance(hours=80)
    running._tick()
    world.clock.advance(hours=-80)
    running._tick()
    with world.context.database.reading() as session:
        kinds = [row.kind for row in session.query(JournalRow)]
    assert kinds.count("clock_stopped") == 2


def test_a_silence_before_a_start_is_written_down(world: World) -> None:
    beat(world)
    world.clock.advance(minutes=10)
    Clock(world.tracker)._announce()
    with world.context.database.reading() as session:
        assert [row.kind for row in session.query(JournalRow)] == ["clock_stopped"]


def test_a_real_clock_ticks_sends_and_stops(world: World) -> None:
    running = Clock(world.tracker)
    running.start()
    try:
        world.open()
        waited = world.tracker.woken
        for _ in range(200):
            if world.sms.carried:
                break
            waited.wait(0.05)
            running._stop.wait(0.05)
        assert [one.address for one in world.sms.carried] == ["+4534412345"]
    finally:
        assert running.stop()
