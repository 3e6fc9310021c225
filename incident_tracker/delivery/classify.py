"""What an outcome or a report makes of a delivery: pure rules, forward only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.deliveries import NOBODY_WAITS, Claimed, Purpose, Standing, State
from notifiers.protocol import Accepted, NotSent, Outcome, RefusalKind, Refused, ReportedState, StatusReport, Unknown

FORWARD: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.SENDING, State.ACCEPTED, State.DELIVERED, State.CANCELLED}),
    State.SENDING: frozenset(State) - {State.SENDING},
    State.IN_DOUBT: frozenset(State) - {State.IN_DOUBT, State.SENDING},
    State.ACCEPTED: frozenset({State.DELIVERED, State.FAILED}),
    State.FAILED: frozenset({State.DELIVERED}),
    State.DELIVERED: frozenset(),
    State.SUPPRESSED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""The allowed steps. Pending may be overtaken when the provider answers for an earlier try that was in doubt;
delivered may follow failed as a correction, which the reason then says."""

GOES_AGAIN = frozenset({Purpose.ALERT, Purpose.ESCALATION, Purpose.TEST, Purpose.ACCOUNT})
"""A second copy of these is harmless and a miss is not; the rest waits for a person."""

FINAL = frozenset({State.DELIVERED, State.FAILED, State.SUPPRESSED, State.CANCELLED})
LOST = frozenset({State.FAILED, State.SUPPRESSED})
"""The message will never arrive: whoever waits for an answer must be asked another way."""

_LENGTH = 300


def plain(reason: str) -> str:
    """Return what a provider says in a form that can be stored and shown on one line."""
    return "".join(sign if sign.isprintable() else " " for sign in reason[:_LENGTH])


class Change(NamedTuple):
    """What is written into a row."""

    state: State
    not_before: datetime
    notifier: str
    provider_id: str | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    look_up_at: datetime | None = None
    reason: str = ""
    code: str = ""

    def row(self, held: Claimed) -> tuple[Any, ...]:
        """Return it as a row of the statement."""
        return (
            held.id,
            held.batch,
            self.state,
            self.not_before,
            self.notifier,
            self.provider_id,
            self.sent_at,
            self.finished_at,
            self.look_up_at,
            self.reason,
            self.code,
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an outcome is judged by besides itself."""

    now: datetime
    pace: Pace
    routing: Routing
    closed: Collection[str] = ()
    """Notifiers that are paused."""
    look_up_at: datetime | None = None


def judge(held: Claimed, outcome: Outcome, around: Circumstances) -> Change:
    """Return what an outcome makes of the row that was held for it."""
    match outcome:
        case Accepted(provider_id=provider_id) if provider_id:
            at = around.look_up_at
            return Change(State.ACCEPTED, held.not_before, held.notifier, provider_id, around.now, None, at)
        case Refused(kind=kind, reason=reason, code=code):
            state = State.SUPPRESSED if kind is RefusalKind.OPTED_OUT else State.FAILED
            ended = Change(state, held.not_before, held.notifier, finished_at=around.now)
            return ended._replace(reason=plain(reason), code=code)
        case NotSent():
            return _later(held, outcome, around)
    doubt = Change(State.IN_DOUBT, around.now, held.notifier, sent_at=around.now)
    if isinstance(outcome, Unknown):
        return doubt._replace(reason=plain(outcome.reason), code=outcome.code)
    return doubt._replace(reason="the answer makes no sense")


def _later(held: Claimed, outcome: NotSent, around: Circumstances) -> Change:
    wait = max(
        around.pace.backoff(held.number),
        around.pace.believed(outcome.retry_after) or around.pace.backoff(held.number),
    )
    notifier = held.notifier
    moves = outcome.setup or held.number % around.pace.tries_before_moving == 0
    if moves and not held.local_only:
        other = around.routing.after(held.channel, notifier, around.closed)
        if other is not None:
            notifier = other
    if outcome.setup:
        wait += around.pace.after_pause(held.number)  # so that another row is the next that tries the lane
    at = around.now if notifier != held.notifier else around.now + wait
    return Change(State.PENDING, at, notifier, reason=plain(outcome.reason), code=outcome.code)


def called_off(change: Change, now: datetime) -> Change:
    """Return the change of a row that would go again, although nobody waits for its alert any more."""
    return change._replace(state=State.CANCELLED, finished_at=now, reason=change.reason or NOBODY_WAITS)


def judge_late(row: Standing, held: Claimed, outcome: Outcome, around: Circumstances) -> Change | None:
    """Return what a result makes of a row that is no longer ours; None where it is evidence only."""
    state = State(row.state)
    newest = row.number == held.number
    match outcome:
        case Accepted(provider_id=provider_id) if provider_id and state in {State.PENDING, State.IN_DOUBT}:
            return judge(held, outcome, around)
        case Refused() | NotSent() if state is State.IN_DOUBT and newest:
            return judge(held, outcome, around)
    return None


def apply_report(row: Standing, report: StatusReport, *, newest: bool) -> State | None:
    """Return the state that a provider's report moves a row to, or None where it changes nothing.

    `newest` says that the report is about the row's last try. Bad news of an earlier try is not the end of the row.
    """
    state = State(row.state)
    to = State(report.state.value)
    if report.state is ReportedState.FAILED and not newest:
        return None
    if report.state is ReportedState.ACCEPTED and state is State.SENDING and not newest:
        return None
    return to if to in FORWARD[state] else None
