"""What a delivery says and to whom, for those who look into the outbox."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.tables.outbox import AlertDeliveryRow, DeliveryRow


@dataclass(frozen=True, slots=True)
class Sealed:
    """A delivery with what it holds encrypted and what it is about."""

    id: str
    controller_id: int
    incident_id: int | None
    contact_id: int | None
    purpose: str
    channel: str
    notifier: str
    local_only: bool
    state: str
    rank: int
    valid_for: int | None
    address_hash: bytes
    attempts: int
    sent_at: datetime | None
    sealed: bytes
    notice_id: int | None
    recipient_id: str | None
    content_id: str | None


_SEALED = tuple(getattr(DeliveryRow, name) for name in Sealed.__slots__)


def sealed(session: Session, scope: Scope, ids: Collection[str]) -> dict[str, Sealed]:
    """Return what deliveries hold, by id; what the reader may not see is left out."""
    statement = select(*_SEALED).where(DeliveryRow.id.in_(ids))
    if scope is not None:
        statement = statement.where(DeliveryRow.controller_id.in_(scope))
    return {row.id: Sealed(*row) for row in session.execute(statement)}


def alerts_of(session: Session, delivery_id: str) -> list[str]:
    """Return the alerts that a delivery tells of."""
    statement = select(AlertDeliveryRow.alert_id).where(AlertDeliveryRow.delivery_id == delivery_id)
    return list(session.scalars(statement.order_by(AlertDeliveryRow.alert_id)))


def told_of(
    session: Session, scope: Scope, alert_ids: Collection[str]
) -> dict[tuple[str, int], list[tuple[int, str, str]]]:
    """Return (contact, channel, state) of the messages that told of alerts, by alert and step."""
    statement = (
        select(
            AlertDeliveryRow.alert_id,
            AlertDeliveryRow.step,
            DeliveryRow.contact_id,
            DeliveryRow.channel,
            DeliveryRow.state,
        )
        .join(DeliveryRow, DeliveryRow.id == AlertDeliveryRow.delivery_id)
        .where(AlertDeliveryRow.alert_id.in_(alert_ids))
        .order_by(DeliveryRow.id)
    )
    if scope is not None:
        statement = statement.where(DeliveryRow.controller_id.in_(scope))
    found: dict[tuple[str, int], list[tuple[int, str, str]]] = {}
    for row in session.execute(statement):
        found.setdefault((row.alert_id, row.step), []).append((row.contact_id or 0, row.channel, row.state))
    return found
