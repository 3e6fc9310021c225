"""The one thing to do next, from the first suspicion to the closed incident."""

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import incidents, next_step, register, scope
from incident_tracker.services.next_step import NextStep, Step
from tests.four_eyes import set_aside
from tests.services.world import World


def _next(world: World, reference: str, missing: int | None = None) -> NextStep:
    overview = register.overview(world.context, SHELL, reference)
    return next_step.next_step(overview.incident, overview.obligations, missing)


def _settle(world: World, reference: str, regime: str, duty: str) -> None:
    set_aside(world.context, reference, regime, duty, "Gælder ikke her.")


def test_a_suspicion_is_decided_first(world: World) -> None:
    assert _next(world, world.open()) == NextStep(Step.DECIDE)


def test_then_the_scope_then_the_answers_then_filing(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    assert _next(world, reference, 5).step is Step.SCOPE
    scope.assess(world.context, SHELL, reference, ScopeAssessment(description="Alle adresser i Cc"))
    assert _next(world, reference, 5) == NextStep(Step.ANSWER, 5)
    assert _next(world, reference, 0) == NextStep(Step.FILE)
    assert _next(world, reference, None) == NextStep(Step.FILE)


def test_then_the_rest_by_deadline_then_closing(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    _settle(world, reference, "gdpr", "notify_authority")
    assert _next(world, reference).step is Step.INFORM_PARTIES
    _settle(world, reference, "promise", "inform_parties")
    assert _next(world, reference).step is Step.TELL_PEOPLE
    _settle(world, reference, "gdpr", "notify_people")
    while _next(world, reference).step is Step.COMPLETE:
        _settle(world, reference, "gdpr", "complete_report")
    assert _next(world, reference).step is Step.CLOSE
    incidents.close(world.context, SHELL, reference, reason="Alt er gjort.")
    assert _next(world, reference).step is Step.NOTHING


def test_a_processor_tells_its_controller(world: World) -> None:
    reference = world.open(role=PartyRole.PROCESSOR)
    world.aware(reference)
    assert _next(world, reference).step is Step.TELL_CONTROLLER
    overview = register.overview(world.context, SHELL, reference)
    assert next_step.missing_answers(world.context, SHELL, overview) is None


def test_not_a_breach_leaves_nothing_to_do(world: World) -> None:
    reference = world.open()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger.")
    assert _next(world, reference).step is Step.NOTHING


@pytest.mark.parametrize("hours", [1, 71, 73, 200])
def test_time_alone_never_changes_the_step(world: World, hours: int) -> None:
    reference = world.open()
    world.aware(reference)
    before = _next(world, reference, 3)
    world.clock.advance(hours=hours)
    assert _next(world, reference, 3) == before
