"""What PostgreSQL refuses for a reason outside of us is said in words, each by its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from incident_tracker.store.database import Database, NotSaved

pytestmark = pytest.mark.postgresql
READ_ONLY = "DO $$ BEGIN SET LOCAL transaction_read_only = on; CREATE TABLE a (id int); END $$"
WAIT_A_LITTLE = "DO $$ BEGIN SET LOCAL lock_timeout = '50ms'; PERFORM pg_advisory_xact_lock(1); END $$"


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """Give an empty database on a real server."""
    opened = Database(postgres_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("08006", "the database server does not answer"),
        ("57P01", "the database server does not answer"),
        ("25006", "the database is read-only"),
        ("40P01", "the database is busy"),
        ("40001", "the database is busy"),
        ("53300", "the database is busy"),
        ("53100", "the disk is full"),
        ("58030", "the disk reports an error"),
        ("XX001", "the database file is damaged"),
    ],
)
def test_a_trouble_of_the_server_is_named(database: Database, state: str, why: str) -> None:
    with pytest.raises(NotSaved, match=why), database.writing() as session:
        session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"))


def test_a_server_that_takes_no_changes_is_read_only(database: Database) -> None:
    with pytest.raises(NotSaved, match="the database is read-only"), database.writing() as session:
        session.execute(text(READ_ONLY))


def test_a_lock_that_is_not_given_up_in_time_means_busy(database: Database) -> None:
    with database.writing() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(NotSaved, match="the database is busy"), database.writing() as session:
            session.execute(text(WAIT_A_LITTLE))


def test_a_server_that_is_not_there_does_not_answer() -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(NotSaved, match="does not answer"), gone.reading() as session:
        session.execute(text("SELECT 1"))


def test_our_own_faults_are_not_explained_away_and_quote_nothing(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.writing() as session:
        session.execute(text("SELECT :name FROM nowhere"), {"name": "+4534412345"})
    assert "+4534412345" not in str(caught.value)
