"""Putting rows into the outbox."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from incident_tracker.store.deliveries.columns import CHUNK, OUT

_ADD = text(
    """INSERT INTO deliveries (id, controller_id, incident_id, contact_id, purpose, once, channel, notifier,
    local_only, rank, state, sealed, address_hash, valid_for, not_before, created_at)
    VALUES (:id, :controller_id, :incident_id, :contact_id, :purpose, :once, :channel, :notifier,
    :local_only, :rank, 'pending', :sealed, :address_hash, :valid_for, :not_before, :created_at)
    ON CONFLICT (once) DO NOTHING"""
).bindparams(
    *(bindparam(column.name, type_=column.type) for column in (OUT.c.not_before, OUT.c.created_at, OUT.c.local_only))
)
_ADD_ALERTS = text(
    """INSERT INTO alert_deliveries (delivery_id, alert_id, controller_id, step)
    VALUES (:delivery_id, :alert_id, :controller_id, :step) ON CONFLICT (delivery_id, alert_id) DO NOTHING"""
)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Insert pending rows that are not there yet; return the id of each `once`."""
    if not rows:
        return {}
    session.execute(_ADD, rows)
    ids: dict[str, str] = {}
    names = [row["once"] for row in rows]
    for start in range(0, len(names), CHUNK):
        found = session.execute(select(OUT.c.once, OUT.c.id).where(OUT.c.once.in_(names[start : start + CHUNK])))
        ids.update((row.once, row.id) for row in found)
    return ids


def tell_of(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say which alerts deliveries tell of, and in which step."""
    if rows:
        session.execute(_ADD_ALERTS, rows)
