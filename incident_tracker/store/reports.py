"""Filed versions of a report: the JSON that each was made from, sealed, with its digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.canonical import canonical_json
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.incidents import ReportVersionRow

PLACE = "report_versions.content"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A filed version. `content` is the JSON that was frozen, `digest` its SHA-256."""

    authority: str
    version: int
    phase: str
    content: Mapping[str, Any]
    digest: str
    filed_at: datetime
    filed_by: str
    recorded_at: datetime


def add(session: Session, keyring: Keyring, loaded: Loaded, new: Frozen) -> None:
    """Keep a filed version."""
    session.execute(
        insert(ReportVersionRow).values(
            controller_id=loaded.incident.controller_id,
            incident_id=loaded.id,
            authority=new.authority,
            version=new.version,
            phase=new.phase,
            content=keyring.seal(loaded.record_key, PLACE, canonical_json(new.content)),
            digest=new.digest,
            filed_at=new.filed_at,
            filed_by=new.filed_by,
            recorded_at=new.recorded_at,
        )
    )


def of_incident(
    session: Session, keyring: Keyring, incident_id: int, scope: Scope, *, authority: str
) -> list[Frozen]:
    """Return the filed versions for one authority, the first one first."""
    statement = select(ReportVersionRow).where(
        ReportVersionRow.incident_id == incident_id, ReportVersionRow.authority == authority
    )
    if scope is not None:
        statement = statement.where(ReportVersionRow.controller_id.in_(scope))
    return [_frozen(keyring, row) for row in session.scalars(statement.order_by(ReportVersionRow.version))]


def get(
    session: Session, keyring: Keyring, incident_id: int, scope: Scope, *, authority: str, version: int
) -> Frozen:
    """Return one filed version, or refuse."""
    for found in of_incident(session, keyring, incident_id, scope, authority=authority):
        if found.version == version:
            return found
    raise NotFound(what=f"{authority} {version}")


def _frozen(keyring: Keyring, row: ReportVersionRow) -> Frozen:
    return Frozen(
        authority=row.authority,
        version=row.version,
        phase=row.phase,
        content=from_json(keyring.open(PLACE, row.content)),
        digest=row.digest,
        filed_at=row.filed_at,
        filed_by=row.filed_by,
        recorded_at=row.recorded_at,
    )
