"""When the clock or the database itself fails: said directly, past the outbox, and written down afterwards.

A silent alerter is the one failure this product must not have. What cannot be read from a broken database is
remembered from before: who is on call. How often it is said is limited in memory.
"""

import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime

import structlog

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.events import ClockStopped
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import on_call_list
from incident_tracker.services.work import working
from notifiers.protocol import Channel, Content, Deadline, Message

_log = structlog.get_logger()

PATIENCE_SECONDS = 30.0
"""How long a duty of the clock may fail before somebody is told."""
REPEAT_SECONDS = 3600.0
_PING_SECONDS = 10.0
_TEXTS = {
    "da": "Uret i hændelsessystemet virker ikke. Alarmer kan udeblive. Se /readyz på serveren nu.",
    "en": "The clock of the incident tracker has failed. Alerts may not come. See /readyz on the server now.",
}


class Watch:
    """Runs the clock's duties so that one failure stops no other, and tells people when failing goes on."""

    def __init__(self, tracker: Tracker) -> None:
        """Start with nothing wrong."""
        self._tracker = tracker
        self._failing_since: dict[str, tuple[float, datetime]] = {}
        self._told_at: float | None = None
        self._told_from: datetime | None = None
        self._contacts: tuple[OnCallContact, ...] = ()
        self._lock = threading.Lock()

    def over(self, duty: str, work: Callable[[], None]) -> None:
        """Run one duty; log what goes wrong, and tell people once it has gone wrong for too long."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever happens, the clock goes on
            _log.error("clock_duty_failed", duty=duty, error=type(error).__name__, why=str(error)[:200])
            self._failed(duty)
        else:
            self._succeeded(duty)

    def remember_contacts(self) -> None:
        """Keep in memory who is on call, for the moment in which the database cannot say it."""
        self._contacts = tuple(on_call_list.everybody(self._tracker.context))

    def ping(self, url: str) -> None:
        """Tell the outside watch that all is well."""
        try:
            with urllib.request.urlopen(url, timeout=_PING_SECONDS) as answer:  # noqa: S310 - the owner set it
                answer.read(1)
        except OSError as error:
            _log.warning("ping_failed", error=type(error).__name__)

    def _failed(self, duty: str) -> None:
        clock = time.monotonic()
        with self._lock:
            since, at = self._failing_since.setdefault(duty, (clock, self._tracker.context.now()))
            if clock - since < PATIENCE_SECONDS:
                return
            if self._told_at is not None and clock - self._told_at < REPEAT_SECONDS:
                return
            self._told_at = clock
            self._told_from = self._told_from or at
        self._tell()

    def _succeeded(self, duty: str) -> None:
        with self._lock:
            self._failing_since.pop(duty, None)
            if self._failing_since or self._told_from is None:
                return
            since, self._told_from, self._told_at = self._told_from, None, None
        with working(self._tracker.context, CLOCK) as work:
            work.note(ClockStopped(since, work.now, "the clock or the database failed; people were told directly"))

    def _tell(self) -> None:
        for channel in (Channel.SMS, Channel.EMAIL):
            for name in self._tracker.settings.routing.by_channel()[channel.value]:
                carrier = self._tracker.carriers.get((name, channel))
                if carrier is None:
                    continue
                messages = [one for one in map(lambda c: _message(c, channel), self._contacts) if one is not None]  # noqa: C417
                outcomes = list(carrier.send(messages, Deadline(20.0, time.monotonic))) if messages else []
                _log.error("trouble_told", notifier=name, people=len(outcomes))
                break


def _message(contact: OnCallContact, channel: Channel) -> Message | None:
    address = contact.phone if channel is Channel.SMS else contact.email
    if not address:
        return None
    text = _TEXTS[contact.language]
    content = Content(text=text, subject=text.split(".")[0], language=contact.language)
    return Message(f"trouble-{contact.id}", f"trouble-{contact.id}", address, content)
