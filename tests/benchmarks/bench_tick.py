"""One alarm among very many: from the moment it is due to the provider's door, and the tick that finds it.

`python -m tests.benchmarks.bench_tick [--incidents 10000] [--alarms 10] [--alerts 40] [--postgresql]`
The stand-in of the provider runs in a process of its own; the clock is the real one with its tick of a second. The
baseline is the same installation with an empty register in the same run.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.scheduler import Clock
from incident_tracker.services import clock, incidents
from incident_tracker.store.tables.incidents import AlarmRow, IncidentRow, ObligationRow
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from tests.benchmarks.bench_alerts import stand_in
from tests.makers import PHONES, make_contact, make_controller, make_database, make_settings
from tests.postgresql import Databases, PostgresServer

HOUR = timedelta(hours=1)
_PATIENCE = 20.0


def now() -> datetime:
    """Return the machine's time: the benchmark is its own clock."""
    return datetime.now(UTC)  # noqa: TID251 - as it says


def start(folder: Path, address: str, url: str | None) -> Tracker:
    """Put an installation together that sends to the stand-in."""
    twilio = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "from_number": PHONES[1],
        "api_base": address,
    }
    settings = make_settings(
        folder,
        url,
        routing={"sms": ["twilio_sms"]},
        notifiers={"twilio_sms": twilio},
        server={"public_url": "https://tracker.example.dk"},  # so that each message carries its own mark
    )
    make_database(settings).close()
    return bootstrap.build(settings)


def fill(tracker: Tracker, number: int, alarms: int) -> None:
    """Copy one open incident with its duties many times, each with alarms far ahead."""
    context = tracker.context
    reference = incidents.open_incident(
        context, SHELL, title="Alle adresser i CC", aware_at=now(), aware_reason="Set"
    )
    with context.database.reading() as session:
        model = session.scalars(select(IncidentRow).where(IncidentRow.reference == reference)).one()
        duties = session.scalars(select(ObligationRow).where(ObligationRow.incident_id == model.id)).all()
    authority = next(one for one in duties if one.duty == "notify_authority")
    ahead = now() + 48 * HOUR
    for begin in range(1000, 1000 + number, 1000):
        ids = range(begin, min(begin + 1000, 1000 + number))
        with context.database.writing() as session:
            session.execute(insert(IncidentRow), [_copy(model, one) for one in ids])
            duty = [like(authority) | {"id": one * 10, "incident_id": one} for one in ids]
            session.execute(insert(ObligationRow), duty)
            session.execute(insert(AlarmRow), [_alarm(one, place, ahead) for one in ids for place in range(alarms)])
    with context.database.writing() as session:
        session.execute(text("ANALYZE"))


def _copy(model: IncidentRow, number: int) -> dict[str, Any]:
    keys = {"record_key": f"{number:032x}", "people_key": f"{number + 10**9:032x}"}
    return like(model) | {"id": number, "reference": f"B-{number}"} | keys


def like(row: Any) -> dict[str, Any]:
    """Return the columns of a row, to be copied."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def _alarm(incident: int, place: int, ahead: datetime) -> dict[str, Any]:
    return {
        "controller_id": 1,
        "incident_id": incident,
        "obligation_id": incident * 10,
        "rung": f"{place}h",
        "anchor_version": 1,
        "occurrence": 0,
        "fire_at": ahead + place * HOUR,
        "state": "planned",
    }


def lags(tracker: Tracker, address: str, alerts: int) -> list[float]:
    """Let single alarms fall due at moments of their own; return how long each took to the provider's door."""
    running = Clock(tracker)
    running.start()
    quiet = threading.Event()
    found = []
    try:
        for _ in range(alerts):
            quiet.wait(random.uniform(0.2, 1.2))  # noqa: S311 - a moment, not a secret
            due_at = now() + timedelta(milliseconds=300)
            due = time.monotonic() + 0.3
            incidents.open_incident(tracker.context, SHELL, title="Én til", detected_at=due_at - 4 * HOUR)
            while (last := max(_arrivals(address), default=0.0)) < due and time.monotonic() < due + _PATIENCE:
                quiet.wait(0.005)
            found.append(last - due if last >= due else _PATIENCE)
    finally:
        running.stop()
    return found


def _arrivals(address: str) -> list[float]:
    with urllib.request.urlopen(f"{address}/_stand_in/counts", timeout=60) as answer:  # noqa: S310 - loopback
        counts: dict[str, float] = json.load(answer)["accepted_at"]
    return list(counts.values())


def bare_tick(tracker: Tracker, times: int = 200) -> list[float]:
    """Return how long a tick takes that finds nothing."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        clock.tick(tracker.context, tracker.node)
        took.append((time.perf_counter() - begin) * 1000)
    return sorted(took)


@contextlib.contextmanager
def installation(given: argparse.Namespace, address: str) -> Iterator[Tracker]:
    """Give an installation with somebody on call, and take it down again."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = None
        if given.postgresql:
            url = Databases(stack.enter_context(PostgresServer(durable=True)).url).create()
        tracker = start(folder, address, url)
        stack.callback(tracker.close)
        controller = make_controller(tracker.context)
        make_contact(tracker.context, controller, "Ben", PHONES[0])
        yield tracker


def main() -> int:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--alarms", type=int, default=10)
    parser.add_argument("--alerts", type=int, default=40)
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    rows = []
    with stand_in() as address:
        for incidents_kept in (0, given.incidents):
            with installation(given, address) as tracker:
                if incidents_kept:
                    fill(tracker, incidents_kept, given.alarms)
                    clock.tick(tracker.context, tracker.node)
                rows.append((incidents_kept, bare_tick(tracker), sorted(lags(tracker, address, given.alerts))))
    engine = "PostgreSQL" if given.postgresql else "SQLite"
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}, {engine}")
    print(f"{'open':>7} {'planned':>8} {'idle tick ms p50':>17} {'p99':>6} {'lag s p50':>10} {'p99':>6} {'worst':>6}")
    for kept, ticks, waits in rows:
        tick, tick_99 = statistics.median(ticks), ticks[int(len(ticks) * 0.99)]
        lag, lag_99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
        print(
            f"{kept:>7} {kept * given.alarms:>8} {tick:>17.2f} {tick_99:>6.2f}"
            f" {lag:>10.2f} {lag_99:>6.2f} {waits[-1]:>6.2f}"
        )
    worst = rows[-1][2][int(len(rows[-1][2]) * 0.99)]
    print(f"goal: p99 <= 1.5 s to the provider's door: {'met' if worst <= 1.5 else 'missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
