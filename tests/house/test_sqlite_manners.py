"""SQLite behaves as the architecture promises: synced commits, one writer, alarms first, nothing deleted stays."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from incident_tracker.store.database import Database, DatabaseMissing, DatabaseReplaced, NotSaved, PriorityLock
from tests.conftest import KEYRING_FILE, SQLITE_FILE
from tests.house import tree

SECRET = "Bagerens-nummer-0101014711"


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated database on SQLite."""
    for name in (SQLITE_FILE, KEYRING_FILE):
        (tmp_path / name).write_bytes((migrated_sqlite / name).read_bytes())
    opened = Database(f"sqlite:///{tmp_path / SQLITE_FILE}", tmp_path / KEYRING_FILE)
    yield opened
    opened.close()


def setting(database: Database, name: str, schema: str = "main") -> Any:
    with database.reading() as session:
        return session.execute(text(f"PRAGMA {schema}.{name}")).scalar()


def insert(database: Database, name: str, value: str = "", *, urgent: bool = False) -> None:
    with database.writing(urgent=urgent) as session:
        session.execute(
            text("INSERT INTO installation (name, value, recorded_at) VALUES (:name, :value, '2026-11-20')"),
            {"name": name, "value": value},
        )


@pytest.mark.parametrize("schema", ["main", "keyring"])
def test_every_connection_syncs_every_commit_and_overwrites_what_it_deletes(database: Database, schema: str) -> None:
    assert setting(database, "journal_mode", schema) == "wal"
    assert setting(database, "synchronous", schema) == 2  # FULL
    assert setting(database, "secure_delete", schema) == 1
    assert setting(database, "foreign_keys") == 1
    assert setting(database, "trusted_schema") == 0


def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text("INSERT INTO reference_numbers (controller_id, series, last) VALUES (4711, '2026', 1)"))


def begins(database: Database) -> list[str]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    return said


def test_only_writers_begin_immediately(database: Database) -> None:
    said = begins(database)
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    insert(database, "a")
    assert said == ["BEGIN", "BEGIN IMMEDIATE"]


def test_a_reader_reads_on_while_somebody_writes(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("INSERT INTO installation (name, value, recorded_at) VALUES ('a', '', '2026-11-20')"))
        with database.reading() as other:
            assert other.execute(text("SELECT count(*) FROM installation WHERE name = 'a'")).scalar() == 0
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM installation WHERE name = 'a'")).scalar() == 1


def test_what_is_written_in_a_reading_session_is_thrown_away(database: Database) -> None:
    with database.reading() as session:
        session.execute(text("INSERT INTO installation (name, value, recorded_at) VALUES ('a', '', '2026-11-20')"))
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM installation WHERE name = 'a'")).scalar() == 0


def test_alarms_go_before_imports_and_equals_in_the_order_they_came() -> None:
    lock = PriorityLock()
    served: list[str] = []
    numbers = itertools.count()
    queued = threading.Semaphore(0)

    def wait(name: str, *, urgent: bool) -> None:
        next(numbers)
        queued.release()
        with lock.hold(urgent=urgent):
            served.append(name)

    with lock.hold(urgent=False):
        threads = []
        for name, urgent in (("import 1", False), ("import 2", False), ("alarm 1", True), ("alarm 2", True)):
            thread = threading.Thread(target=wait, args=(name,), kwargs={"urgent": urgent})
            thread.start()
            threads.append(thread)
            while len(lock._waiting) < len(threads):
                queued.acquire(timeout=0.01)
    for thread in threads:
        thread.join(10)
    assert served == ["alarm 1", "alarm 2", "import 1", "import 2"]


def test_a_holder_that_asks_again_is_told_so_at_once() -> None:
    lock = PriorityLock()
    with lock.hold(urgent=True), pytest.raises(RuntimeError), lock.hold(urgent=True):
        pass
    with lock.hold(urgent=True):
        pass


def test_deleted_text_is_gone_from_the_file_and_from_the_log(database: Database) -> None:
    insert(database, "secret", SECRET)
    assert database.empty_log()
    assert database.file is not None
    log = database.file.with_name(f"{database.file.name}-wal")
    assert SECRET.encode() in database.file.read_bytes()
    with database.writing() as session:
        session.execute(text("DELETE FROM installation WHERE name = 'secret'"))
    assert database.empty_log()
    assert SECRET.encode() not in database.file.read_bytes()
    assert SECRET.encode() not in (log.read_bytes() if log.exists() else b"")


def test_emptying_the_log_waits_for_nobody_who_reads(database: Database) -> None:
    insert(database, "a")
    with database.reading() as session:
        session.execute(text("SELECT * FROM installation")).all()
        insert(database, "b")
        assert not database.empty_log()
    assert database.empty_log()


def test_a_database_that_was_never_there_is_not_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'none.sqlite3'}", tmp_path / KEYRING_FILE)
    with pytest.raises(DatabaseMissing), database.writing():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [SQLITE_FILE, KEYRING_FILE])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_register_or_keyring_removed_or_replaced_while_running_is_refused(
    database: Database,
    tmp_path: Path,
    name: str,
    replaced: bool,  # noqa: FBT001 - parametrized
) -> None:
    insert(database, "a")
    file, away = tmp_path / name, tmp_path / "away.sqlite3"
    file.rename(away)
    if replaced:
        file.write_bytes(away.read_bytes())
    for use in (database.reading, database.writing):
        with pytest.raises(DatabaseReplaced, match=name), use():
            pass
    file.unlink(missing_ok=True)
    away.rename(file)
    insert(database, "b")


def test_a_register_without_its_keyring_is_not_opened(database: Database, tmp_path: Path) -> None:
    (tmp_path / KEYRING_FILE).unlink()
    with pytest.raises(NotSaved, match="cannot be opened"), database.reading() as session:
        session.execute(text("SELECT 1"))
    assert not (tmp_path / KEYRING_FILE).exists()


def test_an_error_never_quotes_what_was_written(database: Database) -> None:
    insert(database, SECRET)
    with pytest.raises(IntegrityError) as caught:
        insert(database, SECRET)
    assert SECRET not in str(caught.value)


def test_a_full_disk_is_said_in_words_and_nothing_of_it_is_kept(database: Database) -> None:
    with database.reading() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar()
    event.listen(database.engine, "begin", lambda one: one.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(NotSaved, match="the disk is full"):
        insert(database, "a", "x" * 10_000_000)
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM installation WHERE name = 'a'")).scalar() == 0


COMMITS = 20
WRITER = """
import sys
from pathlib import Path
from sqlalchemy import text
from incident_tracker.store.database import Database
file, keyring, commits = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
database = Database(f"sqlite:///{file}", keyring)
for number in range(commits):
    with database.writing() as session:
        session.execute(
            text("INSERT INTO installation (name, value, recorded_at) VALUES (:name, '', '2026-11-20')"),
            {"name": str(number)},
        )
    print("committed", number, flush=True)
"""


@pytest.mark.privileged
def test_every_commit_is_synced_to_the_disk(database: Database, tmp_path: Path) -> None:
    assert database.file is not None
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=fdatasync,fsync", "-o", str(trace), sys.executable, "-c", WRITER]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, str(database.file), str(database.keyring_file), str(COMMITS)],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("committed") == COMMITS
    assert trace.read_text("utf-8").count("sync(") >= COMMITS
