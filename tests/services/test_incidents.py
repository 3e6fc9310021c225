from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

import pytest
from sqlalchemy import event

from incident_tracker.domain import incident as rules
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal, TextIsTooLong
from incident_tracker.domain.parties import PartyRole, Role
from incident_tracker.domain.periods import TimeIsInFuture
from incident_tracker.services import incidents, register
from incident_tracker.services.work import ChangedMeanwhile
from tests.four_eyes import set_aside
from tests.makers import in_threads, make_actor, make_controller, make_user
from tests.services.world import World

HOUR = timedelta(hours=1)


class PlantedError(Exception):
    """Something breaks after the k-th statement."""


class Breaker:
    """Breaks the engine after its k-th statement that writes or reads in a writing transaction; 0: never."""

    def __init__(self, world: World) -> None:
        self._engine = world.context.database.engine
        self.left = 0

    def after(self, *_: Any) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise PlantedError

    def commit(self, connection: Any) -> None:
        self.after(connection)

    def __enter__(self) -> Self:
        event.listen(self._engine, "after_cursor_execute", self.after)
        event.listen(self._engine, "commit", self.commit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "after_cursor_execute", self.after)
        event.remove(self._engine, "commit", self.commit)


def break_everywhere(world: World, act: Any) -> int:
    """Break an act after every one of its statements; return how many there were before it went through."""
    before = world.snapshot()
    for k in range(1, 200):
        try:
            with Breaker(world) as breaker:
                breaker.left = k
                act()
        except PlantedError:
            assert world.snapshot() == before, f"broken after statement {k}, something stayed"
        else:
            assert world.snapshot() != before
            return k - 1
    raise AssertionError("it never went through")


def test_an_incident_is_logged_whole_or_not_at_all_wherever_it_breaks(either: World) -> None:
    statements = break_everywhere(either, either.open)
    assert statements > 10
    assert either.kinds("2026-0001") == ["incident_opened", "alert_raised"]
    assert len(either.tick()) == 1


def test_awareness_is_recorded_whole_or_not_at_all_wherever_it_breaks(either: World) -> None:
    reference = either.open()
    either.tick()
    statements = break_everywhere(either, lambda: either.aware(reference))
    assert statements > 10
    assert either.kinds(reference) == ["incident_opened", "alert_raised", "became_aware"]


def test_a_decision_that_breaks_leaves_the_alarms_as_they_were(world: World) -> None:
    reference = world.open()
    world.tick()
    break_everywhere(
        world, lambda: incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger")
    )
    assert world.alarms() == []


def test_references_count_up_by_controller_year_and_series(world: World) -> None:
    assert world.open() == "2026-0001"
    assert world.open(exercise=True) == "X2026-0001"
    assert world.open() == "2026-0002"
    other = make_controller(world.context, "Sydlys ApS", reference_prefix="SYD-")
    assert world.open(controller_id=other.id) == "SYD-2026-0001"
    world.clock.advance(days=60)
    assert world.open(controller_id=world.controller.id) == "2027-0001"


def test_the_year_of_a_reference_is_that_of_the_controllers_zone(world: World) -> None:
    world.clock.at = world.clock.at.replace(month=12, day=31, hour=23, minute=30)
    assert world.open() == "2027-0001"


def test_two_who_log_the_first_incident_of_a_year_at_once_get_two_references(either: World) -> None:
    found: list[str] = []
    in_threads(4, lambda _: found.append(either.open()))
    assert sorted(found) == ["2026-0001", "2026-0002", "2026-0003", "2026-0004"]


def test_one_form_sent_by_many_presses_at_once_logs_one_incident(either: World) -> None:
    found: list[str] = []
    in_threads(4, lambda _: found.append(either.open("Alle adresser i CC", once="form")))
    assert found == ["2026-0001"] * 4
    assert [one.reference for one in register.listing(either.context, SHELL)] == ["2026-0001"]


@pytest.mark.parametrize("other", [{"title": "Noget helt andet"}, {"what_happened": "Mere"}, {"place": "Kælderen"}])
def test_another_suspicion_from_the_same_form_is_logged_too(world: World, other: dict[str, str]) -> None:
    first = world.open(once="form")
    second = world.open(once="form", **other)
    assert first != second
    assert world.open(once="form", **other) == second


def test_the_same_form_for_another_controller_is_logged_for_that_one(world: World) -> None:
    other = make_controller(world.context, "Sydlys ApS", reference_prefix="SYD-")
    assert world.open(controller_id=world.controller.id, once="form") == "2026-0001"
    assert world.open(controller_id=other.id, once="form") == "SYD-2026-0001"


def test_a_suspicion_detected_hours_ago_makes_one_message_not_two(either: World) -> None:
    reference = either.open(detected_at=either.clock() - 5 * HOUR)
    ((_, text),) = either.tick()
    assert text.startswith(f"{reference}: ny mistanke om brud. Ikke vurderet endnu (5 t siden).")
    assert len(either.open_alerts()) == 1
    assert either.advance(minutes=4) == []
    assert [one.rung for one in either.alarms()] == ["asked_12h", "asked_24h"]


def test_a_breach_logged_with_awareness_long_ago_makes_one_message_of_the_most_urgent_rung(world: World) -> None:
    reference = world.open(aware_at=world.clock() - 61 * HOUR, aware_reason="Set i loggen")
    ((_, text),) = world.tick()
    assert text.startswith(f"{reference}: 11 t 0 min til anmeldelsesfristen")
    assert world.standing(reference, "notify_authority") == "approaching"


def test_a_breach_logged_after_the_deadline_says_that_it_has_passed(world: World) -> None:
    world.open(aware_at=world.clock() - 73 * HOUR, aware_reason="Set i loggen")
    ((_, text),) = world.tick()
    assert text == (
        "2026-0001: fristen er overskredet med 1 t. Anmeld nu og begrund forsinkelsen. Svar OK for at kvittere."
    )


def test_what_is_logged_stands_there_as_written(world: World) -> None:
    reference = world.open(
        "Nyhedsbrev  med alle\tadresser i CC",
        what_happened="Sendt til 412 kunder.\r\nAlle kunne se alle.",
        role=PartyRole.JOINT_CONTROLLER,
        place="Butikken",
        ongoing="no",
    )
    one = world.overview(reference).incident
    assert one.title == "Nyhedsbrev med alle adresser i CC"
    assert one.what_happened == "Sendt til 412 kunder.\nAlle kunne se alle."
    assert (one.role, one.place, one.ongoing) == (PartyRole.JOINT_CONTROLLER, "Butikken", "no")
    assert one.detected_at == world.clock()


def test_nothing_is_detected_tomorrow(world: World) -> None:
    with pytest.raises(TimeIsInFuture) as caught:
        world.open(detected_at=world.clock() + HOUR)
    assert caught.value.field == "detected_at"


def test_a_title_as_long_as_a_novel_is_refused(world: World) -> None:
    with pytest.raises(TextIsTooLong) as caught:
        world.open("x" * 201)
    assert caught.value.field == "title"


def test_a_reporter_may_log_but_not_decide_that_it_is_a_breach(world: World) -> None:
    reporter = make_actor(world.controller, Role.REPORTER)
    with pytest.raises(NotAllowed):
        world.open(actor=reporter, aware_at=world.clock(), aware_reason="Set i loggen")
    assert world.open(actor=reporter) == "2026-0001"


def test_awareness_needs_a_reason_and_a_time_that_has_been(world: World) -> None:
    reference = world.open()
    with pytest.raises(rules.ReasonIsMissing):
        world.aware(reference, reason="  ")
    with pytest.raises(TimeIsInFuture):
        world.aware(reference, at=world.clock() + HOUR)


def test_moving_awareness_plans_the_duties_anew_and_keeps_both_entries(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    first_due = world.duty(reference, "notify_authority").due_at
    world.clock.advance(hours=1)
    world.aware(reference, at=world.clock() - 10 * HOUR, reason="Loggen viser en tidligere adgang")
    due = world.duty(reference, "notify_authority").due_at
    assert first_due is not None
    assert due == first_due - 9 * HOUR
    assert {one.fire_at for one in world.alarms() if one.rung == "48h"} == {due - 48 * HOUR}
    assert world.kinds(reference).count("became_aware") == 2
    assert world.overview(reference).incident.awareness_version == 2


def test_moving_awareness_far_back_raises_what_is_past_in_one_message(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    world.tick()
    world.aware(reference, at=world.clock() - 80 * HOUR, reason="Loggen viser en tidligere adgang")
    ((_, text),) = world.tick()
    assert text.startswith(f"{reference}: fristen er overskredet med 8 t.")


def test_the_same_awareness_twice_changes_nothing(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    with pytest.raises(rules.NothingChanges):
        world.aware(reference)
    assert world.kinds(reference).count("became_aware") == 1


def test_not_a_breach_sets_every_duty_aside_with_the_reason_and_stays_in_the_register(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testdata")
    found = world.overview(reference)
    assert found.incident.status == "not_a_breach"
    assert {how for one, how in found.obligations if one.duty != "assess"} == {"set_aside"}
    assert {one.set_aside_reason for one, _ in found.obligations if one.duty != "assess"} == {"Kun testdata"}
    assert world.alarms() == []
    assert world.advance(days=30) == []
    assert [one.reference for one in register.listing(world.context, SHELL)] == [reference]
    assert register.board(world.context, SHELL) == []


def test_reopening_what_was_not_a_breach_asks_again(world: World) -> None:
    reference = world.open()
    world.tick()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testdata")
    world.clock.advance(hours=30)
    incidents.reopen(world.context, SHELL, reference, reason="Det var ikke testdata")
    ((_, text),) = world.tick()
    assert text.startswith(f"{reference}: stadig kun en mistanke, 30 t siden.")
    assert len(world.advance(hours=24)) == 1


def test_reopening_a_breach_starts_its_clock_again_where_it_stood(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    due = world.duty(reference, "notify_authority").due_at
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testdata")
    world.clock.advance(hours=70)
    incidents.reopen(world.context, SHELL, reference, reason="Det var ikke testdata")
    assert world.duty(reference, "notify_authority").due_at == due
    ((_, text),) = world.tick()
    assert "2 t 0 min til anmeldelsesfristen" in text


def test_an_incident_is_not_closed_over_a_running_duty_nor_a_suspicion_without_decision(world: World) -> None:
    reference = world.open()
    with pytest.raises(rules.NotDecidedYet):
        incidents.close(world.context, SHELL, reference, reason="Færdig")
    world.aware(reference)
    with pytest.raises(rules.DutiesAreOpen):
        incidents.close(world.context, SHELL, reference, reason="Færdig")
    for regime, duty in (("gdpr", "notify_authority"), ("gdpr", "notify_people"), ("promise", "inform_parties")):
        set_aside(world.context, reference, regime, duty, "Usandsynlig risiko")
    with pytest.raises(rules.ReasonIsMissing):
        incidents.close(world.context, SHELL, reference, reason=" ")
    incidents.close(world.context, SHELL, reference, reason="Færdig")
    assert world.overview(reference).incident.status == "closed"
    with pytest.raises(rules.IncidentIsClosed):
        world.aware(reference)


def test_a_closed_incident_is_worked_on_only_after_reopening(world: World) -> None:
    reference = world.open()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Kun testdata")
    acts: tuple[Callable[[], None], ...] = (
        lambda: world.aware(reference),
        lambda: incidents.contain(world.context, SHELL, reference, at=world.clock(), how="Spærret"),
        lambda: incidents.find_not_a_breach(world.context, SHELL, reference, reason="Igen"),
        lambda: incidents.assign_owner(world.context, SHELL, reference, user_id=None),
        lambda: incidents.close(world.context, SHELL, reference, reason="Færdig"),
    )
    for act in acts:
        with pytest.raises(rules.IncidentIsClosed):
            act()
    with pytest.raises(rules.ReasonIsMissing):
        incidents.reopen(world.context, SHELL, reference, reason="")
    incidents.reopen(world.context, SHELL, reference, reason="Nye oplysninger")
    with pytest.raises(rules.IncidentIsOpen):
        incidents.reopen(world.context, SHELL, reference, reason="Nye oplysninger")


def test_containment_may_come_before_awareness(world: World) -> None:
    reference = world.open(detected_at=world.clock() - HOUR)
    incidents.contain(world.context, SHELL, reference, at=world.clock() - HOUR, how="Kontoen er spærret")
    one = world.overview(reference).incident
    assert (one.status, one.ongoing, one.contained_how) == ("suspected", "no", "Kontoen er spærret")


def test_the_lead_goes_only_to_somebody_who_serves_the_controller(world: World) -> None:
    reference = world.open()
    clara = make_user(world.context, world.controller, Role.RESPONDER, "clara@example.dk", "Clara")
    other = make_controller(world.context, "Sydlys ApS")
    dan = make_user(world.context, other, Role.RESPONDER, "dan@example.dk", "Dan")
    incidents.assign_owner(world.context, SHELL, reference, user_id=clara.id)
    for stranger in (dan.id, 4711):
        with pytest.raises(NotFound):
            incidents.assign_owner(world.context, SHELL, reference, user_id=stranger)
    assert world.overview(reference).incident.owner_id == clara.id
    incidents.assign_owner(world.context, SHELL, reference, user_id=None)
    assert world.overview(reference).incident.owner_id is None


def test_whoever_writes_from_an_old_page_is_refused_and_nothing_is_lost(world: World) -> None:
    reference = world.open()
    version = world.overview(reference).version
    world.aware(reference)
    with pytest.raises(ChangedMeanwhile):
        incidents.contain(world.context, SHELL, reference, at=world.clock(), how="Spærret", version=version)
    assert world.overview(reference).incident.contained_at is None


def test_of_two_who_decide_at_once_both_are_in_the_journal_or_one_is_refused(either: World) -> None:
    reference = either.open()
    refused: list[Refusal] = []

    def decide(index: int) -> None:
        try:
            either.aware(reference, at=either.clock() - index * HOUR)
        except Refusal as refusal:
            refused.append(refusal)

    in_threads(4, decide)
    assert either.kinds(reference).count("became_aware") + len(refused) == 4
    versions = [one.event for one in register.history(either.context, SHELL, reference) if one.kind == "became_aware"]
    assert [one.version for one in versions] == list(range(1, len(versions) + 1))  # type: ignore[union-attr]
    assert either.overview(reference).incident.awareness_version == len(versions)


def test_a_full_board_keeps_the_oldest_suspicions_and_counts_those_left_out(either: World) -> None:
    now = either.clock()
    ages = {either.open(detected_at=now - age * HOUR): age for age in (1, 9, 5)}
    for hours in (71, 60):
        either.open(aware_at=now - hours * HOUR, aware_reason="Set i loggen")
    overdue = either.open(aware_at=now - 80 * HOUR, aware_reason="Set i loggen")
    shown = [one.reference for one, _ in register.board(either.context, SHELL, 2)]
    assert shown[0] == overdue
    assert [ages[one] for one in shown[2:]] == [9, 5]
    counted = register.tally(either.context, SHELL, "Europe/Copenhagen")
    assert counted == register.Tally(open=6, overdue=1, today=1, tomorrow=1, suspected=3)


def test_a_tally_counts_only_what_the_reader_may_see(world: World) -> None:
    world.open(controller_id=world.controller.id)
    other = make_controller(world.context, "Skyhost A/S")
    assert register.tally(world.context, make_actor(other), "Europe/Copenhagen").open == 0
    assert register.tally(world.context, make_actor(world.controller), "Europe/Copenhagen").open == 1
