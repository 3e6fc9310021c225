"""What goes out next: everything urgent first, then the messages of notices, as far as threads are left for them."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from incident_tracker.delivery.lanes import Key, Lane, Supply
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import deliveries as rows
from incident_tracker.store import lanes as lane_rows
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Claimed, Term
from incident_tracker.store.ids import new_id
from incident_tracker.store.lanes import LaneState

REROUTED = 500
"""How many rows of a paused notifier are given to another at once."""
AnyDue = Callable[[Session, str, str, datetime], bool]


class Claims:
    """Finds the lanes that have work and claims it for them.

    Messages of a notice are claimed only while it is sending, so that pausing and stopping act at the next claim
    without touching a row. Several notices get equal shares. Where a provider says that a notice is too much for it,
    notices wait, and what is urgent goes on.
    """

    def __init__(
        self,
        database: Database,
        node: str,
        lanes: Mapping[Key, Lane],
        routing: Routing,
        pace: Pace,
        probe: Callable[[str], None],
    ) -> None:
        """`probe` is called after each claim."""
        self._database = database
        self._node = node
        self._lanes = lanes
        self._routing = routing
        self._pace = pace
        self._probe = probe
        self._turn = 0

    def lanes_to_serve(self, now: datetime) -> list[Lane]:
        """Return the lanes with a free thread that have work, or had more than they could take the last time."""
        clock = time.monotonic()
        found: dict[Key, Lane] = {}
        asked: list[tuple[Lane, Supply, AnyDue]] = []
        for lane in self._lanes.values():
            kinds: tuple[tuple[Supply, int, AnyDue], ...] = (
                (lane.urgent, lane.free, rows.any_due),
                (lane.notices, lane.free_for_notices, rows.any_due_of_notices),
            )
            for supply, free, any_due in kinds:
                if not free or supply.dry_until > clock:
                    continue
                if supply.has_more:
                    found[lane.key] = lane
                else:
                    asked.append((lane, supply, any_due))
        if asked:
            with self._database.reading() as session:
                for lane, supply, any_due in asked:
                    if any_due(session, *lane.key, now):
                        found[lane.key] = lane
                    else:
                        supply.expect(more=False)
        return list(found.values())

    def claim(
        self,
        session: Session,
        lanes: Sequence[Lane],
        states: Mapping[str, LaneState],
        now: datetime,
        held: dict[Key, list[Claimed]],
    ) -> int:
        """Claim for these lanes into `held` and write the attempts down; return how many rows were moved."""
        moved = 0
        notices = rows.sending_notices(session) if any(lane.free_for_notices for lane in lanes) else []
        for lane in lanes:
            state = states[lane.key[0]]
            if state.is_closed(now):
                rerouted = self._reroute(session, lane, states)
                for supply in (lane.urgent, lane.notices):
                    supply.expect(more=rerouted == REROUTED)
                moved += rerouted
                continue
            open_notices = () if state.holds_notices(now) else notices
            claimed = self._take(session, lane, open_notices, now, one=state.is_probed(now))
            self._probe("after_claim")
            if claimed and state.is_probed(now):
                lane_rows.pause(session, state.notifier, state.reason, now, now + self._pace.probe_after)
            if claimed:
                rows.open_attempts(session, claimed, self._node, now)
                held[lane.key] = claimed
            moved += len(claimed)
        return moved

    def _take(
        self, session: Session, lane: Lane, notices: Sequence[int], now: datetime, *, one: bool
    ) -> list[Claimed]:
        """Claim what is urgent, then of notices what the threads can take that are left; `one`: only one message."""
        term = Term(new_id(now), now, now + self._pace.lease)
        size = 1 if one else lane.free * self._pace.claim
        urgent = rows.claim(session, *lane.key, size=size, term=term)
        lane.urgent.expect(more=len(urgent) == size)
        threads = min(lane.free_for_notices, lane.free - _threads_for(lane, urgent))
        size = min(1 - len(urgent), threads) if one else threads * lane.share
        if size <= 0:
            return urgent
        many = self._take_of_notices(session, lane, notices, size, term)
        lane.notices.expect(more=len(many) == size)
        return urgent + many

    def _take_of_notices(
        self, session: Session, lane: Lane, notices: Sequence[int], size: int, term: Term
    ) -> list[Claimed]:
        """Claim up to `size` messages: of each notice an equal share, what is left over of any."""
        if not notices:
            return []
        self._turn += 1
        turn = self._turn % len(notices)
        taken: list[Claimed] = []
        for share in (-(-size // len(notices)), size):
            for notice in (*notices[turn:], *notices[:turn]):
                most = min(share, size - len(taken))
                if most:
                    taken += rows.claim_of_notice(session, *lane.key, notice, size=most, term=term)
            if len(taken) == size or len(notices) == 1:
                break
        return taken

    def _reroute(self, session: Session, lane: Lane, states: Mapping[str, LaneState]) -> int:
        """Give the rows of a paused lane to the next notifier of its channel; return how many."""
        name, channel = lane.key
        if states[name].paused_at is None:
            return 0
        paused = {other for other, state in states.items() if state.paused_at is not None}
        other = self._routing.after(channel, name, paused)
        if other is None:
            return 0
        moved = rows.reroute(session, name, channel, other, REROUTED)
        for each in self._lanes.values():
            each.look_again()
        return moved


def shares(lane: Lane, held: Sequence[Claimed]) -> Iterator[tuple[Sequence[Claimed], bool]]:
    """Divide what was claimed among free threads, each share with whether it is of notices.

    What is urgent goes evenly to as many threads as there are; notices in whole requests, never with what is urgent.
    """
    urgent = [one for one in held if one.notice_id is None]
    many = [one for one in held if one.notice_id is not None]
    threads = _threads_for(lane, urgent)
    for number in range(threads):
        yield urgent[number::threads], False
    for start in range(0, len(many), lane.share):
        yield many[start : start + lane.share], True


def _threads_for(lane: Lane, urgent: Collection[Claimed]) -> int:
    return min(lane.free, len(urgent))
