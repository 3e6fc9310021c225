"""The outbox engine as the clock and the services know it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from incident_tracker.delivery.asking import Asking
from incident_tracker.delivery.dispatch import Dispatcher
from incident_tracker.delivery.inbox import Inbox
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.parcel import Contents
from incident_tracker.delivery.polling import Poller
from incident_tracker.delivery.routing import Routing
from incident_tracker.delivery.settle import Settler, Swept
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring
from notifiers.protocol import CallbackEvent, LooksUp, Notifier


def _nothing(_point: str) -> None:
    """Do nothing at a named point."""


class Engine:
    """Sends what is in the outbox, settles what is in doubt, takes in what providers say.

    Any number of engines share the rows on PostgreSQL. `probe` is called at `before_claim`, `after_claim`,
    `after_attempt`, `after_http` and `after_result`; tests break the process there.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        notifiers: Iterable[Notifier],
        now: Callable[[], datetime],
        node: str,
        routing: Routing,
        *,
        pace: Pace | None = None,
        probe: Callable[[str], None] = _nothing,
    ) -> None:
        """Prepare; nothing runs before one of the methods is called.

        `notifiers`: one for each name and channel. `routing`: what of it is not among them is left out.
        """
        all_of_them = tuple(notifiers)
        self._pace = pace or Pace()
        askable = {one.name: one for one in all_of_them if isinstance(one, LooksUp)}
        self._askable = frozenset(askable)
        asking = Asking(self._pace.ask_seconds)
        contents = Contents(database, keyring)
        self._dispatcher = Dispatcher(
            database, contents, all_of_them, now, node, routing, pace=self._pace, probe=probe
        )
        self.routing = self._dispatcher.routing
        self._inbox = Inbox(database, keyring, now, self._look_up_after)
        self._settler = Settler(database, contents, now, askable, asking, self.routing, self._pace)
        self._poller = Poller(database, now, askable, asking, self._inbox, self._pace)

    def wake(self) -> None:
        """Look for due messages now: something was committed."""
        self._dispatcher.wake()

    def wait(self, seconds: float) -> bool:
        """Wait until someone wakes the engine; return whether someone did."""
        return self._dispatcher.wait(seconds)

    def drain(self, stop: threading.Event) -> int:
        """Send all that is due; return how many outcomes were written when nothing is left or in flight.

        After `stop` nothing new is claimed, and what is in flight ends by its deadline.
        """
        return self._dispatcher.drain(stop)

    def sweep(self) -> Swept:
        """End leases that are over, apply what providers said, settle what is in doubt."""
        released, doubted = self._settler.expire()
        self._inbox.apply()
        settled, again, waiting = self._settler.settle()
        if released or again:
            self.wake()
        return Swept(released, doubted, settled, again, waiting)

    def receive(self, notifier: str, events: Sequence[CallbackEvent]) -> None:
        """Store what a provider called back, before anything is done with it."""
        self._inbox.receive(notifier, events)

    def poll(self, *, replies: bool) -> None:
        """Ask providers for final states, and with `replies` for what people wrote (while alerts are open)."""
        self._poller.states()
        if replies:
            self._poller.replies()
        self._inbox.apply()

    def close(self) -> None:
        """Let the lanes' threads end when they are done."""
        self._dispatcher.close()

    def _look_up_after(self, notifier: str) -> timedelta | None:
        return self._pace.look_up_first if notifier in self._askable else None
