from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.events import AlertAcknowledged, ContactChanged
from incident_tracker.domain.facts import from_plain
from incident_tracker.domain.parties import Role
from incident_tracker.domain.sms import fits_one_segment
from incident_tracker.services import alerts, incidents, on_call, outbox, register, replies
from incident_tracker.store import controllers, journal
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.outbox import CallbackRow
from incident_tracker.store.tables.parties import ContactRow
from notifiers.protocol import Reply
from tests.makers import in_threads, make_actor, make_contact, make_controller
from tests.services.world import BEN, CLARA, World

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def _type(world: World, text: str, actor: Actor = SHELL) -> None:
    """Type an answer to the newest message of the local outbox."""
    newest = next(one for one in reversed(world.deliveries()) if one.notifier == "outbox")
    outbox.reply_locally(world.context, actor, newest.id, text)


def _contact_rows(world: World) -> list[Any]:
    columns = (ContactRow.id, ContactRow.verified_at, ContactRow.verified_how, ContactRow.muted_at)
    with world.context.database.reading() as session:
        return list(session.execute(select(*columns).order_by(ContactRow.id)))


def _changes(world: World) -> list[tuple[str, int, str]]:
    """Return who changed what of whom on call, as the journal has it."""
    opened = world.context.keyring.open
    with world.context.database.reading() as session:
        found = [
            (one.actor, from_plain(ContactChanged, from_json(opened(journal.PLACE, one.payload))))
            for one in journal.entries(session)
            if one.kind == "contact_changed"
        ]
    return [(actor, event.contact_id, event.change) for actor, event in found]


@pytest.mark.parametrize("word", ["OK", "ok", " Ok. ", "»OK«", "ok!", "JA", "o.k."])
def test_ok_takes_the_alert_in_any_usual_spelling(world: World, word: str) -> None:
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=5)
    assert world.reply(word) == [f"Kvitteret: {reference}."]
    (alert,) = world.alerts(reference)
    assert (alert.state, alert.acknowledged_via) == ("acknowledged", "sms")
    assert alert.acknowledged_by == f"contact:{world.contacts[0].id}"


def test_the_answer_names_the_reference_the_time_left_and_what_is_still_open(either: World) -> None:
    first = either.open("første", aware_at=either.clock(), aware_reason="Set i loggen")
    either.tick()
    either.clock.advance(hours=59, minutes=59)
    second = either.open("anden", aware_at=either.clock(), aware_reason="Set i loggen")
    either.tick()
    either.clock.advance(minutes=1)
    either.tick()
    either.clock.advance(seconds=10)
    assert either.reply("OK") == [
        f"Kvitteret: {first}. Fristen løber stadig: 12 t 0 min. 1 alarm mere er åben: svar OK ALLE."
    ]
    assert [one.state for one in either.alerts(second)] == ["open"]


def test_ok_belongs_to_the_newest_alert_sent_before_the_reply_not_to_one_sent_after_it(world: World) -> None:
    first = world.open("første")
    world.tick()
    written_at = world.clock.advance(minutes=1)
    world.clock.advance(seconds=30)
    second = world.open("anden")
    world.tick()
    world.clock.advance(seconds=10)
    world.reply("OK", at=written_at)
    assert [one.state for one in world.alerts(first)] == ["acknowledged"]
    assert [one.state for one in world.alerts(second)] == ["open"]


def test_ok_belongs_to_the_number_it_came_from(world: World) -> None:
    first = world.open("første")
    world.tick()
    world.advance(minutes=5)  # Clara is told of the first
    second = world.open("anden")
    world.tick()  # Ben is told of the second
    world.clock.advance(seconds=10)
    world.reply("OK", CLARA)
    assert [one.state for one in world.alerts(first)] == ["acknowledged"]
    assert [one.state for one in world.alerts(second)] == ["open"]


def test_a_second_ok_says_that_others_are_still_open(world: World) -> None:
    first = world.open("første")
    world.tick()
    world.clock.advance(minutes=1)
    second = world.open("anden")
    world.tick()
    world.clock.advance(seconds=10)
    world.reply("OK")
    (answer,) = world.reply("OK")
    assert answer == f"{second} er allerede kvitteret eller afsluttet. 1 alarm er åben: svar OK ALLE."
    assert [one.state for one in world.alerts(first)] == ["open"]


def test_ok_alle_takes_everything_she_was_told_of(world: World) -> None:
    references = [world.open(f"nummer {number}") for number in range(3)]
    world.tick()
    world.clock.advance(seconds=10)
    (answer,) = world.reply("ok alle")
    assert answer == f"Kvitteret: {', '.join(references)}."
    assert world.open_alerts() == []


def test_the_answer_to_ok_alle_stays_one_segment_however_many_there_are(world: World) -> None:
    for number in range(60):
        world.open(f"nummer {number}")
        world.tick()
    world.clock.advance(seconds=10)
    (answer,) = world.reply("OK ALLE")
    assert fits_one_segment(answer)
    assert answer.startswith("Kvitteret: 2026-")
    assert " +" in answer
    assert world.open_alerts() == []


def test_ok_takes_all_of_a_bundle(world: World) -> None:
    for number in range(3):
        world.open(f"nummer {number}")
    world.tick()
    world.advance(hours=5)
    world.clock.advance(seconds=10)
    world.reply("OK")
    assert world.open_alerts() == []


def test_ok_from_a_phone_never_answers_an_exercise(world: World) -> None:
    real = world.open()
    world.tick()
    world.clock.advance(minutes=1)
    drill = world.open(exercise=True)
    world.tick()
    world.clock.advance(seconds=10)
    world.reply("OK")
    assert [one.state for one in world.alerts(real)] == ["acknowledged"]
    assert [one.state for one in world.alerts(drill)] == ["open"]


def test_ok_alle_from_a_phone_leaves_exercises_open(world: World) -> None:
    world.open()
    drill = world.open(exercise=True)
    world.tick()
    world.clock.advance(seconds=10)
    (answer,) = world.reply("OK ALLE")
    assert "mere er åben" not in answer
    assert [one.incident_id for one in world.open_alerts()] == [world.overview(drill).id]


def test_the_reply_box_answers_an_exercise_and_nothing_else(world: World) -> None:
    real, drill = world.open(), world.open(exercise=True)
    world.tick()
    world.clock.advance(seconds=10)
    _type(world, "OK ALLE")
    assert [one.state for one in world.alerts(drill)] == ["acknowledged"]
    assert [one.state for one in world.alerts(real)] == ["open"]
    assert world.deliveries()[-1].local_only


def test_what_is_typed_into_the_reply_box_is_taken_as_hers_who_typed_it(world: World) -> None:
    drill = world.open(exercise=True)
    world.tick()
    world.clock.advance(seconds=10)
    _type(world, "OK", make_actor(world.controller, Role.RESPONDER, user_id=7))
    (alert,) = world.alerts(drill)
    assert (alert.acknowledged_by, alert.acknowledged_via) == ("user:7", "reply_box")
    last = register.history(world.context, SHELL, drill)[-1]
    assert (last.kind, last.actor) == ("alert_acknowledged", "user:7")


@pytest.mark.parametrize("text", ["STOP", "START", "OK", "hvad?"])
def test_the_reply_box_neither_shows_that_a_number_works_nor_mutes_it(world: World, text: str) -> None:
    world.open(exercise=True)
    world.tick()
    before = _contact_rows(world)
    _type(world, text)
    assert _contact_rows(world) == before
    assert _changes(world) == []


def test_a_reply_that_claims_to_come_from_the_local_outbox_counts_for_nothing(world: World) -> None:
    drill = world.open(exercise=True)
    world.tick()
    world.clock.advance(seconds=10)
    assert world.reply("OK ALLE", notifier="outbox") == []
    assert [one.state for one in world.alerts(drill)] == ["open"]


def test_a_reply_shows_once_that_the_number_works_and_never_unsays_that_somebody_vouched(world: World) -> None:
    on_call.verify(world.context, SHELL, world.contacts[0].id)
    for phone in (BEN, CLARA, CLARA):
        world.reply("hvad?", phone)
    ben, clara = (one.id for one in world.contacts)
    assert [(one.id, one.verified_how) for one in _contact_rows(world)] == [(ben, "vouched"), (clara, "reply")]
    assert _changes(world) == [("shell", ben, "verified"), (f"contact:{clara}", clara, "verified")]


def test_stop_and_start_from_a_phone_are_journalled_once_each(world: World) -> None:
    for text in ("STOP", "stop", "START", "start"):
        world.reply(text)
    ben = world.contacts[0].id
    assert _changes(world) == [(f"contact:{ben}", ben, "muted"), (f"contact:{ben}", ben, "unmuted")]


def test_stop_mutes_and_start_takes_it_back(world: World) -> None:
    world.reply("Stop")
    with world.context.database.reading() as session:
        ids = [one.id for one in world.contacts]
        people = controllers.contacts_by_ids(session, world.context.keyring, ids, None)
    assert [people[one].muted for one in ids] == [True, False]
    world.reply("start")
    with world.context.database.reading() as session:
        people = controllers.contacts_by_ids(session, world.context.keyring, ids, None)
    assert not people[ids[0]].muted


def test_an_unknown_number_gets_no_answer_and_changes_nothing(world: World) -> None:
    world.open()
    world.tick()
    before = len(world.open_alerts())
    assert world.reply("OK", "+4520304050") == []
    assert world.reply_results() == ["unknown_sender"]
    assert len(world.open_alerts()) == before


def test_something_else_is_answered_with_what_would_be_understood(world: World) -> None:
    world.open()
    world.tick()
    assert world.reply("Hvem er det?") == [
        "Det forstod vi ikke. Svar OK for at kvittere den nyeste alarm, eller log ind."
    ]


def test_two_machines_that_answer_each_other_come_to_rest(world: World) -> None:
    answered = sum(len(world.reply(f"Automatisk svar {number}")) for number in range(20))
    assert answered == replies.ANSWERS_AN_HOUR
    world.clock.advance(hours=1, seconds=1)
    assert len(world.reply("Automatisk svar")) == 1


def test_a_limit_of_answers_never_keeps_an_ok_from_counting(world: World) -> None:
    for number in range(10):
        world.reply(f"Automatisk svar {number}")
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=10)
    assert world.reply("OK") == []
    assert [one.state for one in world.alerts(reference)] == ["acknowledged"]


def test_the_same_reply_told_twice_is_dealt_with_once(world: World) -> None:
    world.open()
    world.tick()
    world.clock.advance(seconds=10)
    reply = Reply(BEN, "OK", "SM-the-same", CLARA, world.clock())
    for _ in range(2):
        world.tracker.engine.receive("postman", [reply])
        replies.apply(world.context)
    assert world.reply_results() == ["acknowledged"]


def test_a_number_on_call_for_two_controllers_answers_for_both(world: World) -> None:
    other = make_controller(world.context, "Sydlys ApS")
    there = make_contact(world.context, other, "Ben", BEN)
    first, second = world.open(controller_id=world.controller.id), world.open(controller_id=other.id)
    world.tick()
    world.clock.advance(seconds=10)
    world.reply("OK ALLE")
    assert [one.state for reference in (first, second) for one in world.alerts(reference)] == ["acknowledged"] * 2
    for reference, contact in ((first, world.contacts[0]), (second, there)):
        (alert,) = world.alerts(reference)
        assert alert.acknowledged_by == f"contact:{contact.id}"
        last = register.history(world.context, SHELL, reference)[-1]
        assert last.actor == f"contact:{contact.id}"
        assert isinstance(last.event, AlertAcknowledged)
        assert last.event.contact_id == contact.id


def test_an_ok_after_the_decision_says_that_it_is_settled(world: World) -> None:
    reference = world.open()
    world.tick()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger")
    world.clock.advance(seconds=10)
    assert world.reply("OK") == [f"{reference} er allerede kvitteret eller afsluttet. Ingen alarm til dig er åben."]


def test_an_answer_comes_in_the_language_of_the_person(world: World) -> None:
    far = make_controller(world.context, "Sydlys ApS")
    make_contact(world.context, far, "Dan", "+4523456789", language="en")
    reference = world.open(controller_id=far.id)
    world.tick()
    world.clock.advance(seconds=10)
    assert world.reply("ok", "+4523456789") == [f"Acknowledged: {reference}."]


def test_a_reply_that_cannot_be_read_stops_neither_the_next_one_nor_the_clock(world: World) -> None:
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=10)
    engine = world.tracker.engine
    engine.receive("postman", [Reply(BEN, "OK", "broken", CLARA, world.clock())])
    with world.context.database.writing() as session:
        session.execute(update(CallbackRow).values(sealed=bytes(80)))
    engine.receive("postman", [Reply(BEN, "OK", "whole", CLARA, world.clock())])
    replies.apply(world.context)
    assert world.reply_results() == ["unknown_sender", "acknowledged"]
    assert [one.state for one in world.alerts(reference)] == ["acknowledged"]


def test_a_reply_that_fails_is_set_apart_and_the_next_one_dealt_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=10)
    answer = replies._answer

    def fail_once(*_: object) -> str:
        monkeypatch.setattr(replies, "_answer", answer)
        raise KeyError("planted")

    monkeypatch.setattr(replies, "_answer", fail_once)
    for unique in ("first", "second"):
        world.tracker.engine.receive("postman", [Reply(BEN, "OK", unique, CLARA, world.clock())])
    replies.apply(world.context)
    assert world.reply_results() == ["failed", "acknowledged"]
    assert [one.state for one in world.alerts(reference)] == ["acknowledged"]


def test_two_nodes_deal_with_a_reply_once(either: World) -> None:
    either.open()
    either.tick()
    either.clock.advance(seconds=10)
    either.tracker.engine.receive("postman", [Reply(BEN, "OK", "once", CLARA, either.clock())])
    in_threads(2, lambda _: replies.apply(either.context))
    assert either.reply_results() == ["acknowledged"]
    reference = either.overview("2026-0001").incident.reference
    kinds = [one.kind for one in register.history(either.context, SHELL, reference)]
    assert kinds.count("alert_acknowledged") == 1


def test_any_open_says_whether_replies_are_worth_asking_for(world: World) -> None:
    assert not alerts.any_open(world.context)
    world.open()
    assert alerts.any_open(world.context)
    world.tick()
    world.clock.advance(seconds=10)
    world.reply("OK")
    assert not alerts.any_open(world.context)
