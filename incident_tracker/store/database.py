"""The engine, the unit of work, and every difference between SQLite and PostgreSQL.

SQLite: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE` for writers only, a priority lock so that alarms go before
imports, the wrapped keys attached as a file of their own, and a watch on both files: a database that was removed or
replaced while running is never silently followed by a new empty one.
PostgreSQL: lock and idle timeouts; the keys in a schema of their own.
"""

import heapq
import itertools
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from incident_tracker.domain.errors import Refusal, phrase

BUSY_SECONDS = 15


class NotSaved(Refusal):
    """The database could not take the change; nothing of it was kept."""

    message = "Not saved: %(why)s. What you wrote is still here. Try again, or copy the text."


class DatabaseMissing(NotSaved):
    """There is no database where the settings point."""

    message = (
        "There is no database at %(where)s. Run the command in the folder of the installation, or name its settings "
        "with --config. For a new installation, `incident-tracker db upgrade` creates the database."
    )


class DatabaseReplaced(NotSaved):
    """The database file was removed or exchanged under a running process."""

    message = "The database file %(where)s was removed or replaced while running. Stop the service and put it back."


_WHY = {
    "SQLITE_FULL": phrase("the disk is full"),
    "SQLITE_READONLY": phrase("the database is read-only"),
    "SQLITE_CANTOPEN": phrase("the database file cannot be opened"),
    "SQLITE_BUSY": phrase("the database is busy"),
    "SQLITE_LOCKED": phrase("the database is busy"),
    "SQLITE_CORRUPT": phrase("the database file is damaged; stop the service and restore a backup"),
    "SQLITE_NOTADB": phrase("the file is not a database; stop the service and restore a backup"),
    "SQLITE_IOERR_SHMSIZE": phrase("the disk is full"),
    "SQLITE_IOERR": phrase("the disk reports an error"),
}
_WHY_BY_SQLSTATE = {
    "08": phrase("the database server does not answer"),
    "25006": phrase("the database is read-only"),
    "25P03": phrase("the database server does not answer"),
    "40001": phrase("the database is busy"),
    "40P01": phrase("the database is busy"),
    "53100": phrase("the disk is full"),
    "53": phrase("the database is busy"),
    "55P03": phrase("the database is busy"),
    "57014": phrase("the database is busy"),
    "57P": phrase("the database server does not answer"),
    "58": phrase("the disk reports an error"),
    "XX001": phrase("the database file is damaged; stop the service and restore a backup"),
    "XX002": phrase("the database file is damaged; stop the service and restore a backup"),
}
"""By how a state begins, the more exact first. https://www.postgresql.org/docs/current/errcodes-appendix.html"""


class PriorityLock:
    """A lock that lets the urgent go first. Among equals, who came first."""

    def __init__(self) -> None:
        """Start free."""
        self._condition = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._held = False
        self._holder: int | None = None

    @contextmanager
    def hold(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock for the block. Inside it the same thread would wait for itself: that raises instead."""
        if self._holder == threading.get_ident():
            raise RuntimeError("a unit of work inside a unit of work")
        with self._condition:
            place = (0 if urgent else 1, next(self._numbers))
            heapq.heappush(self._waiting, place)
            self._condition.wait_for(lambda: not self._held and self._waiting[0] == place)
            heapq.heappop(self._waiting)
            self._held, self._holder = True, threading.get_ident()
        try:
            yield
        finally:
            with self._condition:
                self._held, self._holder = False, None
                self._condition.notify_all()


class Database:
    """One database. `reading()` and `writing()` give a session that is one unit of work."""

    def __init__(self, url: str | URL, keyring_file: Path | None = None) -> None:
        """Prepare the engine; nothing is opened yet. `keyring_file` is needed on SQLite only."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.file = Path(self.url.database or "") if self.is_sqlite else None
        self.keyring_file = keyring_file
        self._lock = PriorityLock()
        self._identities: dict[Path, tuple[int, int]] = {}
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgresql_engine()
        self._writer = self.engine.execution_options(writes=True)

    def create(self) -> None:
        """Make the empty files of a new SQLite database (or the keyring schema); keep what is there."""
        if self.file is None:
            with self.engine.begin() as connection:
                connection.execute(text("CREATE SCHEMA IF NOT EXISTS keyring"))
            return
        for file in (self.file, self._keyring()):
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session for reading; whatever is written in it is thrown away."""
        with self._translated():
            self._watch_files()
            with Session(self.engine, expire_on_commit=False) as session:
                yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a session that reads one moment, however long it takes; writers do not wait for it."""
        with self._translated():
            self._watch_files()
            moment = (
                self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
            )
            with Session(moment, expire_on_commit=False) as session:
                self.take_time(session)
                yield session

    def take_time(self, session: Session) -> None:
        """Let the statements of this transaction take as long as they need."""
        if not self.is_sqlite:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    @contextmanager
    def writing(self, *, urgent: bool = False) -> Iterator[Session]:
        """Give a session whose changes are committed together at the end, or not at all."""
        with self._translated(), self._turn(urgent=urgent):
            self._watch_files()
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session

    def empty_log(self) -> bool:
        """Write SQLite's write-ahead log back and empty it, so that deleted rows leave the disk.

        Return whether that was possible: while somebody reads it is left for the next time, and nobody waits for it.
        """
        if not self.is_sqlite:
            return True
        with self._translated(), self._turn(urgent=False):
            self._watch_files()
            connection = self._connect()
            try:
                connection.execute("PRAGMA busy_timeout = 0")
                checkpoints = [f"PRAGMA {schema}.wal_checkpoint(TRUNCATE)" for schema in ("main", "keyring")]
                return not any(connection.execute(one).fetchone()[0] for one in checkpoints)
            except sqlite3.OperationalError:
                return False
            finally:
                connection.close()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _turn(self, *, urgent: bool) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        with self._lock.hold(urgent=urgent):
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            trouble = self._trouble(error)
            if trouble is None:
                raise
            raise trouble from error

    def _trouble(self, error: DBAPIError) -> NotSaved | None:
        if not self.is_sqlite:
            why = _why_of_postgresql(error)
            return NotSaved(why=why) if why else None
        name = getattr(error.orig, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_CANTOPEN") and self.file is not None and not self.file.exists():
            return DatabaseMissing(where=self.file)
        why = next((words for start, words in _WHY.items() if name.startswith(start)), None)
        return NotSaved(why=why) if why else None

    def _watch_files(self) -> None:
        if self.file is None:
            return
        for file in (self.file, self._keyring()):
            try:
                found = file.stat()
            except FileNotFoundError:
                if file in self._identities:
                    raise DatabaseReplaced(where=file) from None
                if file == self.file:
                    raise DatabaseMissing(where=file) from None
                continue  # a register without its keys: opening it says so
            if self._identities.setdefault(file, (found.st_dev, found.st_ino)) != (found.st_dev, found.st_ino):
                raise DatabaseReplaced(where=file)

    def _keyring(self) -> Path:
        if self.keyring_file is None:
            raise ValueError("SQLite needs a file for the keyring")
        return self.keyring_file

    def _sqlite_engine(self) -> Engine:
        engine = create_engine(
            "sqlite://", creator=self._connect, poolclass=QueuePool, pool_size=20, hide_parameters=True
        )
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{self.file}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        try:
            connection.execute("ATTACH DATABASE ? AS keyring", (f"file:{self._keyring()}?mode=rw",))
            for schema in ("main", "keyring"):
                connection.execute(f"PRAGMA {schema}.journal_mode = WAL")
                connection.execute(f"PRAGMA {schema}.synchronous = FULL")
                connection.execute(f"PRAGMA {schema}.secure_delete = ON")
                connection.execute(f"PRAGMA {schema}.journal_size_limit = 16777216")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA temp_store = MEMORY")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _postgresql_engine(self) -> Engine:
        engine = create_engine(self.url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine


def _why_of_postgresql(error: DBAPIError) -> str | None:
    """Return why the server took nothing; None where the fault is ours. Without a state no server was reached."""
    state = getattr(error.orig, "sqlstate", None)
    if not state:
        broken = isinstance(error, OperationalError) or error.connection_invalidated
        return phrase("the database server does not answer") if broken else None
    why = next((words for start, words in _WHY_BY_SQLSTATE.items() if state.startswith(start)), None)
    return phrase("the database server does not answer") if why is None and error.connection_invalidated else why


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(dbapi_connection: Any, _record: ConnectionPoolEntry) -> None:
    before = dbapi_connection.autocommit
    dbapi_connection.autocommit = True
    with dbapi_connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '8s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '30s'")
        cursor.execute("SET statement_timeout = '60s'")
        cursor.execute("SET timezone = 'UTC'")
    dbapi_connection.autocommit = before
