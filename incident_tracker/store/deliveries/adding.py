"""Putting rows into the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from incident_tracker.store.bulk import Bulk, Bytes
from incident_tracker.store.deliveries.columns import CHUNK, OUT
from incident_tracker.store.deliveries.words import SharedRow

_ADD = text(
    """INSERT INTO deliveries (id, controller_id, incident_id, contact_id, purpose, once, channel, notifier,
    local_only, rank, state, sealed, address_hash, valid_for, not_before, created_at, recipient_id)
    VALUES (:id, :controller_id, :incident_id, :contact_id, :purpose, :once, :channel, :notifier,
    :local_only, :rank, 'pending', :sealed, :address_hash, :valid_for, :not_before, :created_at, :recipient_id)
    ON CONFLICT (once) DO NOTHING"""
).bindparams(
    *(bindparam(column.name, type_=column.type) for column in (OUT.c.not_before, OUT.c.created_at, OUT.c.local_only))
)
_SHARED = Bulk(
    """INSERT INTO deliveries (id, controller_id, incident_id, notice_id, content_id, purpose, channel, notifier,
    local_only, rank, state, not_before, created_at, recipient_id, once, sealed, address_hash)
    SELECT id, CAST(:controller_id AS bigint), CAST(:incident_id AS bigint), CAST(:notice_id AS bigint),
    CAST(:content_id AS text), CAST(:purpose AS text), CAST(:channel AS text), CAST(:notifier AS text),
    CAST(:local_only AS boolean), CAST(:rank AS bigint), 'pending', created_at, created_at, recipient_id, once,
    substr(:blobs, sealed_at, sealed_length), substr(:blobs, hash_at, hash_length)
    FROM {rows} AS r WHERE true ON CONFLICT (once) DO NOTHING""",
    {
        "id": "text",
        "recipient_id": "text",
        "once": "text",
        "sealed_at": "int",
        "sealed_length": "int",
        "hash_at": "int",
        "hash_length": "int",
        "created_at": "timestamptz",
    },
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


def add_shared(session: Session, rows: Sequence[SharedRow], now: datetime, **same: Any) -> int:
    """Insert pending rows of a notice that are not there yet; return how many were new.

    `same` is what all have in common: controller_id, incident_id, notice_id, content_id, purpose, channel, notifier,
    local_only, rank.
    """
    new = 0
    for start in range(0, len(rows), CHUNK):
        blobs = Bytes()
        written = [
            (one.id, one.recipient_id, one.once, *blobs.add(one.sealed), *blobs.add(one.address_hash), now)
            for one in rows[start : start + CHUNK]
        ]
        new += _SHARED.run(session, written, blobs=blobs.all(), **same)
    return new


def tell_of(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say which alerts deliveries tell of, and in which step."""
    if rows:
        session.execute(_ADD_ALERTS, rows)
