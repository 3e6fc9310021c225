"""Readings of lists of people: how far each came, and the rows it refused, sealed under the people key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.telling import PeopleImportRow, RefusedRowsRow

READING, FINISHED, BROKEN_OFF, STOPPED = "reading", "finished", "broken_off", "stopped"
_NAME, _COLUMNS, _TROUBLE = "people_imports.file_name", "people_imports.columns", "people_imports.trouble"
_REFUSED = "refused_rows.sealed"
_AT_ONCE = 4
"""Pieces of refused rows that are opened together; one may hold two million signs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a list. `shape` says how the file was understood: encoding, delimiter, heads, columns, left_out.

    `trouble` is why it broke off: a sentence of the catalogue and what fills it.
    """

    id: str
    controller_id: int
    incident_id: int
    state: str
    file_name: str
    total_bytes: int
    read_bytes: int
    read: int
    accepted: int
    duplicates: int
    refused: int
    warned: int
    shape: dict[str, Any]
    trouble: list[Any]
    imported_by: str
    started_at: datetime
    beat_at: datetime
    finished_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a reading came: bytes of the file, rows by what became of them."""

    read_bytes: int = 0
    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    warned: int = 0


def add(session: Session, keyring: Keyring, key_id: str, new: Reading) -> None:
    """Insert a reading that begins."""
    session.execute(
        insert(PeopleImportRow).values(
            id=new.id,
            controller_id=new.controller_id,
            incident_id=new.incident_id,
            state=new.state,
            file_name=keyring.seal_text(key_id, _NAME, new.file_name),
            total_bytes=new.total_bytes,
            columns=keyring.seal(key_id, _COLUMNS, to_json(new.shape)),
            imported_by=new.imported_by,
            started_at=new.started_at,
            beat_at=new.beat_at,
        )
    )


def advance(session: Session, import_id: str, counts: Counts, now: datetime) -> bool:
    """Write how far a reading came; return False if it is to go no further because somebody stopped it."""
    statement = update(PeopleImportRow).where(PeopleImportRow.id == import_id, PeopleImportRow.state == READING)
    done = session.execute(statement.values(**_values(counts), beat_at=now))
    return _touched(done)


def end(session: Session, import_id: str, state: str, now: datetime, trouble: bytes | None = None) -> bool:
    """End a reading that is under way; return whether it was. Its entry in the journal is still to be written."""
    statement = update(PeopleImportRow).where(PeopleImportRow.id == import_id, PeopleImportRow.state == READING)
    return _touched(session.execute(statement.values(state=state, beat_at=now, trouble=trouble)))


def close(session: Session, import_id: str, now: datetime) -> bool:
    """Mark that the journal has its entry; return False if somebody else was faster."""
    statement = update(PeopleImportRow).where(
        PeopleImportRow.id == import_id, PeopleImportRow.finished_at.is_(None), PeopleImportRow.state != READING
    )
    return _touched(session.execute(statement.values(finished_at=now)))


def mark_removed(session: Session, import_id: str, now: datetime) -> None:
    """Mark that the people of a reading were taken off the list, and forget the rows it refused."""
    session.execute(delete(RefusedRowsRow).where(RefusedRowsRow.import_id == import_id))
    session.execute(update(PeopleImportRow).where(PeopleImportRow.id == import_id).values(removed_at=now))


def get(session: Session, keyring: Keyring, scope: Scope, incident_id: int, import_id: str) -> Reading:
    """Return one reading, or refuse alike whether it is missing or belongs elsewhere."""
    statement = _scoped(select(PeopleImportRow), scope).where(
        PeopleImportRow.incident_id == incident_id, PeopleImportRow.id == import_id
    )
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound(what=import_id)
    return _reading(keyring, row)


def of_incident(session: Session, keyring: Keyring, scope: Scope, incident_id: int) -> list[Reading]:
    """Return the readings of an incident, the newest first."""
    statement = _scoped(select(PeopleImportRow), scope).where(PeopleImportRow.incident_id == incident_id)
    return [_reading(keyring, row) for row in session.scalars(statement.order_by(PeopleImportRow.id.desc()))]


def silent(session: Session, before: datetime) -> list[tuple[str, str]]:
    """Return (id, state) of readings without an entry in the journal that gave no sign of life since `before`."""
    statement = select(PeopleImportRow.id, PeopleImportRow.state).where(
        PeopleImportRow.finished_at.is_(None), PeopleImportRow.beat_at < before
    )
    return [(row.id, row.state) for row in session.execute(statement)]


def find(session: Session, keyring: Keyring, scope: Scope, import_id: str) -> Reading | None:
    """Return a reading of whatever incident, None if there is none."""
    row = session.scalars(
        _scoped(select(PeopleImportRow), scope).where(PeopleImportRow.id == import_id)
    ).one_or_none()
    return None if row is None else _reading(keyring, row)


def seal_trouble(keyring: Keyring, key_id: str, trouble: list[Any]) -> bytes:
    """Return why a reading broke off, sealed."""
    return keyring.seal(key_id, _TROUBLE, to_json(trouble))


def keep_refused(
    session: Session, keyring: Keyring, key_id: str, controller_id: int, import_id: str, rows: Sequence[Any]
) -> None:
    """Keep rows that were not taken over, or not wholly, sealed together."""
    if rows:
        sealed = keyring.seal(key_id, _REFUSED, to_json(rows))
        session.execute(
            insert(RefusedRowsRow).values(controller_id=controller_id, import_id=import_id, sealed=sealed)
        )


def refused(
    session: Session, keyring: Keyring, scope: Scope, import_id: str, after_id: int = 0
) -> tuple[int, list[Any]]:
    """Return the next rows that were refused, in the order of the file, and where to go on; 0 at the end."""
    statement = select(RefusedRowsRow.id, RefusedRowsRow.sealed).where(
        RefusedRowsRow.import_id == import_id, RefusedRowsRow.id > after_id
    )
    if scope is not None:
        statement = statement.where(RefusedRowsRow.controller_id.in_(scope))
    rows = session.execute(statement.order_by(RefusedRowsRow.id).limit(_AT_ONCE)).all()
    gathered = [one for row in rows for one in from_json(keyring.open(_REFUSED, row.sealed))]
    return (rows[-1].id if rows else 0), gathered


def with_refused(session: Session, scope: Scope, import_ids: Collection[str]) -> set[str]:
    """Return which of these readings refused rows, or took some over not wholly."""
    statement = select(RefusedRowsRow.import_id).where(RefusedRowsRow.import_id.in_(import_ids)).distinct()
    if scope is not None:
        statement = statement.where(RefusedRowsRow.controller_id.in_(scope))
    return set(session.scalars(statement))


def _values(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in Counts.__slots__}


def _touched(result: Any) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(PeopleImportRow.controller_id.in_(scope))


def _reading(keyring: Keyring, row: PeopleImportRow) -> Reading:
    shape = from_json(keyring.open(_COLUMNS, row.columns)) if row.columns else {}
    return Reading(
        id=row.id,
        controller_id=row.controller_id,
        incident_id=row.incident_id,
        state=row.state,
        file_name=keyring.open_text(_NAME, row.file_name),
        total_bytes=row.total_bytes,
        read_bytes=row.read_bytes,
        read=row.read,
        accepted=row.accepted,
        duplicates=row.duplicates,
        refused=row.refused,
        warned=row.warned,
        shape=shape,
        trouble=from_json(keyring.open(_TROUBLE, row.trouble)) if row.trouble else [],
        imported_by=row.imported_by,
        started_at=row.started_at,
        beat_at=row.beat_at,
        finished_at=row.finished_at,
        removed_at=row.removed_at,
    )
