"""Which obligations arise, under which regime, from dated rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from itertools import combinations
from typing import ClassVar

from incident_tracker.domain import deadlines, periods
from incident_tracker.domain.deadlines import Obligation
from incident_tracker.domain.errors import Refusal, phrase

DEFAULT_ZONE = "Europe/Copenhagen"
ROLES = ("controller", "processor", "joint_controller")
ANCHORS = ("detected", "controller_aware", "processor_aware", "first_reported")
CONFIDENCES = ("confirmed", "unconfirmed", "own")
CONTROLLERS = frozenset({"controller", "joint_controller"})
ASSESS = ("internal", "assess")
NOTIFY_AUTHORITY = ("gdpr", "notify_authority")
COMPLETE_REPORT = ("gdpr", "complete_report")
_LONGEST_PERIOD_HOURS = 24 * 366


class RulesAreWrong(Refusal):
    """The dated rules in the configuration cannot be used; every mistake is named."""

    message: ClassVar[str] = "The rules in config/regimes cannot be used: %(mistakes)s."


class NoRuleInForce(Refusal):
    """No dated rule covers this duty on the day of its anchor."""

    message: ClassVar[str] = "No rule for %(duty)s (%(regime)s) was in force on %(day)s."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One dated row of law, promise or own habit; a change of law is a new row, never an edit of an old one.

    `valid_from` and `valid_to` are the first and the last day, in the controller's zone. `period_hours` are elapsed
    hours from the anchor, None where no number is set; then `ask_after_hours` and `ask_every_hours` remind.
    """

    id: str
    regime: str
    duty: str
    article: str
    addressee: str
    who: tuple[str, ...]
    anchor: str
    period_hours: int | None
    ladder_hours: tuple[int, ...]
    overdue_every_hours: int | None
    ask_after_hours: tuple[int, ...]
    ask_every_hours: int | None
    valid_from: date
    valid_to: date | None
    source: str
    confidence: str

    def in_force_on(self, day: date) -> bool:
        """Return whether the rule holds on that day, first and last day included."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


DUTY_NAMES = {
    "notify_authority": phrase("notify the authority"),
    "complete_report": phrase("complete the report"),
    "notify_people": phrase("tell the people affected"),
    "notify_controller": phrase("tell the controller"),
    "inform_parties": phrase("inform all parties"),
    "assess": phrase("decide whether it is a breach"),
}


def duty_name(duty: str) -> str:
    """Return what a duty is called in a sentence (a phrase of the catalogue); its code if it is a stranger's."""
    return DUTY_NAMES.get(duty, duty)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFacts:
    """What the register knows that decides duties; all instants UTC.

    `decided_at` is when "a breach" or "not a breach" was recorded. `met` and `set_aside` are said by hand, keyed by
    (regime, duty); a time of meeting stands before a setting aside.
    """

    role: str
    detected_at: datetime
    became_aware_at: datetime | None = None
    first_reported_at: datetime | None = None
    report_completed_at: datetime | None = None
    people_told_at: datetime | None = None
    parties_informed_at: datetime | None = None
    controller_told_at: datetime | None = None
    decided_at: datetime | None = None
    not_a_breach_at: datetime | None = None
    not_a_breach_reason: str | None = None
    met: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    set_aside: Mapping[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)


def rules_from(*mappings: Mapping[str, object]) -> tuple[Rule, ...]:
    """Return the rules of one or more parsed regime files, in order; refuse with `RulesAreWrong`.

    Every mistake is named at once: unknown or missing keys, wrong kinds, numbers that make no sense, two rules for
    one duty on one day.
    """
    mistakes: list[str] = []
    rules: list[Rule] = []
    for mapping in mappings:
        regime, rows = mapping.get("regime"), mapping.get("rules")
        mistakes.extend(f"{key} is not known" for key in sorted(mapping.keys() - {"regime", "rules"}))
        if not isinstance(regime, str) or not regime:
            mistakes.append("regime must be a name")
        elif not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            mistakes.append(f"{regime} must have at least one [[rules]]")
        else:
            rules.extend(_rule(_Row(row, regime, mistakes)) for row in rows)
    mistakes.extend(_collisions(rules))
    if mistakes:
        raise RulesAreWrong(mistakes="; ".join(mistakes))
    return tuple(rules)


def rule_for(
    rules: tuple[Rule, ...],
    regime: str,
    duty: str,
    anchor: datetime,
    *,
    role: str | None = None,
    zone: str = DEFAULT_ZONE,
) -> Rule:
    """Return the rule for a duty that was in force at the anchor instant; refuse with `NoRuleInForce` otherwise."""
    day = periods.to_utc(anchor, "anchor").astimezone(periods.zone_of(zone)).date()
    for rule in rules:
        fits = (rule.regime, rule.duty) == (regime, duty) and (role is None or role in rule.who)
        if fits and rule.in_force_on(day):
            return rule
    raise NoRuleInForce(field="anchor", duty=duty, regime=regime, day=day)


def obligations_for(facts: DutyFacts, rules: tuple[Rule, ...], *, zone: str = DEFAULT_ZONE) -> tuple[Obligation, ...]:
    """Return the obligations that the facts give rise to, in the order of the rules.

    While only suspected there is one: to assess. Awareness, or "not a breach", meets it. The rule is the one in
    force on the day (in `zone`) of its anchor; a duty whose anchor is still to come goes by the day of awareness.
    """
    place = periods.zone_of(zone)
    return tuple(
        _obligation(rule, facts)
        for rule in rules
        if _arises(rule, facts) and rule.in_force_on(_dating_instant(rule, facts).astimezone(place).date())
    )


def _arises(rule: Rule, facts: DutyFacts) -> bool:
    if facts.role not in rule.who:
        return False
    return rule.anchor == "detected" or facts.became_aware_at is not None


def _anchor_at(rule: Rule, facts: DutyFacts) -> datetime | None:
    return {
        "detected": facts.detected_at,
        "controller_aware": facts.became_aware_at,
        "processor_aware": facts.became_aware_at,
        "first_reported": facts.first_reported_at,
    }[rule.anchor]


def _dating_instant(rule: Rule, facts: DutyFacts) -> datetime:
    return _anchor_at(rule, facts) or facts.became_aware_at or facts.detected_at


def _met_at(rule: Rule, facts: DutyFacts) -> datetime | None:
    key = (rule.regime, rule.duty)
    decided = facts.decided_at or facts.became_aware_at or facts.not_a_breach_at
    recorded = {
        ASSESS: decided,
        NOTIFY_AUTHORITY: facts.first_reported_at,
        COMPLETE_REPORT: facts.report_completed_at,
        ("gdpr", "notify_people"): facts.people_told_at,
        ("gdpr", "notify_controller"): facts.controller_told_at,
        ("promise", "inform_parties"): facts.parties_informed_at,
    }.get(key)
    times = [at for at in (recorded, facts.met.get(key)) if at is not None]
    return min(times, default=None)


def _set_aside(rule: Rule, facts: DutyFacts) -> tuple[datetime | None, str | None]:
    by_hand = facts.set_aside.get((rule.regime, rule.duty))
    if by_hand is None and (rule.regime, rule.duty) == COMPLETE_REPORT and facts.first_reported_at is None:
        by_hand = facts.set_aside.get(NOTIFY_AUTHORITY)  # what need not be reported need not be completed
    if by_hand is not None:
        return by_hand
    if facts.not_a_breach_at is not None:
        return facts.not_a_breach_at, facts.not_a_breach_reason
    return None, None


def _obligation(rule: Rule, facts: DutyFacts) -> Obligation:
    anchor = _anchor_at(rule, facts)
    due, outer = deadlines.due_and_outer_reading(rule, anchor)
    met = _met_at(rule, facts)
    aside_at, aside_reason = _set_aside(rule, facts) if met is None else (None, None)
    return Obligation(
        rule_id=rule.id,
        regime=rule.regime,
        duty=rule.duty,
        article=rule.article,
        addressee=rule.addressee,
        anchor_at=anchor,
        due_at=due,
        outer_reading_at=outer,
        met_at=met,
        set_aside_at=aside_at,
        set_aside_reason=aside_reason,
    )


class _Row:
    """One table of a regime file; a missing or wrong key is noted, and something harmless is read instead."""

    def __init__(self, row: Mapping[str, object], regime: str, mistakes: list[str]) -> None:
        self._row = row
        self._mistakes = mistakes
        self.regime = regime
        self.name = str(row.get("id", f"a rule of {regime} without id"))

    def wrong(self, what: str) -> None:
        self._mistakes.append(f"{self.name}: {what}")

    def text(self, key: str) -> str:
        value = self._row.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.wrong(f"{key} must be a text")
        return ""

    def day(self, key: str) -> date | None:
        value = self._row.get(key)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.wrong(f"{key} must be a date")
        return None

    def hours(self, key: str) -> int | None:
        value = self._row.get(key)
        if value is None or _is_hours(value):
            return value  # type: ignore[return-value]
        self.wrong(f"{key} must be a whole number of hours above 0")
        return None

    def hour_list(self, key: str) -> tuple[int, ...]:
        value = self._row.get(key, [])
        if isinstance(value, list) and all(map(_is_hours, value)) and len(set(value)) == len(value):
            return tuple(value)
        self.wrong(f"{key} must be a list of different whole hours above 0")
        return ()

    def choices(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        value = self._row.get(key)
        if isinstance(value, list) and value and all(item in allowed for item in value):
            return tuple(value)
        self.wrong(f"{key} must be a list of: {', '.join(allowed)}")
        return ()

    def refuse_strangers(self, known: frozenset[str]) -> None:
        for key in sorted(self._row.keys() - known):
            self.wrong(f"{key} is not known")


_RULE_KEYS = frozenset(item.name for item in fields(Rule)) - {"regime"}


def _is_hours(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_PERIOD_HOURS


def _rule(row: _Row) -> Rule:
    row.refuse_strangers(_RULE_KEYS)
    valid_from = row.day("valid_from")
    if valid_from is None:
        row.wrong("valid_from must be given")
    rule = Rule(
        id=row.text("id"),
        regime=row.regime,
        duty=row.text("duty"),
        article=row.text("article"),
        addressee=row.text("addressee"),
        who=row.choices("who", ROLES),
        anchor=row.text("anchor"),
        period_hours=row.hours("period_hours"),
        ladder_hours=row.hour_list("ladder_hours"),
        overdue_every_hours=row.hours("overdue_every_hours"),
        ask_after_hours=row.hour_list("ask_after_hours"),
        ask_every_hours=row.hours("ask_every_hours"),
        valid_from=valid_from or date.min,
        valid_to=row.day("valid_to"),
        source=row.text("source"),
        confidence=row.text("confidence"),
    )
    _check(rule, row)
    return rule


def _check(rule: Rule, row: _Row) -> None:
    """Note what each key allows alone but not together."""
    if rule.anchor not in ANCHORS:
        row.wrong(f"anchor must be one of: {', '.join(ANCHORS)}")
    elif (rule.anchor == "controller_aware" and "processor" in rule.who) or (
        rule.anchor == "processor_aware" and CONTROLLERS & set(rule.who)
    ):
        row.wrong(f"anchor {rule.anchor} does not fit who")
    if rule.valid_to is not None and rule.valid_to < rule.valid_from:
        row.wrong("valid_to lies before valid_from")
    if rule.confidence not in CONFIDENCES:
        row.wrong(f"confidence must be one of: {', '.join(CONFIDENCES)}")
    if rule.period_hours is None:
        if rule.ladder_hours or rule.overdue_every_hours is not None:
            row.wrong("a ladder needs period_hours")
    else:
        if rule.ask_after_hours or rule.ask_every_hours is not None:
            row.wrong("asking is for rules without period_hours")
        if any(hours >= rule.period_hours for hours in rule.ladder_hours):
            row.wrong("ladder_hours must be shorter than period_hours")


def _collisions(rules: list[Rule]) -> list[str]:
    ids = [rule.id for rule in rules]
    found = [f"{name} stands twice" for name in sorted({name for name in ids if name and ids.count(name) > 1})]
    found.extend(
        f"{one.id} and {other.id} hold for the same duty on the same day"
        for one, other in combinations(rules, 2)
        if (one.regime, one.duty) == (other.regime, other.duty)
        and set(one.who) & set(other.who)
        and one.valid_from <= (other.valid_to or date.max)
        and other.valid_from <= (one.valid_to or date.max)
    )
    return found
