"""The outbox as people read it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.deliveries.columns import OUT, is_in
from incident_tracker.store.deliveries.words import Listed, State
from incident_tracker.store.tables.incidents import IncidentRow


def listed(
    session: Session,
    scope: Scope,
    *,
    states: Collection[State] = (),
    incident_id: int | None = None,
    before: str | None = None,
    limit: int = 100,
) -> list[Listed]:
    """Return deliveries, newest first, a page at a time (`before` is the last id of the page before)."""
    statement = _readable(scope)
    if states:
        statement = statement.where(or_(*(is_in(state) for state in states)))
    if incident_id is not None:
        statement = statement.where(OUT.c.incident_id == incident_id)
    if before is not None:
        statement = statement.where(OUT.c.id < before)
    rows = session.execute(statement.order_by(OUT.c.id.desc()).limit(limit)).mappings()
    return [Listed(**row) for row in rows]


def find(session: Session, scope: Scope, delivery_id: str) -> Listed | None:
    """Return one delivery, or None where it is not there for this reader."""
    row = session.execute(_readable(scope).where(OUT.c.id == delivery_id)).mappings().first()
    return None if row is None else Listed(**row)


def _readable(scope: Scope) -> Select[Any]:
    columns = [OUT.c[name] for name in Listed.__slots__ if name != "incident"]
    statement = select(*columns, IncidentRow.reference.label("incident")).join(
        IncidentRow, IncidentRow.id == OUT.c.incident_id, isouter=True
    )
    return statement if scope is None else statement.where(OUT.c.controller_id.in_(scope))
