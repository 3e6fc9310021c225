"""What every floor's tests share: no way out of the machine, and real databases."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.loopback import Ban
from tests.postgresql import Databases, PostgresServer

if TYPE_CHECKING:
    from incident_tracker.store.database import Database

SQLITE_FILE = "incident-tracker.sqlite3"
KEYRING_FILE = "keys.sqlite3"
LONGEST = ("browser/test_every_page", "browser/", "faults/", "api/test_schemathesis", "cli/")
"""Where the tests lie that take longest, the longest first."""
TOOLS = {"privileged": ("strace", "mount", "umount"), "pdf": ("pdftotext", "qpdf")}

_ban = Ban()


def pytest_configure() -> None:
    """Close the outside before anything is imported that might look there, and set hypothesis up."""
    _ban.lay()
    # How long one example takes says nothing on a busy machine; pytest-timeout bounds the whole test.
    hypothesis.settings.register_profile("tracker", deadline=None, print_blob=True)
    hypothesis.settings.load_profile("tracker")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that neither processor idles at the end."""
    items.sort(
        key=lambda item: next((place for place, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose mark asks for a tool that is not here, by the tool's name: nothing is left out in silence."""
    for mark, tools in TOOLS.items():
        if item.get_closest_marker(mark):
            missing = [tool for tool in tools if not shutil.which(tool)]
            if mark == "privileged" and os.geteuid() != 0:
                missing.append("root")
            if missing:
                pytest.fail(f"{' and '.join(missing)} needed; or run script/test --without {mark}", pytrace=False)


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
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run a test once on SQLite and once on PostgreSQL."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database that is this test's own."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / SQLITE_FILE}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files of a migrated SQLite database once, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    _migrate(f"sqlite:///{folder / SQLITE_FILE}", folder / KEYRING_FILE)
    return folder


@pytest.fixture(scope="session")
def migrated_postgres(postgres_databases: Databases) -> str:
    """Migrate a PostgreSQL database once, to be copied."""
    url = postgres_databases.create()
    _migrate(url, None)
    return url


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a migrated database that is this test's own; on SQLite its files lie in `tmp_path`."""
    if database_kind == "sqlite":
        shutil.copytree(request.getfixturevalue("migrated_sqlite"), tmp_path, dirs_exist_ok=True)
        yield f"sqlite:///{tmp_path / SQLITE_FILE}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    url = databases.create(template=request.getfixturevalue("migrated_postgres"))
    yield url
    databases.drop(url)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator["Database"]:
    """Give a migrated database that is this test's own, opened."""
    from incident_tracker.store.database import Database  # noqa: PLC0415 - a test of the domain loads no store

    opened = Database(database_url, tmp_path / KEYRING_FILE)
    yield opened
    opened.close()


def _migrate(url: str, keyring_file: Path | None) -> None:
    from incident_tracker.store import migrations  # noqa: PLC0415 - as above
    from incident_tracker.store.database import Database  # noqa: PLC0415 - as above

    made = Database(url, keyring_file)
    migrations.upgrade(made)
    made.close()
