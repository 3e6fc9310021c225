"""Failures at a door, counted by a keyed hash of who knocked and from where."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.parties import SlowdownRow

_COUNT = text(
    "INSERT INTO slowdowns (key, failures, last_at, open_at) VALUES (:key, 1, :now, :now) "
    "ON CONFLICT (key) DO UPDATE SET failures = slowdowns.failures + 1, last_at = excluded.last_at "
    "RETURNING failures, open_at"
).columns(SlowdownRow.failures, SlowdownRow.open_at)


def count(session: Session, key: bytes, now: datetime) -> tuple[int, datetime]:
    """Count one more failure; return how many there are, and when the door opens again because of those before.

    Until the end of the transaction nobody else counts at this key. Who counts at several takes them in order.
    """
    statement = _COUNT.bindparams(bindparam("now", type_=SlowdownRow.last_at.type))
    failures, open_at = session.execute(statement, {"key": key, "now": now}).one()
    return failures, open_at


def open_at(session: Session, key: bytes) -> datetime | None:
    """Return until when a door is shut, None where nobody failed at it."""
    row = session.get(SlowdownRow, key)
    return None if row is None else row.open_at


def shut(session: Session, key: bytes, open_at: datetime) -> None:
    """Keep a door shut until `open_at`."""
    session.execute(update(SlowdownRow).where(SlowdownRow.key == key).values(open_at=open_at))


def forget(session: Session, key: bytes) -> None:
    """Forget the failures of a key."""
    session.execute(delete(SlowdownRow).where(SlowdownRow.key == key))


def take_back(session: Session, key: bytes) -> None:
    """Take the last failure of a key back: it was none."""
    statement = update(SlowdownRow).where(SlowdownRow.key == key, SlowdownRow.failures > 0)
    session.execute(statement.values(failures=SlowdownRow.failures - 1, open_at=SlowdownRow.last_at))


def sweep(session: Session, before: datetime) -> None:
    """Forget what lies long back."""
    session.execute(delete(SlowdownRow).where(SlowdownRow.last_at < before))


def failures(session: Session, keys: Iterable[bytes]) -> dict[bytes, int]:
    """Return how often each of these keys was counted, without counting."""
    rows = session.execute(select(SlowdownRow.key, SlowdownRow.failures).where(SlowdownRow.key.in_(set(keys))))
    return {row.key: row.failures for row in rows}
