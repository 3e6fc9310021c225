"""The ground that the other tests stand on holds."""

import socket

import psycopg
import pytest
from sqlalchemy import inspect, text

from incident_tracker.store import migrations
from incident_tracker.store.database import Database
from tests.conftest import pytest_runtest_setup
from tests.loopback import Ban, TheOutsideIsClosed
from tests.postgresql import Databases, PostgresServer


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "2001:db8::1"])
def test_reaching_for_the_outside_is_refused_and_remembered(host: str, nothing_leaves_the_machine: Ban) -> None:
    with pytest.raises(TheOutsideIsClosed):
        socket.create_connection((host, 443), timeout=1)
    assert nothing_leaves_the_machine.tried == [host]
    nothing_leaves_the_machine.tried.clear()


def test_a_datagram_to_the_outside_is_refused(nothing_leaves_the_machine: Ban) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(TheOutsideIsClosed):
        sock.sendto(b"?", ("192.0.2.1", 53))
    nothing_leaves_the_machine.tried.clear()


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.postgresql
def test_each_postgresql_database_is_fresh_and_can_be_copied(
    postgres_databases: Databases, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('Ærø')")
    copy = postgres_databases.create(template=postgres_url)
    try:
        with psycopg.connect(copy) as connection:
            assert connection.execute("SELECT lower(word) FROM kept").fetchone() == ("ærø",)
    finally:
        postgres_databases.drop(copy)
    other = postgres_databases.create()
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    postgres_databases.drop(other)


@pytest.mark.postgresql
def test_what_was_committed_outlives_a_crash_of_a_durable_server() -> None:
    with PostgresServer(durable=True) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
        server.crash()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_test_whose_tool_is_missing_fails_by_the_tools_name(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.node.add_marker("pdf")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.fail.Exception, match="pdftotext and qpdf needed; or run script/test --without pdf"):
        pytest_runtest_setup(request.node)


def test_each_test_has_a_migrated_database_of_its_own(database: Database, database_kind: str) -> None:
    assert database.is_sqlite == (database_kind == "sqlite")
    migrations.check(database)
    with database.writing() as session:
        session.execute(text("CREATE TABLE left_behind (word text)"))


def test_nothing_is_left_behind_by_another_test(database: Database) -> None:
    with database.reading() as session:
        assert "left_behind" not in inspect(session.connection()).get_table_names()
