from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import deadlines, periods
from incident_tracker.domain.deadlines import Standing
from tests.domain.makers import BY_DUTY, DETECTED, make_obligation

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
AUTHORITY = BY_DUTY["notify_authority"]
DUE = DETECTED + 72 * HOUR
ZONE = "Europe/Copenhagen"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (DETECTED, Standing.OPEN),
        (DUE - 24 * HOUR - TICK, Standing.OPEN),
        (DUE - 24 * HOUR, Standing.APPROACHING),
        (DUE - TICK, Standing.APPROACHING),
        (DUE, Standing.APPROACHING),
        (DUE + TICK, Standing.OVERDUE),
        (DUE + 9000 * HOUR, Standing.OVERDUE),
    ],
)
def test_the_standing_turns_exactly_at_24_hours_and_just_after_due(now: datetime, expected: Standing) -> None:
    assert deadlines.standing(make_obligation(AUTHORITY), now) is expected


@pytest.mark.parametrize(
    ("met", "expected", "late"),
    [
        (DUE - HOUR, Standing.MET, timedelta()),
        (DUE, Standing.MET, timedelta()),
        (DUE + TICK, Standing.MET_LATE, TICK),
        (DUE + 65 * timedelta(minutes=1), Standing.MET_LATE, timedelta(minutes=65)),
    ],
)
def test_met_exactly_when_due_is_in_time_and_lateness_is_frozen(
    met: datetime, expected: Standing, late: timedelta
) -> None:
    obligation = make_obligation(AUTHORITY, met_at=met)
    for now in (DETECTED, DUE, DUE + 5000 * HOUR):
        assert deadlines.standing(obligation, now) is expected
        assert deadlines.lateness(obligation) == late
        assert deadlines.time_left(obligation, now) is None


def test_without_a_period_nothing_approaches_is_overdue_or_late() -> None:
    obligation = make_obligation(BY_DUTY["notify_people"])
    assert obligation.due_at is None
    assert deadlines.standing(obligation, DUE + 9000 * HOUR) is Standing.OPEN
    met = replace(obligation, met_at=DUE + 9000 * HOUR)
    assert deadlines.standing(met, DUE + 9001 * HOUR) is Standing.MET
    assert deadlines.lateness(met) == timedelta()


def test_set_aside_ends_the_waiting_but_a_duty_that_was_met_stays_met() -> None:
    aside = make_obligation(AUTHORITY, set_aside_at=DUE - HOUR, set_aside_reason="Not a breach")
    assert deadlines.standing(aside, DUE + 100 * HOUR) is Standing.SET_ASIDE
    assert deadlines.time_left(aside, DUE) is None
    assert deadlines.standing(replace(aside, met_at=DUE + HOUR), DUE + 2 * HOUR) is Standing.MET_LATE


@given(st.lists(st.integers(-100 * 3600, 400 * 3600), min_size=2, max_size=20))
def test_an_unsettled_standing_only_ever_goes_forward(seconds: list[int]) -> None:
    order = [Standing.OPEN, Standing.APPROACHING, Standing.OVERDUE]
    obligation = make_obligation(AUTHORITY)
    walked = [deadlines.standing(obligation, DETECTED + timedelta(seconds=moment)) for moment in sorted(seconds)]
    assert walked == sorted(walked, key=order.index)


@given(st.integers(-80 * 3600, 400 * 3600))
def test_time_left_and_standing_agree(seconds: int) -> None:
    now = DETECTED + timedelta(seconds=seconds)
    left = deadlines.time_left(make_obligation(AUTHORITY), now)
    assert left is not None
    assert (left < timedelta()) == (deadlines.standing(make_obligation(AUTHORITY), now) is Standing.OVERDUE)


def filled(explanation: deadlines.Explanation) -> list[str]:
    return [reason.msgid % reason.params for reason in explanation.reasons]


def msgids(explanation: deadlines.Explanation) -> list[str]:
    return [reason.msgid for reason in explanation.reasons]


def test_a_friday_afternoon_is_explained_with_its_weekend_its_note_and_its_rule() -> None:
    anchor = periods.parse_iso("2026-11-20T16:45+01:00")
    explanation = deadlines.explain(AUTHORITY, anchor, ZONE)
    assert explanation.due_at == periods.parse_iso("2026-11-23T16:45+01:00")
    assert explanation.outer_reading_at == periods.parse_iso("2026-11-23T17:00+01:00")
    reasons = {reason.msgid: reason.params for reason in explanation.reasons}
    assert reasons[deadlines.WEEKEND] == {"hours": 48, "minutes": 0}
    assert reasons[deadlines.NOTE] == {"hours": 72, "outer_reading": explanation.outer_reading_at}
    assert reasons[deadlines.RULE_OPEN] == {
        "rule": "gdpr_33_1",
        "article": "GDPR Art. 33(1)",
        "valid_from": date(2018, 5, 25),
    }
    assert deadlines.CLOCKS_FORWARD not in reasons
    assert deadlines.CLOCKS_BACK not in reasons
    assert deadlines.NO_ROLL_OVER in reasons


def test_only_the_part_of_a_weekend_inside_the_period_is_counted() -> None:
    explanation = deadlines.explain(AUTHORITY, periods.parse_iso("2026-11-21T12:17+01:00"), ZONE)
    assert deadlines.Reason(deadlines.WEEKEND, {"hours": 35, "minutes": 43}) in explanation.reasons
    plain = deadlines.explain(AUTHORITY, periods.parse_iso("2026-11-24T12:00+01:00"), ZONE)
    assert deadlines.NO_WEEKEND in msgids(plain)
    assert deadlines.WEEKEND not in msgids(plain)


@pytest.mark.parametrize(
    ("anchor", "msgid", "at"),
    [
        ("2026-03-27T14:00+01:00", deadlines.CLOCKS_FORWARD, "2026-03-29T01:00Z"),
        ("2026-10-25T02:30+02:00", deadlines.CLOCKS_BACK, "2026-10-25T01:00Z"),
    ],
)
def test_a_clock_change_inside_the_period_is_told(anchor: str, msgid: str, at: str) -> None:
    explanation = deadlines.explain(AUTHORITY, periods.parse_iso(anchor), ZONE)
    told = [reason for reason in explanation.reasons if reason.msgid == msgid]
    assert [reason.params for reason in told] == [{"minutes": 60, "at": periods.parse_iso(at)}]


def test_a_doubled_hour_after_the_change_has_no_change_inside() -> None:
    explanation = deadlines.explain(AUTHORITY, periods.parse_iso("2026-10-25T02:30+01:00"), ZONE)
    assert deadlines.CLOCKS_BACK not in msgids(explanation)


def test_the_regulation_is_not_mentioned_beside_an_own_promise_or_where_no_hours_are_set() -> None:
    promise = deadlines.explain(BY_DUTY["inform_parties"], DETECTED, ZONE)
    assert promise.due_at == DUE
    assert promise.outer_reading_at is None
    assert not any("1182" in text for text in filled(promise))
    people = deadlines.explain(BY_DUTY["notify_people"], DETECTED, ZONE)
    assert people.due_at is None
    assert msgids(people) == [deadlines.NO_PERIOD, deadlines.RULE_OPEN]


def test_a_rule_that_has_ended_names_its_last_day() -> None:
    ended = replace(AUTHORITY, valid_to=date(2027, 12, 31))
    last = deadlines.explain(ended, DETECTED, ZONE).reasons[-1]
    assert last.msgid == deadlines.RULE_BOUNDED
    assert last.params["valid_to"] == date(2027, 12, 31)


@given(st.datetimes(datetime(2019, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_reason_has_exactly_the_values_its_sentence_needs(anchor: datetime) -> None:
    for rule in BY_DUTY.values():
        explanation = deadlines.explain(rule, anchor, ZONE)
        for reason in explanation.reasons:
            reason.msgid % reason.params
            named = {part.split(")")[0] for part in reason.msgid.split("%(")[1:]}
            assert named == set(reason.params)
            assert not [name for _, name, _, _ in Formatter().parse(reason.msgid) if name]


def test_a_naive_anchor_is_refused() -> None:
    with pytest.raises(periods.TimeIsNaive):
        deadlines.explain(AUTHORITY, datetime(2026, 11, 20, 16, 45), ZONE)  # noqa: DTZ001
