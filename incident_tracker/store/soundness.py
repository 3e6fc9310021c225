"""Whether the database is whole: what the engine itself says, and keys that are missing or do not open."""

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring, MasterKeyWrong
from incident_tracker.store.tables.incidents import IncidentRow, JournalRow
from incident_tracker.store.tables.keys import DataKey

_MOST = 20
"""Faults of one kind that are listed; more say nothing new."""


def engine_faults(database: Database) -> list[str]:
    """Return what the engine finds wrong with its own pages and references; PostgreSQL keeps watch itself."""
    if not database.is_sqlite:
        return []
    with database.reading() as session:
        faults = [str(row[0]) for row in session.execute(text(f"PRAGMA integrity_check({_MOST})")) if row[0] != "ok"]
        loose = session.execute(text("PRAGMA foreign_key_check")).fetchmany(_MOST)
    return faults + [f"{row[0]} row {row[1]}: nothing in {row[2]} that it points to" for row in loose]


def unopened_keys(database: Database, keyring: Keyring) -> list[str]:
    """Return the ids of data keys that the master key does not open."""
    with database.reading() as session:
        ids = list(session.scalars(select(DataKey.id).where(DataKey.wrapped.is_not(None))))
    return [key_id for key_id in ids if not _opens(keyring, key_id)]


def missing_keys(session: Session) -> list[str]:
    """Return the ids of data keys that incidents and journal name and the keyring has not, not even destroyed."""
    found: set[str] = set()
    for column in (IncidentRow.record_key, IncidentRow.people_key, JournalRow.key_id):
        absent = select(column).where(~exists().where(DataKey.id == column)).distinct().limit(_MOST)
        found.update(session.scalars(absent))
    return sorted(found)


def any_keys(session: Session) -> bool:
    """Return whether a data key was ever made: if so, the installation is not new."""
    return session.execute(select(DataKey.id).limit(1)).first() is not None


def _opens(keyring: Keyring, key_id: str) -> bool:
    try:
        keyring.warm([key_id])
    except MasterKeyWrong:
        return False
    return True
