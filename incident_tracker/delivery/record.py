"""Writing down what became of messages, many at once, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from incident_tracker.delivery.classify import LOST, Change, Circumstances, called_off, judge, judge_late, plain
from incident_tracker.store import callbacks, controllers, lanes
from incident_tracker.store import deliveries as rows
from incident_tracker.store.deliveries import Claimed, Standing, State
from notifiers.protocol import Accepted, NotSent, Outcome, RefusalKind, Refused

_SLOW_DOWN = frozenset({"429", "20429"})
_MIND_ALERTS = LOST | {State.PENDING}
"""Changes before which the alerts are looked at, and locked before the deliveries are."""
_OUTCOMES = {"Refused": "refused", "NotSent": "not_sent", "Unknown": "unknown"}


class Result(NamedTuple):
    """An outcome for a claimed delivery, waiting to be written."""

    claimed: Claimed
    outcome: Outcome


@dataclass(slots=True)
class Consequences:
    """What results mean for others: people, alerts, the notifier itself."""

    lost: list[str] = field(default_factory=list)
    muted: set[int] = field(default_factory=set)
    paused: dict[str, str] = field(default_factory=dict)
    blocked: dict[tuple[str, bool], timedelta] = field(default_factory=dict)
    """How long a provider wants to be left alone, by notifier and whether a notice was too much for it."""
    works: set[str] = field(default_factory=set)

    def add(self, claimed: Claimed, outcome: Outcome, change: Change | None, around: Circumstances) -> None:
        """Take one result into account."""
        match outcome:
            case NotSent(setup=True, reason=reason):
                self.paused[claimed.notifier] = reason
            case NotSent(retry_after=after, code=code) if after is not None or code in _SLOW_DOWN:
                wait = around.pace.believed(after) or around.pace.backoff(claimed.number)
                whom = claimed.notifier, claimed.notice_id is not None
                self.blocked[whom] = max(wait, self.blocked.get(whom, wait))
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
            controllers.mute_contacts(session, self.muted, around.now)
        for name, reason in self.paused.items():
            lanes.pause(session, name, plain(reason), around.now, around.now + around.pace.probe_after)
        for (name, of_notices), wait in self.blocked.items():
            lanes.block(session, name, around.now + wait, of_notices=of_notices)
        for name in self.works & set(around.closed) - set(self.paused):
            lanes.unpause(session, name, around.now, tried_below=around.pace.tries_before_moving)


def end_alerts(session: Session, lost: Sequence[str], now: datetime) -> None:
    """Let the alerts of messages that will never arrive move on at once."""
    if lost:
        rows.move_alerts_on(session, lost, now)


def record(session: Session, results: Sequence[Result], around: Mapping[str, Circumstances]) -> bool:
    """Write results of rows that are all still ours, in one go. `around` is by notifier.

    Return False where one is not ours any more; the caller then rolls back and uses `record_late`.
    """
    changes = [judge(one.claimed, one.outcome, around[one.claimed.notifier]) for one in results]
    touched = [one.claimed.id for one, change in zip(results, changes, strict=True) if change.state in _MIND_ALERTS]
    if touched:
        over, now = rows.unwanted(session, touched), next(iter(around.values())).now
        changes = [
            called_off(change, now) if change.state is State.PENDING and one.claimed.id in over else change
            for one, change in zip(results, changes, strict=True)
        ]
    written = [change.row(one.claimed) for one, change in zip(results, changes, strict=True)]
    if rows.write_results(session, written, if_mine=True) != len(results):
        return False
    _finish(session, list(zip(results, changes, strict=True)), around)
    return True


def record_late(session: Session, results: Sequence[Result], around: Mapping[str, Circumstances]) -> None:
    """Write results row by row, as far as each is still ours.

    A result whose lease was taken over is kept on its attempt, and settles the row if that is still in doubt.
    """
    ids = {one.claimed.id for one in results}
    over = rows.unwanted(session, ids)
    standing = rows.standing(session, ids)
    changes: list[tuple[Any, ...]] = []
    fill: list[dict[str, Any]] = []
    judged: list[tuple[Result, Change | None]] = []
    for one in results:
        held = one.claimed
        row = standing.get(held.id)
        change = None if row is None else _change(row, one, around[held.notifier])
        if change is not None and change.state is State.PENDING and held.id in over:
            change = called_off(change, around[held.notifier].now)
        judged.append((one, change))
        if row is None:
            continue
        if change is not None:
            changes.append(change.row(held))
            standing[held.id] = replace(row, state=change.state, provider_id=change.provider_id)
        elif isinstance(one.outcome, Accepted) and row.provider_id is None:
            fill.append({"b_id": held.id, "b_provider_id": one.outcome.provider_id})
    for change_row in changes:  # one by one: the same row may change twice
        rows.write_results(session, [change_row], if_mine=False)
    callbacks.fill_provider_ids(session, fill)
    _finish(session, judged, around)


def _finish(
    session: Session, judged: Sequence[tuple[Result, Change | None]], around: Mapping[str, Circumstances]
) -> None:
    now = next(iter(around.values())).now
    rows.answer_attempts(session, [_evidence(one, now) for one, _ in judged])
    consequences: dict[str, Consequences] = {}
    for one, change in judged:
        name = one.claimed.notifier
        if name not in consequences:
            consequences[name] = Consequences()
        consequences[name].add(one.claimed, one.outcome, change, around[name])
    for name in sorted(consequences):  # every node locks the lanes in this order
        consequences[name].write(session, around[name])


def _change(row: Standing, one: Result, around: Circumstances) -> Change | None:
    if row.state == State.SENDING and row.batch == one.claimed.batch:
        return judge(one.claimed, one.outcome, around)
    return judge_late(row, one.claimed, one.outcome, around)


def _evidence(one: Result, now: datetime) -> tuple[Any, ...]:
    outcome = one.outcome
    if isinstance(outcome, Accepted):
        return one.claimed.attempt, now, "accepted", outcome.provider_id, "", ""
    word = _OUTCOMES.get(type(outcome).__name__, "unknown")
    reason, code = plain(getattr(outcome, "reason", "")), getattr(outcome, "code", "")
    return one.claimed.attempt, now, word, None, reason, code
