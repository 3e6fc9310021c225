"""The outbox service: what scripts and pages read, and what people decide about a message."""

import pytest
from sqlalchemy import select, update

from incident_tracker.delivery.enqueue import ToRecipient, enqueue_shared, share
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import NotAllowed, NotFound
from incident_tracker.domain.events import DeliverySettled
from incident_tracker.domain.parties import Role
from incident_tracker.services import alerts, outbox, register
from incident_tracker.services.outbox import Decision, State
from incident_tracker.store import journal, lanes
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import Channel, Content
from tests.makers import PHONES, make_actor, make_controller
from tests.services.world import World

KEYS = {
    "id", "purpose", "incident", "channel", "notifier", "state",
    "attempts", "created_at", "sent_at", "provider_id", "possible_duplicate",
}  # fmt: skip


@pytest.fixture
def message(world: World) -> str:
    world.open()
    world.tick()
    return outbox.listing(world.context, SHELL)[0].delivery.id


def _put(world: World, message: str, **values: object) -> None:
    with world.context.database.writing() as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.id == message).values(**values))


def test_a_line_has_the_keys_that_scripts_read(world: World, message: str) -> None:
    line = outbox.as_json(outbox.listing(world.context, SHELL)[0])
    assert set(line) >= KEYS
    assert line["incident"] == "2026-0001"
    assert line["created_at"].endswith("Z")
    assert (line["id"], line["to"], line["purpose"]) == (message, "Ben", "alert")


def test_the_list_pages_by_id_and_filters_by_state_and_incident(world: World, message: str) -> None:
    world.clock.advance(seconds=1)
    world.open("Endnu en")
    world.tick()
    both = outbox.listing(world.context, SHELL)
    assert [one.delivery.incident for one in both] == ["2026-0002", "2026-0001"]
    assert outbox.listing(world.context, SHELL, before=both[0].delivery.id) == both[1:]
    assert outbox.listing(world.context, SHELL, incident="2026-0001") == both[1:]
    assert outbox.listing(world.context, SHELL, states=(State.FAILED,)) == []
    assert both[1].delivery.id == message


def test_words_are_shown_only_while_they_stay_on_this_machine(world: World, message: str) -> None:
    shown = outbox.show(world.context, SHELL, message)
    assert (shown.text, shown.address, shown.may_reply) == (None, "", False)
    with pytest.raises(outbox.NoReplyBox):
        outbox.reply_locally(world.context, SHELL, message, "OK")


def test_the_words_of_an_account_are_for_administrators(world: World, message: str) -> None:
    _put(world, message, notifier="outbox", purpose="account")
    reader = make_actor(world.controller, Role.AUDITOR)
    assert outbox.show(world.context, reader, message).text is None
    assert outbox.show(world.context, make_actor(world.controller), message).text


@pytest.mark.parametrize(("decision", "state"), [(Decision.SENT, "accepted"), (Decision.AGAIN, "pending")])
def test_a_doubt_is_settled_and_journalled(world: World, message: str, decision: Decision, state: str) -> None:
    _put(world, message, state="in_doubt")
    outbox.resolve(world.context, SHELL, message, decision=decision, reason="Ben har set den.")
    found = outbox.show(world.context, SHELL, message).entry.delivery
    assert (found.state, found.possible_duplicate) == (state, decision is Decision.AGAIN)
    last = register.history(world.context, SHELL, "2026-0001")[-1].event
    assert last == DeliverySettled(message, decision.value, "Ben har set den.")


def test_only_who_may_decide_settles(world: World, message: str) -> None:
    _put(world, message, state="in_doubt")
    responder = make_actor(world.controller, Role.RESPONDER)
    with pytest.raises(NotAllowed):
        outbox.resolve(world.context, responder, message, decision=Decision.SENT, reason="Ja")
    with pytest.raises(NotAllowed):
        outbox.resend(world.context, responder, message)
    assert outbox.show(world.context, SHELL, message).entry.delivery.state == "in_doubt"


@pytest.mark.usefixtures("message")
def test_what_failed_goes_again_as_a_new_message_with_the_words_of_now(world: World) -> None:
    world.aware("2026-0001")
    world.clock.advance(hours=48)
    world.tick()
    newest = outbox.listing(world.context, SHELL)[0].delivery.id
    _put(world, newest, state="failed")
    world.clock.advance(hours=1)
    again = outbox.resend(world.context, SHELL, newest, reason="Nyt nummer")
    assert again != newest
    said = [text for _address, text in world.tick()]
    assert any("23 t" in text for text in said), said


def test_an_alert_that_was_taken_is_not_told_again(world: World, message: str) -> None:
    alerts.acknowledge(world.context, SHELL, "2026-0001", via="shell")
    _put(world, message, state="failed")
    with pytest.raises(outbox.NobodyWaits):
        outbox.resend(world.context, SHELL, message)


def test_what_was_delivered_does_not_go_again(world: World, message: str) -> None:
    with pytest.raises(outbox.CannotGoAgain):
        outbox.resend(world.context, SHELL, message)


def test_another_controllers_message_is_not_there(world: World, message: str) -> None:
    other = make_controller(world.context, "Skyhost A/S")
    stranger: Actor = make_actor(other)
    for act in (
        lambda: outbox.show(world.context, stranger, message),
        lambda: outbox.resend(world.context, stranger, message),
        lambda: outbox.reply_locally(world.context, stranger, message, "OK"),
        lambda: outbox.resolve(world.context, stranger, message, decision=Decision.SENT, reason="x"),
    ):
        with pytest.raises(NotFound):
            act()
    assert outbox.listing(world.context, stranger) == []


def test_opening_a_paused_notifier_is_for_administrators_and_stands_in_the_journal(world: World) -> None:
    now = world.clock()
    with world.context.database.writing() as session:
        lanes.ensure(session, ["postman"])
        lanes.pause(session, "postman", "401", now, now)
    with pytest.raises(NotAllowed):
        outbox.open_lane(world.context, make_actor(world.controller, Role.DECISION_MAKER), "postman")
    ada = make_actor(world.controller)
    assert [outbox.open_lane(world.context, ada, "postman") for _ in range(2)] == [True, False]
    with world.context.database.reading() as session:
        found = [(one.actor, one.incident) for one in journal.entries(session) if one.kind == "notifier_opened"]
    assert found == [(ada.name, None)]


def test_a_message_of_a_notice_is_shown_with_its_shared_text_and_goes_again_for_itself(world: World) -> None:
    reference = world.open()
    now = world.context.now()
    with world.context.database.reading() as session:
        incident = session.execute(select(IncidentRow).where(IncidentRow.reference == reference)).scalar_one()
    with world.context.database.writing() as session:
        keyring = world.context.keyring
        shared = share(session, keyring, incident.record_key, now, incident.controller_id, Content("Kære {{name}}"))
        enqueue_shared(
            session,
            keyring,
            incident.people_key,
            now,
            world.context.routing,
            [ToRecipient("r1", "n1:r1:sms", PHONES[0], b"hash", {"name": "Clara"})],
            controller_id=incident.controller_id,
            incident_id=incident.id,
            notice_id=1,
            purpose=Purpose.NOTICE,
            channel=Channel.SMS,
            content_id=shared,
            local_only=True,
        )
    told = next(one.delivery.id for one in outbox.listing(world.context, SHELL) if one.delivery.purpose == "notice")
    assert outbox.show(world.context, SHELL, told).text == "Kære Clara"
    _put(world, told, state="failed")

    again = outbox.resend(world.context, SHELL, told, reason="the number is right after all")

    assert outbox.show(world.context, SHELL, again).text == "Kære Clara"
    with world.context.database.reading() as session:
        copy = session.execute(select(DeliveryRow).where(DeliveryRow.id == again)).scalar_one()
    assert (copy.recipient_id, copy.notice_id, copy.content_id) == ("r1", None, None)
    assert keyring.is_sealed_by(incident.people_key, copy.sealed)
