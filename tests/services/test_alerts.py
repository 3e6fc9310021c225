from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotFound
from incident_tracker.services import alerts, housekeeping, incidents, on_call
from incident_tracker.services.on_call import ContactFacts
from incident_tracker.store import controllers
from notifiers.protocol import Accepted, Message, NotSent, Outcome, RefusalKind, Refused
from tests.makers import make_contact, make_controller
from tests.services.conftest import MakeWorld
from tests.services.world import BEN, CLARA, World

HOUR = timedelta(hours=1)


def refused(message: Message) -> Outcome:
    return Refused(message.attempt, RefusalKind.ADDRESS, "no such number")


def out_of_reach(message: Message) -> Outcome:
    return NotSent(message.attempt, "the provider does not answer")


def works(message: Message) -> Outcome:
    return Accepted(message.attempt, f"SM{message.attempt}")


def test_logging_a_suspicion_calls_the_first_contact(either: World) -> None:
    reference = either.open()
    ((address, text),) = either.tick()
    assert address == BEN
    assert text == (
        f"{reference}: ny mistanke om brud. Ikke vurderet endnu (0 t siden). "
        "Svar OK for at tage den. Log ind for at se mere."
    )
    (alert,) = either.alerts(reference)
    assert (alert.kind, alert.state, alert.step) == ("suspicion", "open", 0)


def test_nobody_answers_and_the_next_contact_is_called_and_then_the_first_again(either: World) -> None:
    either.open()
    called = [address for address, _ in either.tick()]
    for _ in range(4):
        assert either.advance(minutes=4, seconds=59) == []
        called += [address for address, _ in either.advance(seconds=1)]
    assert called == [BEN, CLARA, BEN, CLARA, BEN]


def test_acknowledging_stops_the_steps_but_not_the_deadline(either: World) -> None:
    reference = either.open(aware_at=either.clock(), aware_reason="Set i loggen")
    either.tick()
    taken = alerts.acknowledge(either.context, SHELL, reference, via="page")
    assert len(taken) == 1
    assert either.advance(hours=23) == []
    assert "2 d 0 t" in either.advance(hours=1)[0][1]
    assert either.standing(reference, "notify_authority") == "open"


def test_a_new_rung_supersedes_the_alert_of_the_one_before(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    world.advance(hours=24)
    world.advance(hours=24)
    states = [(one.rung, one.state) for one in world.alerts(reference) if one.due_at is not None]
    assert states.count(("48h", "superseded")) == 2
    assert states.count(("24h", "open")) == 2
    assert ("", "superseded") in states


def test_two_duties_of_one_incident_make_one_message(world: World) -> None:
    world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    (message,) = world.advance(hours=24)
    assert message[1].endswith(
        "2 d 0 t til anmeldelsesfristen (man 14.00). Svar OK for at kvittere. Log ind for at handle."
    )


def test_everything_due_after_an_outage_is_one_message_a_person(world: World) -> None:
    references = [world.open(f"nummer {number}") for number in range(3)]
    world.tick()
    carried = world.advance(hours=30)
    assert carried == [
        (
            BEN,
            f"3 hændelser kræver dig: {', '.join(references)}. Svar OK for at kvittere dem. Log ind for at handle.",
        )
    ]
    for reference in references:
        (alert,) = (one for one in world.alerts(reference) if one.state == "open")
        assert alert.rung == "asked_24h"


def test_a_bundle_that_would_be_too_long_says_how_many_it_leaves_out(world: World) -> None:
    for number in range(40):
        world.open(f"nummer {number}")
    world.tick()
    ((_, text),) = world.advance(hours=30)
    assert text.startswith("40 hændelser kræver dig: 2026-0001, 2026-0002")
    assert " +" in text
    assert len(text) <= 160


def test_a_contact_who_wrote_stop_is_called_by_email(make_quick_world: MakeWorld) -> None:
    world = make_quick_world()
    with world.context.database.writing() as session:
        for one in world.contacts:
            controllers.remove_contact(session, one.id, world.clock())
    make_contact(world.context, world.controller, "Ben", BEN, email="ben@example.dk")
    world.reply("STOP")
    world.open()
    ((address, _),) = world.tick()
    assert address == "ben@example.dk"
    assert world.mail.carried[-1].subject() == "2026-0001: alarm"


def test_a_contact_without_email_who_wrote_stop_is_still_tried_and_the_next_follows(world: World) -> None:
    world.reply("STOP")
    world.sms.answer = lambda message: refused(message) if message.address == BEN else works(message)
    world.open()
    assert [address for address, _ in world.tick()] == [BEN]
    assert [address for address, _ in world.tick()] == [CLARA]


def test_while_nobody_is_on_call_the_alert_is_open_and_whoever_comes_is_told_at_once(
    make_quick_world: MakeWorld,
) -> None:
    world = make_quick_world()
    for one in world.contacts:
        on_call.remove(world.context, SHELL, one.id)
    reference = world.open()
    assert world.tick() == []
    assert world.advance(minutes=7) == []
    (alert,) = world.open_alerts()
    assert alert.step == -1
    assert world.kinds(reference).count("alert_raised") == 1
    on_call.add(world.context, SHELL, world.controller.id, ContactFacts("Clara", CLARA))
    assert [address for address, _ in world.tick()] == [CLARA]
    assert world.kinds(reference).count("alert_raised") == 2


def test_a_list_of_dead_numbers_is_walked_at_the_pace_of_the_policy(world: World) -> None:
    world.sms.answer = refused
    world.open()
    called = [address for address, _ in world.tick()]
    for _ in range(600):
        called += [address for address, _ in world.advance(seconds=1)]
    assert called == [BEN, CLARA] * (len(called) // 2)
    assert 2 < len(called) <= 2 + 600 // 150


def test_after_a_provider_was_down_for_hours_each_person_gets_one_message_with_the_time_of_now(world: World) -> None:
    world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.sms.answer = out_of_reach
    for _ in range(72):
        world.advance(minutes=5)
    world.sms.answer = works
    world.clock.advance(hours=2)
    carried = world.tick()
    assert {address for address, _ in carried} == {BEN, CLARA}
    assert len(carried) == 2
    assert len([one for one in world.deliveries() if one.state == "pending"]) == 0


def test_what_waits_to_be_sent_is_cancelled_when_the_alert_is_taken(world: World) -> None:
    world.sms.answer = out_of_reach
    reference = world.open()
    world.tick()
    alerts.acknowledge(world.context, SHELL, reference, via="page")
    world.sms.answer = works
    assert world.advance(hours=1) == []
    assert [one.state for one in world.deliveries()] == ["cancelled"]


def test_a_bundle_still_goes_out_while_one_of_its_alerts_is_open(world: World) -> None:
    first, second = world.open("første"), world.open("anden")
    world.tick()
    world.sms.answer = out_of_reach
    world.advance(hours=4)
    alerts.acknowledge(world.context, SHELL, first, via="page")
    world.sms.answer = works
    assert second in "".join(text for _, text in world.advance(minutes=1)) + world.sms.carried[-1].text()


def test_a_decision_ends_the_alerts_and_what_waits_to_be_sent(world: World) -> None:
    world.sms.answer = out_of_reach
    reference = world.open()
    world.tick()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger")
    world.sms.answer = works
    assert world.advance(hours=200) == []
    assert [one.state for one in world.alerts(reference)] == ["ended"]


def test_an_exercise_only_reaches_the_local_outbox(world: World) -> None:
    reference = world.open(exercise=True)
    assert reference.startswith("X2026-")
    for _ in range(30):
        world.advance(hours=1)
    assert world.sms.carried == []
    assert world.mail.carried == []
    rows = world.deliveries()
    assert rows
    assert {(one.notifier, one.local_only) for one in rows} == {("outbox", True)}


def test_an_exercise_and_a_real_incident_are_never_in_one_message(world: World) -> None:
    world.open(exercise=True)
    world.open()
    world.tick()
    world.advance(hours=5)
    assert all(one.local_only == (one.notifier == "outbox") for one in world.deliveries())
    assert all("X2026" not in one.text() for one in world.sms.carried)


def test_the_time_of_a_deadline_is_said_in_the_zone_of_the_controller(make_quick_world: MakeWorld) -> None:
    world = make_quick_world()
    far = make_controller(world.context, "Nordlys Tórshavn", time_zone="Atlantic/Faroe")
    make_contact(world.context, far, "Clara", CLARA)
    at = world.clock()
    world.open(controller_id=far.id, aware_at=at, aware_reason="Set i loggen")
    ((_, text),) = world.tick()
    assert "(man 13.00)" in text


@pytest.mark.parametrize("wrong_by", [timedelta(hours=80), timedelta(hours=2)])
def test_after_the_machines_clock_came_back_from_the_future_the_next_step_is_not_far_away(
    world: World, wrong_by: timedelta
) -> None:
    right = world.clock()
    world.clock.at = right + wrong_by
    world.open()
    world.tick()
    world.clock.at = right
    housekeeping.tidy(world.context, world.clock())
    assert [address for address, _ in world.advance(minutes=5, seconds=1)] == [CLARA]


def test_an_alert_of_another_incident_cannot_be_taken_with_this_one(world: World) -> None:
    first, second = world.open("første"), world.open("anden")
    (other,) = world.alerts(second)
    with pytest.raises(NotFound):
        alerts.acknowledge(world.context, SHELL, first, via="page", alert_ids=[other.id])
    assert [one.state for one in world.alerts(second)] == ["open"]


def test_no_step_is_taken_for_an_incident_that_was_acknowledged_until_a_new_rung(world: World) -> None:
    reference = world.open()
    world.tick()
    alerts.acknowledge(world.context, SHELL, reference, via="page")
    assert world.advance(hours=3, minutes=59) == []
    ((_, text),) = world.advance(minutes=1)
    assert text == (
        f"{reference}: stadig kun en mistanke, 4 t siden. Er det et brud? "
        "Svar OK for at kvittere. Log ind og afgør det."
    )


def test_the_start_of_these_tests_is_a_friday(world: World) -> None:
    assert world.clock() == datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
