"""Obligations and their deadlines: due when, how much is left, which standing, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from incident_tracker.domain import periods

APPROACHING = timedelta(hours=24)

NOTE = (
    "%(hours)s hours counted from the moment you became aware of the breach. Weekends and public holidays count. "
    "A longer reading of Regulation 1182/71 would give %(outer_reading)s; do not rely on it."
)
COUNTED = "%(hours)s elapsed hours after %(anchor)s, counted in UTC: %(due)s."
WEEKEND = "The period holds %(hours)s h %(minutes)s min of Saturday and Sunday. They count."
NO_WEEKEND = "No weekend lies inside the period."
CLOCKS_FORWARD = (
    "The clocks go forward by %(minutes)s min at %(at)s, inside the period. The hours are elapsed hours, "
    "so the clock shows a later time of day at the end than at the start."
)
CLOCKS_BACK = (
    "The clocks go back by %(minutes)s min at %(at)s, inside the period. The hours are elapsed hours, "
    "so the clock shows an earlier time of day at the end than at the start."
)
NO_ROLL_OVER = (
    "A deadline in hours does not move to a working day: Regulation 1182/71 Art. 3(4) leaves out periods in hours."
)
NO_PERIOD = "No number of hours is set here: it must happen without undue delay. The tracker asks at its own pace."
RULE_OPEN = "Rule %(rule)s (%(article)s), in force since %(valid_from)s."
RULE_BOUNDED = "Rule %(rule)s (%(article)s), in force from %(valid_from)s to %(valid_to)s."


class Standing(StrEnum):
    """Where an obligation stands at a moment."""

    OPEN = "open"
    APPROACHING = "approaching"
    OVERDUE = "overdue"
    MET = "met"
    MET_LATE = "met_late"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One duty of one incident towards one addressee; all instants are UTC, None where there is none (yet)."""

    rule_id: str
    regime: str
    duty: str
    article: str
    addressee: str
    anchor_at: datetime | None
    due_at: datetime | None = None
    outer_reading_at: datetime | None = None
    met_at: datetime | None = None
    set_aside_at: datetime | None = None
    set_aside_reason: str | None = None


class CountedRule(Protocol):
    """What an explanation needs of a rule (`regimes.Rule` has it)."""

    @property
    def id(self) -> str: ...  # noqa: D102 - named as in Rule
    @property
    def regime(self) -> str: ...  # noqa: D102
    @property
    def duty(self) -> str: ...  # noqa: D102
    @property
    def article(self) -> str: ...  # noqa: D102
    @property
    def anchor(self) -> str: ...  # noqa: D102
    @property
    def period_hours(self) -> int | None: ...  # noqa: D102
    @property
    def valid_from(self) -> date: ...  # noqa: D102
    @property
    def valid_to(self) -> date | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence of why: an English msgid and what fills it (numbers, names, dates and instants in UTC)."""

    msgid: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A deadline and the arithmetic behind it; instants are UTC, to be shown in `zone`."""

    rule_id: str
    regime: str
    duty: str
    anchor_at: datetime
    due_at: datetime | None
    outer_reading_at: datetime | None
    zone: str
    reasons: tuple[Reason, ...]


def standing(obligation: Obligation, now: datetime) -> Standing:
    """Return the standing at `now`: met exactly at the due instant is in time, and only after it is overdue."""
    due = obligation.due_at
    if obligation.met_at is not None:
        return Standing.MET_LATE if lateness(obligation) else Standing.MET
    if obligation.set_aside_at is not None:
        return Standing.SET_ASIDE
    if due is None or due - now > APPROACHING:
        return Standing.OPEN
    return Standing.APPROACHING if now <= due else Standing.OVERDUE


def is_settled(obligation: Obligation) -> bool:
    """Return whether nothing more is owed: met, met late or set aside."""
    return obligation.met_at is not None or obligation.set_aside_at is not None


def lateness(obligation: Obligation) -> timedelta:
    """Return how much too late the obligation was met; zero if in time, unmet or without a period. Never grows."""
    if obligation.met_at is None or obligation.due_at is None:
        return timedelta()
    return max(timedelta(), obligation.met_at - obligation.due_at)


def time_left(obligation: Obligation, now: datetime) -> timedelta | None:
    """Return the time until due (negative once overdue); None when settled or without a period."""
    if obligation.due_at is None or is_settled(obligation):
        return None
    return obligation.due_at - now


def explain(rule: CountedRule, anchor: datetime, zone: str) -> Explanation:
    """Return what is due when under `rule` for something that began at `anchor`, and why."""
    anchor = periods.to_utc(anchor, "anchor")
    due, outer = due_and_outer_reading(rule, anchor)
    reasons = (*_counting(rule, anchor, zone), _validity(rule))
    return Explanation(
        rule_id=rule.id,
        regime=rule.regime,
        duty=rule.duty,
        anchor_at=anchor,
        due_at=due,
        outer_reading_at=outer,
        zone=zone,
        reasons=reasons,
    )


def due_and_outer_reading(rule: CountedRule, anchor: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return the deadline and the note beside it: both None without a period or before the anchor is known.

    The outer reading exists for duties of Union law only; Regulation 1182/71 says nothing about own promises.
    """
    if rule.period_hours is None or anchor is None:
        return None, None
    outer = periods.outer_reading(anchor, rule.period_hours) if rule.regime == "gdpr" else None
    return periods.add_hours(anchor, rule.period_hours), outer


def _counting(rule: CountedRule, anchor: datetime, zone: str) -> tuple[Reason, ...]:
    due, outer = due_and_outer_reading(rule, anchor)
    if due is None:
        return (Reason(NO_PERIOD, {}),)
    hours = rule.period_hours
    reasons = [Reason(COUNTED, {"hours": hours, "anchor": anchor, "due": due}), _weekend(anchor, due, zone)]
    for change in periods.clock_changes(anchor, due, zone):
        minutes = round(abs(change.shift).total_seconds() / 60)
        msgid = CLOCKS_FORWARD if change.shift > timedelta() else CLOCKS_BACK
        reasons.append(Reason(msgid, {"minutes": minutes, "at": change.at}))
    if outer is not None:
        reasons.append(Reason(NO_ROLL_OVER, {}))
        reasons.append(Reason(NOTE, {"hours": hours, "outer_reading": outer}))
    return tuple(reasons)


def _weekend(start: datetime, end: datetime, zone: str) -> Reason:
    minutes = round(periods.weekend_time(start, end, zone).total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return Reason(WEEKEND, {"hours": hours, "minutes": rest}) if minutes else Reason(NO_WEEKEND, {})


def _validity(rule: CountedRule) -> Reason:
    params: dict[str, object] = {"rule": rule.id, "article": rule.article, "valid_from": rule.valid_from}
    if rule.valid_to is None:
        return Reason(RULE_OPEN, params)
    return Reason(RULE_BOUNDED, params | {"valid_to": rule.valid_to})
