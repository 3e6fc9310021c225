"""Messages leave once, in order, and what came of each is written down."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Never

import pytest
from sqlalchemy.exc import IntegrityError

from incident_tracker.delivery.pace import Pace
from incident_tracker.store import lanes
from incident_tracker.store.database import NotSaved
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.keys import KeyKind
from notifiers.protocol import (
    Accepted,
    Channel,
    Content,
    Deadline,
    Message,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    Unknown,
)
from tests.delivery.world import NEVER, PHONE, Postman, World, accepted
from tests.makers import destroy_key

QUICK = Pace(call_seconds=0.4, grace_seconds=0.2, lease=timedelta(seconds=2))


def test_what_is_due_leaves_once_and_is_accepted(world: World) -> None:
    ids = world.enqueue(45)
    postman = Postman()

    assert world.engine(postman).drain(NEVER) == 45

    assert sorted(message.delivery for message in postman.carried) == sorted(ids)
    assert set(world.states().values()) == {"accepted"}
    row = world.row(ids[0])
    attempt = world.attempts(ids[0])[0]
    assert (row.attempts, row.sent_at, row.provider_id) == (1, world.clock(), f"SM{attempt.id}")
    assert (attempt.outcome, attempt.node, attempt.finished_at) == ("accepted", "node", world.clock())


def test_the_postman_gets_the_text_and_the_address_that_were_sealed(world: World) -> None:
    (delivery,) = world.enqueue(valid_for=120)
    postman = Postman()

    world.engine(postman).drain(NEVER)

    message = postman.carried[0]
    assert (message.address, message.text(), message.valid_for) == (PHONE, "2026-0001: 12 t", 120)
    assert PHONE.encode() not in world.row(delivery).sealed


def test_enqueueing_twice_makes_one_row_with_one_id(world: World) -> None:
    first = world.enqueue(once="alert:1:0:7:1")
    second = world.enqueue(once="alert:1:0:7:1")

    assert first == second
    assert len(world.states()) == 1


def test_a_text_with_a_placeholder_nobody_fills_is_refused_before_it_is_stored(world: World) -> None:
    with pytest.raises(KeyError):
        world.enqueue(content=Content("{{nobody}}"))
    assert not world.states()


def test_the_most_urgent_leave_first(world: World) -> None:
    (late,) = world.enqueue(rank=200)
    (early,) = world.enqueue(rank=10)
    postman = Postman()

    world.engine(postman, pace=Pace(workers=1)).drain(NEVER)

    assert [message.delivery for message in postman.carried] == [early, late]


def test_what_is_not_due_yet_waits(world: World) -> None:
    (delivery,) = world.enqueue(not_before=world.clock() + timedelta(seconds=1))
    engine = world.engine(Postman())

    assert engine.drain(NEVER) == 0
    world.clock.advance(seconds=1)
    assert engine.drain(NEVER) == 1
    assert world.row(delivery).state == "accepted"


def test_after_stop_nothing_new_is_claimed(world: World) -> None:
    world.enqueue(3)
    stop = threading.Event()
    stop.set()

    assert world.engine(Postman()).drain(stop) == 0
    assert set(world.states().values()) == {"pending"}


def test_a_stop_in_the_middle_lets_what_is_in_flight_finish_and_leaves_the_rest(world: World) -> None:
    world.enqueue(20)
    stop = threading.Event()

    def answer(message: Message) -> Outcome:
        stop.set()
        return accepted(message)

    written = world.engine(Postman(answer=answer), pace=Pace(workers=1, claim=5)).drain(stop)

    assert written == 5
    assert sorted(world.states().values()) == ["accepted"] * 5 + ["pending"] * 15


def test_an_exercise_goes_to_the_local_outbox_whatever_the_routing_says(world: World) -> None:
    (delivery,) = world.enqueue(local_only=True)
    outside, local = Postman(), Postman("outbox")

    world.engine(outside, local).drain(NEVER)

    assert [message.delivery for message in local.carried] == [delivery]
    assert not outside.carried


def test_the_database_itself_keeps_an_exercise_in_the_house(world: World) -> None:
    (delivery,) = world.enqueue(local_only=True)

    with pytest.raises(IntegrityError, match="exercise_stays_here"), world.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE deliveries SET notifier = 'postman'")
    assert world.row(delivery).notifier == "outbox"


def test_a_refused_message_fails_and_its_alert_moves_on_at_once(world: World) -> None:
    alert = world.add_alert()
    (delivery,) = world.enqueue(alert_ids=[alert])
    postman = Postman(answer=lambda message: Refused(message.attempt, RefusalKind.ADDRESS, "not a mobile", "21614"))

    world.engine(postman).drain(NEVER)

    row = world.row(delivery)
    assert (row.state, row.reason, row.code, row.finished_at) == (
        "failed",
        "not a mobile",
        "21614",
        world.clock(),
    )
    assert world.alert(alert).next_step_at == world.clock()


def test_a_failure_of_an_earlier_step_hurries_nobody(world: World) -> None:
    alert = world.add_alert(step=1)
    world.enqueue(alert_ids=[alert], step=0)
    postman = Postman(answer=lambda message: Refused(message.attempt, RefusalKind.ADDRESS, "not a mobile"))

    world.engine(postman).drain(NEVER)

    assert world.alert(alert).next_step_at == world.clock() + timedelta(minutes=5)


def test_who_opted_out_is_muted_and_the_message_suppressed(world: World) -> None:
    contact = world.add_contact()
    (delivery,) = world.enqueue(contact_id=contact)
    postman = Postman(answer=lambda message: Refused(message.attempt, RefusalKind.OPTED_OUT, "stop", "21610"))

    world.engine(postman).drain(NEVER)

    assert world.row(delivery).state == "suppressed"
    assert world.contact(contact).muted_at == world.clock()


def test_what_was_not_sent_is_tried_again_later_and_is_no_duplicate(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = Postman(answer=lambda message: NotSent(message.attempt, "refused connection"))
    engine = world.engine(postman)

    engine.drain(NEVER)
    row = world.row(delivery)
    assert row.state == "pending"
    assert timedelta(seconds=1) < row.not_before - world.clock() < timedelta(seconds=3)

    postman.answer = lambda message: Accepted(message.attempt, "SM1")
    world.clock.advance(seconds=3)
    engine.drain(NEVER)
    row = world.row(delivery)
    assert (row.state, row.attempts, row.possible_duplicate) == ("accepted", 2, False)


@pytest.mark.parametrize(
    ("named", "least", "most"),
    [(30.0, 29.9, 30.1), (99999999.0, 119.9, 120.1), (-5.0, 1, 3), (float("nan"), 1, 3)],
)
def test_a_pause_named_by_the_provider_holds_for_all_nodes_and_absurd_ones_are_capped(
    world: World, named: float, least: float, most: float
) -> None:
    world.enqueue()
    postman = Postman(answer=lambda message: NotSent(message.attempt, "slow down", "429", retry_after=named))
    world.engine(postman).drain(NEVER)

    blocked = world.lane().blocked_until
    assert blocked is not None
    assert least <= (blocked - world.clock()).total_seconds() <= most

    world.enqueue()
    other_node = Postman()
    world.engine(other_node).drain(NEVER)
    assert not other_node.carried
    world.clock.advance(seconds=most)
    world.engine(other_node).drain(NEVER)
    assert other_node.carried


def test_a_wrong_set_up_pauses_the_lane_and_the_next_notifier_of_the_channel_takes_over(world: World) -> None:
    world.routing["sms"] = ("postman", "second")
    ids = world.enqueue(60)
    wrong = Postman(answer=lambda message: NotSent(message.attempt, "Authenticate", "20003", setup=True))
    second = Postman("second")

    world.engine(wrong, second, pace=Pace(workers=1, claim=20)).drain(NEVER)

    assert set(world.states().values()) == {"accepted"}
    assert sorted(message.delivery for message in second.carried) == sorted(ids)
    assert len(wrong.carried) == 20
    lane = world.lane()
    assert (lane.paused_at, lane.reason) == (world.clock(), "Authenticate")
    assert not any(world.row(one).possible_duplicate for one in ids)


def test_a_paused_lane_without_another_keeps_its_rows_and_is_probed_with_one(world: World) -> None:
    ids = world.enqueue(30)
    postman = Postman(answer=lambda message: NotSent(message.attempt, "Authenticate", "20003", setup=True))
    engine = world.engine(postman, pace=Pace(workers=1))
    engine.drain(NEVER)
    since = world.lane().paused_at
    carried = len(postman.carried)

    world.clock.advance(minutes=4)
    engine.drain(NEVER)
    assert len(postman.carried) == carried
    world.clock.advance(minutes=2)
    engine.drain(NEVER)
    assert len(postman.carried) == carried + 1
    assert world.lane().paused_at == since

    postman.answer = lambda message: Accepted(message.attempt, "SM1")
    world.clock.advance(minutes=6)
    engine.drain(NEVER)
    assert {world.row(one).state for one in ids} == {"accepted"}
    assert world.lane().paused_at is None


def open_lane(world: World) -> bool:
    with world.database.writing() as session:
        return lanes.unpause(session, "postman", world.clock())


def test_opening_a_paused_lane_sends_at_once(world: World) -> None:
    world.enqueue()
    postman = Postman(answer=lambda message: NotSent(message.attempt, "Authenticate", setup=True))
    engine = world.engine(postman)
    engine.drain(NEVER)
    postman.answer = lambda message: Accepted(message.attempt, "SM1")

    assert open_lane(world)
    engine.wake()
    assert engine.drain(NEVER) == 1
    assert set(world.states().values()) == {"accepted"}
    assert not open_lane(world)


def test_one_bad_row_does_not_keep_the_lane_closed_for_the_others(world: World) -> None:
    (bad,) = world.enqueue(rank=1)
    postman = Postman(
        answer=lambda message: (
            NotSent(message.attempt, "not for this one", setup=True) if message.delivery == bad else accepted(message)
        )
    )
    engine = world.engine(postman, pace=Pace(workers=1))
    engine.drain(NEVER)
    (good,) = world.enqueue(rank=100)

    world.clock.advance(minutes=5)
    engine.drain(NEVER)

    assert world.row(good).state == "accepted"
    at_once = 0
    for _ in range(60):
        (good,) = world.enqueue(rank=100)
        engine.wake()
        engine.drain(NEVER)
        at_once += world.row(good).state == "accepted"
        world.clock.advance(minutes=1)
    assert at_once > 30
    assert world.row(bad).state == "pending"


def test_a_probe_with_nothing_to_try_does_not_put_the_next_one_off(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = Postman(answer=lambda message: NotSent(message.attempt, "Authenticate", setup=True))
    engine = world.engine(postman)
    engine.drain(NEVER)
    postman.answer = accepted

    world.clock.advance(minutes=5)
    engine.wake()
    engine.drain(NEVER)
    world.clock.advance(minutes=1)
    engine.drain(NEVER)

    assert world.row(delivery).state == "accepted"


def test_what_waits_for_a_notifier_that_is_gone_is_given_to_another(world: World) -> None:
    ids = world.enqueue(3)
    world.routing["sms"] = ("second",)
    second = Postman("second")

    world.engine(second).drain(NEVER)

    assert sorted(message.delivery for message in second.carried) == sorted(ids)


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_results_survive_a_database_that_fails(world: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    (delivery,) = world.enqueue()
    engine = world.engine(Postman(answer=lambda message: break_database(Accepted(message.attempt, "SM1"))))
    whole = getattr(world.database, way)

    def broken(*, urgent: bool = False) -> Never:
        del urgent
        raise NotSaved(why="the disk is full")

    def break_database(outcome: Outcome) -> Outcome:
        monkeypatch.setattr(world.database, way, broken)
        engine.wake()  # so that it reads
        return outcome

    with pytest.raises(NotSaved):
        engine.drain(NEVER)
    monkeypatch.setattr(world.database, way, whole)
    assert world.row(delivery).state == "sending"
    engine.drain(NEVER)

    row = world.row(delivery)
    assert (row.state, row.provider_id, row.attempts) == ("accepted", "SM1", 1)


def test_after_three_tries_in_vain_the_next_notifier_has_a_go(world: World) -> None:
    world.routing["sms"] = ("postman", "second")
    (delivery,) = world.enqueue()
    second = Postman("second")
    engine = world.engine(Postman(answer=lambda message: NotSent(message.attempt, "refused")), second)

    for _ in range(3):
        engine.drain(NEVER)
        world.clock.advance(minutes=1)

    assert [message.delivery for message in second.carried] == [delivery]
    assert world.row(delivery).attempts == 4


class Raising(Postman):
    """A postman that falls over one of its messages."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        del deadline
        for message in messages:
            if message.text().endswith("poison"):
                raise self.error
            self.carried.append(message)
            yield Accepted(message.attempt, f"SM{message.attempt}")


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(1), MemoryError()])
def test_whatever_escapes_a_notifier_is_in_doubt_and_cannot_stop_the_rest(world: World, error: BaseException) -> None:
    (poison,) = world.enqueue(content=Content("poison"))
    good = world.enqueue(9)
    engine = world.engine(Raising(error), pace=Pace(workers=1))

    engine.drain(NEVER)
    assert world.row(poison).state == "in_doubt"
    engine.sweep()
    engine.drain(NEVER)

    assert {world.row(one).state for one in good} == {"accepted"}
    assert world.row(poison).state == "in_doubt"
    assert world.row(poison).reason == f"the notifier failed: {type(error).__name__}"


def test_a_notifier_that_says_nothing_or_talks_of_others_leaves_doubt(world: World) -> None:
    class Silent(Postman):
        def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
            del messages, deadline
            yield Accepted("someone-else", "SM1")

    (delivery,) = world.enqueue()
    world.engine(Silent()).drain(NEVER)

    assert world.row(delivery).state == "in_doubt"


def test_accepted_without_the_id_of_the_provider_is_in_doubt(world: World) -> None:
    (delivery,) = world.enqueue()
    world.engine(Postman(answer=lambda message: Accepted(message.attempt, ""))).drain(NEVER)

    assert world.row(delivery).state == "in_doubt"


class Hanging(Postman):
    """A postman that hangs until it is let go."""

    def __init__(self, name: str = "postman", channel: Channel = Channel.SMS) -> None:
        super().__init__(name, channel)
        self.let_go = threading.Event()
        self.hangs = threading.Event()
        self.ended = threading.Event()

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        del deadline
        for message in messages:
            self.carried.append(message)
            self.hangs.set()
            self.let_go.wait(30)
            self.ended.set()
            yield Accepted(message.attempt, f"SM{message.attempt}")


def test_a_hanging_channel_does_not_hold_up_another(world: World) -> None:
    world.routing["email"] = ("mail",)
    world.enqueue(5)
    mails = world.enqueue(5, channel=Channel.EMAIL, address="ada@example.dk")
    hanging, mail = Hanging(), Postman("mail", Channel.EMAIL)
    engine = world.engine(hanging, mail)
    drain = threading.Thread(target=engine.drain, args=(NEVER,))
    drain.start()
    assert hanging.hangs.wait(10)

    more = world.enqueue(5, channel=Channel.EMAIL, address="ada@example.dk")
    engine.wake()
    for _ in range(200):
        if all(world.row(one).state == "accepted" for one in mails + more):
            break
        threading.Event().wait(0.02)
    assert {world.row(one).state for one in mails + more} == {"accepted"}
    assert not hanging.let_go.is_set()

    hanging.let_go.set()
    drain.join(10)
    assert set(world.states().values()) == {"accepted"}


def test_a_call_is_given_up_at_its_deadline_and_its_late_answer_settles_the_doubt(world: World) -> None:
    (delivery,) = world.enqueue()
    hanging = Hanging()
    engine = world.engine(hanging, pace=QUICK)

    engine.drain(NEVER)
    assert world.row(delivery).state == "in_doubt"
    assert world.attempts(delivery)[0].outcome == "unknown"

    hanging.let_go.set()
    assert hanging.ended.wait(10)
    for _ in range(100):
        engine.drain(NEVER)
        if world.row(delivery).state == "accepted":
            break
        threading.Event().wait(0.01)
    assert world.row(delivery).state == "accepted"
    assert world.attempts(delivery)[0].outcome == "accepted"


def test_threads_that_hang_count_against_the_lane(world: World) -> None:
    world.enqueue(3)
    hanging = Hanging()
    engine = world.engine(
        hanging, pace=Pace(workers=1, claim=1, call_seconds=0.1, grace_seconds=0.1, lease=timedelta(seconds=1))
    )

    engine.drain(NEVER)
    engine.drain(NEVER)

    assert len(hanging.carried) == 1
    assert sorted(world.states().values()) == ["in_doubt", "pending", "pending"]
    hanging.let_go.set()


def test_no_connection_is_held_during_a_call(world: World) -> None:
    world.enqueue(8)
    out: list[int] = []
    pool = world.database.engine.pool

    def look(message: Message) -> Outcome:
        out.append(pool.checkedout())  # type: ignore[attr-defined]
        return Accepted(message.attempt, "SM1")

    world.engine(Postman(answer=look), pace=Pace(workers=1, claim=8)).drain(NEVER)

    assert min(out) == 0  # the book-keeping thread may hold one while it writes


def test_what_was_forgotten_is_not_sent(world: World) -> None:
    (kept,) = world.enqueue()
    key_id = world.keyring.ensure([KeyKind.PEOPLE], "incident:1", world.clock())[KeyKind.PEOPLE]
    sealed = world.keyring.seal(key_id, "deliveries.sealed", b"[]")
    with world.database.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE deliveries SET sealed = ?" if world.database.is_sqlite else "UPDATE deliveries SET sealed = %s",
            (sealed,),
        )
        destroy_key(session, key_id, world.clock())
    (other,) = world.enqueue()
    world.keyring._keys.clear()
    postman = Postman()

    world.engine(postman).drain(NEVER)

    assert [message.delivery for message in postman.carried] == [other]
    assert world.row(kept).state == "failed"


def test_an_unknown_result_of_a_notice_waits_for_a_person(world: World) -> None:
    (delivery,) = world.enqueue(purpose=Purpose.NOTICE)
    engine = world.engine(Postman(answer=lambda message: Unknown(message.attempt, "read timeout")))

    engine.drain(NEVER)
    swept = engine.sweep()

    assert swept.waiting == 1
    assert world.row(delivery).state == "in_doubt"
    assert not world.row(delivery).possible_duplicate


def test_what_was_never_begun_when_a_call_hung_goes_again_as_a_first_try(world: World) -> None:
    ids = world.enqueue(3)
    hanging = Hanging()
    hanging.max_batch = 1
    engine = world.engine(
        hanging, pace=Pace(workers=1, claim=3, call_seconds=0.2, grace_seconds=0.1, lease=timedelta(seconds=1))
    )

    engine.drain(NEVER)

    begun = hanging.carried[0].delivery
    assert world.row(begun).state == "in_doubt"
    for one in set(ids) - {begun}:
        row = world.row(one)
        assert (row.state, row.attempts, row.possible_duplicate, row.batch) == ("pending", 0, False, None)
        assert not world.attempts(one)
    hanging.let_go.set()


def test_what_a_slow_call_left_no_time_for_goes_again_as_a_first_try(world: World) -> None:
    ids = world.enqueue(3)
    slow = threading.Event()

    def answer(message: Message) -> Outcome:
        slow.wait(0.3)
        return accepted(message)

    postman = Postman(answer=answer)
    postman.max_batch = 1
    pace = Pace(workers=1, claim=3, call_seconds=0.2, grace_seconds=5, lease=timedelta(seconds=9))
    world.engine(postman, pace=pace).drain(NEVER)

    assert set(world.states().values()) == {"accepted"}
    assert {world.row(one).attempts for one in ids} == {1}
    assert {len(world.attempts(one)) for one in ids} == {1}
