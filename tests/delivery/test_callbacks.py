"""Callbacks are stored first and applied forward only, whatever their order; replies wait for the services."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from incident_tracker.delivery.asking import Answer, Asking
from incident_tracker.delivery.inbox import mark_applied, waiting_replies
from incident_tracker.store.tables.outbox import CallbackRow
from notifiers.protocol import Accepted, Deadline, Reply
from tests.delivery.world import NEVER, PHONE, KnowingPostman, Postman, World, apply_callbacks, report


def results(world: World) -> list[str]:
    with world.database.reading() as session:
        return list(session.scalars(select(CallbackRow.result).order_by(CallbackRow.id)))


def sent(world: World) -> tuple[str, str]:
    """Return (delivery, attempt) of a message that was accepted."""
    (delivery,) = world.enqueue()
    postman = Postman()
    world.engine(postman).drain(NEVER)
    return delivery, postman.carried[-1].attempt


@pytest.mark.parametrize("by", ["attempt", "provider_id"])
def test_delivered_is_known_by_our_id_or_theirs(world: World, by: str) -> None:
    delivery, attempt = sent(world)
    named = {"attempt": attempt} if by == "attempt" else {"provider_id": f"SM{attempt}"}
    engine = world.engine(Postman())

    engine.receive("postman", [report("delivered", "u1", **named)])
    assert apply_callbacks(engine) == 1

    row = world.row(delivery)
    assert (row.state, row.finished_at, row.look_up_at) == ("delivered", world.clock(), None)


def test_the_same_callback_twice_is_stored_once(world: World) -> None:
    _, attempt = sent(world)
    engine = world.engine(Postman())

    for _ in range(2):
        engine.receive("postman", [report("delivered", "u1", attempt=attempt)])

    with world.database.reading() as session:
        assert len(session.scalars(select(CallbackRow.id)).all()) == 1


def test_callbacks_out_of_order_never_move_a_row_back(world: World) -> None:
    delivery, attempt = sent(world)
    engine = world.engine(Postman())

    for number, state in enumerate(["delivered", "accepted", "failed", "accepted"]):
        engine.receive("postman", [report(state, f"u{number}", attempt=attempt)])
        apply_callbacks(engine)

    assert world.row(delivery).state == "delivered"


def test_delivered_after_failed_is_a_correction_that_says_so(world: World) -> None:
    delivery, attempt = sent(world)
    engine = world.engine(Postman())

    engine.receive("postman", [report("failed", "u1", attempt=attempt, reason="unreachable", code="30003")])
    engine.receive("postman", [report("delivered", "u2", attempt=attempt)])
    apply_callbacks(engine)

    row = world.row(delivery)
    assert (row.state, row.reason) == ("delivered", "corrected, was: unreachable")


def test_a_failure_told_later_moves_the_alert_on_and_mutes_who_opted_out(world: World) -> None:
    alert, contact = world.add_alert(), world.add_contact()
    (delivery,) = world.enqueue(alert_ids=[alert], contact_id=contact)
    postman = Postman()
    engine = world.engine(postman)
    engine.drain(NEVER)

    engine.receive("postman", [report("failed", "u1", attempt=postman.carried[0].attempt, opted_out=True)])
    apply_callbacks(engine)

    assert world.row(delivery).state == "failed"
    assert world.alert(alert).next_step_at == world.clock()
    assert world.contact(contact).muted_at == world.clock()


def test_a_callback_may_overtake_our_own_commit_of_the_result(world: World) -> None:
    (delivery,) = world.enqueue()

    def answer(message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        engine.receive("postman", [report("delivered", "u1", attempt=message.attempt)])
        apply_callbacks(engine)
        return Accepted(message.attempt, "SM1")

    engine = world.engine(Postman(answer=answer))
    engine.drain(NEVER)

    row = world.row(delivery)
    assert (row.state, row.provider_id) == ("delivered", "SM1")
    assert world.attempts(delivery)[0].outcome == "accepted"


def test_a_callback_with_only_their_id_waits_until_we_have_committed_it(world: World) -> None:
    engine = world.engine(Postman(answer=lambda message: Accepted(message.attempt, "SM1")))
    (delivery,) = world.enqueue()
    engine.receive("postman", [report("delivered", "u1", provider_id="SM1")])
    assert apply_callbacks(engine) == 0

    engine.drain(NEVER)
    assert apply_callbacks(engine) == 1
    assert world.row(delivery).state == "delivered"


def test_a_callback_for_nothing_of_ours_is_put_aside(world: World) -> None:
    sent(world)
    engine = world.engine(Postman())
    engine.receive("postman", [report("delivered", "u1", attempt="nobody")])
    engine.receive("postman", [report("delivered", "u2", provider_id="SMnobody")])

    apply_callbacks(engine)
    assert results(world) == ["unknown", ""]
    world.clock.advance(minutes=6)
    apply_callbacks(engine)
    assert results(world) == ["unknown", "unknown"]


def test_one_damaged_callback_is_put_aside_and_holds_up_nothing(world: World) -> None:
    delivery, attempt = sent(world)
    engine = world.engine(Postman())
    engine.receive("postman", [report("failed", "u1", attempt=attempt), Reply(PHONE, "OK", "SM5")])
    with world.database.writing() as session:
        for row in session.scalars(select(CallbackRow)):
            row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    engine.receive("postman", [report("delivered", "u2", attempt=attempt)])

    engine.sweep()

    assert world.row(delivery).state == "delivered"
    assert results(world) == ["unreadable", "", "applied"]
    with world.database.reading() as session:
        assert [one.reply.text for one in waiting_replies(session, world.keyring)] == [""]


def test_a_callback_in_a_form_we_do_not_know_is_put_aside(world: World) -> None:
    engine = world.engine(Postman())
    engine.receive("postman", [report("failed", "u1", attempt="nobody")])
    strange = world.keyring.seal_text(world.keyring.year(world.clock()), "callbacks.sealed", '["gone"]')
    with world.database.writing() as session:
        session.execute(update(CallbackRow).values(sealed=strange))

    engine.sweep()

    assert results(world) == ["unreadable"]


def test_an_id_that_the_provider_gave_to_a_whole_request_moves_nobody(world: World) -> None:
    ids = world.enqueue(3)
    engine = world.engine(Postman(answer=lambda message: Accepted(message.attempt, "request-1")))
    engine.drain(NEVER)

    engine.receive("postman", [report("failed", "u1", provider_id="request-1")])
    apply_callbacks(engine)

    assert {world.row(one).state for one in ids} == {"accepted"}


def test_bad_news_of_an_earlier_try_does_not_end_the_row(world: World) -> None:
    (delivery,) = world.enqueue()
    postman = Postman(answer=lambda message: Accepted(message.attempt, ""))
    engine = world.engine(postman)
    engine.drain(NEVER)
    engine.sweep()
    postman.answer = lambda message: Accepted(message.attempt, "SM2")
    engine.drain(NEVER)

    engine.receive("postman", [report("failed", "u1", attempt=postman.carried[0].attempt)])
    apply_callbacks(engine)

    assert world.row(delivery).state == "accepted"


def test_replies_wait_sealed_until_a_service_has_dealt_with_them(world: World) -> None:
    engine = world.engine(Postman())
    at = datetime(2026, 11, 20, 12, 59, tzinfo=UTC)
    engine.receive("postman", [Reply(PHONE, "OK", "SM5", "+4532123456", at), Reply(PHONE, "ok alle", "SM6")])
    apply_callbacks(engine)

    with world.database.writing() as session:
        first, second = waiting_replies(session, world.keyring)
        assert first.reply == Reply(PHONE, "OK", "SM5", "+4532123456", at)
        assert second.reply.at is None
        mark_applied(session, [first.id], world.clock(), "acknowledged")
    with world.database.reading() as session:
        assert [one.id for one in waiting_replies(session, world.keyring)] == [second.id]
        assert all(PHONE.encode() not in sealed for sealed in session.scalars(select(CallbackRow.sealed)))


def test_without_a_public_address_final_states_are_asked_for_few_at_a_time(world: World) -> None:
    ids = world.enqueue(25)
    postman = KnowingPostman()
    engine = world.engine(postman)
    engine.drain(NEVER)
    postman.known = [
        report("delivered", f"u{number}", provider_id=f"SM{message.attempt}")
        for number, message in enumerate(postman.carried)
    ]

    engine.poll(replies=False)
    assert not postman.looked_up
    world.clock.advance(seconds=20)
    engine.poll(replies=False)
    assert len(postman.looked_up) == 10
    engine.poll(replies=False)
    engine.poll(replies=False)

    assert {world.row(one).state for one in ids} == {"delivered"}
    assert len(postman.looked_up) == 25


def test_what_has_no_final_state_is_asked_for_more_and_more_rarely_and_then_no_more(world: World) -> None:
    world.enqueue()
    postman = KnowingPostman()
    engine = world.engine(postman)
    engine.drain(NEVER)
    times = []
    for _ in range(60 * 60 * 72 // 15):
        world.clock.advance(seconds=15)
        before = len(postman.looked_up)
        engine.poll(replies=False)
        times += [world.clock()] * (len(postman.looked_up) - before)
        if times and times[-1] + timedelta(hours=40) < world.clock():
            break
        if len(times) > 4:
            world.clock.advance(hours=1)
    assert 5 < len(times) < 25


def test_replies_are_asked_for_since_the_last_time_with_an_overlap(world: World) -> None:
    postman = KnowingPostman()
    postman.letters = [Reply(PHONE, "OK", "SM5")]
    engine = world.engine(postman)
    engine.poll(replies=True)
    first = world.clock()
    world.clock.advance(seconds=30)
    engine.poll(replies=True)

    assert postman.asked_since == [first - timedelta(minutes=15), first - timedelta(minutes=1)]
    with world.database.reading() as session:
        assert len(waiting_replies(session, world.keyring)) == 1


def test_what_a_provider_said_before_it_broke_off_is_kept_and_the_rest_is_asked_again(world: World) -> None:
    class Broken(KnowingPostman):
        def replies(self, since: datetime, deadline: Deadline) -> Iterator[Reply]:
            yield from super().replies(since, deadline)
            raise RuntimeError

    postman = Broken()
    postman.letters = [Reply(PHONE, "OK", "SM5")]
    engine = world.engine(postman)
    engine.poll(replies=True)
    first = world.clock()
    world.clock.advance(seconds=30)
    engine.poll(replies=True)

    with world.database.reading() as session:
        assert [one.reply.text for one in waiting_replies(session, world.keyring)] == ["OK"]
    assert postman.asked_since == [one - timedelta(minutes=15) for one in (first, world.clock())]


def test_what_a_provider_said_before_it_hung_is_there_and_it_is_not_asked_meanwhile() -> None:
    goes_on = threading.Event()

    def question(_deadline: Deadline) -> Iterator[str]:
        yield "first"
        goes_on.wait(30)
        yield "second"

    asking = Asking(-0.9)
    assert asking.ask("postman", question) == Answer(("first",), complete=False)
    assert asking.ask("postman", question) == Answer()
    goes_on.set()
    asking._busy["postman"].join(10)
    assert Asking(5).ask("postman", question) == Answer(("first", "second"), complete=True)
