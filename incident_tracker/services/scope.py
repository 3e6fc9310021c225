"""Scope assessments: what got out, of whom, how many; each saving is a new version."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from incident_tracker.domain import scope as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.canonical import Change
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import ScopeAssessed
from incident_tracker.domain.incident import Incident, NothingChanges, must_be_open
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.services.context import Context
from incident_tracker.services.work import working
from incident_tracker.store import assessments as rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store.assessments import Version


class AssessedMeanwhile(Refusal):
    """Somebody else saved a version after this form was opened."""

    message = "Version %(version)s was saved while you were writing. Compare it below, then save again."


@dataclass(frozen=True, slots=True)
class Assessed:
    """A version as its list shows it: what it says, what the one before it said, and what that changed."""

    version: int
    assessment: ScopeAssessment
    before: ScopeAssessment | None
    assessed_by: str
    assessed_at: datetime
    changes: tuple[Change, ...]


def assess(
    context: Context, actor: Actor, reference: str, assessment: ScopeAssessment, *, after_version: int | None = None
) -> int:
    """Keep a new version of the assessment and return its number, from 1.

    `after_version` is the version that the writer saw; a newer one by somebody else is a refusal, not an overwriting.
    """
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        incident = loaded.incident
        must_be_open(incident)
        if after_version is not None and after_version != incident.assessment_version:
            raise AssessedMeanwhile(version=incident.assessment_version)
        for mistake in mistakes(incident, assessment, work.now):
            raise mistake
        if not rules.difference(incident.assessment, assessment):
            raise NothingChanges(reference=reference)
        version = incident.assessment_version + 1
        rows.add(work.session, work.keyring, loaded, Version(version, assessment, actor.name, work.now))
        work.record(loaded, ScopeAssessed(version, assessment))
    return version


def mistakes(incident: Incident, assessment: ScopeAssessment, now: datetime) -> tuple[Refusal, ...]:
    """Return every reason not to keep an assessment, each with its field."""
    return rules.mistakes(assessment, canonical_fields(), now=now, aware_at=incident.became_aware_at)


def versions(context: Context, actor: Actor, reference: str) -> tuple[Assessed, ...]:
    """Return all versions with what each changed, the newest first."""
    found = _of(context, actor, reference)
    before: list[ScopeAssessment | None] = [None, *(one.assessment for one in found)]
    return tuple(
        Assessed(
            version=one.version,
            assessment=one.assessment,
            before=older,
            assessed_by=one.assessed_by,
            assessed_at=one.assessed_at,
            changes=rules.difference(older, one.assessment),
        )
        for older, one in reversed(list(zip(before, found, strict=False)))
    )


def difference(context: Context, actor: Actor, reference: str, older: int, newer: int) -> tuple[Change, ...]:
    """Return what one version says differently from an earlier one; version 0 says nothing."""
    found = {one.version: one.assessment for one in _of(context, actor, reference)}
    for version in (older, newer):
        if version != 0 and version not in found:
            raise NotFound(what=f"{reference} {version}")
    return rules.difference(found.get(older), found.get(newer, ScopeAssessment()))


def known(incident: Incident) -> ScopeAssessment:
    """Return what is known: the newest assessment, and where it is silent, what the incident was logged with."""
    assessment = incident.assessment or ScopeAssessment()
    silent_on_time = assessment.occurrence is None and assessment.begin is None and assessment.end is None
    return replace(
        assessment,
        description=assessment.description or incident.what_happened,
        systems=assessment.systems or incident.place,
        people_count=assessment.people_count or incident.people_estimate,
        measures_taken=assessment.measures_taken or incident.contained_how,
        occurrence="ongoing_since" if silent_on_time and incident.ongoing == "yes" else assessment.occurrence,
    )


def _of(context: Context, actor: Actor, reference: str) -> Sequence[Version]:
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        return rows.of_incident(session, context.keyring, loaded.id, scope)
