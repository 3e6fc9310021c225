import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker import paths
from incident_tracker.domain import canonical, filings, reports
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.parties import ContactPoint, Controller
from incident_tracker.domain.personal_data import FindingKind, personal_data_found
from incident_tracker.domain.reports import Filing, InvolvedParty, Phase, ReportFacts
from incident_tracker.domain.scope import ScopeAssessment

FIELDS = canonical.fields_from(tomllib.loads((paths.config() / "edpb" / "fields.toml").read_text(encoding="utf-8")))
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
DUE = AWARE + timedelta(hours=72)
HOUR = timedelta(hours=1)
NORDLYS = Controller(
    id=1,
    slug="nordlys",
    name="Nordlys ApS",
    cvr="00000000",
    contact=ContactPoint("Clara", "clara@example.dk", "+45 32 12 34 56"),
    dpo=ContactPoint("Ada", "ada@example.dk"),
)
COMPLETE = ScopeAssessment(
    description="Nyhedsbrevet gik ud med alle adresser i Cc.",
    people_categories=("customers",),
    people_count=CountRange.read("12.400", "people_count"),
    data_types=("contact",),
    records_count=CountRange.read("ca. 12.400", "records_count"),
    impacts=("loss_of_control",),
    measures_taken="Modtagerne er bedt om at slette beskeden.",
)
FIRST = Filing(1, "initial", AWARE + HOUR, "a" * 40, receipt_id="receipt-1")


def make_facts(**changed: Any) -> ReportFacts:
    facts = ReportFacts(
        reference="2026-0001",
        controller=NORDLYS,
        detected_at=AWARE,
        became_aware_at=AWARE,
        phase=Phase.INITIAL,
        version=1,
        assessment=COMPLETE,
    )
    return replace(facts, **changed)


def _record(**changed: Any) -> dict[str, Any]:
    return reports.record_from(make_facts(**changed), as_of=AWARE + HOUR)


def test_the_record_gathers_what_is_known_under_canonical_keys() -> None:
    record = _record(parties=(InvolvedParty("processor", "Skyhost A/S"),))
    assert record["controller.identifier"] == "00000000"
    assert record["timeline.controller_aware"] == "2026-11-20T15:45:00Z"
    assert record["dpo.contact"] == {"name": "Ada", "email": "ada@example.dk"}
    assert record["parties.involved"] is True
    assert record["nature.description"].startswith("Nyhedsbrevet")


def test_before_the_first_assessment_the_words_it_was_logged_with_stand_in() -> None:
    record = _record(
        assessment=None, what_happened="USB-nøgle tabt", people_estimate=CountRange.read("under 50", "people")
    )
    assert record["nature.description"] == "USB-nøgle tabt"
    assert record["people.count"] == {"low": None, "high": 49}


def test_while_only_suspected_there_is_no_awareness_in_the_record() -> None:
    assert "timeline.controller_aware" not in _record(became_aware_at=None)


@pytest.mark.parametrize(
    ("phase", "earlier", "kind", "complete"),
    [
        (Phase.INITIAL, (), "new", "incomplete"),
        (Phase.FINAL, (), "new", "complete"),
        (Phase.FOLLOW_UP, (FIRST,), "follow_up", "incomplete"),
        (Phase.FINAL, (FIRST,), "follow_up", "complete"),
        (Phase.WITHDRAWN, (FIRST,), "follow_up", "withdraw"),
    ],
)
def test_the_phase_decides_kind_and_completeness(
    phase: Phase, earlier: tuple[Filing, ...], kind: str, complete: str
) -> None:
    record = _record(phase=phase, earlier=earlier)
    assert (record["notification.kind"], record["notification.completeness"]) == (kind, complete)
    assert record.get("notification.previous_id") == ("a" * 40 if earlier else None)


def test_the_record_is_plain_and_its_digest_knows_nothing_of_order() -> None:
    record = _record(answers={"dk.police": "no"})
    shuffled = dict(reversed(json.loads(json.dumps(record)).items()))
    assert canonical.digest(shuffled) == canonical.digest(record)
    assert canonical.digest({**record, "nature.cause": "tbd"}) != canonical.digest(record)
    assert "Nyhedsbrevet gik ud" in canonical.canonical_json(record).decode()


@pytest.mark.parametrize("bad", [{"a": 1.5}, {"a": [{"b": float("nan")}]}, {"a": {1: "x"}}])
def test_what_two_programs_would_write_differently_is_not_frozen(bad: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        canonical.canonical_json(bad)


def test_the_difference_leaves_out_when_the_records_were_made() -> None:
    older = _record(answers={"dk.police": "no"})
    newer = reports.record_from(
        make_facts(version=2, answers={"dk.police": "yes"}, late_reason="Weekend"), as_of=AWARE + 9 * HOUR
    )
    assert {change.key: (change.before, change.after) for change in reports.difference(older, newer)} == {
        "timeline.late_reason": (None, "Weekend"),
        "dk.police": ("no", "yes"),
    }


def test_a_full_record_meets_art_33_3_and_nothing_is_provisional() -> None:
    found = reports.completeness(_record(), FIELDS)
    assert found.complete
    assert found.open == ()


def test_what_art_33_3_still_lacks_is_named() -> None:
    found = reports.completeness(_record(assessment=ScopeAssessment(cause="tbd")), FIELDS)
    assert found.open == ("nature", "people", "records", "consequences", "measures")
    assert found.met == ("contact",)
    assert found.unsettled == ("nature.cause",)
    assert "measures" in reports.completeness(_record(assessment=None), FIELDS, answered=["measures.taken"]).met


def test_a_number_not_yet_known_answers_a_first_report_but_not_a_final_one() -> None:
    unsure = replace(COMPLETE, people_count=CountRange.read("ved ikke", "people_count"))
    found = reports.completeness(_record(assessment=unsure), FIELDS)
    assert found.open == ()
    assert not found.complete


@pytest.mark.parametrize(("filed_at", "expected"), [(DUE, False), (DUE + timedelta(microseconds=1), True)])
def test_exactly_on_the_deadline_is_in_time(filed_at: datetime, *, expected: bool) -> None:
    assert reports.late(filed_at, DUE) is expected
    assert reports.late(filed_at, None) is False


def _filing_mistakes(filing: Filing, **facts: Any) -> list[tuple[str, str | None]]:
    known: dict[str, Any] = {"became_aware_at": AWARE, "due_at": DUE, "earlier": (), "now": DUE + 99 * HOUR, **facts}
    return [(type(one).__name__, one.field) for one in reports.filing_mistakes(filing, **known)]


def test_a_report_in_time_with_its_receipt_counts_as_filed() -> None:
    assert _filing_mistakes(FIRST) == []
    assert _filing_mistakes(replace(FIRST, receipt_id=None, no_receipt_reason="Portalen faldt ud")) == []


@pytest.mark.parametrize(
    ("changed", "facts", "refusal", "field"),
    [
        ({}, {"now": AWARE}, "FiledInTheFuture", "filed_at"),
        ({"filed_at": AWARE - HOUR}, {}, "FiledBeforeAwareness", "filed_at"),
        ({}, {"became_aware_at": None}, "AwarenessIsNotRecorded", "filed_at"),
        ({"receipt_id": None}, {}, "ReceiptIsMissing", "receipt"),
        ({"receipt_id": None, "no_receipt_reason": "  "}, {}, "ReceiptIsMissing", "receipt"),
        ({"reference": " "}, {}, "ReferenceIsMissing", "reference"),
        ({"filed_at": DUE + HOUR}, {}, "LateReasonIsMissing", "late_reason"),
        ({"phase": "follow_up"}, {}, "PhaseDoesNotFollow", "phase"),
        ({"phase": "initial"}, {"earlier": (FIRST,)}, "PhaseDoesNotFollow", "phase"),
        ({"phase": "nonsense"}, {}, "PhaseDoesNotFollow", "phase"),
        ({"phase": "final"}, {"open_points": ("people",)}, "ReportIsNotComplete", "phase"),
        (
            {"phase": "follow_up", "filed_at": AWARE},
            {"earlier": (FIRST,)},
            "FiledBeforeTheEarlierOne",
            "filed_at",
        ),
    ],
)
def test_a_filing_that_cannot_be_is_refused_at_its_field(
    changed: dict[str, Any], facts: dict[str, Any], refusal: str, field: str
) -> None:
    assert _filing_mistakes(replace(FIRST, **changed), **facts) == [(refusal, field)]


def test_only_the_first_report_can_be_late() -> None:
    follow_up = replace(FIRST, phase="follow_up", filed_at=DUE + 50 * HOUR)
    assert _filing_mistakes(follow_up, earlier=(FIRST,)) == []
    assert _filing_mistakes(replace(FIRST, filed_at=DUE + HOUR, late_reason="Kontoret var lukket")) == []


def test_after_a_withdrawal_nothing_follows() -> None:
    assert reports.possible_phases(()) == (Phase.INITIAL, Phase.FINAL)
    assert reports.possible_phases((FIRST, replace(FIRST, phase="withdrawn"))) == ()


def test_the_first_filing_mistake_is_raised() -> None:
    with pytest.raises(filings.ReceiptIsMissing):
        reports.check_filing(replace(FIRST, receipt_id=None), became_aware_at=AWARE, due_at=DUE, earlier=(), now=DUE)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("skriv til kunde@example.dk.", "email"),
        ("þóra+x@mail.example.org", "email"),
        ("ring 34 41 23 45", "phone"),
        ("34412345", "phone"),
        ("tlf.34412345", "phone"),
        ("3441 2345", "phone"),
        ("34-41-23-45", "phone"),
        ("+45 34 41 23 45", "phone"),
        ("(+45) 34-41-23-45", "phone"),
        ("0045 32 12 34 56", "phone"),
        ("tel:+45-32-12-34-56", "phone"),
        ("\uff13\uff14\uff14\uff11\uff12\uff13\uff14\uff15", "phone"),
        ("CPR 010190-1234", "cpr"),
        ("0101901234", "cpr"),
        ("010190 1234", "cpr"),
        ("010190\u20131234", "cpr"),
        ("610190-1234", "cpr"),
        ("290200-4123", "cpr"),
    ],
)
def test_personal_data_in_a_text_are_found(text: str, kind: str) -> None:
    assert [finding.kind for finding in personal_data_found(text)] == [FindingKind(kind)]


@pytest.mark.parametrize(
    "text",
    [
        "journal 2021-441-9356 og 2026-442-1234",
        "2026-0007",
        "2021-017514",
        "2ca746503d826e268cbc6d6f23c1543aa7b67c1d",
        "CVR 34412345",
        "CVR-nr.: 34412345",
        "kundenummer 34412345",
        "310290-1234",
        "290201-1234",
        "123456-7890",
        "20.11.2026 kl. 16.45",
        "2026-11-20T16:45:00+01:00",
        "20261120",
        "fredag 20. november 2026 kl. 16.45 (UTC+1)",
        "12.400 personer, 34.000.000 registreringer",
        "34000000",
        "200-400",
        "24, 12 og 6 timer; 48/24/12/6/3/1",
        "artikel 34, stk. 3",
    ],
)
def test_numbers_that_are_no_personal_data_are_left_alone(text: str) -> None:
    assert personal_data_found(text) == ()


@given(st.text(), st.sampled_from(["ada@example.dk", "+4534412345", "010190-1234"]), st.text())
def test_findings_lie_inside_the_text_and_never_overlap(before: str, found: str, after: str) -> None:
    text = before + found + after
    ends = 0
    for finding in personal_data_found(text):
        assert ends <= finding.start < finding.end <= len(text)
        ends = finding.end


def test_each_answer_with_personal_data_is_named_and_own_contacts_are_not() -> None:
    record = _record(
        assessment=replace(
            COMPLETE, description="Kunden har nummer 010190-1234.", systems="Spørg ada@example.dk, 32123456"
        ),
        answers={"dk.told_at": "Ringet til 34 41 23 45", "dk.police": "no"},
    )
    assert record["report.findings"] == {"nature.description": ["cpr"], "dk.told_at": ["phone"]}
