"""Alerts due at the same instant, beside the bare Twilio client in the same run.

`python -m tests.benchmarks.bench_alerts [--rows 2000] [--postgresql | --url URL] [--workers 4] [--rounds 3]`
Both talk to the stand-in in a process of its own. Exits with 1 where the ratio is below `--least`.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import migrations
from incident_tracker.store.database import Database
from notifiers.protocol import Channel
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from notifiers.twilio_sms import TwilioSmsNotifier
from tests.delivery.world import World, make_world
from tests.postgresql import Databases, PostgresServer

FROM, TO = "+4532123456", "+4534412345"
TEXT = "2026-0007: 12 t 0 min til anmeldelsesfristen (man 16.45). Svar OK for at kvittere. Log ind for at handle."
CALLBACKS = "https://tracker.example.dk/webhooks/twilio_sms/status"


@dataclass(frozen=True)
class Round:
    """One run of both."""

    bare: float
    ours: float
    first: float
    middle: float
    last: float


@contextlib.contextmanager
def stand_in() -> Iterator[str]:
    """Run the stand-in and give its address."""
    command = [sys.executable, "-m", "notifiers.testing", "--counts-only"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the stand-in has no voice")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextlib.contextmanager
def database(given: argparse.Namespace, folder: Path) -> Iterator[Database]:
    """Give an empty, migrated database."""
    with contextlib.ExitStack() as stack:
        url = given.url or f"sqlite:///{folder / 'tracker.db'}"
        if given.postgresql:
            url = Databases(stack.enter_context(PostgresServer(durable=True)).url).create()
        opened = Database(url, folder / "keys.db")
        migrations.upgrade(opened)
        stack.callback(opened.close)
        yield opened


def bare(address: str, rows: int) -> float:
    """Return the messages a second of the bare client in a loop."""
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = address
    start = time.monotonic()
    for _ in range(rows):
        client.messages.create(to=TO, from_=FROM, body=TEXT)
    return rows / (time.monotonic() - start)


def ours(address: str, world: World, given: argparse.Namespace) -> tuple[float, list[float]]:
    """Return the messages a second through the outbox, and the lag of each at the provider's door."""
    before = set(_counts(address))
    for done in range(0, given.rows, 500):
        world.enqueue(min(500, given.rows - done))
    settings = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": FROM, "api_base": address}
    notifier = TwilioSmsNotifier.from_settings(settings, channel=Channel.SMS)
    notifier.use_callbacks(CALLBACKS)
    pace = Pace(workers=given.workers, claim=given.claim)
    engine = Engine(
        world.database,
        world.keyring,
        [notifier],
        lambda: datetime.now(UTC),  # noqa: TID251 - the benchmark is its own clock
        "bench",
        Routing({"sms": ("twilio_sms",)}),
        pace=pace,
    )
    start = time.monotonic()
    sent = engine.drain(threading.Event())
    took = time.monotonic() - start
    engine.close()
    if sent != given.rows:
        raise RuntimeError(f"{sent} of {given.rows} were sent")
    lags = [at - start for own, at in _counts(address).items() if own not in before and not own.startswith("+")]
    return sent / took, sorted(lags)


def _counts(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{address}/_stand_in/counts", timeout=60) as answer:  # noqa: S310 - loopback
        counts: dict[str, float] = json.load(answer)["accepted_at"]
    return counts


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=Pace().workers)
    parser.add_argument("--claim", type=int, default=Pace().claim)
    parser.add_argument("--url", help="an empty PostgreSQL database; SQLite in a temporary folder without it")
    parser.add_argument("--postgresql", action="store_true", help="use the PostgreSQL that pip ships")
    parser.add_argument("--least", type=float, default=0.75, help="the ratio below which the run fails")
    given = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder, stand_in() as address, database(given, Path(folder)) as opened:
        world = make_world(opened)
        world.clock.at = datetime(2020, 1, 1, tzinfo=UTC)
        world.routing["sms"] = ("twilio_sms",)
        for _ in range(given.rounds):
            loop = bare(address, given.rows)
            rate, lags = ours(address, world, given)
            rounds.append(Round(loop, rate, lags[0], lags[len(lags) // 2], lags[-1]))
        where = f"{'SQLite' if opened.is_sqlite else 'PostgreSQL'}"
    cores = os.cpu_count()
    machine = f"{platform.node()}: {cores} cores, Python {platform.python_version()}"
    print(f"{machine}, {where}, {given.rows} alerts due at once")
    print(f"{'round':>5} {'bare SDK/s':>11} {'ours/s':>8} {'ratio':>6} {'first s':>8} {'p50 s':>7} {'last s':>7}")
    for number, one in enumerate(rounds, 1):
        print(
            f"{number:>5} {one.bare:>11.0f} {one.ours:>8.0f} {one.ours / one.bare:>6.2f}"
            f" {one.first:>8.2f} {one.middle:>7.2f} {one.last:>7.2f}"
        )
    ratio = statistics.median(one.ours / one.bare for one in rounds)
    print(f"median ratio {ratio:.2f} (goal {given.least:.2f})")
    return 0 if ratio >= given.least else 1


if __name__ == "__main__":
    sys.exit(main())
