"""Failures at a door, counted by a keyed hash of who knocked and from where."""

from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.parties import SlowdownRow


def get(session: Session, key: bytes) -> tuple[int, datetime, datetime] | None:
    """Return how many failures were counted, when the last one was, and when the door opens again."""
    row = session.get(SlowdownRow, key)
    return None if row is None else (row.failures, row.last_at, row.open_at)


def put(session: Session, key: bytes, failures: int, last_at: datetime, open_at: datetime) -> None:
    """Write the count of a key."""
    values = {"failures": failures, "last_at": last_at, "open_at": open_at}
    changed = session.execute(
        update(SlowdownRow).where(SlowdownRow.key == key).values(**values).returning(SlowdownRow.failures)
    )
    if changed.first() is None:
        session.execute(insert(SlowdownRow).values(key=key, **values))


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
