"""What every floor's tests share: no way out of the machine, and real databases."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import Ban
from tests.postgresql import Databases, PostgresServer

_ban = Ban()


def pytest_configure() -> None:
    """Close the outside before anything is imported that might look there."""
    _ban.lay()


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> Iterator[Ban]:
    """Fail a test that tried to reach the outside, even where the code under test swallowed the refusal."""
    _ban.tried.clear()
    yield _ban
    tried, _ban.tried[:] = list(_ban.tried), []
    if tried:
        pytest.fail(f"reached for the outside: {', '.join(tried)}")


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """Give fresh databases on a real PostgreSQL: on the server $DATABASE_URL names, else on one of our own."""
    if url := os.environ.get("DATABASE_URL"):
        yield Databases(url)
        return
    with PostgresServer() as server:
        yield Databases(server.url)


@pytest.fixture
def postgres_url(postgres_databases: Databases) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database that is this test's own. Mark the test `postgresql`."""
    url = postgres_databases.create()
    yield url
    postgres_databases.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tracker.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
