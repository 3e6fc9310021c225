"""Which notice a message to a recipient belongs to."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.tables.outbox import DeliveryRow


def notices_of(session: Session, scope: Scope, incident_id: int, delivery_ids: Collection[str]) -> dict[str, int]:
    """Return the notice of each of these messages; those of another incident are left out."""
    statement = select(DeliveryRow.id, DeliveryRow.notice_id).where(
        DeliveryRow.id.in_(delivery_ids),
        DeliveryRow.incident_id == incident_id,
        DeliveryRow.notice_id.is_not(None),
    )
    if scope is not None:
        statement = statement.where(DeliveryRow.controller_id.in_(scope))
    return {row.id: row.notice_id for row in session.execute(statement)}
