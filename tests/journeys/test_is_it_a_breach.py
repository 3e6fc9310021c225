"""Journey 2, is it a breach: the tracker asks until one, or none, is recorded; then the 72 hours run, or nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from incident_tracker.domain.access import Actor
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.events import BecameAware
from incident_tracker.domain.incident import IncidentIsClosed, NotDecidedYet, ReasonIsMissing
from incident_tracker.domain.parties import Role
from incident_tracker.services import incidents, register
from tests.journeys.world import BEN, World, dk, hours_after
from tests.makers import make_controller

TITLE = "Fremmed log ind på kundelisten"
HOUR = timedelta(hours=1)


def test_it_asks_after_4_12_and_24_hours_and_then_daily_until_somebody_decides(world: World) -> None:
    detected = world.clock()
    reference = world.log(TITLE)
    world.take(world.beat())
    asked = world.walk_taking(detected + timedelta(days=5))
    assert [at for at, _, _ in asked] == hours_after(detected, 4, 12, 24, 48, 72, 96, 120)
    assert asked[0][2] == (
        "2026-0001: stadig kun en mistanke, 4 t siden. Er det et brud? Svar OK for at kvittere. Log ind og afgør det."
    )
    assert asked[-1][2].startswith("2026-0001: stadig kun en mistanke, 120 t siden.")
    assert world.standing(reference, "assess") == "open"
    with pytest.raises(NotDecidedYet):
        incidents.close(world.context, world.ada, reference, reason="Vi har ikke hørt mere.")


def test_a_suspicion_logged_late_is_told_as_new_and_asked_about_at_the_hours_after_its_detection(
    world: World,
) -> None:
    detected = world.clock() - 30 * HOUR
    world.log(TITLE, detected_at=detected)
    ((_, _, text),) = world.beat()
    assert text.startswith("2026-0001: ny mistanke om brud. Ikke vurderet endnu (30 t siden).")
    world.take([("", BEN, "")])
    assert [at for at, _, _ in world.walk_taking(detected + 73 * HOUR)] == hours_after(detected, 48, 72)


def test_awareness_starts_the_72_hours_and_stops_the_asking(either: World) -> None:
    detected = either.clock()
    reference = either.log(TITLE)
    either.take(either.beat())
    assert [one["duty"] for one in either.shown(reference)["obligations"]] == ["assess"]
    either.clock.advance(hours=2)
    either.confirm(reference, at=detected + HOUR, reason="Loggen viser tre hentninger.")
    shown = either.shown(reference)
    assert (shown["status"], shown["became_aware_at"]) == ("aware", "2026-11-20T16:45:00Z")
    assert either.duty(reference, "notify_authority") == {
        "regime": "gdpr",
        "duty": "notify_authority",
        "addressee": "supervisory_authority",
        "anchor_at": "2026-11-20T16:45:00Z",
        "due_at": "2026-11-23T16:45:00Z",
        "outer_reading_at": "2026-11-23T17:00:00Z",
        "standing": "open",
        "met_at": None,
    }
    assert either.standings(reference) == {
        "notify_authority": "open",
        "complete_report": "open",
        "notify_people": "open",
        "assess": "met",
        "inform_parties": "open",
    }
    people, promise = either.duty(reference, "notify_people"), either.duty(reference, "inform_parties")
    assert (people["due_at"], people["outer_reading_at"]) == (None, None)
    assert (promise["due_at"], promise["outer_reading_at"]) == ("2026-11-23T16:45:00Z", None)
    reminded = either.walk_taking(detected + 30 * HOUR)
    assert [at for at, _, _ in reminded] == hours_after(detected, 25)
    assert "mistanke" not in reminded[0][2]
    decided = either.journal(reference)[-1 - either.kinds(reference)[::-1].index("became_aware")]
    assert (decided.actor, decided.recorded_at) == ("user:1", detected + 2 * HOUR)


def test_moving_the_awareness_plans_everything_anew_and_keeps_both_decisions(world: World) -> None:
    logged = world.clock()
    reference = world.log(TITLE)
    world.take(world.beat())
    world.confirm(reference, reason="Set i loggen.")
    assert [at for at, _, _ in world.walk_taking(logged + 25 * HOUR)] == hours_after(logged, 24)
    earlier = logged - 20 * HOUR
    with pytest.raises(ReasonIsMissing):
        world.confirm(reference, at=earlier, reason=" ")
    world.confirm(reference, at=earlier, reason="Skyhost A/S skrev det til os dagen før.")
    assert world.duty(reference, "notify_authority")["due_at"] == "2026-11-22T19:45:00Z"
    caught_up = world.beat()
    assert [text for _, _, text in caught_up] == [
        "2026-0001: 1 d 3 t til anmeldelsesfristen (søn 20.45). Svar OK for at kvittere. Log ind for at handle."
    ], "of the rungs that are past only the most urgent speaks"
    world.take(caught_up)
    reminded = world.walk_taking(earlier + 73 * HOUR)
    assert [at for at, _, _ in reminded] == hours_after(earlier, 48, 60, 66, 69, 71, 72, 73)
    reasons = [one.event.reason for one in world.journal(reference) if isinstance(one.event, BecameAware)]
    assert reasons == ["Set i loggen.", "Skyhost A/S skrev det til os dagen før."]


def test_nobody_becomes_aware_in_the_future(world: World) -> None:
    reference = world.log(TITLE)
    with pytest.raises(Refusal) as refused:
        world.confirm(reference, at=world.clock() + HOUR)
    assert refused.value.field == "at"
    assert world.shown(reference)["status"] == "suspected"


def test_what_is_no_breach_stays_in_the_register_with_its_reason_and_nobody_is_asked_again(world: World) -> None:
    reference = world.log(TITLE)
    world.beat()
    with pytest.raises(ReasonIsMissing):
        incidents.find_not_a_breach(world.context, world.ada, reference, reason="")
    incidents.find_not_a_breach(world.context, world.ada, reference, reason="Det var en test med opdigtede kunder.")
    assert world.walk(world.clock() + timedelta(days=3)) == []
    shown = world.shown(reference)
    assert shown["status"] == "not_a_breach"
    assert [(one["duty"], one["standing"]) for one in shown["obligations"]] == [("assess", "met")]
    (listed,) = register.listing(world.context, world.ada, status="not_a_breach")
    assert listed.reference == reference
    incident = register.overview(world.context, world.ada, reference).incident
    assert incident.not_a_breach_reason == "Det var en test med opdigtede kunder."
    with pytest.raises(IncidentIsClosed):
        world.confirm(reference)


def test_what_was_no_breach_is_asked_about_again_once_it_is_reopened(world: World) -> None:
    detected = world.clock()
    reference = world.log(TITLE)
    world.take(world.beat())
    incidents.find_not_a_breach(world.context, world.ada, reference, reason="En test.")
    world.walk(detected + 30 * HOUR)
    incidents.reopen(world.context, world.ada, reference, reason="Testen brugte rigtige kunder.")
    ((_, _, text),) = world.beat()
    assert text.startswith(f"{reference}: stadig kun en mistanke, 30 t siden.")
    assert world.standing(reference, "assess") == "open"
    world.confirm(reference)
    assert world.duty(reference, "notify_authority")["due_at"] == "2026-11-24T21:45:00Z"


def test_awareness_is_counted_in_hours_through_the_night_when_the_clocks_go_back(world: World) -> None:
    world.clock.set(dk("2026-10-23 16:45"))
    reference = world.log(TITLE, actor=world.clara, aware_at=world.clock(), aware_reason="Set i loggen.")
    assert world.duty(reference, "notify_authority")["due_at"] == "2026-10-26T14:45:00Z"
    ((_, _, text),) = world.beat()
    assert "(man 15.45)" in text


@pytest.mark.parametrize(
    ("role", "may_confirm", "may_decide"),
    [
        (Role.REPORTER, False, False),
        (Role.AUDITOR, False, False),
        (Role.RESPONDER, True, False),
        (Role.DECISION_MAKER, True, True),
        (Role.ADMINISTRATOR, True, True),
    ],
)
def test_who_may_decide(world: World, role: Role, may_confirm: bool, may_decide: bool) -> None:  # noqa: FBT001
    person = world.actor(role)
    breach, none = world.log(TITLE), world.log("Alarm uden grund")
    allowed = does(lambda: confirm(world, person, breach)), does(lambda: deny(world, person, none))
    assert allowed == (may_confirm, may_decide)
    assert world.shown(breach)["status"] == ("aware" if may_confirm else "suspected")
    assert world.shown(none)["status"] == ("not_a_breach" if may_decide else "suspected")


def test_another_controllers_staff_finds_nothing_there(world: World) -> None:
    reference = world.log(TITLE)
    other = make_controller(world.context, "Søkort ApS")
    stranger = Actor("user:9", {other.id: Role.ADMINISTRATOR}, 9)
    with pytest.raises(NotFound):
        confirm(world, stranger, reference)
    with pytest.raises(NotFound):
        register.overview(world.context, stranger, reference)


def confirm(world: World, person: Actor, reference: str) -> None:
    incidents.record_awareness(world.context, person, reference, at=world.clock(), reason="Set i loggen.")


def deny(world: World, person: Actor, reference: str) -> None:
    incidents.find_not_a_breach(world.context, person, reference, reason="En test.")


def does(act: Callable[[], None]) -> bool:
    """Return whether somebody may do what she tries; one who may not even look finds nothing."""
    try:
        act()
    except (NotAllowed, NotFound):
        return False
    return True
