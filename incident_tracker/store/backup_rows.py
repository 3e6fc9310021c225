"""Every row of the register as records that either database takes back; the wrapped data keys apart from the rest."""

import base64
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, LargeBinary, column, delete, func, insert, select, table, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType, TypeEngine

from incident_tracker.store.database import Database
from incident_tracker.store.tables import KEYRING, Table
from incident_tracker.store.tables.incidents import JournalHeadRow, JournalRow
from incident_tracker.store.tables.keys import DataKey
from incident_tracker.store.tables.outbox import HeartbeatRow
from incident_tracker.store.tables.types import UtcDateTime

BATCH = 500
"""Rows read, written and kept in memory together."""
FILED = ("attachments", "agreements")
"""Tables each of whose rows has a file of its id."""
_NAMES_A_KEY = frozenset({"record_key", "people_key", "key_id"})
_IN_USE = ("controllers", "users", "incidents", "journal")
"""Whoever has a row in one of these has something to lose."""
_TYPES: Mapping[str, TypeEngine[Any]] = {"time": UtcDateTime(), "bytes": LargeBinary(), "bool": Boolean()}


@dataclass
class Seen:
    """What came by while rows were written or read: how many, which keys they name, which files belong to them."""

    rows: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def take(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take note of some rows of a table."""
        self.rows[name] = self.rows.get(name, 0) + len(rows)
        for place, one in enumerate(columns):
            if one in _NAMES_A_KEY:
                self.keys.update(row[place] for row in rows if row[place])
            if one == "id" and name in FILED:
                self.files.update(row[place] for row in rows)


def tables() -> list[SqlTable]:
    """Return the tables of the register in an order in which each finds what it points to; without the keys."""
    return [one for one in Table.metadata.sorted_tables if one.schema != KEYRING]


def dump(session: Session, write: Callable[..., None], seen: Seen) -> None:
    """Give every row of the register to `write`, some at a time."""
    for one in tables():
        _dump(session, one, write, seen)


def _dump(session: Session, one: SqlTable, write: Callable[..., None], seen: Seen) -> None:
    columns = [[each.name, _kind(each.type)] for each in one.columns]
    names = [each.name for each in one.columns]
    write(table=one.name, columns=columns)
    order = list(one.primary_key.columns)
    result = session.execute(select(*one.columns).order_by(*order).execution_options(yield_per=BATCH))
    for part in result.partitions():
        rows = [tuple(row) for row in part]
        seen.take(one.name, names, rows)
        write(rows=[[_plain(value) for value in row] for row in rows])


def dump_keys(session: Session) -> list[dict[str, Any]]:
    """Return every wrapped data key; one that was destroyed has no `wrapped` and says when."""
    rows = session.execute(select(*DataKey.__table__.columns).order_by(DataKey.created_at, DataKey.id))
    return [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]  # noqa: SLF001 - its name


def head(session: Session) -> tuple[int, bytes]:
    """Return the head of the journal; the first question of a snapshot, which pins the register before the keys."""
    row = session.execute(select(JournalHeadRow.seq, JournalHeadRow.hash)).one()
    session.execute(select(func.count()).select_from(DataKey)).one()
    return row.seq, row.hash


def empty(session: Session) -> None:
    """Take out what a new database holds by itself: nobody uses it yet (`is_in_use` says so)."""
    for one in reversed(tables()):
        if one.name != JournalRow.__tablename__ and _exists(session, one.name):
            session.execute(delete(one))


def is_in_use(session: Session) -> bool:
    """Return whether anybody has begun to work in this database."""
    return any(
        _exists(session, name) and session.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() is not None  # noqa: S608 - our names
        for name in _IN_USE
    )


def has_clock_since(session: Session, at: datetime) -> bool:
    """Return whether a node gave a sign of life on a PostgreSQL database; SQLite has a lock against that."""
    if session.get_bind().dialect.name == "sqlite" or not _exists(session, HeartbeatRow.__tablename__):
        return False
    found = select(HeartbeatRow.node).where(HeartbeatRow.beat_at > at).limit(1)
    return session.execute(found).first() is not None


def load(session: Session, name: str, columns: Sequence[Sequence[str]], rows: Sequence[Sequence[Any]]) -> None:
    """Insert some rows as they were dumped; the table may be older than this version's."""
    if not rows:
        return
    target = table(name, *(column(one, _TYPES.get(kind, NullType())) for one, kind in columns))
    read = [_READ.get(kind) for _, kind in columns]
    names = [one for one, _ in columns]
    session.execute(
        insert(target),
        [
            {
                one: value if change is None or value is None else change(value)
                for one, change, value in zip(names, read, row, strict=True)
            }
            for row in rows
        ],
    )


def load_keys(session: Session, keys: Iterable[Mapping[str, Any]]) -> None:
    """Put the wrapped data keys in place of whatever the new database made."""
    session.execute(delete(DataKey))
    rows = [
        dict(one)
        | {
            "wrapped": _bytes(one["wrapped"]) if one["wrapped"] else None,
            "created_at": _time(one["created_at"]),
            "destroyed_at": _time(one["destroyed_at"]) if one["destroyed_at"] else None,
        }
        for one in keys
    ]
    if rows:
        session.execute(insert(DataKey), rows)


def forgotten_in(keyring_file: Path) -> set[str]:
    """Return the ids of the keys that were destroyed in an SQLite installation's key file; none if unreadable."""
    try:
        connection = sqlite3.connect(f"file:{keyring_file}?mode=ro", uri=True)
    except sqlite3.Error:
        return set()
    with contextlib.closing(connection), contextlib.suppress(sqlite3.Error):
        return {str(row[0]) for row in connection.execute("SELECT id FROM data_keys WHERE wrapped IS NULL")}
    return set()


def go_on_counting(database: Database, session: Session) -> None:
    """Let the numbers of new rows go on after those that were put back; SQLite does so by itself."""
    if database.is_sqlite:
        return
    for one in tables():
        for key in one.primary_key.columns:
            where = {"name": one.name, "key": key.name}
            sequence = session.scalar(text("SELECT pg_get_serial_sequence(:name, :key)"), where)
            if sequence is not None:
                highest = session.scalar(select(func.max(key)))
                session.execute(
                    text("SELECT setval(:sequence, :value, :used)"),
                    {"sequence": sequence, "value": highest or 1, "used": highest is not None},
                )


def _exists(session: Session, name: str) -> bool:
    return session.connection().dialect.has_table(session.connection(), name)


def _kind(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, UtcDateTime):
        return "time"
    return "bytes" if isinstance(kind, LargeBinary) else "bool" if isinstance(kind, Boolean) else "plain"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _bytes(written: str) -> bytes:
    return base64.b64decode(written, validate=True)


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)


_READ: Mapping[str, Callable[[str], Any]] = {"time": _time, "bytes": _bytes}
