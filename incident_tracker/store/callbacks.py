"""What providers told us, kept before it is applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.store.bulk import Bulk
from incident_tracker.store.tables.outbox import AttemptRow, CallbackRow, DeliveryRow

_C = cast("SqlTable", CallbackRow.__table__)
_D = cast("SqlTable", DeliveryRow.__table__)
_A = cast("SqlTable", AttemptRow.__table__)
_ADD = text(
    """INSERT INTO callbacks (notifier, kind, unique_key, received_at, sealed)
    VALUES (:notifier, :kind, :unique_key, :received_at, :sealed) ON CONFLICT (notifier, unique_key) DO NOTHING"""
).bindparams(bindparam("received_at", type_=_C.c.received_at.type))

_REPORTED_COLUMNS = {
    "id": "text",
    "provider_id": "text",
    "state": "text",
    "now": "timestamptz",
    "finished_at": "timestamptz",
    "look_up_at": "timestamptz",
    "reason": "text",
    "code": "text",
}
_REPORTED = Bulk(
    """UPDATE deliveries SET state = r.state, finished_at = r.finished_at, look_up_at = r.look_up_at,
    provider_id = coalesce(deliveries.provider_id, r.provider_id), sent_at = coalesce(deliveries.sent_at, r.now),
    lease_until = NULL, reason = r.reason, code = r.code FROM {rows} AS r WHERE deliveries.id = r.id""",
    _REPORTED_COLUMNS,
)
_EVIDENCE = Bulk(
    """UPDATE attempts SET provider_id = coalesce(attempts.provider_id, r.provider_id),
    outcome = CASE WHEN attempts.outcome IS NULL OR attempts.outcome = 'unknown' THEN r.state
    ELSE attempts.outcome END, finished_at = coalesce(attempts.finished_at, r.now)
    FROM {rows} AS r WHERE attempts.id = r.id""",
    {"id": "text", "provider_id": "text", "state": "text", "now": "timestamptz"},
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored callback that is not applied yet."""

    id: int
    notifier: str
    received_at: datetime
    sealed: bytes


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store callbacks; what was told before is left as it is."""
    if rows:
        session.execute(_ADD, rows)


def waiting(session: Session, kind: str, after: int, limit: int) -> list[Waiting]:
    """Return waiting callbacks with a higher id than `after`, oldest first, locked where that is possible."""
    found = session.execute(
        select(_C.c.id, _C.c.notifier, _C.c.received_at, _C.c.sealed)
        .where(_C.c.applied_at.is_(None), _C.c.kind == kind, _C.c.id > after)
        .order_by(_C.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Waiting(*row) for row in found]


def is_waiting(session: Session, callback_id: int) -> bool:
    """Return whether a callback is not dealt with yet, locked where that is possible."""
    statement = select(_C.c.id).where(_C.c.id == callback_id, _C.c.applied_at.is_(None))
    return session.execute(statement.with_for_update(skip_locked=True)).first() is not None


def mark(session: Session, ids: Collection[int], now: datetime, result: str) -> None:
    """Remember that callbacks are dealt with, and how."""
    if ids:
        session.execute(update(_C).where(_C.c.id.in_(ids)).values(applied_at=now, result=result))


def tries(session: Session, attempt_ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return (delivery id, number) of each of these attempts that is ours."""
    found = session.execute(select(_A.c.id, _A.c.delivery_id, _A.c.number).where(_A.c.id.in_(attempt_ids)))
    return {row.id: (row.delivery_id, row.number) for row in found}


def by_provider_id(session: Session, notifier: str, provider_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the deliveries to which a provider gave each id; some give one id to a whole request."""
    found = session.execute(
        select(_D.c.provider_id, _D.c.id).where(_D.c.notifier == notifier, _D.c.provider_id.in_(provider_ids))
    )
    deliveries: dict[str, list[str]] = {}
    for row in found:
        deliveries.setdefault(row.provider_id, []).append(row.id)
    return deliveries


def write_reported(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Move deliveries to what a provider reported, in order; keys are the columns, with `b_` before them.

    Of several reports about one delivery the last counts; a provider's id is never replaced.
    """
    last: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        provider_id = last[row["b_id"]][1] if row["b_id"] in last else None
        rest = (row[f"b_{name}"] for name in _REPORTED_COLUMNS if name not in {"id", "provider_id"})
        last[row["b_id"]] = (row["b_id"], provider_id or row["b_provider_id"], *rest)
    _REPORTED.run(session, list(last.values()))


def keep_evidence(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what a provider said later into attempts; keys `b_id`, `b_provider_id`, `b_state`, `b_now`.

    The first word on an attempt counts, the rest is in the delivery.
    """
    first: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        known = first.get(row["b_id"], (row["b_id"], None, row["b_state"], row["b_now"]))
        first[row["b_id"]] = (known[0], known[1] or row["b_provider_id"], *known[2:])
    _EVIDENCE.run(session, list(first.values()))


def fill_provider_ids(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the provider's id to deliveries that a callback had settled first; keys `b_id`, `b_provider_id`."""
    if rows:
        session.execute(
            update(_D)
            .where(_D.c.id == bindparam("b_id"), _D.c.provider_id.is_(None))
            .values(provider_id=bindparam("b_provider_id")),
            rows,
        )
