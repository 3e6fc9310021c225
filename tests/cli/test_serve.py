import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cli.conftest import PATIENCE, World

Start = Callable[..., "subprocess.Popen[str]"]


def _line(process: "subprocess.Popen[str]", words: str) -> str:
    """Return the first line on stdout that holds the words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line.strip()
    raise AssertionError(f"{words!r} was not said before the end (exit code {process.wait(PATIENCE)})")


def _stopped(process: "subprocess.Popen[str]", by: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(by)
    return process.wait(PATIENCE)


def _get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - our own pages on loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _until(ready: Callable[[], bool]) -> None:
    from threading import Event  # noqa: PLC0415

    ends = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < ends, "it did not come true in time"
        Event().wait(0.1)


@contextmanager
def _serving(started: Start) -> Iterator[tuple[Any, str]]:
    process = started("serve")
    yield process, _line(process, "Pages: ").removeprefix("Pages: ")
    assert process.poll() is None


def test_serving_starts_from_nothing_and_ends_when_told(bare: World, started: Start) -> None:
    process = started("serve")
    address = _line(process, "Pages: ").removeprefix("Pages: ")
    link = _line(process, "First run").rpartition(" ")[2]
    assert re.fullmatch(rf"{address}/first-run/\S{{40,}}", link)
    _until(lambda: _get(f"{address}/readyz")[0] == 200)
    assert json.loads(_get(f"{address}/readyz")[1])["ready"] is True
    assert _get(link)[0] == 200
    assert bare.process("incident", "list").returncode == 0
    assert _stopped(process) == 0
    assert (bare.data / "master.key").exists()


def test_a_suspicion_logged_by_the_shell_is_sent_by_the_server(bare: World, started: Start) -> None:
    with _serving(started) as (process, _):
        bare.process("controller", "create", "--name", "Nordlys ApS")
        bare.process("oncall", "add", "--name", "Ben", "--phone", "34412345")
        opened = bare.process("incident", "open", "--title", "Newsletter", "--json")
        assert (opened.returncode, opened.stderr) == (0, "")
        _until(lambda: any((bare.data / "outbox").glob("*.json")))
    assert _stopped(process, signal.SIGINT) == 0


@pytest.mark.parametrize("second", ["serve", "worker"])
def test_a_second_clock_on_the_same_sqlite_is_refused_at_once(bare: World, started: Start, second: str) -> None:
    with _serving(started) as (process, address):
        refused = bare.process(second)
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
        assert f"(process {process.pid})" in refused.stderr
        assert _get(f"{address}/healthz")[0] == 200
    process.kill()
    process.wait(PATIENCE)
    again = started("worker")
    assert _line(again, "The clock runs.")
    assert _stopped(again) == 0


@pytest.mark.parametrize("command", ["serve", "web"])
@pytest.mark.usefixtures("run")
def test_the_api_stands_beside_the_pages(started: Start, command: str) -> None:
    address = _line(started(command), "Pages: ").removeprefix("Pages: ")
    assert json.loads(_get(f"{address}/api/openapi.json")[1])["openapi"] == "3.1.0"
    assert _get(f"{address}/api/v1/incidents")[0] == 401
    assert _get(f"{address}/healthz")[0] == 200


def test_pages_may_run_beside_the_clock(bare: World, started: Start) -> None:
    with _serving(started) as (process, _):
        pages = started("web")
        address = _line(pages, "Pages: ").removeprefix("Pages: ")
        assert _get(f"{address}/healthz")[0] == 200
        assert _stopped(pages) == 0
    assert _stopped(process) == 0
    assert bare.process("journal", "verify").returncode == 0


def test_pages_alone_do_not_start_the_clock(run: World, started: Start) -> None:
    pages = started("web")
    address = _line(pages, "Pages: ").removeprefix("Pages: ")
    status, answer = _get(f"{address}/readyz")
    assert (status, json.loads(answer)["ready"]) == (503, False)
    assert "nobody is alerted" in run.process("incident", "open", "--title", "x").stderr
    assert _stopped(pages) == 0


@pytest.mark.parametrize("command", ["web", "worker"])
def test_pages_and_workers_make_no_database(bare: World, command: str) -> None:
    refused = bare.process(command)
    assert refused.returncode == 3
    assert "`incident-tracker db upgrade` creates the database" in refused.stderr
    assert not (bare.data / "incident-tracker.sqlite3").exists()


def test_a_taken_port_is_refused_before_anything_is_touched(bare: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bare.settings["SERVER__PORT"] = str(taken.getsockname()[1])
        refused = bare.process("serve")
    assert refused.returncode == 1
    assert "Address already in use" in refused.stderr
    assert not (bare.data / "incident-tracker.sqlite3").exists()


def test_a_migration_that_fails_stops_the_start(run: World) -> None:
    import sqlite3  # noqa: PLC0415

    connection = sqlite3.connect(run.data / "incident-tracker.sqlite3")
    with connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()
    refused = run.process("serve")
    assert refused.returncode == 3
    assert refused.stdout == ""
    assert "It is as it was before." in refused.stderr.splitlines()[-1]


def test_an_unknown_notifier_stops_the_start(run: World) -> None:
    run.settings["ROUTING__SMS"] = "pigeon"
    refused = run.process("serve")
    assert refused.returncode == 3
    assert "there is no notifier 'pigeon'; installed are:" in refused.stderr


@pytest.mark.postgresql
def test_serving_migrates_postgresql_and_any_number_of_workers_join(
    bare: World, started: Start, postgres_url: str
) -> None:
    bare.settings["DATABASE__URL"] = postgres_url
    with _serving(started) as (process, address):
        workers = [started("worker"), started("worker")]
        for worker in workers:
            _line(worker, "The clock runs.")
        _until(lambda: _get(f"{address}/readyz")[0] == 200)
        assert bare.process("db", "check").returncode == 0
        assert [_stopped(worker) for worker in workers] == [0, 0]
    assert _stopped(process) == 0


def test_a_worker_ends_as_broken_when_its_clock_has_ended(run: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from incident_tracker.scheduler import Clock  # noqa: PLC0415

    monkeypatch.setattr(Clock, "is_stopped", True)
    result = run("worker")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("A newer version has closed the database to this one")


def test_a_database_replaced_while_running_is_not_followed(bare: World, started: Start) -> None:
    with _serving(started) as (process, address):
        bare.process("controller", "create", "--name", "Nordlys ApS")
        _until(lambda: _get(f"{address}/readyz")[0] == 200)
        file = bare.data / "incident-tracker.sqlite3"
        kept = file.rename(bare.data / "moved.sqlite3")
        _until(lambda: "removed or replaced" in _get(f"{address}/readyz")[1])
        assert not file.exists()
        file.write_bytes(b"")
        assert _get(f"{address}/readyz")[0] == 503
        assert file.read_bytes() == b""
        file.unlink()
        kept.rename(file)
        _until(lambda: _get(f"{address}/readyz")[0] == 200)
    assert _stopped(process) == 0
    assert bare.process("journal", "verify").returncode == 0


def test_serving_ends_as_broken_when_a_newer_version_closes_the_database(
    run: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incident_tracker.scheduler import clock  # noqa: PLC0415
    from incident_tracker.services import health  # noqa: PLC0415

    monkeypatch.setattr(clock, "MINUTE_SECONDS", 0.2)
    monkeypatch.setattr(health, "newer_version_wanted", lambda _: "9.9.0")
    result = run("serve")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("A newer version has closed the database to this one")
