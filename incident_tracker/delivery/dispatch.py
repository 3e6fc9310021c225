"""Claims what is due, lets the lanes send it, writes down what came of it.

One thread (whoever calls `drain`) does all the book-keeping; the lanes' threads only talk to providers and never
hold a connection. What a thread still answers after its call was given up is written by the next drain.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import structlog

from incident_tracker.delivery.claims import REROUTED, Claims, shares
from incident_tracker.delivery.classify import Circumstances
from incident_tracker.delivery.lanes import Answer, Key, Lane, Unit
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.parcel import UNREADABLE, Contents
from incident_tracker.delivery.record import Result, record, record_late
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import deliveries as rows
from incident_tracker.store import lanes as lane_rows
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Claimed
from incident_tracker.store.lanes import LaneState
from notifiers.protocol import Accepted, LooksUp, Message, Notifier, NotSent, Outcome, RefusalKind, Refused, Unknown

_log = structlog.get_logger()

_ROUND_SECONDS = 0.05
"""How long answers may gather before they are written."""


class _NotAllOursError(Exception):
    """A lease was taken over while its call was under way."""


class Dispatcher:
    """Drains the outbox. `probe` is called at named points, for tests that break it there."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
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
        self._contents = contents
        self._now = now
        self._pace = pace
        self._probe = probe
        self._answers: deque[Answer] = deque()
        self._unwritten: list[Result] = []
        self._unbegun: list[Claimed] = []
        self._stirred = threading.Event()
        self._woken = threading.Event()
        self._drains = threading.Lock()
        self._prepared = False
        self._adopts_at = 0.0
        self.lanes: dict[Key, Lane] = {}
        for notifier in notifiers:
            lane = Lane(notifier, pace, self._answers, self._stirred, lambda: probe("after_http"))
            self.lanes[lane.key] = lane
        self.routing = routing.only(self.lanes)
        self._claims = Claims(database, node, self.lanes, self.routing, pace, probe)

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
                self._gather()
                returned = self._give_back()
                lanes = [] if stop.is_set() else self._lanes_to_serve()
                answered = len(self._unwritten)
                moved = returned + (self._round(lanes) if answered or lanes else 0)
                written += answered
                if not moved and not self._live() and not self._answers and not self._unwritten:
                    return written
                if self._live():
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
        if self._adopts_at <= time.monotonic():
            self._adopt()
            self._adopts_at = time.monotonic() + self._pace.adopt_seconds

    def _adopt(self) -> None:
        """Give what waits for a notifier that the settings no longer name to one that they do."""
        with self._database.reading() as session:
            orphans = [route for route in rows.waiting_routes(session) if route not in self.lanes]
        for name, channel in orphans:
            other = self.routing.after(channel, name)
            _log.warning("delivery_without_notifier", notifier=name, channel=channel, given_to=other)
            moved = REROUTED if other else 0
            while other and moved == REROUTED:
                with self._database.writing(urgent=True) as session:
                    moved = rows.reroute(session, name, channel, other, REROUTED)

    def _look_again(self) -> None:
        for lane in self.lanes.values():
            lane.look_again()

    def _live(self) -> bool:
        return any(not unit.given_up for lane in self.lanes.values() for unit in lane.units)

    # --- what came back -------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Take what the threads answered; it stays in `_unwritten` until it is committed."""
        while self._answers:
            answer = self._answers.popleft()
            unit = answer.unit
            if answer.claimed is None:
                unit.lane.finished(unit)
                continue
            unit.held.pop(answer.claimed.attempt, None)
            if answer.outcome is None:
                self._unbegun.append(answer.claimed)
            else:
                self._unwritten.append(Result(answer.claimed, answer.outcome))
        self._give_up()

    def _give_up(self) -> None:
        clock = time.monotonic()
        late = [unit for lane in self.lanes.values() for unit in lane.units if unit.ends_at <= clock]
        for unit in late:
            if unit.given_up:
                continue
            begun = unit.give_up()
            for attempt, claimed in unit.held.items():
                if attempt in begun:
                    self._unwritten.append(Result(claimed, Unknown(attempt, "no answer before the deadline")))
                else:
                    self._unbegun.append(claimed)

    def _give_back(self) -> int:
        """Put back what no call was begun for; return how many rows that were."""
        held = self._unbegun
        if held:
            with self._database.writing(urgent=True) as session:
                rows.give_back(session, held, self._now())
            self._unbegun = []
            self._look_again()
        return len(held)

    def _circumstances(self, states: Mapping[str, LaneState], now: datetime) -> dict[str, Circumstances]:
        paused = {name for name, state in states.items() if state.paused_at is not None}
        around = {}
        for lane in self.lanes.values():
            asks = isinstance(lane.notifier, LooksUp)
            look_up_at = now + self._pace.look_up_first if asks else None
            around[lane.key[0]] = Circumstances(now, self._pace, self.routing, paused, look_up_at)
        return around

    # --- what goes out --------------------------------------------------------------------------------------------

    def _lanes_to_serve(self) -> list[Lane]:
        """Return the lanes with a free thread that have work, or had more than they could take the last time."""
        if self._woken.is_set():
            self._woken.clear()
            self._look_again()
        return self._claims.lanes_to_serve(self._now())

    def _round(self, lanes: Sequence[Lane]) -> int:
        """Write what came back and claim what goes out, in one transaction; return how many rows were moved."""
        self._probe("before_claim")
        now, results = self._now(), self._unwritten
        held: dict[Key, list[Claimed]] = {}
        moved = self._commit(results, lanes, now, held)
        self._unwritten = []
        if results:
            self._probe("after_result")
            if any(isinstance(one.outcome, NotSent) for one in results):
                self._look_again()  # another lane may have work now
                moved += 1
        if held:
            self._probe("after_attempt")
        for lane in lanes:
            self._give(lane, held.get(lane.key, []))
        return moved

    def _commit(
        self, results: Sequence[Result], lanes: Sequence[Lane], now: datetime, held: dict[Key, list[Claimed]]
    ) -> int:
        try:
            with self._database.writing(urgent=True) as session:
                states = lane_rows.states(session)
                if results and not record(session, results, self._circumstances(states, now)):
                    raise _NotAllOursError  # noqa: TRY301 - rolls back
                if _may_close_or_open(results, states):
                    states = lane_rows.states(session)
                return self._claims.claim(session, lanes, states, now, held)
        except _NotAllOursError:
            with self._database.writing(urgent=True) as session:
                record_late(session, results, self._circumstances(lane_rows.states(session), now))
            return 1  # look again

    def _give(self, lane: Lane, held: Sequence[Claimed]) -> None:
        messages = {one.attempt: message for one in held if (message := self._open(one)) is not None}
        ready = [one for one in held if one.attempt in messages]
        for share, of_notices in shares(lane, ready):
            texts = [messages[one.attempt] for one in share]
            lane.give(Unit(lane, texts, {one.attempt: one for one in share}, of_notices))

    def _open(self, one: Claimed) -> Message | None:
        """Return the message, or None where it cannot be read; the next round writes that down."""
        outcome: Outcome
        try:
            parcel = self._contents.parcel(one.sealed, one.content_id)
            return parcel.message(one.attempt, one.id, one.valid_for)
        except UNREADABLE:
            outcome = Refused(one.attempt, RefusalKind.CONTENT, "what it says can no longer be read")
        except Exception as error:  # noqa: BLE001 - nothing was sent, and the other messages must go
            outcome = NotSent(one.attempt, f"it cannot be opened: {type(error).__name__}")
        _log.warning("delivery_unreadable", delivery=one.id, why=outcome.reason)
        self._unwritten.append(Result(one, outcome))
        return None


def _may_close_or_open(results: Sequence[Result], states: Mapping[str, LaneState]) -> bool:
    paused = any(state.paused_at is not None for state in states.values())
    return bool(results) and (paused or not all(isinstance(one.outcome, Accepted) for one in results))
