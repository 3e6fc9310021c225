"""A backup of very many incidents while somebody writes, and the way back.

`python -m tests.benchmarks.bench_backup [--incidents 10000] [--postgresql]`
The backup is the program itself, in a process of its own. The baseline is the same writing without a backup.
"""

import argparse
import contextlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import insert, select

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.services import incidents
from incident_tracker.store import journal
from incident_tracker.store.journal import NewEntry
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.keys import DataKey
from incident_tracker.store.tables.outbox import AttemptRow, DeliveryRow
from tests.backups import make_machine
from tests.benchmarks.bench_register import fill
from tests.benchmarks.bench_tick import like, now
from tests.makers import PHONES, make_contact, make_controller, make_database, make_settings
from tests.postgresql import Databases, PostgresServer

PROGRAM = Path(sys.executable).with_name("incident-tracker")
ENTRIES, MESSAGES = 5, 3
"""Journal entries and deliveries of each incident."""


def live(tracker: Tracker) -> None:
    """Give every copied incident its keys, a journal and messages that were sent."""
    context = tracker.context
    incidents.open_incident(context, SHELL, title="Model")
    with context.database.reading() as session:
        copies = [(row.id, row.record_key, row.people_key) for row in session.scalars(select(IncidentRow))]
        known = set(session.scalars(select(DataKey.id)))
        message = like(session.scalars(select(DeliveryRow).limit(1)).one()) | {"state": "delivered"}
    key_id = context.keyring.year(now())
    payload = context.keyring.seal(key_id, journal.PLACE, b'{"x": 1}' * 20)
    for begin in range(0, len(copies), 500):
        some = copies[begin : begin + 500]
        keys = [(kind, one) for _, record, people in some for kind, one in (("record", record), ("people", people))]
        sent = [
            message | {"id": f"{one:08d}{place}", "once": f"{one}:{place}", "incident_id": one}
            for one, _, _ in some
            for place in range(MESSAGES)
        ]
        tries = [
            {
                "id": f"a{one['id']}",
                "delivery_id": one["id"],
                "controller_id": one["controller_id"],
                "number": 1,
                "batch": "b",
                "notifier": one["notifier"],
                "node": "n",
                "started_at": now(),
                "finished_at": now(),
            }
            for one in sent
        ]
        with context.database.writing() as session:
            session.execute(
                insert(DataKey),
                [
                    {
                        "id": one,
                        "kind": kind,
                        "subject": one,
                        "wrapped": os.urandom(60),
                        "created_at": now() - timedelta(days=9),
                    }
                    for kind, one in keys
                    if one not in known
                ],
            )
            session.execute(insert(DeliveryRow), sent)
            session.execute(insert(AttemptRow), tries)
            entries = [
                NewEntry("shell", None, one, "reminder_taken", key_id, payload)
                for one, _, _ in some
                for _ in range(ENTRIES)
            ]
            journal.append(session, entries, now())


class Writer(threading.Thread):
    """Logs one incident after the other, and remembers how long each took."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__(daemon=True)
        self.tracker = tracker
        self.took: list[float] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            begin = time.perf_counter()
            incidents.open_incident(self.tracker.context, SHELL, title="Imens")
            self.took.append((time.perf_counter() - begin) * 1000)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join(60)


def said(name: str, writer: Writer) -> None:
    """Print how long writing took."""
    middle, longest = statistics.median(writer.took), max(writer.took)
    print(f"{name:<28} {len(writer.took):>6} writes, p50 {middle:>7.1f} ms, longest {longest:>8.1f} ms")


@contextlib.contextmanager
def installation(given: argparse.Namespace, folder: Path) -> Iterator[tuple[Tracker, str | None]]:
    """Give an installation, and the address of an empty database to restore into."""
    with contextlib.ExitStack() as stack:
        url, other = None, None
        if given.postgresql:
            databases = Databases(stack.enter_context(PostgresServer(durable=True)).url)
            url, other = databases.create(), databases.create()
        settings = make_settings(folder, url)
        make_database(settings).close()
        tracker = bootstrap.build(settings)
        stack.callback(tracker.close)
        yield tracker, other


def main() -> int:
    """Fill, write, back up, restore, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, installation(given, Path(name)) as (tracker, other):
        folder = Path(name)
        make_contact(tracker.context, make_controller(tracker.context), "Ben", PHONES[0])
        fill(tracker, given.incidents)
        live(tracker)
        engine = "PostgreSQL" if given.postgresql else "SQLite"
        print(f"{platform.node()}: {os.cpu_count()} cores, {engine}, {given.incidents} incidents")
        with Writer(tracker) as quiet:
            threading.Event().wait(10)
        said("without a backup", quiet)
        settings = tracker.settings
        environment = os.environ | {
            "INCIDENT_TRACKER__DATA__DIR": str(settings.data.dir),
            "INCIDENT_TRACKER__DATABASE__URL": settings.database_url,
        }
        file = folder / "bench.backup"
        begin = time.perf_counter()
        with Writer(tracker) as busy:
            subprocess.run([PROGRAM, "backup", str(file)], env=environment, check=True, cwd=folder)
        print(f"{'backup':<28} {time.perf_counter() - begin:.1f} s, {file.stat().st_size / 1e6:.1f} MB")
        said("while it is made", busy)
        _restore(tracker, folder, file, other)
    return 0


def _restore(tracker: Tracker, folder: Path, file: Path, url: str | None) -> None:
    there = folder / "there"
    machine: Any = make_machine(tracker.context, there, url or f"sqlite:///{there / 'r.sqlite3'}", now)
    begin = time.perf_counter()
    done = machine.restore(file)
    took = time.perf_counter() - begin
    print(f"{'restore, journal verified':<28} {took:.1f} s, {done.rows} rows, {done.verdict.result}")


if __name__ == "__main__":
    sys.exit(main())
