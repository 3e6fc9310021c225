"""A worker for the kill tests: a process of its own that sends what is due, and may be killed at a named point.

`python -m tests.faults.sender --url URL --keyring FILE --address URL --at POINT --time N`
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from notifiers.twilio_sms import TwilioSmsNotifier

PACE = Pace(workers=2, claim=2, call_seconds=10, grace_seconds=1, lease=timedelta(seconds=30))
MOST_OPEN = PACE.workers * PACE.claim


def notifier(address: str) -> TwilioSmsNotifier:
    """Return the real Twilio notifier, aimed at the stand-in."""
    settings = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "from_number": "+4532123456",
        "api_base": address,
    }
    return TwilioSmsNotifier.from_settings(settings, channel=Channel.SMS)


def kill_at(point: str, time: int) -> Callable[[str], None]:
    """Return a probe that ends this process for good the `time`-th time it comes to a point."""
    seen = 0
    lock = threading.Lock()

    def probe(name: str) -> None:
        nonlocal seen
        with lock:
            if name == point:
                seen += 1
                if seen == time:
                    os.kill(os.getpid(), signal.SIGKILL)

    return probe


def main() -> None:
    """Wait for the word, send until nothing is left, print how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--keyring", type=Path)
    parser.add_argument("--address", required=True)
    parser.add_argument("--at", default="")
    parser.add_argument("--time", type=int, default=1)
    given = parser.parse_args()
    database = Database(given.url, given.keyring)
    engine = Engine(
        database,
        Keyring(bytes(32), database),
        [notifier(given.address)],
        lambda: datetime.now(UTC),  # noqa: TID251 - a process of its own has a clock of its own
        f"worker-{os.getpid()}",
        Routing({"sms": ("twilio_sms",)}),
        pace=PACE,
        probe=kill_at(given.at, given.time),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sent = engine.drain(threading.Event())
    sys.stdout.write(f"{sent}\n")


if __name__ == "__main__":
    main()
