"""An installation on its machine: its folder, its lock, its database brought up to date, its master key."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from incident_tracker import bootstrap
from incident_tracker.cli.program import SomethingIsBroken
from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.settings import Settings
from incident_tracker.store import migrations, soundness
from incident_tracker.store.database import Database, DatabaseMissing

LOCK = "clock.lock"


class FolderUnusable(SomethingIsBroken):
    """The data folder cannot be made or written."""

    message = "%(where)s cannot be written: %(why)s."


class DatabaseIsGone(SomethingIsBroken):
    """There was a database here: its keys are left. A new empty one would hide the loss."""

    message = (
        "There is no database at %(where)s, but its keys lie in %(keys)s. Put the database back, or restore a backup."
        " For a new installation, move the keys away first."
    )


class MigrationFailed(SomethingIsBroken):
    """A migration did not succeed; it was one transaction, so the database is as it was."""

    message = "The database could not be brought up to date (%(kind)s). It is as it was before. Nothing was started."


class ClockRunsAlready(Refusal):
    """A second clock on the same SQLite would send everything twice."""

    message = "Another `serve` or `worker` (process %(process)s) runs on %(where)s. Stop it first."


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What bringing the database up to date did: from which migration (None: it was made) to which."""

    before: str | None
    after: str
    made_key: bool


def upgrade(settings: Settings) -> Upgraded:
    """Make folder and database where they are missing, migrate, and give a new installation its master key."""
    database = bootstrap.open_database(settings)
    try:
        with writable(settings.data.dir.absolute()):
            settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            before, after = _migrate(database)
        with writable(settings.master_key_file.absolute()):
            made = not _has_keys(database) and bootstrap.make_master_key(settings)
    finally:
        database.close()
    return Upgraded(before, after, made)


@contextmanager
def only_clock(settings: Settings) -> Iterator[None]:
    """Hold the lock against a second `serve` or `worker` on the same SQLite; PostgreSQL takes any number of them."""
    if not settings.database_url.startswith("sqlite"):
        yield
        return
    file = settings.data.dir.absolute() / LOCK
    with writable(file):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(handle, file)
        yield
    finally:
        os.close(handle)


@contextmanager
def writable(where: Path) -> Iterator[None]:
    """Turn what the disk says into a refusal that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno not in _WHY:
            raise
        raise FolderUnusable(where=error.filename or where, why=_WHY[error.errno]) from error


_WHY = {
    errno.ENOSPC: phrase("the disk is full"),
    errno.EDQUOT: phrase("the disk is full"),
    errno.EFBIG: phrase("the disk is full"),
    errno.EROFS: phrase("the disk is read-only"),
    errno.EACCES: phrase("it belongs to another user"),
    errno.EPERM: phrase("it belongs to another user"),
    errno.ENOTDIR: phrase("a file stands where a folder is needed"),
    errno.EEXIST: phrase("a file stands where a folder is needed"),
    errno.EIO: phrase("the disk reports an error"),
}


def _migrate(database: Database) -> tuple[str | None, str]:
    """Return the migration before and after; a newer database that lets this version work is left as it is."""
    before: str | None = None
    try:
        before = migrations.current(database)
        migrations.check(database)
    except DatabaseMissing:
        _must_be_new(database)
    except migrations.DatabaseIsOld:
        pass
    else:
        return before, before or migrations.head()
    try:
        migrations.upgrade(database)
    except (Refusal, OSError):
        raise
    except Exception as error:
        from incident_tracker.cli import log  # noqa: PLC0415 - only when something went wrong

        log.unexpected(error)
        raise MigrationFailed(kind=type(error).__name__) from error
    return before, migrations.head()


def _must_be_new(database: Database) -> None:
    kept = database.keyring_file
    if database.file is not None and kept is not None and kept.exists() and kept.stat().st_size:
        raise DatabaseIsGone(where=database.file, keys=kept)


def _has_keys(database: Database) -> bool:
    with database.reading() as session:
        return soundness.any_keys(session)


def _lock(handle: int, file: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.read(handle, 20).decode("ascii", "replace").strip() or "?"
        raise ClockRunsAlready(process=process, where=file.parent) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
