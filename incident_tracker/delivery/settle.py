"""What is in doubt: the provider's own word, then a question to the provider, then the policy of the purpose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from incident_tracker.delivery import reports
from incident_tracker.delivery.asking import Asking
from incident_tracker.delivery.classify import GOES_AGAIN
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.parcel import UNREADABLE, Contents
from incident_tracker.delivery.routing import Routing
from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.store import callbacks, lanes
from incident_tracker.store import deliveries as rows
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import BY_DECISION, Claimed, Decision, State
from notifiers.protocol import LooksUp, Message, StatusReport

__all__ = ["Decision", "NotInDoubt", "Settler", "Swept", "decide"]

_SIZE = 100
_TAKEN = timedelta(minutes=1)
_EARLIER = timedelta(minutes=1)
"""Clocks differ: the provider is asked for a little more than the time of the try."""


class NotInDoubt(Refusal):
    """A decision about a message that is not in doubt."""

    message = "This message is not in doubt (it is %(state)s). There is nothing to decide."


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: leases that were over, doubts that were settled, doubts that wait."""

    released: int = 0
    doubted: int = 0
    settled: int = 0
    again: int = 0
    waiting: int = 0


class Settler:
    """Ends leases that are over and settles what is in doubt."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        now: Callable[[], datetime],
        askable: Mapping[str, LooksUp],
        asking: Asking,
        routing: Routing,
        pace: Pace,
    ) -> None:
        """`askable` are the notifiers that can be asked, by name."""
        self._database = database
        self._contents = contents
        self._now = now
        self._askable = askable
        self._asking = asking
        self._routing = routing
        self._pace = pace

    def expire(self) -> tuple[int, int]:
        """End leases that are over; return how many rows are pending again and how many are in doubt."""
        released = doubted = 0
        while True:
            with self._database.writing(urgent=True) as session:
                free, doubt = rows.expire(session, self._now(), _SIZE)
            released += free
            doubted += doubt
            if free + doubt < _SIZE:
                return released, doubted

    def settle(self) -> tuple[int, int, int]:
        """Settle what can be settled; return (by the provider, sent again, waiting for a person).

        Of what belongs to notices only a few are asked for at a time: nothing urgent waits while a provider is
        asked about thousands.
        """
        totals = [0, 0, 0]
        for of_notices in (False, True):
            taken = _SIZE
            while taken == _SIZE:
                taken, *settled = self._settle_some(of_notices=of_notices)
                totals = [total + some for total, some in zip(totals, settled, strict=True)]
                if of_notices:
                    break
        settled_all, again, waiting = totals
        return settled_all, again, waiting

    def _settle_some(self, *, of_notices: bool) -> tuple[int, int, int, int]:
        now = self._now()
        with self._database.writing(urgent=True) as session:
            taken = rows.take_doubtful(session, now, now + _TAKEN, _SIZE, of_notices=of_notices)
            tries = rows.last_attempts(session, [one.id for one in taken])
        if not taken:
            return 0, 0, 0, 0
        found: set[str] = set()
        for notifier in sorted({one.notifier for one in taken}):
            found |= self._search(notifier, [one for one in taken if one.notifier == notifier], tries)
        again, waiting = self._by_policy([one for one in taken if one.id not in found])
        return len(taken), len(found), again, waiting

    def _search(self, notifier: str, doubtful: Sequence[Claimed], tries: Mapping[str, Any]) -> set[str]:
        provider = self._askable.get(notifier)
        messages = list(self._messages(doubtful, tries))
        if provider is None or not messages:
            return set()
        since = min(tries[one.delivery].started_at for one in messages) - _EARLIER
        with self._database.reading() as session:
            known = rows.known_to_provider(session, [one.id for one in doubtful], since)
        answer = self._asking.ask(notifier, lambda deadline: provider.search(messages, since, deadline, known))
        return self._apply(notifier, answer.said, {one.attempt for one in messages})

    def _messages(self, doubtful: Sequence[Claimed], tries: Mapping[str, Any]) -> list[Message]:
        messages = []
        for one in doubtful:
            try:
                parcel = self._contents.parcel(one.sealed, one.content_id)
            except UNREADABLE:
                continue
            if one.id in tries:
                messages.append(parcel.message(tries[one.id].id, one.id, one.valid_for))
        return messages

    def _apply(self, notifier: str, answer: Sequence[StatusReport], asked: set[str]) -> set[str]:
        known = [one for one in answer if one.attempt in asked]
        if not known:
            return set()
        with self._database.writing(urgent=True) as session:
            targets = reports.targets(session, notifier, known)
            reports.mind_alerts(session, zip(targets, known, strict=True))
            pairs = [(target, one) for target, one in zip(targets, known, strict=True) if target is not None]
            reports.apply(session, pairs, self._now(), self._pace.look_up_first)
        return {target.delivery_id for target, _ in pairs}

    def _by_policy(self, doubtful: Sequence[Claimed]) -> tuple[int, int]:
        now = self._now()
        again = [one for one in doubtful if one.purpose in GOES_AGAIN]
        waits = [one.id for one in doubtful if one.purpose not in GOES_AGAIN]
        if not doubtful:
            return 0, 0
        with self._database.writing(urgent=True) as session:
            over = rows.unwanted(session, [one.id for one in again])
            rows.call_off(session, over, now)
            again = [one for one in again if one.id not in over]
            paused = {name for name, state in lanes.states(session).items() if state.paused_at is not None}
            rows.send_again(session, [self._again(one, now, paused) for one in again])
            rows.look_at_later(session, waits, now + self._pace.doubt_waits)
        return len(again), len(waits)

    def _again(self, one: Claimed, now: datetime, paused: set[str]) -> dict[str, Any]:
        notifier = one.notifier
        tries = self._pace.tries_before_moving
        if one.number % tries == 0 and not one.local_only:
            notifier = self._routing.after(one.channel, notifier, paused) or notifier
        at = (
            now
            if one.number < tries or notifier != one.notifier
            else now + self._pace.backoff(one.number - tries + 1)
        )
        return {"b_id": one.id, "b_not_before": at, "b_notifier": notifier}


def decide(session: Session, scope: Scope, delivery_id: str, decision: Decision, now: datetime) -> rows.Listed:
    """Settle a message in doubt as a person decided, and return it as it was before.

    Refuses (NotInDoubt) a message that is settled already. The caller journals who decided and why.
    """
    found = rows.find(session, scope, delivery_id)
    if found is None:
        raise NotFound(what=delivery_id)
    row = rows.standing(session, [delivery_id])[delivery_id]
    if row.state != State.IN_DOUBT:
        raise NotInDoubt(state=row.state)
    if decision is Decision.AGAIN:
        rows.send_again(session, [{"b_id": row.id, "b_not_before": now, "b_notifier": found.notifier}])
        return found
    written = {
        "b_id": row.id,
        "b_state": State.ACCEPTED,
        "b_now": now,
        "b_finished_at": None,
        "b_look_up_at": None,
        "b_provider_id": None,
        "b_reason": BY_DECISION,
        "b_code": "",
    }
    callbacks.write_reported(session, [written])
    return found
