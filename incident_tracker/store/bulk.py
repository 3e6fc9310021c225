"""Many rows in one statement.

A statement for each row costs a change of thread for each row in SQLite and a parameter set in PostgreSQL; here the
rows travel as one JSON array. Beside `database.py` the one place that knows the two apart.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session


class Bulk:
    """A statement with `{rows}` where its rows go; `columns` names them in order, with their PostgreSQL types.

    Bytes, which JSON cannot carry, travel beside it, one after the other: see `Bytes`.
    """

    def __init__(self, statement: str, columns: Mapping[str, str]) -> None:
        """Write both forms."""
        here = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
        there = ", ".join(f"CAST(one ->> {place} AS {kind}) AS {name}" for place, (name, kind) in _numbered(columns))
        self._sqlite = text(statement.format(rows=f"(SELECT {here} FROM json_each(:rows))"))  # noqa: S608 - ours
        array = "jsonb_array_elements(CAST(:rows AS jsonb)) AS all_of_it(one)"
        self._postgresql = text(statement.format(rows=f"(SELECT {there} FROM {array})"))  # noqa: S608 - ours

    def run(self, session: Session, rows: Sequence[Sequence[Any]], **beside: Any) -> int:
        """Execute it for all rows; return how many rows of the table were written.

        `beside` are further parameters that the statement names, the same for all rows.
        """
        return self._execute(session, rows, beside).rowcount if rows else 0

    def found(self, session: Session, rows: Sequence[Sequence[Any]], **beside: Any) -> Sequence[Any]:
        """Execute a statement that reads; return what it finds for all rows."""
        return self._execute(session, rows, beside).all() if rows else []

    def _execute(
        self, session: Session, rows: Sequence[Sequence[Any]], beside: Mapping[str, Any]
    ) -> CursorResult[Any]:
        connection = session.connection()
        sqlite = connection.dialect.name == "sqlite"
        written = json.dumps(rows, default=_sqlite_time if sqlite else _postgresql_time, separators=(",", ":"))
        return connection.execute(self._sqlite if sqlite else self._postgresql, {"rows": written, **beside})


class Bytes:
    """Many values of bytes in one parameter; a row says where its own begins (from 1) and how long it is.

    A statement takes one out with `substr(:blobs, start, length)`.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._all = bytearray()

    def add(self, value: bytes) -> tuple[int, int]:
        """Append a value; return where it begins and how long it is."""
        start = len(self._all) + 1
        self._all += value
        return start, len(value)

    def all(self) -> bytes:
        """Return what the statement's parameter is."""
        return bytes(self._all)


def _numbered(columns: Mapping[str, str]) -> enumerate[tuple[str, str]]:
    return enumerate(columns.items())


@lru_cache(256)
def _sqlite_time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@lru_cache(256)
def _postgresql_time(value: datetime) -> str:
    return value.isoformat()
