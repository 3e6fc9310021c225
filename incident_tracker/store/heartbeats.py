"""Signs of life of the clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.outbox import HeartbeatRow

AHEAD = timedelta(seconds=10)
"""How far the clocks of two machines may differ."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of one node."""

    node: str
    started_at: datetime
    beat_at: datetime
    version: str


def start(session: Session, node: str, version: str, now: datetime) -> None:
    """Announce a node."""
    session.execute(insert(HeartbeatRow).values(node=node, started_at=now, beat_at=now, version=version))


def beat(session: Session, node: str, now: datetime) -> None:
    """Give a sign of life."""
    session.execute(update(HeartbeatRow).where(HeartbeatRow.node == node).values(beat_at=now))


def forget(session: Session, before: datetime) -> None:
    """Forget nodes that gave no sign of life since an instant."""
    session.execute(delete(HeartbeatRow).where(HeartbeatRow.beat_at < before))


def last(session: Session, now: datetime) -> Beat | None:
    """Return the newest sign of life of any node.

    One from the future is not believed: it was left by a machine whose clock was ahead, and would hide for as long
    that no clock runs any more.
    """
    statement = select(HeartbeatRow).where(HeartbeatRow.beat_at <= now + AHEAD)
    row = session.scalars(statement.order_by(HeartbeatRow.beat_at.desc()).limit(1)).first()
    return None if row is None else Beat(row.node, row.started_at, row.beat_at, row.version)
