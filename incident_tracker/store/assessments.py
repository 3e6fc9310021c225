"""Versions of the scope assessment; each is added and never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import AssessmentRow

PLACE = "scope_assessments.content"


@dataclass(frozen=True, slots=True)
class Version:
    """One version: what was known, who wrote it down, and when."""

    version: int
    assessment: ScopeAssessment
    assessed_by: str
    assessed_at: datetime


def add(session: Session, keyring: Keyring, loaded: Loaded, new: Version) -> None:
    """Keep a version; the caller holds the incident and numbers without gaps."""
    content = keyring.seal(loaded.record_key, PLACE, to_json(to_plain(new.assessment)))
    session.execute(
        insert(AssessmentRow).values(
            controller_id=loaded.incident.controller_id,
            incident_id=loaded.id,
            version=new.version,
            content=content,
            assessed_by=new.assessed_by,
            assessed_at=new.assessed_at,
        )
    )


def of_incident(session: Session, keyring: Keyring, incident_id: int, scope: Scope) -> list[Version]:
    """Return all versions of an incident, the first one first."""
    statement = select(AssessmentRow).where(AssessmentRow.incident_id == incident_id)
    if scope is not None:
        statement = statement.where(AssessmentRow.controller_id.in_(scope))
    return [
        Version(
            version=row.version,
            assessment=from_plain(ScopeAssessment, from_json(keyring.open(PLACE, row.content))),
            assessed_by=row.assessed_by,
            assessed_at=row.assessed_at,
        )
        for row in session.scalars(statement.order_by(AssessmentRow.version))
    ]
