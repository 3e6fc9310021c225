"""Writing down what became of messages, many at once, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from incident_tracker.delivery.classify import LOST, Change, Circumstances, judge, judge_late
from incident_tracker.store import callbacks, lanes
from incident_tracker.store import deliveries as rows
from incident_tracker.store.deliveries import Claimed, Standing, State
from notifiers.protocol import Accepted, NotSent, Outcome, RefusalKind, Refused

_SLOW_DOWN = frozenset({"429", "20429"})
_OUTCOMES = {"Accepted": "accepted", "Refused": "refused", "NotSent": "not_sent", "Unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome for a claimed delivery, waiting to be written."""

    claimed: Claimed
    outcome: Outcome


@dataclass(slots=True)
class Consequences:
    """What results mean for others: people, alerts, the notifier itself."""

    lost: list[str] = field(default_factory=list)
    muted: set[int] = field(default_factory=set)
    paused: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, timedelta] = field(default_factory=dict)
    works: set[str] = field(default_factory=set)

    def add(self, claimed: Claimed, outcome: Outcome, change: Change | None, around: Circumstances) -> None:
        """Take one result into account."""
        match outcome:
            case NotSent(setup=True, reason=reason):
                self.paused[claimed.notifier] = reason
            case NotSent(retry_after=after, code=code) if after is not None or code in _SLOW_DOWN:
                wait = around.pace.believed(after) or around.pace.backoff(claimed.number)
                self.blocked[claimed.notifier] = max(wait, self.blocked.get(claimed.notifier, wait))
            case Accepted() | Refused():
                self.works.add(claimed.notifier)
        if change is None or change.state not in LOST:
            return
        self.lost.append(claimed.id)
        if isinstance(outcome, Refused) and outcome.kind is RefusalKind.OPTED_OUT and claimed.contact_id is not None:
            self.muted.add(claimed.contact_id)

    def write(self, session: Session, around: Circumstances) -> None:
        """Let them come true in the transaction of the results."""
        end_alerts(session, self.lost, around.now)
        if self.muted:
            rows.mute(session, self.muted, around.now)
        for name, reason in self.paused.items():
            lanes.pause(session, name, reason[:300], around.now, around.now + around.pace.probe_after)
        for name, wait in self.blocked.items():
            lanes.block(session, name, around.now + wait)
        for name in self.works & set(around.closed) - set(self.paused):
            lanes.unpause(session, name)


def end_alerts(session: Session, lost: Sequence[str], now: datetime) -> None:
    """Let the alerts of messages that will never arrive move on at once."""
    if lost:
        rows.move_alerts_on(session, lost, now)


def record(session: Session, results: Sequence[Result], around: Mapping[str, Circumstances]) -> int:
    """Write results in one go; return how many changed their row. `around` is by notifier.

    A result whose lease was taken over is kept on its attempt, and settles the row if it is still in doubt.
    """
    now = next(iter(around.values())).now
    rows.answer_attempts(session, [_evidence(one, now) for one in results])
    standing = rows.standing(session, {one.claimed.id for one in results})
    changes: list[dict[str, Any]] = []
    fill: list[dict[str, Any]] = []
    consequences: dict[str, Consequences] = {}
    for one in results:
        held, circumstances = one.claimed, around[one.claimed.notifier]
        row = standing.get(held.id)
        change = None if row is None else _change(row, one, circumstances)
        if row is not None and change is not None:
            changes.append(change.row(held.id))
            standing[held.id] = replace(row, state=change.state)
        elif row is not None and isinstance(one.outcome, Accepted) and row.provider_id is None:
            fill.append({"b_id": held.id, "b_provider_id": one.outcome.provider_id})
        consequences.setdefault(held.notifier, Consequences()).add(held, one.outcome, change, circumstances)
    rows.write_results(session, changes)
    callbacks.fill_provider_ids(session, fill)
    for name, consequence in consequences.items():
        consequence.write(session, around[name])
    return len(changes)


def _change(row: Standing, one: Result, around: Circumstances) -> Change | None:
    if row.state == State.SENDING and row.batch == one.claimed.batch:
        return judge(one.claimed, one.outcome, around)
    return judge_late(row, one.claimed, one.outcome, around)


def _evidence(one: Result, now: datetime) -> dict[str, Any]:
    outcome = one.outcome
    return {
        "b_id": one.claimed.attempt,
        "b_finished_at": now,
        "b_outcome": _OUTCOMES.get(type(outcome).__name__, "unknown"),
        "b_provider_id": outcome.provider_id if isinstance(outcome, Accepted) else None,
        "b_reason": getattr(outcome, "reason", "")[:300],
        "b_code": getattr(outcome, "code", ""),
    }
