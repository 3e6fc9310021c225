"""Asking for states and replies, for the installation that no provider can call."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from incident_tracker.delivery.asking import Asking
from incident_tracker.delivery.inbox import Inbox
from incident_tracker.delivery.pace import Pace
from incident_tracker.store import deliveries as rows
from incident_tracker.store import lanes
from incident_tracker.store.database import Database
from notifiers.protocol import LooksUp, ReportedState

_TAKEN = timedelta(minutes=1)
_OVERLAP = timedelta(minutes=1)
"""Replies are asked for from a little earlier than last time; the inbox knows what it has."""
_FIRST_LOOK = timedelta(minutes=15)


class Poller:
    """Brings into the inbox what a provider would otherwise have called back."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        askable: Mapping[str, LooksUp],
        asking: Asking,
        inbox: Inbox,
        pace: Pace,
    ) -> None:
        """`askable` are the notifiers that can be asked, by name."""
        self._database = database
        self._now = now
        self._askable = askable
        self._asking = asking
        self._inbox = inbox
        self._pace = pace

    def states(self) -> int:
        """Ask for the state of a few accepted messages of each notifier; return how many were asked for.

        What is of notices is asked for after the rest, and more of it at once.
        """
        return sum(
            self._states_of(name, provider, of_notices=of_notices)
            for of_notices in (False, True)
            for name, provider in self._askable.items()
        )

    def replies(self) -> None:
        """Ask every notifier what people wrote to us."""
        for name, provider in self._askable.items():
            self._replies_of(name, provider)

    def _states_of(self, notifier: str, provider: LooksUp, *, of_notices: bool) -> int:
        now = self._now()
        size = self._pace.look_up_many if of_notices else self._pace.look_up_size
        with self._database.writing(urgent=True) as session:
            due = rows.take_for_look_up(session, notifier, now, now + _TAKEN, size, of_notices=of_notices)
        if not due:
            return 0
        ids = [provider_id for _, provider_id, _ in due]
        answer = self._asking.ask(notifier, lambda deadline: provider.look_up(ids, deadline))
        self._inbox.receive(notifier, [one for one in answer.said if one.state is not ReportedState.ACCEPTED])
        with self._database.writing(urgent=True) as session:
            rows.look_up_later(session, {row_id: self._next(now, sent_at) for row_id, _, sent_at in due})
        return len(due)

    def _next(self, now: datetime, sent_at: datetime) -> datetime | None:
        age = now - sent_at
        return None if age > self._pace.look_up_last else now + max(self._pace.look_up_first, age)

    def _replies_of(self, notifier: str, provider: LooksUp) -> None:
        now = self._now()
        with self._database.reading() as session:
            state = lanes.states(session).get(notifier)
        since = state.polled_until - _OVERLAP if state and state.polled_until else now - _FIRST_LOOK
        answer = self._asking.ask(notifier, lambda deadline: provider.replies(since, deadline))
        self._inbox.receive(notifier, answer.said)
        if not answer.complete:
            return
        with self._database.writing(urgent=True) as session:
            lanes.ensure(session, [notifier])
            lanes.polled(session, notifier, now)
