"""What got out, of whom, how many, in what state: a scope assessment, in the terms of the EDPB's template of 2026.

An assessment holds what is known of the breach itself (sections 3, 4.1, 4.3, 4.4 and the question of borders). What
belongs to one report (who reports, who was told, police, further authorities) is answered there. Each new
assessment is a new version; none is ever changed.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from incident_tracker.domain import canonical
from incident_tracker.domain.canonical import CanonicalFields, Change
from incident_tracker.domain.counts import CountKind, CountRange
from incident_tracker.domain.errors import Refusal, TextHasForbiddenSigns, TextIsTooLong
from incident_tracker.domain.facts import instant_text

__all__ = ["CountKind", "CountRange", "ScopeAssessment", "as_record", "check", "difference", "mistakes", "unsettled"]

LONGEST_TEXT = 20_000
"""Characters in one free text: about eight printed pages."""


class CodeIsUnknown(Refusal):
    """A choice that the template does not offer."""

    message = "“%(code)s” is not one of the choices."


class ChoiceIsTwice(Refusal):
    """The same choice was made twice in one list."""

    message = "“%(code)s” is chosen twice."


class EndIsBeforeBegin(Refusal):
    """The breach ended before it began."""

    message = "The end lies before the beginning. Check both times."


class TimeIsAhead(Refusal):
    """Something that has happened is dated in the future."""

    message = "This time lies in the future. Check the date."


class BeginIsAfterAwareness(Refusal):
    """The breach began after the organisation became aware of it."""

    message = "The breach cannot begin after you became aware of it. Check both times."


class OngoingHasNoEnd(Refusal):
    """An ongoing breach was given an end."""

    message = "A breach that is still going on has no end. Remove the end, or choose another answer."


class BeginIsMissing(Refusal):
    """The kind of time line chosen needs a beginning."""

    message = "Say when it began; an estimate will do."


class EndIsMissing(Refusal):
    """Between two dates needs both."""

    message = "Say when it ended; an estimate will do. If it is still going on, choose that instead."


class TimesAreNotKnown(Refusal):
    """Times were given for a breach whose time is said to be unknown."""

    message = "You said that the time is not known, yet a time is given. Remove it, or choose another answer."


class BreachTypeIsNotChosen(Refusal):
    """A detail of confidentiality, integrity or availability without that type of breach."""

    message = "This belongs to a type of breach that is not chosen. Choose it too, or remove this answer."


class ToldByOurselves(Refusal):
    """A time at which somebody else told us, of an incident that we found ourselves."""

    message = "You found it yourselves, so nobody told you. Remove the time, or say who told you."


class UnknownStandsAlone(Refusal):
    """Among several choices, one says that nothing is known yet."""

    message = "“Not yet known” stands alone. Remove it, or the other choices."


def _key(key: str) -> dict[str, str]:
    return {"key": key}


@dataclass(frozen=True, slots=True)
class ScopeAssessment:
    """One version of what is known. Everything may be left out: None, empty text and empty list mean "not said".

    Each attribute's canonical key stands in its metadata; instants are aware, in UTC; codes are those of
    `config/edpb/fields.toml`. Free texts must not name affected people.
    """

    breach_types: tuple[str, ...] = field(default=(), metadata=_key("nature.breach_types"))
    confidentiality: str | None = field(default=None, metadata=_key("nature.confidentiality"))
    unintelligible: str | None = field(default=None, metadata=_key("nature.unintelligible"))
    integrity: str | None = field(default=None, metadata=_key("nature.integrity"))
    availability: str | None = field(default=None, metadata=_key("nature.availability"))
    incident_types: tuple[str, ...] = field(default=(), metadata=_key("nature.incident_types"))
    cause: str | None = field(default=None, metadata=_key("nature.cause"))
    description: str = field(default="", metadata=_key("nature.description"))
    systems: str = field(default="", metadata=_key("nature.systems"))
    recipients: str = field(default="", metadata=_key("nature.recipients"))
    occurrence: str | None = field(default=None, metadata=_key("timeline.occurrence"))
    dates_estimated: bool = field(default=False, metadata=_key("timeline.dates_estimated"))
    begin: datetime | None = field(default=None, metadata=_key("timeline.begin"))
    end: datetime | None = field(default=None, metadata=_key("timeline.end"))
    discovered_by: str | None = field(default=None, metadata=_key("timeline.discovered_by"))
    discovery_detail: str = field(default="", metadata=_key("timeline.discovery_detail"))
    told_by_other_at: datetime | None = field(default=None, metadata=_key("timeline.told_by_other_at"))
    timeline_comments: str = field(default="", metadata=_key("timeline.comments"))
    people_categories: tuple[str, ...] = field(default=(), metadata=_key("people.categories"))
    people_count: CountRange | None = field(default=None, metadata=_key("people.count"))
    data_types: tuple[str, ...] = field(default=(), metadata=_key("records.data_types"))
    records_count: CountRange | None = field(default=None, metadata=_key("records.count"))
    measures_before_kinds: tuple[str, ...] = field(default=(), metadata=_key("measures_before.kinds"))
    measures_before: str = field(default="", metadata=_key("measures_before.description"))
    measures_taken: str = field(default="", metadata=_key("measures.taken"))
    prevention_kinds: tuple[str, ...] = field(default=(), metadata=_key("measures.prevention_kinds"))
    measures_planned: str = field(default="", metadata=_key("measures.prevention"))
    consequences_confidentiality: tuple[str, ...] = field(default=(), metadata=_key("consequences.confidentiality"))
    consequences_integrity: tuple[str, ...] = field(default=(), metadata=_key("consequences.integrity"))
    consequences_availability: tuple[str, ...] = field(default=(), metadata=_key("consequences.availability"))
    impacts: tuple[str, ...] = field(default=(), metadata=_key("consequences.impacts"))
    consequences: str = field(default="", metadata=_key("consequences.description"))
    severity: str | None = field(default=None, metadata=_key("consequences.severity"))
    cross_border: str | None = field(default=None, metadata=_key("cross_border.status"))
    affected_countries: tuple[str, ...] = field(default=(), metadata=_key("cross_border.affected_countries"))


KEYS: Mapping[str, str] = {part.name: part.metadata["key"] for part in fields(ScopeAssessment)}
"""Attribute -> canonical key."""

_ALONE = frozenset(("unknown", "tbd", "assessing"))
_DETAILS = {
    "confidentiality": ("confidentiality", "unintelligible", "consequences_confidentiality"),
    "integrity": ("integrity", "consequences_integrity"),
    "availability": ("availability", "consequences_availability"),
}
_EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)


def as_record(assessment: ScopeAssessment) -> dict[str, Any]:
    """Return what the assessment says under canonical keys; what it does not say is left out."""
    record: dict[str, Any] = {}
    for name, key in KEYS.items():
        value = getattr(assessment, name)
        if isinstance(value, CountRange):
            record[f"{key}_kind"] = value.kind.value
            if value.low is not None or value.high is not None:
                record[key] = {"low": value.low, "high": value.high}
        elif isinstance(value, datetime):
            record[key] = instant_text(value)
        elif isinstance(value, tuple):
            record |= {key: list(value)} if value else {}
        elif isinstance(value, bool):
            record |= {key: True} if value else {}
        elif value is not None and value.strip():
            record[key] = value.strip()
    return record


def difference(older: ScopeAssessment | None, newer: ScopeAssessment) -> tuple[Change, ...]:
    """Return what the newer assessment says differently, by canonical key, in the order of the template."""
    return canonical.difference({} if older is None else as_record(older), as_record(newer))


def unsettled(assessment: ScopeAssessment, canonical_fields: CanonicalFields) -> tuple[str, ...]:
    """Return the canonical keys whose answer may stand only while the notification is incomplete."""
    return unsettled_keys(as_record(assessment), canonical_fields)


def unsettled_keys(record: Mapping[str, Any], canonical_fields: CanonicalFields) -> tuple[str, ...]:
    """Return the keys of a record that hold a code such as "to be determined"."""
    return tuple(
        key
        for key, value in record.items()
        if (known := canonical_fields.fields.get(key)) is not None
        and known.incomplete_only
        and known.incomplete_only.intersection(value if isinstance(value, list) else [str(value)])
    )


def check(
    assessment: ScopeAssessment, canonical_fields: CanonicalFields, *, now: datetime, aware_at: datetime | None = None
) -> None:
    """Raise the first of `mistakes`."""
    for mistake in mistakes(assessment, canonical_fields, now=now, aware_at=aware_at):
        raise mistake


def mistakes(
    assessment: ScopeAssessment, canonical_fields: CanonicalFields, *, now: datetime, aware_at: datetime | None = None
) -> tuple[Refusal, ...]:
    """Return every reason not to record the assessment, each with the attribute it belongs to as `field`."""
    return (
        *_mistakes_of_codes(assessment, canonical_fields),
        *_mistakes_of_texts(assessment),
        *_mistakes_of_times(assessment, now, aware_at),
        *_mistakes_of_occurrence(assessment),
        *_mistakes_of_details(assessment),
    )


def text_mistake(text: str, name: str, longest: int = LONGEST_TEXT) -> Refusal | None:
    """Return why a free text cannot be stored or printed, or None. Line breaks and tabs are fine."""
    if len(text) > longest:
        return TextIsTooLong(field=name, length=len(text), limit=longest)
    bad = sorted({sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\r\t"})
    if bad:
        return TextHasForbiddenSigns(field=name, names=", ".join(f"U+{ord(sign):04X}" for sign in bad))
    return None


def _mistakes_of_codes(assessment: ScopeAssessment, canonical_fields: CanonicalFields) -> Iterator[Refusal]:
    for name, key in KEYS.items():
        value = getattr(assessment, name)
        codes = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
        allowed = _EEA if name == "affected_countries" else frozenset(canonical_fields.fields[key].codes)
        if not allowed:
            continue
        yield from (CodeIsUnknown(field=name, code=code) for code in codes if code not in allowed)
        yield from (ChoiceIsTwice(field=name, code=code) for code in dict.fromkeys(codes) if codes.count(code) > 1)
        if len(codes) > 1 and _ALONE.intersection(codes):
            yield UnknownStandsAlone(field=name)


def _mistakes_of_texts(assessment: ScopeAssessment) -> Iterator[Refusal]:
    for name in KEYS:
        value = getattr(assessment, name)
        if isinstance(value, str) and (mistake := text_mistake(value, name)):
            yield mistake


def _mistakes_of_times(assessment: ScopeAssessment, now: datetime, aware_at: datetime | None) -> Iterator[Refusal]:
    for name in ("begin", "end", "told_by_other_at"):
        value = getattr(assessment, name)
        if value is not None and value > now:
            yield TimeIsAhead(field=name)
    if assessment.begin and assessment.end and assessment.end < assessment.begin:
        yield EndIsBeforeBegin(field="end")
    if assessment.begin and aware_at and assessment.begin > aware_at:
        yield BeginIsAfterAwareness(field="begin")
    if assessment.told_by_other_at is not None and assessment.discovered_by == "controller":
        yield ToldByOurselves(field="told_by_other_at")


def _mistakes_of_occurrence(assessment: ScopeAssessment) -> Iterator[Refusal]:
    match assessment.occurrence:
        case "specific_day" | "date_range" | "ongoing_since" if assessment.begin is None:
            yield BeginIsMissing(field="begin")
        case "cannot_be_determined" | "tbd" if assessment.begin or assessment.end:
            yield TimesAreNotKnown(field="begin" if assessment.begin else "end")
    if assessment.occurrence == "date_range" and assessment.end is None:
        yield EndIsMissing(field="end")
    if assessment.occurrence == "ongoing_since" and assessment.end is not None:
        yield OngoingHasNoEnd(field="end")


def _mistakes_of_details(assessment: ScopeAssessment) -> Iterator[Refusal]:
    for breach_type, names in _DETAILS.items():
        if breach_type in assessment.breach_types:
            continue
        for name in names:
            if getattr(assessment, name):
                yield BreachTypeIsNotChosen(field=name, breach_type=breach_type)
