"""Facts about the installation itself: one row a fact."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.parties import InstallationRow


def get(session: Session, name: str) -> str | None:
    """Return a fact."""
    statement = select(InstallationRow.value).where(InstallationRow.name == name)
    return session.execute(statement).scalar_one_or_none()


def put(session: Session, name: str, value: str, now: datetime) -> None:
    """Write a fact in place of what was known."""
    values = {"value": value, "recorded_at": now}
    changed = session.execute(
        update(InstallationRow).where(InstallationRow.name == name).values(**values).returning(InstallationRow.name)
    )
    if changed.first() is None:
        session.execute(insert(InstallationRow).values(name=name, **values))


def take(session: Session, name: str, value: str) -> bool:
    """Remove a fact that has this value; return whether it was there. Of two who try, one gets it."""
    statement = delete(InstallationRow).where(InstallationRow.name == name, InstallationRow.value == value)
    return session.execute(statement.returning(InstallationRow.name)).first() is not None
