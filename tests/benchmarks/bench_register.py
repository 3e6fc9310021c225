"""The register with very many incidents: log one, open one, the list, the board; services and pages.

`python -m tests.benchmarks.bench_register [--incidents 10000] [--times 60] [--postgresql]`
The baseline of reading is a bare SELECT by primary key on the same connections, that of writing a bare INSERT
with its synced commit, both in the same run.
"""

import argparse
import contextlib
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import insert, select, text

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller
from incident_tracker.services import incidents, register, sign_in
from incident_tracker.store.tables.incidents import IncidentRow, JournalRow, ObligationRow
from tests.benchmarks.bench_tick import like, now
from tests.makers import PHONES, make_contact, make_controller, make_database, make_settings, make_user
from tests.postgresql import Databases, PostgresServer

_EACH = 1000


def fill(tracker: Tracker, number: int) -> str:
    """Copy one incident with its duties many times, one in fifty still open; return the model's reference."""
    context = tracker.context
    reference = incidents.open_incident(context, SHELL, title="Model", aware_at=now(), aware_reason="Set i loggen")
    with context.database.reading() as session:
        model = like(session.scalars(select(IncidentRow)).one())
        duties = [like(one) for one in session.scalars(select(ObligationRow))]
    for begin in range(1000, 1000 + number, _EACH):
        ids = range(begin, min(begin + _EACH, 1000 + number))
        copies = [
            model
            | {
                "id": one,
                "reference": f"B-{one}",
                "record_key": f"r{one}",
                "people_key": f"p{one}",
                "title": f"Hændelse {one}",
                "is_open": one % 50 == 0,
                "status": "aware" if one % 50 == 0 else "closed",
            }
            for one in ids
        ]
        owed = [
            duty | {"id": one * 10 + place, "incident_id": one} for one in ids for place, duty in enumerate(duties)
        ]
        with context.database.writing() as session:
            session.execute(insert(IncidentRow), copies)
            session.execute(insert(ObligationRow), owed)
    with context.database.writing() as session:
        session.execute(text("ANALYZE"))
    return reference


def timed(times: int, act: Callable[[], object]) -> list[float]:
    """Return how many milliseconds an act takes, sorted; the first few warm up."""
    took = []
    for turn in range(times + 3):
        begin = time.perf_counter()
        act()
        if turn > 2:
            took.append((time.perf_counter() - begin) * 1000)
    return sorted(took)


def asked(tracker: Tracker, reference: str) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return what is measured, each with its baseline."""
    context, numbers = tracker.context, iter(range(10**9))

    def bare_select() -> None:
        with context.database.reading() as session:
            session.execute(select(JournalRow.seq).where(JournalRow.seq == 1)).one()

    def bare_insert() -> None:
        with context.database.writing() as session:
            session.execute(
                text("INSERT INTO installation (name, value, recorded_at) VALUES (:name, '', :at)"),
                {"name": f"bench-{next(numbers)}", "at": now().replace(tzinfo=None)},
            )

    return {
        "bare SELECT": ("", bare_select),
        "bare INSERT, synced": ("", bare_insert),
        "log an incident": (
            "bare INSERT, synced",
            lambda: incidents.open_incident(context, SHELL, title="Alle adresser i CC"),
        ),
        "open one": ("bare SELECT", lambda: register.overview(context, SHELL, reference)),
        "its journal": ("bare SELECT", lambda: register.history(context, SHELL, reference)),
        "a page of the list": ("bare SELECT", lambda: register.listing(context, SHELL)),
        "a page in the middle": ("bare SELECT", lambda: register.listing(context, SHELL, after_id=5000)),
        "search the titles": ("bare SELECT", lambda: register.listing(context, SHELL, search="Hændelse 77")),
        "the board": ("bare SELECT", lambda: register.board(context, SHELL)),
    }


def pages(tracker: Tracker, controller: Controller, reference: str) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return the pages, through Flask's own test client, signed in."""
    from incident_tracker.web.app import create_app  # noqa: PLC0415 - only where pages are measured

    user = make_user(tracker.context, controller)
    client = create_app(tracker).test_client()
    client.set_cookie("incident-tracker-sign-in", sign_in.begin(tracker.context, user.id))

    def get(path: str) -> Callable[[], object]:
        def act() -> None:
            answer = client.get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code}")

        return act

    return {
        "page: board": ("bare SELECT", get("/")),
        "page: list": ("bare SELECT", get("/incidents")),
        "page: search": ("bare SELECT", get("/incidents?q=H%C3%A6ndelse+77")),
        "page: one incident": ("bare SELECT", get(f"/incidents/{reference}")),
    }


@contextlib.contextmanager
def installation(given: argparse.Namespace) -> Iterator[Tracker]:
    """Give an installation, and take it down again."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = None
        if given.postgresql:
            url = Databases(stack.enter_context(PostgresServer(durable=True)).url).create()
        settings = make_settings(folder, url)
        make_database(settings).close()
        tracker = bootstrap.build(settings)
        stack.callback(tracker.close)
        yield tracker


def main() -> int:
    """Fill, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with installation(given) as tracker:
        controller = make_controller(tracker.context)
        make_contact(tracker.context, controller, "Ben", PHONES[0])
        reference = fill(tracker, given.incidents)
        measured = {name: timed(given.times, act) for name, (_, act) in asked(tracker, reference).items()}
        base = {name: kind for name, (kind, _) in asked(tracker, reference).items()}
        try:
            seen = pages(tracker, controller, reference)
            measured |= {name: timed(given.times, act) for name, (_, act) in seen.items()}
            base |= {name: kind for name, (kind, _) in seen.items()}
        except (ImportError, RuntimeError) as error:
            print(f"pages not measured: {error}")
    engine = "PostgreSQL" if given.postgresql else "SQLite"
    cores = os.cpu_count()
    print(
        f"{platform.node()}: {cores} cores, Python {platform.python_version()}, {engine}, {given.incidents} incidents"
    )
    print(f"{'':<22} {'p50 ms':>8} {'p95 ms':>8} {'to baseline':>12}")
    for name, took in measured.items():
        middle = statistics.median(took)
        ratio = f"{middle / statistics.median(measured[base[name]]):.1f}" if base[name] else ""
        print(f"{name:<22} {middle:>8.2f} {took[int(len(took) * 0.95)]:>8.2f} {ratio:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
