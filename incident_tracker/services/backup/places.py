"""Where a restored installation goes: whether somebody works there, the folder it is built in, the move."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from incident_tracker.domain.errors import Refusal
from incident_tracker.services.backup import whole
from incident_tracker.services.backup.making import ANCHORS, FORMS
from incident_tracker.settings import Settings
from incident_tracker.store import backup_rows
from incident_tracker.store.database import Database, DatabaseMissing, NotSaved

POSTGRESQL = "postgresql"
_STAGE = ".restoring"
_KEYS = "keys.sqlite3"
_REGISTER = "incident-tracker.sqlite3"
_ATTACHMENTS = "attachments"
_RECENTLY = timedelta(seconds=30)
_BESIDE = ("-wal", "-shm")


class ServiceRuns(Refusal):
    """A clock ticks on the database into which should be restored."""

    message = "A `serve` or `worker` runs on this database. Stop every one of them, wait a minute, then restore."


class NotEmpty(Refusal):
    """Somebody works here already."""

    message = (
        "There is an installation here already (%(where)s). Restore on an empty machine or into an empty folder; "
        "with --replace, what is here is moved aside first."
    )


def in_use(settings: Settings, now: datetime) -> str | None:
    """Return what is in use here: a path, or POSTGRESQL; None where a backup can be restored.

    Raises ServiceRuns where a clock ticks on the database: what it remembers of the keys would no longer be true.
    """
    database = _database(settings)
    try:
        with database.reading() as session:
            used = backup_rows.is_in_use(session)
            if backup_rows.has_clock_since(session, now - _RECENTLY):
                raise ServiceRuns
    except DatabaseMissing:
        used = False
    except NotSaved:
        if not database.is_sqlite:
            raise
        used = True  # damaged, and therefore somebody's
    finally:
        database.close()
    if used:
        return str(database.file) if database.is_sqlite else POSTGRESQL
    data = settings.data.dir.absolute()
    evidence = data / _ATTACHMENTS
    left = [data / ANCHORS, *(evidence.iterdir() if evidence.is_dir() else ())]
    if database.is_sqlite and not (database.file and database.file.exists()):
        left.append(data / _KEYS)
    return next((str(one) for one in left if one.exists() and (one.is_dir() or one.stat().st_size)), None)


def live_forgotten(settings: Settings) -> set[str]:
    """Return the keys that were destroyed in the installation that lies here: a restore does not bring them back."""
    file = settings.data.dir.absolute() / _KEYS
    return backup_rows.forgotten_in(file) if file.is_file() and settings.database_url.startswith("sqlite") else set()


@contextmanager
def stage(settings: Settings) -> Iterator[Settings]:
    """Give settings of an empty folder inside the data folder, where the new installation is built; it goes again."""
    data = settings.data.dir.absolute()
    folder = data / _STAGE
    with whole.told(data):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
    values = {
        "data": settings.data.model_copy(update={"dir": folder}),
        "security": settings.security.model_copy(update={"master_key_file": settings.master_key_file.absolute()}),
    }
    if settings.database_url.startswith("sqlite"):
        values["database"] = settings.database.model_copy(update={"url": f"sqlite:///{folder / _REGISTER}"})
    try:
        yield settings.model_copy(update=values)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_in(settings: Settings, staged: Settings, now: datetime) -> Path | None:
    """Move what was built into place, the register last; return where what lay there was moved, if anything did."""
    data, new = settings.data.dir.absolute(), staged.data.dir
    pairs = [(new / name, data / name) for name in (_ATTACHMENTS, FORMS, ANCHORS)]
    old = [here for _, here in pairs if here.exists()]
    register = _database(settings).file
    if register is not None:
        pairs += [(new / _KEYS, data / _KEYS), (new / _REGISTER, register)]
        for here in (data / _KEYS, register):
            old += [one for one in (here, *(Path(f"{here}{ending}") for ending in _BESIDE)) if one.exists()]
    aside = data / f"replaced-{now:%Y%m%dT%H%M%SZ}"
    with whole.told(data):
        if old:
            aside.mkdir(mode=0o700)
        for one in old:
            shutil.move(one, aside / one.name)
        for built, here in pairs:
            if built.exists():
                here.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.move(built, here)
        whole.sync(data)
    return aside if old else None


def _database(settings: Settings) -> Database:
    return Database(settings.database_url, settings.data.dir.absolute() / _KEYS)
