"""From an obligation to alarms, and from an alarm to the people who are called until someone acknowledges."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

from incident_tracker.domain.deadlines import Obligation, is_settled
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.regimes import Rule

OVERDUE = "overdue"
_DAY_HOURS = 24
_WEEK_HOURS = 168
_LONGEST_DELAY_MINUTES = 24 * 60

Contact = TypeVar("Contact")


class PolicyIsWrong(Refusal):
    """The escalation policy in the configuration cannot be used; every mistake is named."""

    message: ClassVar[str] = "The escalation policy cannot be used: %(mistakes)s."


@dataclass(frozen=True, slots=True, order=True)
class PlannedAlarm:
    """An alarm to raise at `fire_at` (UTC).

    `rung` is `48h` ... `1h` before the deadline, `overdue` from the deadline on, `asked_4h` ... after the anchor,
    `asked_daily` or `asked_weekly` later. (rung, occurrence) is unique for one anchor, also when planned again:
    occurrence n of a repeated rung is always the same moment of the clock.
    """

    fire_at: datetime
    rung: str
    occurrence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who is called how soon: a step waits `step_delay` for an acknowledgement, then the next contact is called."""

    id: str
    step_delay: timedelta
    channels: tuple[str, ...]

    def next_step_at(
        self,
        step_index: int,
        stepped_at: datetime,
        contacts: int,
        *,
        acknowledged_at: datetime | None = None,
        failed_at: datetime | None = None,
    ) -> datetime | None:
        """Return when the step after `step_index` is due; None once acknowledged or when nobody is on call.

        A permanent failure (`failed_at`) moves on at once, except from the last contact back to the first: that
        always waits, so that a list of dead numbers is walked again and again, not in a spin.
        """
        if acknowledged_at is not None or contacts < 1:
            return None
        starts_over = (step_index + 1) % contacts == 0
        if failed_at is not None and not starts_over:
            return failed_at
        return stepped_at + self.step_delay


def contact_for(step_index: int, contacts: Sequence[Contact]) -> Contact | None:
    """Return who is called at a step (counted from 0): the on-call order, over and over; None when it is empty."""
    return contacts[step_index % len(contacts)] if contacts else None


def plan_alarms(obligation: Obligation, rule: Rule, now: datetime) -> tuple[PlannedAlarm, ...]:
    """Return the alarms to come, in order: all single rungs that lie ahead, and one at `now` for all that are past.

    The one at `now` is the most urgent of those past. The last alarm of a plan is the one after whose firing
    `next_alarm` names the first repeat, so no two plannings of one obligation ever name the same alarm.
    """
    if is_settled(obligation):
        return ()
    past: PlannedAlarm | None = None
    ahead: list[PlannedAlarm] = []
    for alarm in _single_rungs(obligation, rule):
        if alarm.fire_at <= now:
            past = alarm
        else:
            ahead.append(alarm)
    if not ahead:
        latest, following = _repeats_around(obligation, rule, now)
        past = latest or past
        if past is None and following is not None:
            ahead = [following]
    if past is not None:
        ahead.insert(0, PlannedAlarm(now, past.rung, past.occurrence))
    return tuple(ahead)


def next_alarm(obligation: Obligation, rule: Rule, fired: PlannedAlarm, now: datetime) -> PlannedAlarm | None:
    """Return the repeat that follows a fired alarm: the first that lies after `now`, never a backlog.

    None when the obligation is settled, when the rule does not repeat, and after every single rung but the last
    (those that follow are planned already).
    """
    if is_settled(obligation):
        return None
    singles = [alarm.rung for alarm in _single_rungs(obligation, rule)]
    if fired.rung in singles[:-1]:
        return None
    return _repeats_around(obligation, rule, max(now, fired.fire_at))[1]


def asks_between(obligation: Obligation, rule: Rule, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """Return when a duty without a deadline asks to be done, later than `after` and not later than `until`."""
    if is_settled(obligation) or obligation.due_at is not None:
        return ()
    asks = [alarm.fire_at for alarm in _single_rungs(obligation, rule) if after < alarm.fire_at <= until]
    following = _repeats_around(obligation, rule, after)[1]
    while following is not None and following.fire_at <= until:
        asks.append(following.fire_at)
        following = _repeats_around(obligation, rule, following.fire_at)[1]
    return tuple(asks)


def policy_from(mapping: Mapping[str, object]) -> Policy:
    """Return the policy of a parsed configuration file; refuse with `PolicyIsWrong`, naming every mistake."""
    name, minutes, channels = (mapping.get(key) for key in ("id", "step_delay_minutes", "channels"))
    mistakes = [f"{key} is not known" for key in mapping.keys() - {"id", "step_delay_minutes", "channels"}]
    if not isinstance(name, str) or not name:
        mistakes.append("id must be a name")
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= _LONGEST_DELAY_MINUTES:
        mistakes.append(f"step_delay_minutes must be a whole number from 1 to {_LONGEST_DELAY_MINUTES}")
    texts = [text for text in channels if isinstance(text, str) and text] if isinstance(channels, list) else []
    if not texts or texts != channels or len(set(texts)) < len(texts):
        mistakes.append("channels must be a list of different names, the preferred one first")
    if mistakes or not isinstance(name, str) or not isinstance(minutes, int):
        raise PolicyIsWrong(mistakes="; ".join(sorted(mistakes)))
    return Policy(id=name, step_delay=timedelta(minutes=minutes), channels=tuple(texts))


def _single_rungs(obligation: Obligation, rule: Rule) -> Iterator[PlannedAlarm]:
    """Yield the rungs that come once, in time order; the deadline itself is the last of the ladder."""
    if obligation.due_at is not None:
        for hours in sorted(rule.ladder_hours, reverse=True):
            yield PlannedAlarm(obligation.due_at - timedelta(hours=hours), f"{hours}h")
        yield PlannedAlarm(obligation.due_at, OVERDUE)
    elif obligation.anchor_at is not None:
        for hours in sorted(rule.ask_after_hours):
            yield PlannedAlarm(obligation.anchor_at + timedelta(hours=hours), f"asked_{hours}h")


def _repeats_around(
    obligation: Obligation, rule: Rule, now: datetime
) -> tuple[PlannedAlarm | None, PlannedAlarm | None]:
    """Return the last repeat not after `now` and the first after it; repeats are counted from 1."""
    found = _repetition(obligation, rule)
    if found is None:
        return None, None
    rung, start, every = found
    passed = max(0, (now - start) // every)
    latest = PlannedAlarm(start + passed * every, rung, passed) if passed else None
    return latest, PlannedAlarm(start + (passed + 1) * every, rung, passed + 1)


def _repetition(obligation: Obligation, rule: Rule) -> tuple[str, datetime, timedelta] | None:
    """Return what is repeated, from when, how often: `overdue` after the deadline, or asking after the last rung."""
    if obligation.due_at is not None:
        every, rung, start = rule.overdue_every_hours, OVERDUE, obligation.due_at
    elif obligation.anchor_at is not None:
        every, rung = rule.ask_every_hours, _asked_name(rule.ask_every_hours)
        start = obligation.anchor_at + timedelta(hours=max(rule.ask_after_hours, default=0))
    else:
        return None
    return (rung, start, timedelta(hours=every)) if every is not None else None


def _asked_name(every_hours: int | None) -> str:
    names = {_DAY_HOURS: "asked_daily", _WEEK_HOURS: "asked_weekly"}
    return names.get(every_hours or 0, f"asked_every_{every_hours}h")
