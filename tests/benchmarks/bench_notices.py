"""A notice to very many: e-mail by the official SendGrid client in batches, SMS by the official Twilio client.

`python -m tests.benchmarks.bench_notices [--mails 100000] [--sms 10000] [--batch 250] [--postgresql] [--processes 1]`
The bare clients send the same number to the same instant stand-in in the same run. Exits with 1 where a goal of
`docs/performance.md` is missed. `--profile FILE` writes a cProfile of the book-keeping thread.
"""

import argparse
import contextlib
import cProfile
import os
import platform
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
from typing import Any

from sqlalchemy import func, select
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import migrations
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import of_notices
from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.outbox import AttemptRow
from notifiers.protocol import Channel
from notifiers.sendgrid_email import SendgridEmailNotifier
from notifiers.testing.provider import ACCOUNT_SID, API_KEY, AUTH_TOKEN
from notifiers.twilio_sms import TwilioSmsNotifier
from tests.delivery.crowd import LETTER, Crowd, make_crowd
from tests.delivery.world import make_world
from tests.postgresql import Databases, PostgresServer

FROM, TO, SENDER = "+4532123456", "+4534412345", "brud@example.dk"
TEXT = "Nordlys ApS: Person 12345, dine oplysninger laa aabne. example.dk/notice"
CALLBACKS = "https://tracker.example.dk/webhooks/twilio_sms/status"
ROUTES = {"sms": ("twilio_sms",), "email": ("sendgrid_email",)}
MAILS_A_SECOND = {"sqlite": 15_000, "postgresql": 20_000}
SMS_RATIO = 0.75
MOST_MEMORY = 200


@dataclass(frozen=True)
class Measured:
    """How fast one channel was, bare and through the outbox."""

    rows: int
    bare: float
    ours: float
    enqueued: float
    memory: float


@contextlib.contextmanager
def stand_in() -> Iterator[str]:
    """Run the instant stand-in and give its address."""
    command = [sys.executable, "-m", "tests.benchmarks.instant"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the stand-in has no voice")
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextlib.contextmanager
def database(given: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Database]]:
    """Give an empty, migrated database and its address."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder / 'tracker.db'}"
        if given.postgresql:
            url = Databases(stack.enter_context(PostgresServer(durable=True)).url).create()
        opened = Database(url, folder / "keys.db")
        migrations.upgrade(opened)
        stack.callback(opened.close)
        yield url, opened


def bare_mails(address: str, rows: int, batch: int) -> float:
    """Return the people a second whom the bare SendGrid client reaches, with as many in a request."""
    from sendgrid import SendGridAPIClient  # noqa: PLC0415 - only for this part

    client = SendGridAPIClient(API_KEY, host=address)
    start = time.monotonic()
    for begin in range(0, rows, batch):
        people = [
            {
                "to": [{"email": f"person{number}@example.dk"}],
                "substitutions": {"-name-": f"Person {number}"},
                "custom_args": {"delivery": f"{number:032x}", "attempt": f"{number:032x}"},
            }
            for number in range(begin, min(rows, begin + batch))
        ]
        body: dict[str, Any] = {
            "from": {"email": SENDER},
            "subject": LETTER.subject,
            "content": [{"type": "text/plain", "value": LETTER.text}],
            "personalizations": people,
        }
        client.client.mail.send.post(request_body=body)
    return rows / (time.monotonic() - start)


def bare_sms(address: str, rows: int) -> float:
    """Return the messages a second of the bare Twilio client in a loop."""
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = address
    start = time.monotonic()
    for _ in range(rows):
        client.messages.create(to=TO, from_=FROM, body=TEXT, status_callback=CALLBACKS)
    return rows / (time.monotonic() - start)


def make_engine(opened: Database, address: str, batch: int) -> Engine:
    """Return an engine with both real notifiers."""
    sms = TwilioSmsNotifier.from_settings(
        {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": FROM, "api_base": address},
        channel=Channel.SMS,
    )
    sms.use_callbacks(CALLBACKS)
    mail = SendgridEmailNotifier.from_settings(
        {"api_key": API_KEY, "from_email": SENDER, "api_base": address, "max_batch": batch}, channel=Channel.EMAIL
    )
    return Engine(
        opened,
        Keyring(bytes(32), opened),
        [sms, mail],
        lambda: datetime.now(UTC),  # noqa: TID251 - the benchmark is its own clock
        f"bench-{os.getpid()}",
        Routing(ROUTES),
    )


@dataclass(frozen=True)
class Place:
    """Where it is measured: the stand-in, and the database."""

    address: str
    url: str
    folder: Path


def measure(given: argparse.Namespace, place: Place, crowd: Crowd, channel: Channel) -> Measured:
    """Send to everybody on one channel."""
    address = place.address
    rows = given.mails if channel is Channel.EMAIL else given.sms
    bare = bare_mails(address, rows, given.batch) if channel is Channel.EMAIL else bare_sms(address, rows)
    begun = time.monotonic()
    for start in range(0, rows, 1000):
        crowd.enqueue(range(start, min(rows, start + 1000)), channel)
    enqueued = rows / (time.monotonic() - begun)
    before = got(address)
    took, memory = _drained(given, place, crowd)
    mails, sms = (after - earlier for after, earlier in zip(got(address), before, strict=True))
    if (mails if channel is Channel.EMAIL else sms) != rows:
        raise RuntimeError(f"{mails} mails and {sms} SMS came through instead of {rows}")
    return Measured(rows, bare, rows / took, enqueued, memory)


def _drained(given: argparse.Namespace, place: Place, crowd: Crowd) -> tuple[float, float]:
    """Return the seconds it took, and the most memory (MB) a worker had."""
    if given.processes == 1:
        engine = make_engine(crowd.world.database, place.address, given.batch)
        profile = cProfile.Profile() if given.profile else None
        begun = time.monotonic()
        if profile is None:
            engine.drain(threading.Event())
        else:
            profile.runcall(engine.drain, threading.Event())
            profile.dump_stats(given.profile)
        took = time.monotonic() - begun
        engine.close()
        return took, memory()
    command = [sys.executable, "-m", "tests.benchmarks.bench_notices", "--drain", place.url]
    command += ["--folder", str(place.folder), "--address", place.address, "--batch", str(given.batch)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(given.processes)
    ]
    for worker in workers:
        worker.stdout.readline()  # type: ignore[union-attr]
    begun = time.monotonic()
    for worker in workers:
        worker.stdin.write("go\n")  # type: ignore[union-attr]
        worker.stdin.flush()  # type: ignore[union-attr]
    said = [float(worker.communicate()[0]) for worker in workers]
    return time.monotonic() - begun, max(said)


def work(given: argparse.Namespace) -> None:
    """Be one of several workers."""
    engine = make_engine(Database(given.drain, given.folder / "keys.db"), given.address, given.batch)
    print("ready", flush=True)
    sys.stdin.readline()
    engine.drain(threading.Event())
    print(memory(), flush=True)


def got(address: str) -> tuple[int, int]:
    """Return how many mails and SMS the stand-in has."""
    with urllib.request.urlopen(f"{address}/count", timeout=60) as answer:  # noqa: S310 - loopback
        mails, sms = answer.read().split()
    return int(mails), int(sms)


def memory() -> float:
    """Return the most memory this process has had, in MB."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def check(crowd: Crowd, rows: int) -> None:
    """Refuse a result that is not one attempt and one accepted row for each person."""
    with crowd.world.database.reading() as session:
        counts = of_notices.counts(session, None, [crowd.notice])[crowd.notice]
        attempts = session.scalar(select(func.count()).select_from(AttemptRow))
    if (counts["accepted"], attempts) != (rows, rows):
        raise RuntimeError(f"{counts}, {attempts} attempts")


def main() -> int:
    """Measure both channels and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--sms", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=250, help="people in a SendGrid request")
    parser.add_argument("--postgresql", action="store_true", help="use the PostgreSQL that pip ships")
    parser.add_argument("--processes", type=int, default=1, help="workers (PostgreSQL)")
    parser.add_argument("--profile", help="write a cProfile of the book-keeping thread here")
    parser.add_argument("--drain", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drain:
        work(given)
        return 0
    found: dict[Channel, Measured] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        stand_in() as address,
        database(given, Path(folder)) as (url, opened),
    ):
        place = Place(address, url, Path(folder))
        world = make_world(opened)
        world.clock.at = datetime(2020, 1, 1, tzinfo=UTC)
        world.routing |= ROUTES
        crowd = make_crowd(world)
        for channel, rows in ((Channel.EMAIL, given.mails), (Channel.SMS, given.sms)):
            if rows:
                found[channel] = measure(given, place, crowd, channel)
        check(crowd, sum(one.rows for one in found.values()))
    return _told(given, found)


def _told(given: argparse.Namespace, found: dict[Channel, Measured]) -> int:
    kind = "postgresql" if given.postgresql else "sqlite"
    machine = f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, {kind}, {given.processes} process(es), {given.batch} people in a mail request")
    print(f"{'channel':>8} {'people':>8} {'bare/s':>9} {'ours/s':>8} {'ratio':>6} {'enqueued/s':>11} {'MB':>5}")
    good = True
    for channel, one in found.items():
        print(
            f"{channel:>8} {one.rows:>8} {one.bare:>9.0f} {one.ours:>8.0f} {one.ours / one.bare:>6.2f}"
            f" {one.enqueued:>11.0f} {one.memory:>5.0f}"
        )
        enough = one.ours >= MAILS_A_SECOND[kind] if channel is Channel.EMAIL else one.ours >= SMS_RATIO * one.bare
        good = good and enough and one.memory <= MOST_MEMORY
    print(f"goals: {MAILS_A_SECOND[kind]} mails/s, {SMS_RATIO} of the bare SMS loop, {MOST_MEMORY} MB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
