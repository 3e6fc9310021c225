"""Once an alert is taken, nothing that tells of it alone goes out any more, wherever its message was."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from incident_tracker.delivery.pace import Pace
from incident_tracker.store import alerts
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import Message, NotSent, Outcome, RefusalKind, Refused, ReportedState, StatusReport, Unknown
from tests.delivery.world import NEVER, Postman, World

ANSWERS: dict[str, Callable[[Message], Outcome]] = {
    "not sent": lambda message: NotSent(message.attempt, "connection refused"),
    "set-up": lambda message: NotSent(message.attempt, "Authenticate", setup=True),
    "unknown": lambda message: Unknown(message.attempt, "read timeout"),
}

BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def take(world: World, *alert_ids: str) -> None:
    """Take alerts as a service does."""
    with world.database.writing() as session:
        taken = alerts.acknowledge(session, alert_ids, "Clara", "web", world.clock())
        alerts.cancel_messages(session, taken, world.clock())


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_was_on_its_way_when_the_alert_was_taken_does_not_go_again(world: World, kind: str) -> None:
    alert = world.add_alert()
    (delivery,) = world.enqueue(alert_ids=[alert])

    def answer(message: Message) -> Outcome:
        take(world, alert)
        return ANSWERS[kind](message)

    postman = Postman(answer=answer)
    engine = world.engine(postman)
    for _ in range(3):
        engine.drain(NEVER)
        engine.sweep()
        world.clock.advance(minutes=10)

    assert len(postman.carried) == 1
    row = world.row(delivery)
    assert row.state == "cancelled"
    assert row.finished_at is not None
    assert not row.possible_duplicate


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_tells_of_another_open_alert_as_well_goes_again(world: World, kind: str) -> None:
    taken, still_open = world.add_alert(), world.add_alert()
    world.enqueue(alert_ids=[taken, still_open])

    def answer(message: Message) -> Outcome:
        take(world, taken)
        return ANSWERS[kind](message)

    postman = Postman(answer=answer)
    engine = world.engine(postman)
    for _ in range(2):
        engine.drain(NEVER)
        engine.sweep()
        world.clock.advance(minutes=10)

    assert len(postman.carried) >= 2


def test_a_late_not_sent_of_a_taken_alert_does_not_go_again(world: World) -> None:
    alert = world.add_alert()
    (delivery,) = world.enqueue(alert_ids=[alert])

    def answer(message: Message) -> Outcome:
        with world.database.writing() as session:
            session.execute(update(DeliveryRow).values(state="in_doubt", lease_until=None))
        take(world, alert)
        return NotSent(message.attempt, "connection refused")

    world.engine(Postman(answer=answer)).drain(NEVER)

    assert world.row(delivery).state == "cancelled"


def test_a_claim_that_a_dead_sender_left_behind_is_cancelled_when_nobody_waits(world: World) -> None:
    alert = world.add_alert()
    ids = [world.enqueue(alert_ids=alert_ids)[0] for alert_ids in ([alert], [])]
    with world.database.writing() as session:
        session.execute(update(DeliveryRow).values(state="sending", batch="b", lease_until=world.clock(), attempts=1))
    take(world, alert)

    world.engine(Postman()).sweep()

    assert [world.row(one).state for one in ids] == ["cancelled", "pending"]


def test_what_was_never_begun_is_cancelled_when_nobody_waits(world: World) -> None:
    alert = world.add_alert()
    world.enqueue(2, alert_ids=[alert])
    slow = threading.Event()

    def answer(message: Message) -> Outcome:
        take(world, alert)
        slow.wait(0.3)
        return Refused(message.attempt, RefusalKind.ADDRESS, "no")

    postman = Postman(answer=answer)
    postman.max_batch = 1
    pace = Pace(workers=1, claim=2, call_seconds=0.2, grace_seconds=5, lease=timedelta(seconds=9))
    world.engine(postman, pace=pace).drain(NEVER)

    assert sorted(world.states().values()) == ["cancelled", "failed"]


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_reports_and_people_who_take_alerts_do_not_lock_one_another_out(world: World) -> None:
    alert = world.add_alert()
    (lost,) = world.enqueue(alert_ids=[alert])
    postman = Postman()
    engine = world.engine(postman)
    engine.drain(NEVER)
    (waiting,) = world.enqueue(alert_ids=[alert])
    postman.answer = ANSWERS["not sent"]
    engine.drain(NEVER)
    first, second = (message.attempt for message in postman.carried)
    engine.receive(
        "postman",
        [
            StatusReport(ReportedState.FAILED, "u1", attempt=first),
            StatusReport(ReportedState.ACCEPTED, "u2", attempt=second),
        ],
    )
    reports = threading.Thread(target=engine.sweep)

    with world.database.writing() as session:
        taken = alerts.acknowledge(session, [alert], "Clara", "web", world.clock())
        reports.start()
        for _ in range(500):
            if session.execute(BLOCKED).scalar():
                break
            threading.Event().wait(0.01)
        alerts.cancel_messages(session, taken, world.clock())
    reports.join(30)

    assert world.alert(alert).state == "acknowledged"
    assert (world.row(lost).state, world.row(waiting).state) == ("failed", "cancelled")
