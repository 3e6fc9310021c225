"""What is in doubt is settled by the provider's word, then by asking, then by the purpose; never silently."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.settle import Decision, NotInDoubt, decide
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.tables.outbox import AttemptRow, DeliveryRow
from notifiers.protocol import Message, NotSent, Outcome, ReportedState, StatusReport, Unknown
from tests.delivery.world import NEVER, KnowingPostman, Postman, World, accepted


def unknown(message: Message) -> Outcome:
    return Unknown(message.attempt, "read timeout")


def crash(world: World, postman: Postman) -> None:
    """Leave a claimed row behind, as a process does that was killed during its call."""

    class KilledError(BaseException):
        pass

    def probe(point: str) -> None:
        if point == "after_attempt":
            raise KilledError

    with pytest.raises(KilledError):
        world.engine(postman, probe=probe).drain(NEVER)


@pytest.mark.parametrize("purpose", [Purpose.ALERT, Purpose.ESCALATION, Purpose.TEST, Purpose.ACCOUNT])
def test_an_alert_in_doubt_goes_again_at_once_and_is_marked(world: World, purpose: Purpose) -> None:
    (delivery,) = world.enqueue(purpose=purpose)
    postman = Postman(answer=unknown)
    engine = world.engine(postman)
    engine.drain(NEVER)
    assert world.row(delivery).state == "in_doubt"

    postman.answer = accepted
    swept = engine.sweep()
    engine.drain(NEVER)

    row = world.row(delivery)
    assert swept.again == 1
    assert (row.state, row.possible_duplicate, row.attempts) == ("accepted", True, 2)
    assert [attempt.outcome for attempt in world.attempts(delivery)] == ["unknown", "accepted"]


@pytest.mark.parametrize("purpose", [Purpose.NOTICE, Purpose.PARTNER, Purpose.QUESTION])
def test_a_notice_in_doubt_waits_for_a_person(world: World, purpose: Purpose) -> None:
    (delivery,) = world.enqueue(purpose=purpose)
    engine = world.engine(Postman(answer=unknown))
    engine.drain(NEVER)

    assert engine.sweep().waiting == 1
    world.clock.advance(hours=5)
    engine.sweep()

    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == ("in_doubt", False)


def test_an_alert_that_stays_in_doubt_is_not_sent_in_a_circle(world: World) -> None:
    world.enqueue()
    postman = Postman(answer=unknown)
    engine = world.engine(postman)

    for _ in range(20):
        engine.drain(NEVER)
        engine.sweep()

    assert len(postman.carried) == 3


def test_a_lease_that_is_over_with_an_open_attempt_means_in_doubt(world: World) -> None:
    (delivery,) = world.enqueue()
    crash(world, Postman())
    engine = world.engine(Postman())
    started = world.clock()
    assert engine.sweep().doubted == 0

    world.clock.advance(seconds=61)
    swept = engine.sweep()
    engine.drain(NEVER)

    assert (swept.released, swept.doubted, swept.again) == (0, 1, 1)
    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == ("accepted", True)
    assert world.attempts(delivery)[0].outcome == "unknown"
    assert world.attempts(delivery)[0].started_at == started


def test_a_lease_that_is_over_without_an_attempt_is_simply_free_again(world: World) -> None:
    (delivery,) = world.enqueue()
    with world.database.writing() as session:
        session.execute(update(DeliveryRow).values(state="sending", batch="b", lease_until=world.clock(), attempts=1))
    swept = world.engine(Postman()).sweep()

    assert (swept.released, swept.doubted) == (1, 0)
    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == ("pending", False)


def test_a_doubt_that_the_provider_can_answer_is_not_sent_again(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = KnowingPostman(answer=unknown)
    engine = world.engine(postman)
    engine.drain(NEVER)
    attempt = postman.carried[0].attempt
    postman.known = [StatusReport(ReportedState.ACCEPTED, "u1", attempt=attempt, provider_id="SM9")]

    swept = engine.sweep()
    engine.drain(NEVER)

    row = world.row(delivery)
    assert (swept.settled, swept.again) == (1, 0)
    assert (row.state, row.provider_id, row.possible_duplicate) == ("accepted", "SM9", False)
    assert len(postman.carried) == 1
    assert postman.searched[0].text() == "2026-0001: 12 t"
    assert world.attempts(delivery)[0].outcome == "accepted"


def test_the_provider_is_told_which_of_its_messages_are_accounted_for(world: World) -> None:
    postman = KnowingPostman()
    engine = world.engine(postman)
    world.enqueue(address_hash=b"other")
    world.enqueue()
    engine.drain(NEVER)
    mine = next(one for one in postman.carried if world.row(one.delivery).address_hash == b"hash")
    postman.answer = unknown
    world.enqueue()
    engine.drain(NEVER)

    engine.sweep()

    assert postman.taken == {f"SM{mine.attempt}"}


def test_a_provider_that_cannot_be_asked_does_not_hold_up_an_alert(world: World) -> None:
    class Broken(KnowingPostman):
        def search(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise RuntimeError

    (delivery,) = world.enqueue()
    postman = Broken(answer=unknown)
    engine = world.engine(postman)
    engine.drain(NEVER)

    assert engine.sweep().again == 1
    assert world.row(delivery).state == "pending"


def test_a_callback_with_our_id_settles_before_anyone_is_asked(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = KnowingPostman(answer=unknown)
    engine = world.engine(postman)
    engine.drain(NEVER)
    attempt = postman.carried[0].attempt

    engine.receive("postman", [StatusReport(ReportedState.DELIVERED, "u1", attempt=attempt, provider_id="SM9")])
    swept = engine.sweep()

    assert not postman.searched
    assert swept.again == 0
    assert world.row(delivery).state == "delivered"


def test_good_news_of_the_first_try_stops_the_second_that_was_waiting(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = Postman(answer=unknown)
    engine = world.engine(postman)
    engine.drain(NEVER)
    engine.sweep()
    assert world.row(delivery).state == "pending"

    engine.receive("postman", [StatusReport(ReportedState.ACCEPTED, "u1", attempt=postman.carried[0].attempt)])
    engine.sweep()
    engine.drain(NEVER)

    assert len(postman.carried) == 1
    assert world.row(delivery).state == "accepted"


def test_a_late_not_sent_frees_the_row_without_a_mark(world: World) -> None:
    (delivery,) = world.enqueue()
    engine = world.engine(Postman(answer=lambda message: NotSent(message.attempt, "refused")))

    def steal() -> None:
        with world.database.writing() as session:
            session.execute(update(DeliveryRow).values(state="in_doubt", lease_until=None))

    engine._dispatcher._probe = lambda point: steal() if point == "before_claim" and _sending(world) else None
    engine.drain(NEVER)

    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == ("pending", False)


def _sending(world: World) -> bool:
    return set(world.states().values()) == {"sending"}


def test_a_result_whose_row_is_no_longer_ours_is_kept_as_evidence(world: World) -> None:
    (delivery,) = world.enqueue()
    engine = world.engine(Postman())

    def steal() -> None:
        with world.database.writing() as session:
            session.execute(update(DeliveryRow).values(batch="another", attempts=2))

    engine._dispatcher._probe = lambda point: steal() if point == "before_claim" and _sending(world) else None
    engine.drain(NEVER)

    assert (world.row(delivery).state, world.row(delivery).batch) == ("sending", "another")
    with world.database.reading() as session:
        assert session.query(AttemptRow.outcome).scalar() == "accepted"


@pytest.mark.parametrize(
    ("decision", "state", "marked"), [(Decision.SENT, "accepted", False), (Decision.AGAIN, "pending", True)]
)
def test_a_person_decides(world: World, decision: Decision, state: str, marked: bool) -> None:  # noqa: FBT001
    (delivery,) = world.enqueue(purpose=Purpose.NOTICE)
    world.engine(Postman(answer=unknown)).drain(NEVER)

    with world.database.writing() as session:
        before = decide(session, None, delivery, decision, world.clock())

    assert before.state == "in_doubt"
    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == (state, marked)


def test_nobody_decides_about_what_is_settled_or_belongs_to_another_controller(world: World) -> None:
    (delivery,) = world.enqueue()
    with world.database.writing() as session:
        with pytest.raises(NotInDoubt, match="pending"):
            decide(session, None, delivery, Decision.SENT, world.clock())
        with pytest.raises(NotFound):
            decide(session, frozenset({2}), delivery, Decision.SENT, world.clock())


def test_a_lease_longer_than_the_call_is_demanded() -> None:
    with pytest.raises(ValueError, match="lease"):
        Pace(call_seconds=60, lease=timedelta(seconds=61))
