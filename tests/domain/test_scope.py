import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from incident_tracker import paths
from incident_tracker.domain import canonical, scope
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.errors import Refusal, TextHasForbiddenSigns, TextIsTooLong
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.scope import ScopeAssessment

FIELDS = canonical.fields_from(tomllib.loads((paths.config() / "edpb" / "fields.toml").read_text(encoding="utf-8")))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEWSLETTER = ScopeAssessment(
    breach_types=("confidentiality",),
    confidentiality="disclosed",
    incident_types=("open_distribution_list",),
    cause="internal_non_malicious",
    description="Nyhedsbrevet gik ud med alle adresser i Cc.",
    occurrence="specific_day",
    begin=AWARE - HOUR,
    people_categories=("customers",),
    people_count=CountRange.read("12.400", "people_count"),
    data_types=("contact",),
    records_count=CountRange.read("ved ikke", "records_count"),
    consequences_confidentiality=("wider_disclosure",),
    impacts=("loss_of_control",),
    measures_taken="Modtagerne er bedt om at slette beskeden.",
)


def _mistakes(**changed: Any) -> list[tuple[str, str | None]]:
    found = scope.mistakes(replace(NEWSLETTER, **changed), FIELDS, now=NOW, aware_at=AWARE)
    return [(type(mistake).__name__, mistake.field) for mistake in found]


def test_a_usual_assessment_is_taken() -> None:
    scope.check(NEWSLETTER, FIELDS, now=NOW, aware_at=AWARE)


def test_saying_nothing_yet_is_taken() -> None:
    assert scope.mistakes(ScopeAssessment(), FIELDS, now=NOW) == ()
    assert scope.as_record(ScopeAssessment()) == {}


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"cause": "ghosts"}, "CodeIsUnknown", "cause"),
        ({"affected_countries": ("DK", "US")}, "CodeIsUnknown", "affected_countries"),
        ({"data_types": ("contact", "contact")}, "ChoiceIsTwice", "data_types"),
        ({"data_types": ("contact", "unknown")}, "UnknownStandsAlone", "data_types"),
        ({"begin": AWARE + HOUR}, "BeginIsAfterAwareness", "begin"),
        ({"end": NOW + HOUR}, "TimeIsAhead", "end"),
        ({"end": AWARE - 2 * HOUR}, "EndIsBeforeBegin", "end"),
        ({"begin": None}, "BeginIsMissing", "begin"),
        ({"occurrence": "date_range"}, "EndIsMissing", "end"),
        ({"occurrence": "ongoing_since", "end": AWARE}, "OngoingHasNoEnd", "end"),
        ({"occurrence": "tbd"}, "TimesAreNotKnown", "begin"),
        ({"integrity": "altered_recoverable"}, "BreachTypeIsNotChosen", "integrity"),
        ({"consequences_availability": ("other",)}, "BreachTypeIsNotChosen", "consequences_availability"),
        ({"discovered_by": "controller", "told_by_other_at": AWARE}, "ToldByOurselves", "told_by_other_at"),
        ({"description": "x" * 20_001}, TextIsTooLong.__name__, "description"),
        ({"systems": "crm\x00"}, TextHasForbiddenSigns.__name__, "systems"),
    ],
)
def test_what_cannot_be_true_is_refused_at_its_field(changed: dict[str, Any], refusal: str, field: str) -> None:
    assert (refusal, field) in _mistakes(**changed)


def test_the_end_may_equal_the_beginning_and_the_beginning_the_awareness() -> None:
    assert _mistakes(begin=AWARE, end=AWARE) == []


def test_all_mistakes_are_told_at_once() -> None:
    assert len(_mistakes(cause="ghosts", occurrence="tbd", description="\x07")) == 3


def test_the_first_mistake_is_raised() -> None:
    with pytest.raises(Refusal, match="not one of the choices"):
        scope.check(replace(NEWSLETTER, severity="huge"), FIELDS, now=NOW)


def test_an_assessment_speaks_canonical_keys_and_plain_values() -> None:
    record = scope.as_record(NEWSLETTER)
    assert record["nature.breach_types"] == ["confidentiality"]
    assert record["timeline.begin"] == "2026-11-20T14:45:00Z"
    assert record["people.count"] == {"low": 12400, "high": 12400}
    assert (record["people.count_kind"], record["records.count_kind"]) == ("exact", "tbd")
    assert "records.count" not in record
    assert "timeline.end" not in record


def test_every_attribute_has_a_field_of_the_template() -> None:
    assert set(scope.KEYS.values()) <= set(FIELDS.fields)


def test_the_next_version_shows_what_it_says_differently() -> None:
    newer = replace(NEWSLETTER, records_count=CountRange.read("ca. 12.400", "x"), cause=None)
    changes = {change.key: (change.before, change.after) for change in scope.difference(NEWSLETTER, newer)}
    assert changes == {
        "records.count_kind": ("tbd", "approximate"),
        "records.count": (None, {"low": 12400, "high": 12400}),
        "nature.cause": ("internal_non_malicious", None),
    }
    assert scope.difference(newer, newer) == ()
    assert len(scope.difference(None, NEWSLETTER)) == len(scope.as_record(NEWSLETTER))


def test_provisional_answers_are_named() -> None:
    assert scope.unsettled(NEWSLETTER, FIELDS) == ("records.count_kind",)
    assert scope.unsettled(replace(NEWSLETTER, impacts=("tbd",), cause="tbd"), FIELDS) == (
        "nature.cause",
        "records.count_kind",
    )


def test_an_assessment_survives_the_journal() -> None:
    assert from_plain(ScopeAssessment, to_plain(NEWSLETTER)) == NEWSLETTER


def test_the_shipped_fields_are_those_of_the_template_with_a_danish_word_each() -> None:
    assert len(FIELDS.fields) == 78
    assert FIELDS.word("records.data_types", "national_id", "da") == "CPR-numre"
    assert FIELDS.label("timeline.controller_aware", "da") == "Hvornår blev I bekendt med bruddet?"
    assert ("phishing", "Phishing eller social engineering") in FIELDS.choices("nature.incident_types", "da")
    assert FIELDS.word("nature.cause", "no such code", "da") == "no such code"


def test_a_broken_file_of_fields_names_all_its_mistakes() -> None:
    text = """
    sections:
      - id: "1"
        title: {da: Anmeldelsen, en: The notification}
        fields:
          - {key: a.b, label: {da: A, en: A}}
          - {key: a.b, label: {da: A}}
          - {key: a.c, label: {da: A, en: A}, values: [{code: x, da: X}]}
    """
    with pytest.raises(canonical.CanonicalFieldsAreBroken) as caught:
        canonical.fields_from(yaml.safe_load(text))
    assert caught.value.mistakes == (
        "a.b: no label in 'en'",
        "a.b: is there twice",
        "a.c x: no label in 'en'",
    )
