"""Claims what is due, lets the lanes send it, writes down what came of it.

One thread (whoever calls `drain`) does all the book-keeping; the lanes' threads only talk to providers and never
hold a connection. What a thread still answers after its call was given up is written by the next drain.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy.orm import Session

from incident_tracker.delivery.classify import Change, Circumstances
from incident_tracker.delivery.lanes import Answer, Key, Lane, Unit
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.parcel import unseal
from incident_tracker.delivery.record import Result, end_alerts, record
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import deliveries as rows
from incident_tracker.store import lanes as lane_rows
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Claimed, State
from incident_tracker.store.ids import new_id
from incident_tracker.store.keys import KeyIsGone, Keyring
from incident_tracker.store.lanes import LaneState
from notifiers.protocol import LooksUp, Message, Notifier, NotSent, Unknown

_log = structlog.get_logger()

_ROUND_SECONDS = 0.05
"""How long answers may gather before they are written."""
_LOOK_AGAIN_SECONDS = 0.5
"""How often a lane without work is looked at while others are busy."""
_REROUTED = 500


class Dispatcher:
    """Drains the outbox. `probe` is called at named points, for tests that break it there."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        notifiers: Iterable[Notifier],
        now: Callable[[], datetime],
        node: str,
        routing: Routing,
        *,
        pace: Pace,
        probe: Callable[[str], None],
    ) -> None:
        """Prepare the lanes; nothing runs before `drain`."""
        self._database = database
        self._keyring = keyring
        self._now = now
        self._node = node
        self._pace = pace
        self._probe = probe
        self._answers: deque[Answer] = deque()
        self._unwritten: list[Result] = []
        self._stirred = threading.Event()
        self._woken = threading.Event()
        self._drains = threading.Lock()
        self._prepared = False
        self.lanes: dict[Key, Lane] = {}
        for notifier in notifiers:
            lane = Lane(notifier, pace, self._answers, self._stirred, lambda: probe("after_http"))
            self.lanes[lane.key] = lane
        self.routing = routing.only(self.lanes)

    def wake(self) -> None:
        """Look for due messages now: something was committed."""
        self._woken.set()
        self._stirred.set()

    def wait(self, seconds: float) -> bool:
        """Wait until someone wakes the dispatcher; return whether someone did."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken

    def drain(self, stop: threading.Event) -> int:
        """Send all that is due; return how many answers were written when nothing is left or in flight.

        After `stop` nothing new is claimed; what is in flight ends by its deadline.
        """
        with self._drains:
            self._prepare()
            self._look_again()
            written = 0
            while True:
                self._stirred.clear()
                written += self._write(self._gathered())
                claimed = 0 if stop.is_set() else self._claim()
                if not claimed and not self._live() and not self._answers:
                    return written
                self._stirred.wait(_ROUND_SECONDS)

    def close(self) -> None:
        """Let the threads end."""
        for lane in self.lanes.values():
            lane.close()

    def _prepare(self) -> None:
        if not self._prepared:
            with self._database.writing(urgent=True) as session:
                lane_rows.ensure(session, (name for name, _ in self.lanes))
            self._prepared = True

    def _look_again(self) -> None:
        for lane in self.lanes.values():
            lane.dry_until = 0.0

    def _live(self) -> bool:
        return any(not unit.given_up for lane in self.lanes.values() for unit in lane.units)

    # --- what came back -------------------------------------------------------------------------------------------

    def _gathered(self) -> list[Result]:
        results, self._unwritten = self._unwritten, []
        while self._answers:
            answer = self._answers.popleft()
            unit = answer.unit
            if answer.outcome is None or answer.claimed is None:
                unit.lane.finished(unit)
                continue
            unit.held.pop(answer.claimed.attempt, None)
            results.append(Result(answer.claimed, answer.outcome))
        results.extend(self._given_up())
        return results

    def _given_up(self) -> Iterable[Result]:
        clock = time.monotonic()
        for lane in self.lanes.values():
            for unit in lane.units:
                if not unit.given_up and unit.ends_at <= clock:
                    unit.given_up = True
                    for attempt, claimed in unit.held.items():
                        yield Result(claimed, Unknown(attempt, "no answer before the deadline"))

    def _write(self, results: list[Result]) -> int:
        if not results:
            return 0
        try:
            with self._database.writing(urgent=True) as session:
                around = self._circumstances(lane_rows.states(session))
                record(session, results, around)
        except BaseException:
            self._unwritten = results + self._unwritten  # written by the next drain
            raise
        if any(isinstance(one.outcome, NotSent) for one in results):
            self._look_again()  # another lane may have work now
        self._probe("after_result")
        return len(results)

    def _circumstances(self, states: Mapping[str, LaneState]) -> dict[str, Circumstances]:
        now = self._now()
        paused = {name for name, state in states.items() if state.paused_at is not None}
        around = {}
        for lane in self.lanes.values():
            asks = isinstance(lane.notifier, LooksUp)
            look_up_at = now + self._pace.look_up_first if asks else None
            around[lane.key[0]] = Circumstances(now, self._pace, self.routing, paused, look_up_at)
        return around

    # --- what goes out --------------------------------------------------------------------------------------------

    def _claim(self) -> int:
        if self._woken.is_set():
            self._woken.clear()
            self._look_again()
        clock = time.monotonic()
        looking = [lane for lane in self.lanes.values() if lane.free and lane.dry_until <= clock]
        if not looking:
            return 0
        self._probe("before_claim")
        now = self._now()
        with self._database.reading() as session:
            states = lane_rows.states(session)
            due = [lane for lane in looking if rows.any_due(session, *lane.key, now)]
        for lane in looking:
            if lane not in due or states[lane.key[0]].is_closed(now):
                lane.dry_until = clock + _LOOK_AGAIN_SECONDS
        return sum(self._claim_for(lane, states, now) for lane in due)

    def _claim_for(self, lane: Lane, states: Mapping[str, LaneState], now: datetime) -> int:
        state = states[lane.key[0]]
        if state.is_closed(now):
            return self._reroute(lane, states) if state.paused_at is not None else 0
        probing = state.is_probed(now)
        size = 1 if probing else lane.free * self._pace.claim
        with self._database.writing(urgent=True) as session:
            held = rows.claim(
                session, *lane.key, size=size, batch=new_id(now), now=now, lease_until=now + self._pace.lease
            )
            self._probe("after_claim")
            if probing:
                lane_rows.pause(session, state.notifier, state.reason, now, now + self._pace.probe_after)
            messages = self._open(held)
            tries = [self._attempt(one, now) for one in held if one.attempt in messages]
            if tries:
                rows.open_attempts(session, tries)
            self._end_unreadable(session, [one for one in held if one.attempt not in messages], now)
        self._probe("after_attempt")
        if len(held) < size:
            lane.dry_until = time.monotonic() + _LOOK_AGAIN_SECONDS
        self._give(lane, [one for one in held if one.attempt in messages], messages)
        return len(held)

    def _give(self, lane: Lane, held: Sequence[Claimed], messages: Mapping[str, Message]) -> None:
        units = min(lane.free, len(held))
        for number in range(units):
            share = held[number::units]
            lane.give(Unit(lane, [messages[one.attempt] for one in share], {one.attempt: one for one in share}))

    def _open(self, held: Sequence[Claimed]) -> dict[str, Message]:
        messages = {}
        for one in held:
            try:
                parcel = unseal(self._keyring, one.sealed)
            except (KeyIsGone, InvalidTag, ValueError) as error:
                _log.warning("delivery_unreadable", delivery=one.id, why=type(error).__name__)
                continue
            messages[one.attempt] = parcel.message(one.attempt, one.id, one.valid_for)
        return messages

    def _attempt(self, one: Claimed, now: datetime) -> dict[str, Any]:
        return {
            "id": one.attempt,
            "delivery_id": one.id,
            "controller_id": one.controller_id,
            "number": one.number,
            "batch": one.batch,
            "notifier": one.notifier,
            "node": self._node,
            "started_at": now,
        }

    def _end_unreadable(self, session: Session, unreadable: Sequence[Claimed], now: datetime) -> None:
        for one in unreadable:
            why = "what it says can no longer be read"
            change = Change(State.FAILED, one.not_before, one.notifier, finished_at=now, reason=why)
            rows.write_results(session, [change.row(one.id)])
        end_alerts(session, [one.id for one in unreadable], now)

    def _reroute(self, lane: Lane, states: Mapping[str, LaneState]) -> int:
        name, channel = lane.key
        paused = {other for other, state in states.items() if state.paused_at is not None}
        other = self.routing.after(channel, name, paused)
        if other is None:
            return 0
        with self._database.writing(urgent=True) as session:
            moved = rows.reroute(session, name, channel, other, _REROUTED)
        if moved:
            self._look_again()
        return moved
