"""When the clock or the database itself fails: said directly, past the outbox, and written down afterwards.

A silent alerter is the one failure this product must not have. What cannot be read from a broken database is
remembered from before: who is on call. How often it is said is limited in memory.
"""

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import structlog

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.events import ClockStopped
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import on_call
from incident_tracker.services.work import working
from incident_tracker.store.ids import new_id
from notifiers.protocol import Accepted, Channel, Content, Deadline, Message, Notifier

_log = structlog.get_logger()

PATIENCE_SECONDS = 30.0
"""How long a duty of the clock may fail before somebody is told."""
REPEAT_SECONDS = 3600.0
SOONER_SECONDS = 300.0
"""When it is said again if nobody could be reached."""
SEND_SECONDS = 20.0
"""How long one notifier may take; then the next is tried."""
_GRACE_SECONDS = 1.0
_PING_SECONDS = 10.0
_TEXTS = {
    "da": "Uret i hændelsessystemet virker ikke. Alarmer kan udeblive. Se /readyz på serveren nu.",
    "en": "The clock of the incident tracker has failed. Alerts may not come. See /readyz on the server now.",
}


class Watch:
    """Runs the clock's duties so that one failure stops no other, and tells people when failing goes on.

    Nothing it does can end or hold up the clock: what it cannot write down it writes later, and it tells people from
    a thread of its own.
    """

    def __init__(self, tracker: Tracker) -> None:
        """Start with nothing wrong."""
        self._tracker = tracker
        self._failing_since: dict[str, tuple[float, datetime]] = {}
        self._quiet_until: float | None = None
        self._told_from: datetime | None = None
        self._contacts: tuple[OnCallContact, ...] = ()
        self._lock = threading.Lock()
        self._noting = threading.Lock()
        self._telling: threading.Thread | None = None
        self._calls: dict[tuple[str, Channel], threading.Thread | None] = {}

    def over(self, duty: str, work: Callable[[], object]) -> None:
        """Run one duty; log what goes wrong, and tell people once it has gone wrong for too long."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever happens, the clock goes on
            _log.error("clock_duty_failed", duty=duty, error=type(error).__name__)
            self._failed(duty)
        else:
            self._succeeded(duty)

    def remember_contacts(self) -> None:
        """Keep in memory who is on call, for the moment in which the database cannot say it."""
        self._contacts = tuple(on_call.everybody(self._tracker.context))

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
            if self._quiet_until is not None and clock < self._quiet_until:
                return
            self._quiet_until = clock + REPEAT_SECONDS
            self._told_from = self._told_from or at
            if self._telling is not None and self._telling.is_alive():
                return
            self._telling = _started(self._tell, "trouble")

    def _succeeded(self, duty: str) -> None:
        with self._lock:
            self._failing_since.pop(duty, None)
            since = self._told_from
            if self._failing_since or since is None:
                return
        if not self._noting.acquire(blocking=False):
            return
        try:
            self._note(since)
        except Exception as error:  # noqa: BLE001 - the next duty that succeeds tries again
            _log.error("trouble_not_noted", error=type(error).__name__)
        finally:
            self._noting.release()

    def _note(self, since: datetime) -> None:
        """Write into the journal that people were told, and be ready for the next time once it is committed."""
        if self._told_from != since:
            return  # another thread has just noted it
        with working(self._tracker.context, CLOCK) as work:
            work.note(ClockStopped(since, work.now, "the clock or the database failed; people were told directly"))
        with self._lock:
            self._told_from, self._quiet_until = None, None

    def _tell(self) -> None:
        contacts = self._contacts
        try:
            reached = [self._tell_over(channel, contacts) for channel in (Channel.SMS, Channel.EMAIL)]
        except Exception as error:  # noqa: BLE001 - nobody waits for this thread
            _log.error("trouble_not_told", error=type(error).__name__)
            reached = []
        if not any(reached):
            _log.error("nobody_reached", people=len(contacts))
            with self._lock:
                self._quiet_until = time.monotonic() + SOONER_SECONDS

    def _tell_over(self, channel: Channel, contacts: Sequence[OnCallContact]) -> int:
        """Tell people over one channel, each by the first notifier that takes it; return how many were taken."""
        left = {one.address: one for one in _messages(contacts, channel, self._tracker.context.now())}
        wanted = len(left)
        for name in self._tracker.settings.routing.by_channel()[channel.value]:
            carrier = self._tracker.carriers.get((name, channel))
            if carrier is None or not left:
                continue
            taken = self._carried((name, channel), carrier, list(left.values()))
            left = {address: one for address, one in left.items() if one.attempt not in taken}
            _log.error("trouble_told", notifier=name, channel=channel.value, people=len(taken))
        return wanted - len(left)

    def _carried(self, key: tuple[str, Channel], carrier: Notifier, messages: list[Message]) -> frozenset[str]:
        """Return the attempts that a notifier accepted in time; one that hangs is left behind and not used again."""
        taken: set[str] = set()

        def run() -> None:
            try:
                for outcome in carrier.send(messages, Deadline(SEND_SECONDS, time.monotonic)):
                    if isinstance(outcome, Accepted):
                        taken.add(outcome.attempt)
            except Exception as error:  # noqa: BLE001 - the next notifier is tried
                _log.error("trouble_not_carried", notifier=key[0], error=type(error).__name__)

        before = self._calls.get(key)
        if before is not None and before.is_alive():
            return frozenset()
        thread = self._calls[key] = _started(run, f"trouble-{key[0]}")
        if thread is not None:
            thread.join(SEND_SECONDS + _GRACE_SECONDS)
        return frozenset(taken)


def _started(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a thread that nobody waits for at the end; None where the machine has no more threads."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        _log.error("trouble_not_told", error=type(error).__name__)
        return None
    return thread


def _messages(contacts: Sequence[OnCallContact], channel: Channel, now: datetime) -> Iterator[Message]:
    for contact in contacts:
        address = contact.phone if channel is Channel.SMS else contact.email
        if address:
            text = _TEXTS[contact.language]
            content = Content(text=text, subject=text.split(".")[0], language=contact.language)
            attempt = new_id(now)
            yield Message(attempt, attempt, address, content)
