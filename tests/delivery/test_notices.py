"""Messages of notices: after everything urgent, only while the notice is sending, fair between several."""

import threading
from collections import Counter

import pytest

from incident_tracker.delivery.pace import Pace
from incident_tracker.store import lanes
from incident_tracker.store.deliveries import of_notices
from notifiers.protocol import Accepted, Channel, Message, NotSent, Outcome, Unknown
from tests.delivery.crowd import Crowd, make_crowd
from tests.delivery.world import NEVER, KnowingPostman, Postman, World, accepted, report

SMALL = Pace(workers=1, claim=4)


@pytest.fixture
def crowd(world: World) -> Crowd:
    return make_crowd(world)


class Letters(Postman):
    """A postman that counts how many it gets in one call."""

    max_batch = 10

    def __init__(self) -> None:
        super().__init__("letters", Channel.EMAIL)
        self.calls: list[int] = []

    def send(self, messages, deadline):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        self.calls.append(len(messages))
        return super().send(messages, deadline)


def small(postman: Postman) -> Postman:
    postman.max_batch = 4
    return postman


def test_a_notice_reaches_everybody_with_the_shared_text_and_their_own_values(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(60))
    postman = Postman()

    assert world.engine(postman).drain(NEVER) == 60

    assert crowd.counts() == {"accepted": 60}
    assert {one.text() for one in postman.carried} == {
        f"Nordlys ApS: Person {number}, dine oplysninger laa aabne. example.dk/notice" for number in range(60)
    }


@pytest.mark.parametrize("state", ["draft", "approved", "paused", "stopped", "finished"])
def test_nothing_goes_of_a_notice_that_is_not_sending(world: World, crowd: Crowd, state: str) -> None:
    crowd.enqueue(range(5))
    crowd.turn(state)
    postman = Postman()

    assert world.engine(postman).drain(NEVER) == 0

    assert postman.carried == []
    assert crowd.counts() == {"pending": 5}


def test_pausing_acts_at_the_next_claim_and_going_on_sends_the_rest(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(40))

    def answer(message: Message) -> Outcome:
        if len(postman.carried) == 5:
            crowd.turn("paused")
        return accepted(message)

    postman = small(Postman(answer=answer))
    engine = world.engine(postman, pace=SMALL)
    engine.drain(NEVER)
    assert crowd.counts() == {"accepted": 8, "pending": 32}

    crowd.turn("sending")
    engine.drain(NEVER)

    assert crowd.counts() == {"accepted": 40}


def test_what_is_urgent_goes_before_a_notice_that_waited_longer(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(20))
    world.clock.advance(minutes=1)
    (alert,) = world.enqueue()
    postman = small(Postman())

    world.engine(postman, pace=SMALL).drain(NEVER)

    assert postman.carried[0].delivery == alert
    assert len(postman.carried) == 21


def test_a_provider_that_finds_a_notice_too_much_still_gets_an_alert_at_once(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(8))
    slow = Postman(answer=lambda message: NotSent(message.attempt, "slow down", "429", retry_after=90.0))
    world.engine(slow).drain(NEVER)
    assert slow.carried
    assert crowd.counts() == {"pending": 8}

    (alert,) = world.enqueue()
    other_node = Postman()
    world.engine(other_node).drain(NEVER)
    assert [one.delivery for one in other_node.carried] == [alert]

    world.clock.advance(seconds=200)
    world.engine(other_node).drain(NEVER)
    assert crowd.counts() == {"accepted": 8}


def test_a_provider_that_finds_alerts_too_much_gets_no_notice_either(world: World, crowd: Crowd) -> None:
    world.enqueue()
    slow = Postman(answer=lambda message: NotSent(message.attempt, "slow down", "429", retry_after=90.0))
    world.engine(slow).drain(NEVER)

    crowd.enqueue(range(3))
    other_node = Postman()
    world.engine(other_node).drain(NEVER)
    assert other_node.carried == []


def test_an_alert_in_the_middle_of_a_sending_is_at_the_door_at_once(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(5000))
    jammed, seen, held = threading.Event(), threading.Event(), threading.Event()

    def answer(message: Message) -> Outcome:
        if message.text().startswith("2026-0001"):
            seen.set()
        elif jammed.is_set():
            held.wait(20)  # every thread that a notice has hangs
        return accepted(message)

    postman = Postman(answer=answer)
    engine = world.engine(postman, pace=Pace(workers=3))
    sending = threading.Thread(target=engine.drain, args=(NEVER,))
    sending.start()
    while len(postman.carried) < 1000:
        NEVER.wait(0.005)
    jammed.set()

    world.enqueue()
    engine.wake()

    assert seen.wait(5), "an alert waited behind a notice"
    assert crowd.counts()["pending"] > 1000
    held.set()
    sending.join(60)
    assert crowd.counts() == {"accepted": 5000}


def test_an_alert_of_another_process_is_found_in_the_middle_of_a_sending(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(1000))
    order: list[str] = []
    alerts: list[str] = []

    def answer(message: Message) -> Outcome:
        order.append(message.delivery)
        if len(order) == 100:
            alerts.extend(world.enqueue())
        return accepted(message)

    world.engine(small(Postman(answer=answer)), pace=SMALL).drain(NEVER)

    assert order.index(alerts[0]) < 120


def test_two_notices_get_equal_shares_and_the_longer_one_all_that_is_left(world: World, crowd: Crowd) -> None:
    other = make_crowd(world, 2)
    crowd.enqueue(range(100))
    other.enqueue(range(20))
    mine = set(crowd.ids())
    postman = small(Postman())

    world.engine(postman, pace=SMALL).drain(NEVER)

    first = Counter(one.delivery in mine for one in postman.carried[:40])
    assert first == {True: 20, False: 20}
    assert len(postman.carried) == 120


def test_a_thread_gets_what_the_notifier_takes_in_one_request(world: World, crowd: Crowd) -> None:
    world.routing["email"] = ("letters",)
    crowd.enqueue(range(95), Channel.EMAIL)
    letters = Letters()

    world.engine(letters, pace=Pace(workers=3, claim=4)).drain(NEVER)

    assert sorted(letters.calls) == [5, *[10] * 9]


def test_what_one_crash_can_leave_in_doubt_is_bounded(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(200))
    pace = Pace(workers=3, claim=4)
    most: list[int] = []

    def answer(message: Message) -> Outcome:
        most.append(crowd.counts().get("sending", 0))
        return accepted(message)

    world.engine(small(Postman(answer=answer)), pace=pace).drain(NEVER)

    assert max(most) <= pace.most_in_doubt(4)
    assert pace.most_in_doubt(4) == 12
    assert pace.most_in_doubt(250) == 750


def test_in_doubt_it_waits_for_a_person_and_the_providers_word_still_settles_it(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(3))
    postman = KnowingPostman(answer=lambda message: Unknown(message.attempt, "the connection broke off"))
    engine = world.engine(postman)
    engine.drain(NEVER)
    assert crowd.counts() == {"in_doubt": 3}

    postman.known = [report("accepted", "u1", attempt=postman.carried[0].attempt, provider_id="SM1")]
    swept = engine.sweep()
    engine.receive("postman", [report("delivered", "u2", attempt=postman.carried[1].attempt, provider_id="SM2")])
    engine.sweep()
    engine.drain(NEVER)

    assert (swept.settled, swept.again, swept.waiting) == (1, 0, 2)
    assert crowd.counts() == {"accepted": 1, "delivered": 1, "in_doubt": 1}
    assert postman.searched[0].text().startswith("Nordlys ApS: Person")
    assert len(postman.carried) == 3


def test_what_a_person_sends_again_is_marked_and_goes_only_while_the_notice_is_sending(
    world: World, crowd: Crowd
) -> None:
    crowd.enqueue(range(3))
    postman = Postman(answer=lambda message: Unknown(message.attempt, "the connection broke off"))
    engine = world.engine(postman)
    engine.drain(NEVER)
    crowd.turn("paused")
    with world.database.writing() as session:
        assert of_notices.settle_doubts(session, crowd.notice, of_notices.Decision.AGAIN, world.clock(), 10) == 3
    postman.answer = accepted

    assert engine.drain(NEVER) == 0
    crowd.turn("sending")
    engine.drain(NEVER)

    assert crowd.counts() == {"accepted": 3}
    assert all(world.row(one).possible_duplicate for one in crowd.ids())


def test_doubts_about_a_notice_never_hold_up_the_doubts_about_an_alert(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(250))
    postman = KnowingPostman(answer=lambda message: Unknown(message.attempt, "the connection broke off"))
    engine = world.engine(postman)
    engine.drain(NEVER)
    world.clock.advance(seconds=5)
    world.enqueue(alert_ids=[world.add_alert()])
    engine.drain(NEVER)

    swept = engine.sweep()

    assert swept.again == 1
    assert swept.waiting == 100, "the doubts of a notice are asked for a few at a time"
    assert postman.searched[0].text() == "2026-0001: 12 t"


def paused(message: Message) -> Outcome:
    return NotSent(message.attempt, "the sender may not do this", "21408", setup=True)


def test_a_notice_moves_to_another_notifier_when_the_first_is_paused(world: World, crowd: Crowd) -> None:
    world.routing["sms"] = ("postman", "second")
    crowd.enqueue(range(700))
    waits = make_crowd(world, 2, state="paused")
    waits.enqueue(range(3))
    first, second = Postman(answer=paused), Postman("second")

    world.engine(first, second).drain(NEVER)

    assert crowd.counts() == {"accepted": 700}
    assert len(second.carried) == 700
    assert waits.counts() == {"pending": 3}


def test_opening_a_lane_again_lets_the_rows_of_a_notice_go_at_once(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(3))
    postman = Postman(answer=paused)
    engine = world.engine(postman)
    engine.drain(NEVER)
    assert crowd.counts() == {"pending": 3}
    postman.answer = accepted

    with world.database.writing() as session:
        lanes.unpause(session, "postman", world.clock())
    engine.wake()
    engine.drain(NEVER)

    assert crowd.counts() == {"accepted": 3}


def test_a_notice_waiting_for_a_notifier_that_is_gone_is_given_to_another(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(5))
    world.routing["sms"] = ("second",)
    second = Postman("second")

    world.engine(second).drain(NEVER)

    assert crowd.counts() == {"accepted": 5}


def test_a_doubt_about_a_notifier_that_is_gone_goes_again_by_another(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(3))
    world.engine(Postman(answer=lambda message: Unknown(message.attempt, "no answer"))).drain(NEVER)
    world.routing["sms"] = ("second",)
    second = Postman("second")
    engine = world.engine(second, pace=Pace(adopt_seconds=0))
    engine.drain(NEVER)
    with world.database.writing() as session:
        of_notices.settle_doubts(session, crowd.notice, of_notices.Decision.AGAIN, world.clock(), 10)

    engine.drain(NEVER)

    assert crowd.counts() == {"accepted": 3}
    assert len(second.carried) == 3


def test_a_drill_stays_on_this_machine(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(5), local_only=True)
    postman, local = Postman(), Postman("outbox")

    world.engine(postman, local).drain(NEVER)

    assert len(local.carried) == 5
    assert postman.carried == []


@pytest.mark.parametrize("wait", [None, 30.0])
def test_a_provider_that_is_busy_gets_the_rest_of_a_notice_later(
    world: World, crowd: Crowd, wait: float | None
) -> None:
    crowd.enqueue(range(40))

    def answer(message: Message) -> Outcome:
        if len(postman.carried) == 10:
            return NotSent(message.attempt, "too many requests", "429", retry_after=wait)
        return Accepted(message.attempt, f"SM{message.attempt}")

    postman = small(Postman(answer=answer))
    engine = world.engine(postman, pace=SMALL)
    engine.drain(NEVER)
    assert crowd.counts()["pending"] > 20

    world.clock.advance(seconds=60)
    engine.drain(NEVER)

    assert crowd.counts() == {"accepted": 40}


def test_final_states_are_asked_for_without_a_public_address_and_an_alerts_first(world: World, crowd: Crowd) -> None:
    crowd.enqueue(range(120))
    (alert,) = world.enqueue()
    postman = KnowingPostman()
    engine = world.engine(postman)
    engine.drain(NEVER)
    of_alert = world.row(alert).provider_id
    for place, message in enumerate(postman.carried):
        state = "delivered" if place % 2 else "failed"
        named = {"provider_id": f"SM{message.attempt}", "reason": "switched off" if state == "failed" else ""}
        postman.known.append(report(state, f"u{place}", **named))

    world.clock.advance(seconds=20)
    engine.poll(replies=False)
    assert postman.looked_up[0] == of_alert
    assert len(postman.looked_up) == 51
    for _ in range(3):
        engine.poll(replies=False)

    assert world.row(alert).state in {"delivered", "failed"}
    assert set(crowd.counts()) == {"delivered", "failed"}
    assert {world.row(one).reason for one in crowd.ids("failed")} == {"switched off"}
