"""Scope assessments: versions that are added and never changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.errors import NotAllowed, NotFound
from incident_tracker.domain.incident import IncidentIsClosed, NothingChanges
from incident_tracker.domain.parties import Role
from incident_tracker.domain.scope import BeginIsAfterAwareness, ScopeAssessment
from incident_tracker.services import incidents, scope
from incident_tracker.services.scope import AssessedMeanwhile
from tests.makers import make_actor, make_controller
from tests.services.world import World

FIRST = ScopeAssessment(
    breach_types=("confidentiality",),
    people_categories=("customers",),
    people_count=CountRange.read("ca. 12.400", "people_count"),
    description="Kundelisten lå åbent.",
)


def test_each_saving_is_a_new_version_that_says_what_changed(either: World) -> None:
    reference = either.open()
    assert scope.assess(either.context, SHELL, reference, FIRST) == 1
    either.clock.advance(hours=2)
    second = replace(FIRST, people_count=CountRange.read("12.412", "people_count"))
    assert scope.assess(either.context, SHELL, reference, second, after_version=1) == 2

    newest, oldest = scope.versions(either.context, SHELL, reference)
    assert (newest.version, newest.assessment, oldest.assessment) == (2, second, FIRST)
    assert newest.assessed_at - oldest.assessed_at == timedelta(hours=2)
    assert [one.key for one in newest.changes] == ["people.count_kind", "people.count"]
    assert newest.changes[1].after == {"low": 12412, "high": 12412}
    assert [one.key for one in scope.difference(either.context, SHELL, reference, 0, 1)] == [
        one.key for one in oldest.changes
    ]
    assert either.overview(reference).incident.assessment == second
    assert either.kinds(reference).count("scope_assessed") == 2


def test_a_version_that_somebody_else_saved_meanwhile_is_not_overwritten(world: World) -> None:
    reference = world.open()
    scope.assess(world.context, SHELL, reference, FIRST, after_version=0)
    with pytest.raises(AssessedMeanwhile):
        scope.assess(world.context, SHELL, reference, ScopeAssessment(description="Andet"), after_version=0)
    assert len(scope.versions(world.context, SHELL, reference)) == 1


def test_saving_the_same_again_makes_no_version(world: World) -> None:
    reference = world.open()
    scope.assess(world.context, SHELL, reference, FIRST)
    with pytest.raises(NothingChanges):
        scope.assess(world.context, SHELL, reference, FIRST)


def test_a_breach_cannot_begin_after_somebody_became_aware_of_it(world: World) -> None:
    reference = world.open()
    world.aware(reference)
    began = world.clock()
    world.clock.advance(hours=1)
    too_late = ScopeAssessment(begin=began + timedelta(minutes=1), occurrence="specific_day")
    with pytest.raises(BeginIsAfterAwareness) as refused:
        scope.assess(world.context, SHELL, reference, too_late)
    assert refused.value.field == "begin"
    assert scope.versions(world.context, SHELL, reference) == ()


def test_a_closed_incident_is_not_assessed(world: World) -> None:
    reference = world.open()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger")
    with pytest.raises(IncidentIsClosed):
        scope.assess(world.context, SHELL, reference, FIRST)


def test_an_auditor_reads_assessments_and_writes_none(world: World) -> None:
    reference = world.open()
    scope.assess(world.context, SHELL, reference, FIRST)
    dan = make_actor(world.controller, Role.AUDITOR)
    assert scope.versions(world.context, dan, reference)[0].assessment == FIRST
    with pytest.raises(NotAllowed):
        scope.assess(world.context, dan, reference, ScopeAssessment(description="Andet"))


def test_another_controllers_assessments_answer_like_none(world: World) -> None:
    reference = world.open()
    scope.assess(world.context, SHELL, reference, FIRST)
    other = make_controller(world.context, "Skyhost A/S")
    stranger = Actor("user:9", {other.id: Role.ADMINISTRATOR})
    with pytest.raises(NotFound):
        scope.versions(world.context, stranger, reference)
    with pytest.raises(NotFound):
        scope.difference(world.context, stranger, reference, 0, 1)


def test_what_was_logged_stands_until_an_assessment_says_otherwise(world: World) -> None:
    estimate = CountRange.read("200-400", "people")
    reference = world.open(
        what_happened="En fil lå åbent.",
        place="web01",
        ongoing="yes",
        people_estimate=estimate,
        controller_id=world.controller.id,
    )
    known = scope.known(world.overview(reference).incident)
    assert (known.description, known.systems, known.people_count) == ("En fil lå åbent.", "web01", estimate)
    assert known.occurrence == "ongoing_since"
    scope.assess(world.context, SHELL, reference, ScopeAssessment(systems="web02", occurrence="tbd"))
    known = scope.known(world.overview(reference).incident)
    assert (known.description, known.systems, known.occurrence) == ("En fil lå åbent.", "web02", "tbd")
