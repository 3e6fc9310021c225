"""A worker for the sending to many: sends and settles by e-mail and SMS until it is killed.

`python -m tests.faults.crowd_sender --url URL --keyring FILE --address URL`
"""

import argparse
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel
from notifiers.sendgrid_email import SendgridEmailNotifier
from notifiers.testing.provider import ACCOUNT_SID, API_KEY, AUTH_TOKEN
from notifiers.twilio_sms import TwilioSmsNotifier

PACE = Pace(
    workers=3,
    claim=8,
    call_seconds=2.0,
    grace_seconds=0.5,
    lease=timedelta(seconds=4),
    ask_seconds=3.0,
    backoff_first=0.2,
    backoff_most=1.0,
    doubt_waits=timedelta(seconds=2),
)
SMS_AT_ONCE, MAILS_AT_ONCE = 10, 25
MOST_OPEN = PACE.most_in_doubt(SMS_AT_ONCE) + PACE.most_in_doubt(MAILS_AT_ONCE)
"""What one kill can leave in doubt, over both lanes."""
ROUTES = {"sms": ("twilio_sms",), "email": ("sendgrid_email",)}
STATUS_URL = "https://brud.example.dk/webhooks/twilio_sms/status"


def sms(address: str) -> TwilioSmsNotifier:
    """Return the real Twilio notifier, aimed at the stand-in."""
    settings = {
        "account_sid": ACCOUNT_SID,
        "auth_token": AUTH_TOKEN,
        "from_number": "+4532123456",
        "api_base": address,
    }
    made = TwilioSmsNotifier.from_settings(settings, channel=Channel.SMS)
    made.max_batch = SMS_AT_ONCE
    made.use_callbacks(STATUS_URL)
    return made


def mail(address: str, webhook_key: str = "") -> SendgridEmailNotifier:
    """Return the real SendGrid notifier, aimed at the stand-in."""
    settings = {
        "api_key": API_KEY,
        "from_email": "brud@example.dk",
        "api_base": address,
        "max_batch": MAILS_AT_ONCE,
        "webhook_public_key": webhook_key,
    }
    return SendgridEmailNotifier.from_settings(settings, channel=Channel.EMAIL)


def main() -> None:
    """Send until nobody wants it any more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--keyring", type=Path)
    parser.add_argument("--address", required=True)
    given = parser.parse_args()
    database = Database(given.url, given.keyring)
    engine = Engine(
        database,
        Keyring(bytes(32), database),
        [sms(given.address), mail(given.address)],
        lambda: datetime.now(UTC),  # noqa: TID251 - a process of its own has a clock of its own
        f"worker-{os.getpid()}",
        Routing(ROUTES),
        pace=PACE,
    )
    ended = threading.Event()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not ended.wait(0.05):
        engine.sweep()
        engine.drain(ended)


if __name__ == "__main__":
    main()
