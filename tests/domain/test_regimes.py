from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from incident_tracker.domain import deadlines, regimes
from incident_tracker.domain.deadlines import Obligation, Standing
from tests.domain.makers import BY_DUTY, DETECTED, HOURS, RULES, make_facts, parsed

AWARE = DETECTED + 2 * HOURS
LATER = AWARE + 50 * HOURS


def owed(facts: regimes.DutyFacts, rules: tuple[regimes.Rule, ...] = RULES) -> dict[str, Obligation]:
    return {obligation.duty: obligation for obligation in regimes.obligations_for(facts, rules)}


@pytest.mark.parametrize("role", regimes.ROLES)
def test_while_only_suspected_the_one_duty_is_to_assess(role: str) -> None:
    duties = owed(make_facts(role=role))
    assert list(duties) == ["assess"]
    assert duties["assess"].anchor_at == DETECTED
    assert duties["assess"].due_at is None
    assert not deadlines.is_settled(duties["assess"])


@pytest.mark.parametrize("role", ["controller", "joint_controller"])
def test_awareness_starts_72_hours_for_controllers_and_meets_the_assessment(role: str) -> None:
    duties = owed(make_facts(role=role, became_aware_at=AWARE, decided_at=AWARE + HOURS))
    assert list(duties) == ["notify_authority", "complete_report", "notify_people", "inform_parties", "assess"]
    assert duties["assess"].met_at == AWARE + HOURS
    authority = duties["notify_authority"]
    assert (authority.anchor_at, authority.due_at) == (AWARE, AWARE + 72 * HOURS)
    assert authority.outer_reading_at == datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert duties["inform_parties"].due_at == AWARE + 72 * HOURS
    assert duties["inform_parties"].outer_reading_at is None
    assert duties["notify_people"].anchor_at == AWARE
    assert duties["notify_people"].due_at is None


def test_a_processor_owes_the_controller_a_message_and_has_no_72_hours_of_its_own() -> None:
    duties = owed(make_facts(role="processor", became_aware_at=AWARE, controller_told_at=LATER))
    assert set(duties) == {"notify_controller", "assess"}
    assert duties["notify_controller"].anchor_at == AWARE
    assert duties["notify_controller"].due_at is None
    assert duties["notify_controller"].met_at == LATER


def test_completing_the_report_waits_for_the_first_report() -> None:
    before = owed(make_facts(became_aware_at=AWARE))["complete_report"]
    assert before.anchor_at is None
    assert deadlines.standing(before, LATER) is Standing.OPEN
    after = owed(make_facts(became_aware_at=AWARE, first_reported_at=LATER))["complete_report"]
    assert after.anchor_at == LATER
    done = owed(make_facts(became_aware_at=AWARE, first_reported_at=LATER, report_completed_at=LATER + HOURS))
    assert done["complete_report"].met_at == LATER + HOURS


@pytest.mark.parametrize(
    ("fact", "duty"),
    [
        ("first_reported_at", "notify_authority"),
        ("report_completed_at", "complete_report"),
        ("people_told_at", "notify_people"),
        ("parties_informed_at", "inform_parties"),
    ],
)
def test_each_fact_meets_its_own_duty_and_no_other(fact: str, duty: str) -> None:
    without = owed(make_facts(became_aware_at=AWARE))
    duties = owed(make_facts(became_aware_at=AWARE, **{fact: LATER}))
    assert {name for name in duties if duties[name].met_at != without[name].met_at} == {duty}
    assert duties[duty].met_at == LATER


def test_a_report_after_the_deadline_is_met_late() -> None:
    duties = owed(make_facts(became_aware_at=AWARE, first_reported_at=AWARE + 73 * HOURS))
    assert deadlines.standing(duties["notify_authority"], LATER) is Standing.MET_LATE
    assert deadlines.lateness(duties["notify_authority"]) == HOURS


def test_awareness_alone_meets_the_assessment_when_the_time_of_recording_is_not_known() -> None:
    duties = owed(make_facts(became_aware_at=AWARE, not_a_breach_at=LATER))
    assert duties["assess"].met_at == AWARE
    assert owed(make_facts(not_a_breach_at=LATER))["assess"].met_at == LATER


def test_not_a_breach_meets_the_assessment_and_starts_nothing() -> None:
    duties = owed(make_facts(not_a_breach_at=AWARE, not_a_breach_reason="Test data", decided_at=AWARE))
    assert list(duties) == ["assess"]
    assert duties["assess"].met_at == AWARE
    assert duties["assess"].set_aside_at is None


def test_not_a_breach_after_awareness_sets_aside_what_still_runs_and_keeps_what_was_met() -> None:
    facts = make_facts(
        became_aware_at=AWARE,
        decided_at=AWARE,
        parties_informed_at=AWARE + HOURS,
        not_a_breach_at=LATER,
        not_a_breach_reason="The drive was encrypted and came back",
    )
    duties = owed(facts)
    assert duties["assess"].met_at == AWARE
    assert duties["inform_parties"].met_at == AWARE + HOURS
    assert duties["inform_parties"].set_aside_at is None
    for duty in ("notify_authority", "complete_report", "notify_people"):
        assert duties[duty].set_aside_at == LATER
        assert duties[duty].set_aside_reason == "The drive was encrypted and came back"
        assert deadlines.standing(duties[duty], LATER + 500 * HOURS) is Standing.SET_ASIDE


def test_a_person_can_meet_or_set_aside_a_single_duty() -> None:
    facts = make_facts(
        became_aware_at=AWARE,
        met={("promise", "inform_parties"): LATER},
        set_aside={("gdpr", "notify_people"): (LATER, "No high risk: the file was encrypted")},
    )
    duties = owed(facts)
    assert duties["inform_parties"].met_at == LATER
    assert duties["notify_people"].set_aside_reason == "No high risk: the file was encrypted"
    assert duties["notify_authority"].met_at is None
    assert duties["notify_authority"].set_aside_at is None


def test_a_report_that_need_not_be_made_need_not_be_completed() -> None:
    aside = {("gdpr", "notify_authority"): (LATER, "Unlikely to be a risk")}
    duties = owed(make_facts(became_aware_at=AWARE, set_aside=aside))
    assert duties["complete_report"].set_aside_reason == "Unlikely to be a risk"
    reported = owed(make_facts(became_aware_at=AWARE, first_reported_at=LATER, set_aside=aside))
    assert reported["complete_report"].set_aside_at is None
    assert reported["complete_report"].anchor_at == LATER


def test_the_earlier_of_two_meetings_counts_and_meeting_stands_before_setting_aside() -> None:
    key = ("gdpr", "notify_authority")
    duties = owed(
        make_facts(
            became_aware_at=AWARE,
            first_reported_at=LATER,
            met={key: LATER + HOURS},
            set_aside={key: (AWARE, "Unlikely to be a risk")},
        )
    )
    assert duties["notify_authority"].met_at == LATER
    assert duties["notify_authority"].set_aside_at is None


def test_moving_awareness_moves_the_deadline_with_it() -> None:
    earlier = owed(make_facts(became_aware_at=AWARE - HOURS))["notify_authority"]
    assert earlier.due_at == AWARE + 71 * HOURS


def test_the_rule_is_chosen_by_the_day_of_the_anchor_in_the_controllers_zone() -> None:
    old = replace(BY_DUTY["notify_authority"], valid_to=date(2027, 12, 31))
    new = replace(old, id="gdpr_33_1_new", period_hours=96, valid_from=date(2028, 1, 1), valid_to=None)
    eve = datetime(2027, 12, 31, 22, 59, tzinfo=UTC)
    newcomer = eve + timedelta(minutes=1)
    facts = make_facts(became_aware_at=eve)
    assert owed(facts, (old, new))["notify_authority"].due_at == eve + 72 * HOURS
    duties = owed(replace(facts, became_aware_at=newcomer), (old, new))
    assert duties["notify_authority"].rule_id == "gdpr_33_1_new"
    assert duties["notify_authority"].due_at == newcomer + 96 * HOURS
    assert regimes.obligations_for(replace(facts, became_aware_at=newcomer), (old, new), zone="Atlantic/Azores")[
        0
    ].due_at == (newcomer + 72 * HOURS)


def test_a_rule_for_explaining_is_found_by_day_or_refused() -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    assert regimes.rule_for(RULES, "gdpr", "notify_authority", day).id == "gdpr_33_1"
    assert regimes.rule_for(RULES, "gdpr", "notify_controller", day, role="processor").id == "gdpr_33_2"
    first_day = datetime(2018, 5, 24, 22, tzinfo=UTC)
    assert regimes.rule_for(RULES, "gdpr", "notify_authority", first_day).id == "gdpr_33_1"
    for anchor, duty, role in (
        (first_day - timedelta(seconds=1), "notify_authority", None),
        (day, "no_such_duty", None),
        (day, "notify_controller", "controller"),
    ):
        with pytest.raises(regimes.NoRuleInForce, match=duty):
            regimes.rule_for(RULES, "gdpr", duty, anchor, role=role)


def test_the_shipped_rules_say_what_the_law_file_says() -> None:
    by_id = {rule.id: rule for rule in RULES}
    assert {rule.id: (rule.article, rule.period_hours, rule.anchor) for rule in RULES if rule.regime == "gdpr"} == {
        "gdpr_33_1": ("GDPR Art. 33(1)", 72, "controller_aware"),
        "gdpr_33_2": ("GDPR Art. 33(2)", None, "processor_aware"),
        "gdpr_33_4": ("GDPR Art. 33(4)", None, "first_reported"),
        "gdpr_34_1": ("GDPR Art. 34(1)", None, "controller_aware"),
    }
    assert by_id["gdpr_33_1"].ladder_hours == (48, 24, 12, 6, 3, 1)
    assert by_id["gdpr_33_1"].overdue_every_hours == 1
    assert {rule.valid_from for rule in RULES if rule.regime == "gdpr"} == {date(2018, 5, 25)}
    assert {rule.regime for rule in RULES} == {"gdpr", "promise", "internal"}
    assert all(rule.source and rule.confidence in regimes.CONFIDENCES for rule in RULES)


def changed(**changes: Any) -> dict[str, Any]:
    mapping = deepcopy(parsed("regimes/gdpr.toml"))
    row = mapping["rules"][0]
    for key, value in changes.items():
        row.pop(key, None)
        if value is not None:
            row[key] = value
    return mapping


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"period_hours": 0}, "period_hours must be a whole number"),
        ({"period_hours": 72.5}, "period_hours must be a whole number"),
        ({"period_hours": True}, "period_hours must be a whole number"),
        ({"period_hours": "72"}, "period_hours must be a whole number"),
        ({"period_hours": 24}, "ladder_hours must be shorter"),
        ({"period_hours": 48}, "ladder_hours must be shorter"),
        ({"period_hours": None}, "a ladder needs period_hours"),
        ({"ladder_hours": [3, 3]}, "ladder_hours must be a list of different"),
        ({"ladder_hours": [-1]}, "ladder_hours must be a list of different"),
        ({"ask_every_hours": 24}, "asking is for rules without period_hours"),
        ({"who": ["data_subject"]}, "who must be a list of"),
        ({"who": []}, "who must be a list of"),
        ({"who": ["processor"]}, "does not fit who"),
        ({"anchor": "processor_aware"}, "does not fit who"),
        ({"anchor": "yesterday"}, "anchor must be one of"),
        ({"article": " "}, "article must be a text"),
        ({"id": None}, "id must be a text"),
        ({"valid_from": None}, "valid_from must be given"),
        ({"valid_from": "2018-05-25"}, "valid_from must be a date"),
        ({"valid_to": date(2017, 1, 1)}, "valid_to lies before valid_from"),
        ({"confidence": "sure"}, "confidence must be one of"),
        ({"perod_hours": 72}, "perod_hours is not known"),
        ({"id": "gdpr_33_2"}, "gdpr_33_2 stands twice"),
    ],
)
def test_a_mistake_in_a_rule_is_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(regimes.RulesAreWrong, match=complaint):
        regimes.rules_from(changed(**changes))


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(regimes.RulesAreWrong) as refusal:
        regimes.rules_from(changed(period_hours=0, who=[], colour="red"), {"regime": "promise"}, {"rules": [{}]})
    for complaint in ("period_hours", "who", "colour", "promise must have at least one", "regime must be a name"):
        assert complaint in str(refusal.value)


@pytest.mark.parametrize("turned", [False, True])
def test_two_rules_for_one_duty_on_one_day_are_refused_but_following_rows_are_not(
    turned: bool,  # noqa: FBT001 - parametrized
) -> None:
    mapping = changed(valid_to=date(2027, 12, 31))
    follower = dict(mapping["rules"][0], id="gdpr_33_1_new", period_hours=96, valid_from=date(2028, 1, 1))
    del follower["valid_to"]
    mapping["rules"].insert(0 if turned else 1, follower)
    assert len(regimes.rules_from(mapping)) == 5
    follower["valid_from"] = date(2027, 12, 31)
    with pytest.raises(regimes.RulesAreWrong, match="same duty on the same day"):
        regimes.rules_from(mapping)
    follower["who"] = ["joint_controller"]
    mapping["rules"][1 if turned else 0]["who"] = ["controller"]
    assert len(regimes.rules_from(mapping)) == 5
