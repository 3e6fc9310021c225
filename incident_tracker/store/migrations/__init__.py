"""The migrations: found in code, one head, run before anything else touches the database."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from incident_tracker import __version__
from incident_tracker.domain.errors import Refusal
from incident_tracker.store import installation
from incident_tracker.store.database import Database

_HERE = Path(__file__).parent
MINIMUM_VERSION = "minimum_version"


class DatabaseIsOld(Refusal):
    """The database lacks migrations that this version needs."""

    message = (
        "The database is older than this version (%(found)s, %(wanted)s is needed). "
        "Run `incident-tracker db upgrade`."
    )


class DatabaseIsNewer(Refusal):
    """The database was migrated by a newer version than this one."""

    message = "The database was made by a newer version (%(found)s). Install that version, or a later one."


def is_above(version: str) -> bool:
    """Return whether a version is newer than this one."""
    return _numbers(version) > _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def script() -> ScriptDirectory:
    """Return the directory of migrations."""
    return ScriptDirectory.from_config(config())


def head() -> str:
    """Return the newest migration; two heads are a mistake of ours and raise."""
    newest = script().get_current_head()
    if newest is None:
        raise RuntimeError("there are no migrations")
    return newest


def current(database: Database) -> str | None:
    """Return the migration at which the database stands, None when it is empty."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def check(database: Database) -> None:
    """Refuse a database that is older than this version, or that a newer version closed to this one.

    A migration that old nodes cannot live with raises `minimum_version` in the table `installation`; every other one
    leaves it, so that old and new nodes run together during an upgrade.
    """
    found, wanted = current(database), head()
    if found == wanted:
        return
    if found is not None and not known(found):
        with database.reading() as session:
            minimum = installation.get(session, MINIMUM_VERSION)
        if minimum is None or is_above(minimum):
            raise DatabaseIsNewer(found=found)
        return
    raise DatabaseIsOld(found=found or "empty", wanted=wanted)


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the database to the newest migration in one transaction; a failure leaves it as it was."""
    database.create()
    with database.writing(urgent=True) as session:
        if not database.is_sqlite:
            session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(728072)")
        upgrade_in(session, to)


def upgrade_in(session: Session, to: str = "head") -> None:
    """Bring the database to a migration inside a transaction that does more."""
    settings = config()
    settings.attributes["connection"] = session.connection()
    command.upgrade(settings, to)


def known(revision: str) -> bool:
    """Return whether this version knows a migration."""
    return revision in {one.revision for one in script().walk_revisions()}


def config() -> Config:
    """Return the settings of Alembic; there is no file for them."""
    settings = Config()
    settings.set_main_option("script_location", str(_HERE))
    return settings
