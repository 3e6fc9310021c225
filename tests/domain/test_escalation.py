from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import escalation
from incident_tracker.domain.escalation import PlannedAlarm, next_alarm, plan_alarms
from incident_tracker.domain.regimes import Rule
from tests.domain.makers import BY_DUTY, DETECTED, HOURS, RULES, make_obligation, parsed

AUTHORITY, ASSESS, PEOPLE, COMPLETE = (
    BY_DUTY[duty] for duty in ("notify_authority", "assess", "notify_people", "complete_report")
)
DUE = DETECTED + 72 * HOURS
ANY_RULE = st.sampled_from(RULES)
WHOLE_HOURS = st.integers(-10, 400).map(lambda hours: DETECTED + hours * HOURS)
MOMENTS = WHOLE_HOURS | st.integers(-10 * 3600, 400 * 3600).map(lambda seconds: DETECTED + timedelta(seconds=seconds))


def rungs(alarms: tuple[PlannedAlarm, ...]) -> list[str]:
    return [alarm.rung for alarm in alarms]


def single_rungs(rule: Rule) -> dict[str, datetime]:
    """Say from the rule alone when each single rung is due."""
    if rule.period_hours is not None:
        return {f"{hours}h": DUE - hours * HOURS for hours in rule.ladder_hours} | {"overdue": DUE}
    return {f"asked_{hours}h": DETECTED + hours * HOURS for hours in rule.ask_after_hours}


def test_from_awareness_the_whole_ladder_is_planned() -> None:
    alarms = plan_alarms(make_obligation(AUTHORITY), AUTHORITY, DETECTED)
    assert rungs(alarms) == ["48h", "24h", "12h", "6h", "3h", "1h", "overdue"]
    assert [DUE - alarm.fire_at for alarm in alarms] == [hours * HOURS for hours in (48, 24, 12, 6, 3, 1, 0)]
    assert {alarm.occurrence for alarm in alarms} == {0}


def test_rungs_already_past_make_one_alarm_the_most_urgent() -> None:
    now = DUE - 5 * HOURS
    alarms = plan_alarms(make_obligation(AUTHORITY), AUTHORITY, now)
    assert rungs(alarms) == ["6h", "3h", "1h", "overdue"]
    assert alarms[0].fire_at == now


def test_a_rung_due_exactly_now_fires_now() -> None:
    now = DUE - 48 * HOURS
    assert plan_alarms(make_obligation(AUTHORITY), AUTHORITY, now)[0] == PlannedAlarm(now, "48h")


def test_a_rung_due_exactly_now_speaks_for_those_behind_it() -> None:
    alarms = plan_alarms(make_obligation(AUTHORITY), AUTHORITY, DUE - 24 * HOURS)
    assert rungs(alarms) == ["24h", "12h", "6h", "3h", "1h", "overdue"]
    on_the_deadline = plan_alarms(make_obligation(AUTHORITY), AUTHORITY, DUE)
    assert on_the_deadline == (PlannedAlarm(DUE, "overdue"),)


def test_an_overdue_obligation_alarms_now_and_again_within_the_hour() -> None:
    now = DUE + 5 * HOURS + timedelta(minutes=20)
    (fired,) = plan_alarms(make_obligation(AUTHORITY), AUTHORITY, now)
    assert fired == PlannedAlarm(now, "overdue", 5)
    following = next_alarm(make_obligation(AUTHORITY), AUTHORITY, fired, now)
    assert following == PlannedAlarm(DUE + 6 * HOURS, "overdue", 6)


def test_overdue_is_raised_every_hour_on_the_hour_of_the_deadline() -> None:
    obligation = make_obligation(AUTHORITY)
    fired = PlannedAlarm(DUE, "overdue")
    for hour in range(1, 200):
        following = next_alarm(obligation, AUTHORITY, fired, fired.fire_at + timedelta(seconds=1))
        assert following == PlannedAlarm(DUE + hour * HOURS, "overdue", hour)
        fired = following


def test_after_an_outage_the_next_repeat_lies_ahead_and_no_backlog_is_raised() -> None:
    now = DUE + 30 * HOURS + timedelta(minutes=1)
    following = next_alarm(make_obligation(AUTHORITY), AUTHORITY, PlannedAlarm(DUE + HOURS, "overdue", 1), now)
    assert following == PlannedAlarm(DUE + 31 * HOURS, "overdue", 31)


def test_a_suspicion_is_asked_about_after_4_12_24_hours_and_then_daily() -> None:
    obligation = make_obligation(ASSESS)
    alarms = plan_alarms(obligation, ASSESS, DETECTED)
    assert alarms == tuple(PlannedAlarm(DETECTED + hours * HOURS, f"asked_{hours}h") for hours in (4, 12, 24))
    first = next_alarm(obligation, ASSESS, alarms[-1], alarms[-1].fire_at)
    assert first == PlannedAlarm(DETECTED + 48 * HOURS, "asked_daily", 1)
    second = next_alarm(obligation, ASSESS, first, first.fire_at)
    assert second == PlannedAlarm(DETECTED + 72 * HOURS, "asked_daily", 2)


def test_an_old_suspicion_is_asked_about_at_once_and_daily_from_then() -> None:
    now = DETECTED + 100 * HOURS
    (fired,) = plan_alarms(make_obligation(ASSESS), ASSESS, now)
    assert fired == PlannedAlarm(now, "asked_daily", 3)
    following = next_alarm(make_obligation(ASSESS), ASSESS, fired, now)
    assert following == PlannedAlarm(DETECTED + 120 * HOURS, "asked_daily", 4)


def test_an_earlier_rung_that_fires_late_starts_no_second_row_of_repeats() -> None:
    ladder = make_obligation(AUTHORITY)
    for rung in ("48h", "1h"):
        assert next_alarm(ladder, AUTHORITY, PlannedAlarm(DUE - HOURS, rung), DUE + 9 * HOURS) is None


def test_between_two_rungs_no_repeat_is_planned_yet() -> None:
    obligation = make_obligation(ASSESS)
    assert (
        next_alarm(obligation, ASSESS, PlannedAlarm(DETECTED + 4 * HOURS, "asked_4h"), DETECTED + 4 * HOURS) is None
    )
    ladder = make_obligation(AUTHORITY)
    assert next_alarm(ladder, AUTHORITY, PlannedAlarm(DUE - HOURS, "1h"), DUE - HOURS) is None


def test_an_unfinished_report_is_asked_about_weekly_once_the_first_is_in() -> None:
    waiting = make_obligation(COMPLETE, None)
    assert plan_alarms(waiting, COMPLETE, DETECTED + 500 * HOURS) == ()
    assert next_alarm(waiting, COMPLETE, PlannedAlarm(DETECTED, "asked_weekly"), DETECTED) is None
    week = timedelta(days=7)
    assert plan_alarms(make_obligation(COMPLETE), COMPLETE, DETECTED) == (
        PlannedAlarm(DETECTED + week, "asked_weekly", 1),
    )
    late = plan_alarms(make_obligation(COMPLETE), COMPLETE, DETECTED + 2.5 * week)
    assert [(alarm.rung, alarm.occurrence) for alarm in late] == [("asked_weekly", 2)]


def test_people_who_are_not_told_are_asked_about_after_one_and_two_days_and_then_daily() -> None:
    now = DETECTED + 30 * HOURS
    assert rungs(plan_alarms(make_obligation(PEOPLE), PEOPLE, now)) == ["asked_24h", "asked_48h"]


def test_another_rhythm_carries_its_hours_in_its_name() -> None:
    rule = replace(ASSESS, ask_every_hours=6)
    assert rungs(plan_alarms(make_obligation(rule), rule, DETECTED + 31 * HOURS)) == ["asked_every_6h"]


def test_a_rule_that_never_repeats_ends_after_its_last_rung() -> None:
    rule = replace(AUTHORITY, overdue_every_hours=None)
    now = DUE + 3 * HOURS
    assert plan_alarms(make_obligation(rule), rule, now) == (PlannedAlarm(now, "overdue"),)
    assert next_alarm(make_obligation(rule), rule, PlannedAlarm(now, "overdue"), now) is None


@given(ANY_RULE, MOMENTS, st.sampled_from([{"met_at": DUE}, {"set_aside_at": DUE, "set_aside_reason": "x"}]))
def test_a_settled_obligation_never_alarms(rule: Rule, now: datetime, settled: dict[str, Any]) -> None:
    obligation = make_obligation(rule, **settled)
    assert plan_alarms(obligation, rule, now) == ()
    assert next_alarm(obligation, rule, PlannedAlarm(now, "overdue", 7), now) is None


@given(ANY_RULE, MOMENTS)
def test_a_plan_holds_every_rung_ahead_and_one_alarm_for_all_behind(rule: Rule, now: datetime) -> None:
    alarms = plan_alarms(make_obligation(rule), rule, now)
    times = [alarm.fire_at for alarm in alarms]
    assert times == sorted(set(times))
    single = single_rungs(rule)
    assert {alarm.rung: alarm.fire_at for alarm in alarms if not alarm.occurrence and alarm.fire_at > now} == {
        rung: at for rung, at in single.items() if at > now
    }
    behind = [alarm for alarm in alarms if alarm.fire_at <= now]
    assert len(behind) == bool([at for at in single.values() if at <= now] or repeats_behind(rule, now))
    assert all(alarm.fire_at == now for alarm in behind)


def repeats_behind(rule: Rule, now: datetime) -> bool:
    last = max([DETECTED, *single_rungs(rule).values()])
    every = rule.overdue_every_hours or rule.ask_every_hours
    return every is not None and last + every * HOURS <= now


@given(ANY_RULE, MOMENTS, st.integers(0, 300 * 3600))
def test_the_last_alarm_of_a_plan_and_only_that_leads_on_so_that_reminding_never_ends_by_itself(
    rule: Rule, planned_at: datetime, delay: int
) -> None:
    obligation = make_obligation(rule)
    *earlier, last = plan_alarms(obligation, rule, planned_at)
    now = last.fire_at + timedelta(seconds=delay)
    following = next_alarm(obligation, rule, last, now)
    assert following is not None
    assert following.fire_at > now
    assert following.occurrence > last.occurrence
    again = next_alarm(obligation, rule, following, following.fire_at)
    assert again is not None
    assert again.fire_at > following.fire_at
    assert [next_alarm(obligation, rule, alarm, now) for alarm in earlier] == [None] * len(earlier)


@given(ANY_RULE, st.lists(st.integers(1, 90 * 3600), min_size=1, max_size=40), st.integers(0, 200))
def test_however_late_the_clock_comes_each_alarm_is_planned_and_raised_once_and_none_is_forgotten(
    rule: Rule, pauses: list[int], opened_late: int
) -> None:
    obligation = make_obligation(rule)
    now = DETECTED + opened_late * HOURS
    waiting = list(plan_alarms(obligation, rule, now))
    planned = {(alarm.rung, alarm.occurrence) for alarm in waiting}
    raised: set[str] = set()
    for pause in [0, *pauses]:
        now += timedelta(seconds=pause)
        for alarm in [one for one in sorted(waiting) if one.fire_at <= now]:
            waiting.remove(alarm)
            raised.add(alarm.rung)
            following = next_alarm(obligation, rule, alarm, now)
            if following is not None:
                assert (following.rung, following.occurrence) not in planned
                planned.add((following.rung, following.occurrence))
                waiting.append(following)
        assert min(alarm.fire_at for alarm in waiting) > now
    opened = DETECTED + opened_late * HOURS
    assert {rung for rung, at in single_rungs(rule).items() if opened < at <= now} <= raised


CONTACTS = ("Ben", "Clara", "Ada")
POLICY = escalation.policy_from(parsed("escalation/default.toml"))
SENT = datetime(2026, 11, 20, 15, 46, tzinfo=UTC)


def test_the_on_call_order_is_walked_and_starts_over() -> None:
    called = [escalation.contact_for(step, CONTACTS) for step in range(7)]
    assert called == ["Ben", "Clara", "Ada", "Ben", "Clara", "Ada", "Ben"]


def test_when_nobody_is_on_call_nobody_is_named_and_no_step_follows() -> None:
    assert escalation.contact_for(0, ()) is None
    assert POLICY.next_step_at(0, SENT, 0) is None


def test_each_step_waits_for_an_acknowledgement_and_then_the_next_is_due() -> None:
    assert POLICY.step_delay == timedelta(minutes=5)
    for step in range(9):
        assert POLICY.next_step_at(step, SENT, len(CONTACTS)) == SENT + timedelta(minutes=5)


@given(st.integers(0, 100), st.integers(1, 9), st.booleans())
def test_an_acknowledgement_stops_the_steps(step: int, contacts: int, failed: bool) -> None:  # noqa: FBT001 - drawn
    failed_at = SENT if failed else None
    assert POLICY.next_step_at(step, SENT, contacts, acknowledged_at=SENT, failed_at=failed_at) is None


def test_a_dead_number_moves_on_at_once_but_a_list_of_dead_numbers_does_not_spin() -> None:
    failed = SENT + timedelta(seconds=2)
    steps = [POLICY.next_step_at(step, SENT, 3, failed_at=failed) for step in range(6)]
    wait = SENT + timedelta(minutes=5)
    assert steps == [failed, failed, wait, failed, failed, wait]
    assert POLICY.next_step_at(0, SENT, 1, failed_at=failed) == wait


def test_a_wrong_policy_names_every_mistake() -> None:
    with pytest.raises(escalation.PolicyIsWrong) as refusal:
        escalation.policy_from({"id": "", "step_delay_minutes": True, "channels": ["sms", "sms"], "colour": 1})
    for complaint in ("id must", "step_delay_minutes must", "channels must", "colour is not known"):
        assert complaint in str(refusal.value)


@pytest.mark.parametrize("minutes", [0, -5, 1441, "5", 2.5, None])
def test_a_step_delay_is_between_a_minute_and_a_day(minutes: object) -> None:
    with pytest.raises(escalation.PolicyIsWrong, match="step_delay_minutes"):
        escalation.policy_from({"id": "default", "step_delay_minutes": minutes, "channels": ["sms"]})


def test_a_suspicion_asks_at_its_single_hours_and_then_daily_as_far_as_one_looks() -> None:
    asks = escalation.asks_between(make_obligation(ASSESS), ASSESS, DETECTED + 4 * HOURS, DETECTED + 72 * HOURS)
    assert [(at - DETECTED) // HOURS for at in asks] == [12, 24, 48, 72]


def test_a_rule_that_asks_at_other_hours_is_drawn_at_those() -> None:
    rule = replace(ASSESS, ask_after_hours=(2,), ask_every_hours=5)
    asks = escalation.asks_between(make_obligation(rule), rule, DETECTED, DETECTED + 12 * HOURS)
    assert [(at - DETECTED) // HOURS for at in asks] == [2, 7, 12]


def test_what_is_decided_or_has_a_deadline_asks_no_more() -> None:
    until = DETECTED + 400 * HOURS
    decided = replace(make_obligation(ASSESS), met_at=DETECTED + HOURS)
    assert escalation.asks_between(decided, ASSESS, DETECTED, until) == ()
    assert escalation.asks_between(make_obligation(AUTHORITY), AUTHORITY, DETECTED, until) == ()
