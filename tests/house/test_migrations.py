"""The tables come from the migrations alone, and a migration happens whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, text, update
from sqlalchemy.exc import IntegrityError

from incident_tracker import bootstrap
from incident_tracker.store import installation, migrations
from incident_tracker.store.database import Database, DatabaseMissing
from incident_tracker.store.migrations import DatabaseIsNewer, DatabaseIsOld
from incident_tracker.store.tables import KEYRING, Table
from incident_tracker.store.tables.incidents import JournalHeadRow
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.conftest import KEYRING_FILE
from tests.delivery.world import make_world
from tests.makers import START, make_settings


class PlantedError(Exception):
    """A migration breaks here."""


@pytest.fixture
def empty(empty_database_url: str, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database that is this test's own."""
    opened = Database(empty_database_url, tmp_path / KEYRING_FILE)
    yield opened
    opened.close()


def tables(database: Database) -> set[str]:
    with database.reading() as session:
        inspector = inspect(session.connection())
        names = {name for schema in (None, KEYRING) for name in _names(inspector, schema)}
    return names - {"alembic_version"}


def _names(inspector: Any, schema: str | None) -> list[str]:
    known = inspector.get_schema_names()
    return inspector.get_table_names(schema=schema) if schema is None or schema in known else []


def test_there_is_one_head() -> None:
    assert len(migrations.script().get_heads()) == 1


def test_the_migrations_make_every_table_of_the_model(empty: Database) -> None:
    migrations.upgrade(empty)
    assert tables(empty) == {table.name for table in Table.metadata.tables.values()}
    migrations.check(empty)


def test_the_model_says_what_the_migrations_made(database: Database) -> None:
    with database.writing() as session:
        options = {"include_schemas": True, "compare_type": True, "compare_server_default": False}
        context = MigrationContext.configure(session.connection(), opts=options)
        found = [one for one in compare_metadata(context, Table.metadata) if "alembic_version" not in str(one)]
        session.rollback()
    assert found == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before = migrations.current(database)
    migrations.upgrade(database)
    assert migrations.current(database) == before
    with database.reading() as session:
        assert session.query(JournalHeadRow).count() == 1


def test_a_new_database_begins_with_an_empty_journal(database: Database) -> None:
    with database.reading() as session:
        head = session.query(JournalHeadRow).one()
    assert (head.seq, head.hash) == (0, bytes(32))


@pytest.mark.parametrize("statement", [1, 5, 20, 40])
def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Database, statement: int) -> None:
    empty.create()
    seen = 0

    def break_off(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            raise PlantedError

    event.listen(empty.engine, "before_cursor_execute", break_off)
    with pytest.raises(PlantedError):
        migrations.upgrade(empty)
    event.remove(empty.engine, "before_cursor_execute", break_off)
    assert tables(empty) == set()
    assert migrations.current(empty) is None
    migrations.upgrade(empty)
    migrations.check(empty)


def test_nothing_starts_on_a_database_that_lacks_migrations(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    with pytest.raises(DatabaseMissing):
        bootstrap.build(settings)
    bootstrap.open_database(settings).create()
    with pytest.raises(DatabaseIsOld, match="db upgrade"):
        bootstrap.build(settings)


def stamp(database: Database, revision: str) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_a_newer_database_is_refused_where_it_is_closed_to_this_version(database: Database) -> None:
    stamp(database, "9999")
    with database.writing() as session:
        installation.put(session, migrations.MINIMUM_VERSION, "99.0.0", START)
    with pytest.raises(DatabaseIsNewer, match="9999"):
        migrations.check(database)


def test_a_newer_database_that_is_open_to_this_version_is_worked_with(database: Database) -> None:
    stamp(database, "9999")
    with database.writing() as session:
        installation.put(session, migrations.MINIMUM_VERSION, "0.0.1", START)
    migrations.check(database)


def test_an_exercise_cannot_be_given_to_a_notifier_that_leaves_the_house(database: Database) -> None:
    world = make_world(database)
    world.enqueue(local_only=True)
    with pytest.raises(IntegrityError, match="exercise_stays_here"), database.writing() as session:
        session.execute(update(DeliveryRow).values(notifier="twilio_sms"))
