import copy
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifiers.datatilsynet import DatatilsynetReport, conditions
from notifiers.protocol import (
    AuthorityReport,
    ChecksIdentifiers,
    NotifierSettingsError,
    Question,
    ReportDraft,
)

ROOT = Path(__file__).resolve().parents[2]
FORM: dict[str, Any] = tomllib.loads((ROOT / "config" / "authorities" / "dk.toml").read_text(encoding="utf-8"))
AWARE = "2026-11-20T15:45:00Z"
RECORD: dict[str, Any] = {
    "notification.kind": "new",
    "notification.completeness": "incomplete",
    "controller.name": "Nordlys ApS",
    "controller.identifier": "00000000",
    "reporter.contact": {"name": "Clara", "email": "clara@example.dk", "phone": "+45 32 12 34 56"},
    "dpo.designated": True,
    "timeline.controller_aware": AWARE,
    "nature.description": "Nyhedsbrevet gik ud med alle adresser i Cc.",
    "people.count_kind": "approximate",
    "people.count": {"low": 200, "high": 400},
    "records.data_types": ["contact", "national_id"],
    "consequences.impacts": ["loss_of_control", "fraud"],
    "report.as_of": "2026-11-20T16:00:00Z",
    "report.zone": "Europe/Copenhagen",
    "report.answers": {},
    "report.findings": {},
}


def make_report(**changed: Any) -> DatatilsynetReport:
    return DatatilsynetReport.from_settings({"form": {**copy.deepcopy(FORM), **changed}})


REPORT = make_report()


def _draft(language: str = "da", **changed: Any) -> ReportDraft:
    record = {**RECORD, **{key.replace("__", "."): value for key, value in changed.items()}}
    return REPORT.draft(record, language)


def _ask(key: str, language: str = "da", **changed: Any) -> Question:
    return next(question for question in _draft(language, **changed).questions if question.key == key)


def _mistakes(form: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(NotifierSettingsError) as caught:
        DatatilsynetReport.from_settings({"form": form})
    return caught.value.mistakes


def test_it_is_a_report_plugin() -> None:
    assert isinstance(REPORT, AuthorityReport)
    assert isinstance(REPORT, ChecksIdentifiers)


def test_the_questions_stand_in_the_order_of_the_form() -> None:
    draft = _draft()
    keys = [question.key for question in draft.questions]
    assert keys[:4] == ["dk.type", "dk.completeness", "dk.previous_ref", "dk.internal_ref"]
    assert keys[-1] == "dk.outstanding"
    assert len(keys) == 37
    order = [section for section, _ in draft.sections]
    assert [question.section for question in draft.questions] == sorted(
        (question.section for question in draft.questions), key=order.index
    )


def test_every_question_has_a_label_in_both_languages() -> None:
    danish, english = _draft("da").questions, _draft("en").questions
    assert [question.key for question in danish] == [question.key for question in english]
    assert all(question.label for question in (*danish, *english))
    assert _ask("dk.aware_at").label == "Hvornår blev I bekendt med bruddet?"
    assert _ask("dk.aware_at", "en").label == "When did you become aware of the breach?"


@pytest.mark.parametrize(
    ("instant", "danish", "english"),
    [
        (AWARE, "fredag 20. november 2026 kl. 16.45 (UTC+1)", "Friday 20 November 2026 at 16:45 (UTC+1)"),
        ("2026-07-01T22:05:00Z", "torsdag 2. juli 2026 kl. 00.05 (UTC+2)", "Thursday 2 July 2026 at 00:05 (UTC+2)"),
        (
            "2026-10-25T00:30:00Z",
            "søndag 25. oktober 2026 kl. 02.30 (UTC+2)",
            "Sunday 25 October 2026 at 02:30 (UTC+2)",
        ),
        (
            "2026-10-25T01:30:00Z",
            "søndag 25. oktober 2026 kl. 02.30 (UTC+1)",
            "Sunday 25 October 2026 at 02:30 (UTC+1)",
        ),
    ],
)
def test_times_are_told_in_the_controllers_zone_with_their_offset(instant: str, danish: str, english: str) -> None:
    assert _ask("dk.aware_at", timeline__controller_aware=instant).answer == danish
    assert _ask("dk.aware_at", "en", timeline__controller_aware=instant).answer == english


@pytest.mark.parametrize(
    ("kind", "count", "danish", "english"),
    [
        ("exact", {"low": 12400, "high": 12400}, "12.400", "12,400"),
        ("approximate", {"low": 300, "high": 300}, "ca. 300", "about 300"),
        ("approximate", {"low": 200, "high": 400}, "mellem 200 og 400", "between 200 and 400"),
        ("approximate", {"low": 10, "high": None}, "mindst 10", "at least 10"),
        ("approximate", {"low": None, "high": 49}, "højst 49", "at most 49"),
        ("tbd", None, "Skal afklares", "To be determined"),
        ("cannot_be_determined", None, "Kan ikke fastslås", "Cannot be determined"),
    ],
)
def test_counts_are_told_as_they_are_known(kind: str, count: dict[str, Any], danish: str, english: str) -> None:
    changed = {"people.count_kind": kind, "people.count": count}
    assert _ask("dk.subjects_n", **changed).answer == danish
    assert _ask("dk.subjects_n", "en", **changed).answer == english


def test_codes_are_told_in_words() -> None:
    assert _ask("dk.data_categories").answer == "Kontaktoplysninger; CPR-numre"
    assert _ask("dk.consequences", consequences__severity="minor").answer == (
        "Tab af kontrol over egne oplysninger; Svindel\nAlvor: Mindre"
    )
    assert _ask("dk.incident_type", nature__incident_types=["ransomware", "new_code"]).answer == (
        "Ransomware eller krypteret enhed; new_code"
    )


def test_the_question_of_cpr_numbers_follows_from_the_kinds_of_data() -> None:
    assert _ask("dk.cpr").answer == "Ja"
    assert _ask("dk.cpr", records__data_types=["contact"]).answer == "Nej"
    assert _ask("dk.cpr", records__data_types=["unknown"]).answer == ""
    assert _ask("dk.cpr", records__data_types=[]).answer == ""


def test_contacts_and_parties_are_told_on_one_line_each() -> None:
    parties = [
        {"role": "processor", "name": "Skyhost A/S", "contact": "drift@example.org"},
        {"role": "other", "name": "X"},
    ]
    assert _ask("dk.contact").answer == "Clara, clara@example.dk, +45 32 12 34 56"
    assert _ask("dk.other_parties", parties__list=parties).answer == (
        "Databehandler: Skyhost A/S, drift@example.org\nAnden: X"
    )


def test_an_unknown_or_ongoing_time_is_an_answer() -> None:
    assert _ask("dk.breach_start", timeline__occurrence="tbd").answer == "Skal afklares"
    assert _ask("dk.breach_end", timeline__occurrence="ongoing_since").answer == "Pågår stadig"
    estimated = _ask("dk.breach_start", timeline__begin=AWARE, timeline__dates_estimated=True)
    assert estimated.answer == "fredag 20. november 2026 kl. 16.45 (UTC+1), anslået"
    assert _ask("dk.how_discovered", timeline__occurrence="tbd").answer == ""


def test_what_is_demanded_and_has_no_answer_is_missing() -> None:
    missing = _draft().missing
    assert "dk.measures_taken" in missing
    assert "dk.dpo" in missing
    assert "dk.outstanding" in missing
    assert "dk.description" not in missing
    assert "dk.cross_border" not in missing
    assert "dk.previous_ref" not in missing
    assert "dk.previous_ref" in _draft(notification__kind="follow_up").missing
    assert "dk.outstanding" not in _draft(notification__completeness="complete").missing


def test_an_unknown_number_is_an_answer_and_not_missing() -> None:
    assert not _ask("dk.subjects_n", people__count_kind="tbd", people__count=None).missing


def _late(hours: float) -> str:
    moment = datetime.fromisoformat(AWARE) + timedelta(hours=hours)
    return moment.astimezone(UTC).isoformat()


def test_after_72_hours_the_reason_for_the_delay_is_demanded_and_blocks() -> None:
    assert not _ask("dk.delay_reason", report__as_of=_late(72)).missing
    late = _draft(report__as_of=_late(72.001))
    assert "dk.delay_reason" in late.missing
    assert late.blocked_by == ("dk.delay_reason",)
    assert _draft(report__as_of=_late(72.001), timeline__late_reason="Weekend").blocked_by == ()


def test_without_awareness_the_report_is_blocked() -> None:
    draft = _draft(timeline__controller_aware=None)
    assert draft.blocked_by == ("dk.aware_at",)


def test_own_words_stand_before_the_derived_answer() -> None:
    question = _ask("dk.description", report__answers={"dk.description": " Kort fortalt. "})
    assert (question.answer, question.written) == ("Kort fortalt.", "Kort fortalt.")
    assert _ask("dk.description", report__answers={"dk.description": "  "}).answer.startswith("Nyhedsbrevet")


def test_a_chosen_code_is_told_in_words_and_moves_what_is_demanded() -> None:
    told = {"report__answers": {"dk.subjects_told": "told"}}
    question = _ask("dk.subjects_told", **told)
    assert question.answer == "Ja"
    assert ("told", "Ja") in question.choices
    assert "dk.told_at" in _draft(**told).missing
    assert "dk.not_told_reason" not in _draft(**told).missing
    assert "dk.not_told_reason" in _draft(report__answers={"dk.subjects_told": "no_high_risk"}).missing


def test_a_recorded_fact_is_not_overwritten_by_own_words() -> None:
    question = _ask("dk.aware_at", report__answers={"dk.aware_at": "meget senere"})
    assert question.answer == "fredag 20. november 2026 kl. 16.45 (UTC+1)"
    assert question.own_words is False


def test_personal_data_in_an_answer_become_a_warning() -> None:
    found = {"nature.description": ["cpr", "email"]}
    warnings = _ask("dk.description", report__findings=found).warnings
    assert warnings[0].startswith("Svaret ser ud til at indeholde et CPR-nummer.")
    assert len(warnings) == 2
    assert (
        _ask("dk.description", "en", report__findings=found)
        .warnings[1]
        .startswith("The answer seems to hold an e-mail")
    )


def test_own_words_are_judged_by_what_they_hold_themselves() -> None:
    found = {"nature.description": ["cpr"], "dk.measures_taken": ["phone"]}
    answers = {"dk.description": "Kort fortalt.", "dk.measures_taken": "Ringet til 34 41 23 45"}
    assert _ask("dk.description", report__findings=found, report__answers=answers).warnings == ()
    assert len(_ask("dk.measures_taken", report__findings=found, report__answers=answers).warnings) == 1


def test_a_contact_that_is_asked_for_is_no_warning() -> None:
    answers = {"dk.contact": "Clara, clara@example.dk"}
    assert _ask("dk.contact", report__findings={"dk.contact": ["email"]}, report__answers=answers).warnings == ()


def test_the_mark_stands_until_someone_has_checked_the_form() -> None:
    assert _draft().banner == "Ikke kontrolleret mod den aktuelle formular på Virk"
    assert _draft("en").banner == "Not checked against the live form"
    assert _draft().checked_against_live_form is False
    checked = make_report(verified_by="Ada", verified_at="2026-12-01").draft(RECORD, "da")
    assert (checked.checked_against_live_form, checked.banner) == (True, "")


def test_an_administrator_corrects_labels_order_and_lengths_without_code() -> None:
    form = copy.deepcopy(FORM)
    first = form["sections"][0]["fields"]
    first[0], first[1] = first[1], first[0]
    first[0]["label"]["da"] = "Fuldstændig?"
    form["sections"][3]["fields"][1]["max_length"] = 10
    draft = DatatilsynetReport.from_settings({"form": form}).draft(RECORD, "da")
    assert draft.questions[0].label == "Fuldstændig?"
    description = next(question for question in draft.questions if question.key == "dk.description")
    assert description.warnings == ("Svaret er på 43 tegn; der er plads til 10.",)


def test_an_unusual_cvr_number_is_a_warning() -> None:
    assert _ask("dk.cvr").warnings == ()
    assert len(_ask("dk.cvr", controller__identifier="1234").warnings) == 1


def test_all_mistakes_of_a_corrected_form_are_named_at_once() -> None:
    form = copy.deepcopy(FORM)
    fields = form["sections"][0]["fields"]
    fields[0]["required_when"] = "__import__('os')"
    fields[1]["required_when"] = "notification.kin == new"
    fields[2]["kind"] = "essay"
    fields[3]["lable"] = "x"
    fields[3]["pattern"] = "("
    fields[3]["key"] = "dk.type"
    form["banner"] = {"da": "Mærke"}
    form["verified_by"] = "Ada"
    text = "\n".join(_mistakes(form))
    for part in (
        "dk.type: \"__import__('os')\" is not a condition I know; known are: always",
        "dk.completeness: the condition asks about 'notification.kin'",
        "dk.previous_ref: kind 'essay'",
        "'lable' is not a setting",
        "the pattern '(' cannot be read",
        "dk.type: is there twice",
        "banner: no text in 'en'",
        "verified_by and verified_at",
    ):
        assert part in text


def test_no_form_at_all_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(NotifierSettingsError, match="questions are missing"):
        DatatilsynetReport.from_settings({})
    assert "sections: there are no questions" in _mistakes({"banner": {"da": "x", "en": "x"}})
    assert any("verified_at" in one for one in _mistakes({**FORM, "verified_by": "Ada", "verified_at": "i går"}))
    assert "sections: must be a list of tables" in _mistakes({**FORM, "sections": "none"})


def test_a_language_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="not in 'sv'"):
        _draft("sv")


@pytest.mark.parametrize(
    ("text", "record", "holds"),
    [
        ("always", {}, True),
        ("a.b == x", {"a.b": "x"}, True),
        ("a.b == 'yes'", {"a.b": "yes"}, True),
        ("a.b == true", {"a.b": True}, True),
        ("a.b == x", {}, False),
        ("a.b != x", {}, True),
        ("a.b != x", {"a.b": "x"}, False),
        ("a.b in [x, y]", {"a.b": "y"}, True),
        ("a.b in [x, y]", {"a.b": "z"}, False),
        ("a.b contains x", {"a.b": ["w", "x"]}, True),
        ("a.b contains x", {"a.b": "x"}, False),
        ("filed later than a.b + 72 h", {"a.b": AWARE, "report.as_of": "2026-11-23T15:45:00Z"}, False),
        ("filed later than a.b + 72 h", {"a.b": AWARE, "report.as_of": "2026-11-23T15:45:01Z"}, True),
        ("filed later than a.b + 72 h", {"a.b": AWARE}, False),
    ],
)
def test_conditions_hold_or_not(text: str, record: dict[str, Any], *, holds: bool) -> None:
    assert conditions.read(text).holds(record) is holds


@pytest.mark.parametrize(
    "text", ["", "a == b", "a.b = c", "a.b == c or a.b == d", "a.b in []", "a.b in [,]", "not a.b"]
)
def test_an_unknown_condition_is_refused_with_the_known_forms(text: str) -> None:
    with pytest.raises(conditions.ConditionIsUnknownError, match="known are: always"):
        conditions.read(text)


def test_unusual_numbers_of_the_authority_are_warned_of_and_never_refused() -> None:
    usual = {"reference": "2ca746503d826e268cbc6d6f23c1543aa7b67c1d", "journal_number": "2021-442-12924"}
    assert REPORT.identifier_warnings(usual, "da") == ()
    assert REPORT.identifier_warnings({"reference": "", "journal_number": ""}, "da") == ()
    (warning,) = REPORT.identifier_warnings({**usual, "journal_number": "2021-32-2067"}, "en")
    assert "2026-441-1234" in warning
    assert len(REPORT.identifier_warnings({"reference": "123"}, "da")) == 1
