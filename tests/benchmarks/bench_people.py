"""Reading a long list of people: checked, told apart, encrypted, kept.

`python -m tests.benchmarks.bench_people [--rows 100000] [--postgresql]`
The baseline is Python's csv module reading the same file, in the same run. Peak memory is that of the whole process.
"""

import argparse
import contextlib
import csv
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.services import incidents, people
from tests.makers import make_controller, make_database, make_settings
from tests.postgresql import Databases, PostgresServer

_FIRST = ("Søren", "Åse", "Bjørn", "Mette", "Ida", "Jens", "Renée", "Wang")
_LAST = ("Ærø", "Holm", "Nørgaard", "O'Brien", "Müller", "Sørensen", "Åkjær")


@dataclass(frozen=True)
class Taken:
    """What something took: seconds on the clock and on the processor."""

    wall: float
    cpu: float


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)  # noqa: TID251 - a benchmark measures with the real clock


def write(file: Path, rows: int) -> None:
    """Write a list: Danish names, addresses at 500 domains, mobile numbers, two languages, a note."""
    chance = random.Random(7)  # noqa: S311 - sample values
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, delimiter=";")
        table.writerow(["navn", "e-mail", "telefon", "sprog", "adresse", "note"])
        for number in range(rows):
            name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
            email = f"kunde{number}@firma{chance.randrange(500)}.example.dk"
            phone = f"3441{number % 10_000:04d}"
            table.writerow([name, email, phone, "en" if number % 7 == 0 else "da", "Nygade 1; 8000 Aarhus", "Kunde"])


def taken(job: Callable[[], object]) -> Taken:
    """Do something once and return what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def bare(file: Path) -> None:
    """Read the file with the csv module, and do nothing with it."""
    with file.open(encoding="utf-8", newline="") as opened:
        for _ in csv.reader(opened, delimiter=";"):
            pass


@contextlib.contextmanager
def database_url(*, postgresql: bool) -> Iterator[str | None]:
    """Give an empty database: SQLite in the folder, or a PostgreSQL of our own."""
    if not postgresql:
        yield None
        return
    with PostgresServer() as server:
        databases = Databases(server.url)
        yield databases.create()


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database_url(postgresql=given.postgresql) as url:
        settings = make_settings(Path(folder), url)
        make_database(settings).close()
        tracker = bootstrap.build(settings, now=now, notifiers={})
        make_controller(tracker.context)
        file = Path(folder) / "people.csv"
        write(file, given.rows)
        reference = incidents.open_incident(tracker.context, SHELL, title="Kundeliste lå åbent")
        baseline = taken(lambda: bare(file))
        first = taken(lambda: people.read_file(tracker.context, SHELL, reference, file=file))
        again = taken(lambda: people.read_file(tracker.context, SHELL, reference, file=file))
        count = people.count(tracker.context, SHELL, reference)
        tracker.close()
    _print(given.rows, count, {"csv module alone": baseline, "read into the list": first, "read again": again})
    sys.exit(0 if count == given.rows else 1)


def _print(rows: int, count: int, lines: dict[str, Taken]) -> None:
    kind = platform.processor() or platform.machine()
    print(f"{platform.node()}: {kind}, {os.cpu_count()} cores, Python {platform.python_version()}; {rows} rows")
    baseline = lines["csv module alone"]
    print(f"{'':22}{'rows/s':>10}{'rows/s of one core':>20}{'x baseline':>12}")
    for name, one in lines.items():
        print(f"{name:22}{rows / one.wall:>10.0f}{rows / one.cpu:>20.0f}{one.cpu / baseline.cpu:>12.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} people on the list; peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
