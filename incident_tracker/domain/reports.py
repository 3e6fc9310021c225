"""The report to an authority: its canonical record, what it still lacks, and when it may count as filed.

GDPR Art. 33(3) says what a report holds, Art. 33(4) that it may come in phases, Art. 33(1) that a late one gives
reasons. The record is a plain mapping (see `canonical`), so that a report plugin needs nothing else. Besides the
canonical keys it carries, under `report.`, facts about itself:

`report.reference`, `report.version`, `report.phase`, `report.zone` (IANA name for showing times),
`report.as_of` (the instant it was made or filed; decides whether it is late),
`report.answers` (question key of the authority -> answer in own words, which stands before the derived one),
`report.findings` (canonical or question key -> kinds of personal data that its text seems to hold).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from incident_tracker.domain import canonical, scope
from incident_tracker.domain.canonical import CanonicalFields, Change
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.facts import instant_text
from incident_tracker.domain.filings import Filing, Phase, check_filing, filing_mistakes, late, possible_phases
from incident_tracker.domain.parties import ContactPoint, Controller
from incident_tracker.domain.personal_data import Finding, FindingKind, personal_data_found
from incident_tracker.domain.scope import ScopeAssessment

__all__ = [
    "ART_33_3",
    "Completeness",
    "Filing",
    "Finding",
    "FindingKind",
    "InvolvedParty",
    "Phase",
    "ReportFacts",
    "check_filing",
    "completeness",
    "difference",
    "filing_mistakes",
    "late",
    "personal_data_found",
    "possible_phases",
    "record_from",
]


@dataclass(frozen=True, slots=True)
class InvolvedParty:
    """A processor or joint controller that takes part; `role` is `processor`, `joint_controller` or `other`."""

    role: str
    name: str
    contact: str = ""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything a report is made of. `answers` are own words by the authority's question key."""

    reference: str
    controller: Controller
    detected_at: datetime
    became_aware_at: datetime | None
    phase: Phase
    version: int
    assessment: ScopeAssessment | None = None
    what_happened: str = ""
    people_estimate: CountRange | None = None
    reporter: ContactPoint | None = None
    parties: tuple[InvolvedParty, ...] = ()
    answers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    earlier: tuple[Filing, ...] = ()
    late_reason: str = ""


def record_from(facts: ReportFacts, *, as_of: datetime) -> dict[str, Any]:
    """Return the canonical record of the report as it stands at `as_of` (now, or the time of filing)."""
    record: dict[str, Any] = {
        **_notification(facts),
        **_controller(facts),
        "incident.detected_at": instant_text(facts.detected_at),
        **_nature(facts),
    }
    if facts.became_aware_at is not None:
        record["timeline.controller_aware"] = instant_text(facts.became_aware_at)
    if facts.late_reason.strip():
        record["timeline.late_reason"] = facts.late_reason.strip()
    answers = {key: text.strip() for key, text in sorted(facts.answers.items()) if text.strip()}
    record |= {
        "report.reference": facts.reference,
        "report.version": facts.version,
        "report.phase": facts.phase.value,
        "report.zone": facts.controller.time_zone,
        "report.as_of": instant_text(as_of),
        "report.answers": answers,
    }
    record["report.findings"] = _findings(record, answers)
    return record


def difference(older: Mapping[str, Any], newer: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what a report says differently from an earlier version; `report.` facts are left out."""
    return canonical.difference(_contents(older), _contents(newer))


ART_33_3: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "nature": (("nature.description", "nature.breach_types", "nature.incident_types"),),
        "people": (("people.categories",), ("people.count", "people.count_kind")),
        "records": (("records.data_types",), ("records.count", "records.count_kind")),
        "contact": (("dpo.contact", "reporter.contact", "contact.alternative"),),
        "consequences": (("consequences.impacts", "consequences.description"),),
        "measures": (("measures.taken", "measures.prevention"),),
    }
)
"""What Art. 33(3)(a) to (d) demands: a point is met when each of its groups has an answer to one of its keys."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """Which points of Art. 33(3) have an answer, which have none, and which answers are only provisional."""

    met: tuple[str, ...]
    open: tuple[str, ...]
    unsettled: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Return whether the report may be filed as the last one."""
        return not self.open and not self.unsettled


def completeness(
    record: Mapping[str, Any], canonical_fields: CanonicalFields, *, answered: Collection[str] = ()
) -> Completeness:
    """Return how far a record has come; `answered` adds canonical keys that were answered in own words."""
    said = {key for key, value in record.items() if value not in (None, "", [], {})} | set(answered)
    met = tuple(point for point, groups in ART_33_3.items() if all(said.intersection(group) for group in groups))
    return Completeness(
        met=met,
        open=tuple(point for point in ART_33_3 if point not in met),
        unsettled=scope.unsettled_keys(record, canonical_fields),
    )


def _notification(facts: ReportFacts) -> dict[str, Any]:
    first = not facts.earlier
    completeness_of = {Phase.FINAL: "complete", Phase.WITHDRAWN: "withdraw"}
    told = {
        "notification.kind": "new" if first else "follow_up",
        "notification.completeness": completeness_of.get(facts.phase, "incomplete"),
        "notification.internal_ref": facts.reference,
    }
    return told if first else {**told, "notification.previous_id": facts.earlier[-1].reference}


def _controller(facts: ReportFacts) -> dict[str, Any]:
    controller = facts.controller
    reporter = facts.reporter or controller.contact
    told: dict[str, Any] = {
        "controller.identifier_type": "company_id" if controller.cvr else "",
        "controller.identifier": controller.cvr,
        "controller.name": controller.name,
        "controller.contact": _contact(controller.contact),
        "controller.sector": controller.sector,
        "reporter.name": reporter.name,
        "reporter.contact": _contact(reporter),
        "dpo.designated": bool(controller.dpo.name or controller.dpo.email),
        "dpo.contact": _contact(controller.dpo),
        "parties.involved": bool(facts.parties),
        "parties.list": [{"role": one.role, "name": one.name, "contact": one.contact} for one in facts.parties],
    }
    return {key: value for key, value in told.items() if value not in ("", {}, [])}


def _contact(point: ContactPoint) -> dict[str, str]:
    parts = {"name": point.name, "email": point.email, "phone": point.phone}
    return {name: value for name, value in parts.items() if value}


def _nature(facts: ReportFacts) -> dict[str, Any]:
    """Return what is known of the breach; before the first assessment, the words it was logged with."""
    assessment = facts.assessment or ScopeAssessment()
    told = scope.as_record(assessment)
    if "nature.description" not in told and facts.what_happened.strip():
        told["nature.description"] = facts.what_happened.strip()
    if "people.count_kind" not in told and facts.people_estimate is not None:
        told |= scope.as_record(ScopeAssessment(people_count=facts.people_estimate))
    return told


_OWN_CONTACTS = ("controller.", "reporter.", "dpo.", "contact.", "parties.")


def _findings(record: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the kinds of personal data found by key. Own contact points are asked for, and never found."""
    own = {
        part.casefold() for key, value in record.items() if key.startswith(_OWN_CONTACTS) for part in _texts(value)
    }
    searched: dict[str, Any] = {
        key: value
        for key, value in record.items()
        if not key.startswith((*_OWN_CONTACTS, "report.", "notification."))
    }
    found = {key: _kinds(value, own) for key, value in {**searched, **answers}.items()}
    return {key: kinds for key, kinds in found.items() if kinds}


def _kinds(value: object, own: Collection[str]) -> list[str]:
    return sorted(
        {
            finding.kind.value
            for text in _texts(value)
            for finding in personal_data_found(text)
            if not any(_bare(text[finding.start : finding.end]) == _bare(known) for known in own)
        }
    )


def _bare(text: str) -> str:
    digits = "".join(sign for sign in text if sign.isdigit())
    return text.casefold() if "@" in text else digits[-8:]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _contents(record: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in record.items() if not key.startswith("report.")}
    return {**told, **record.get("report.answers", {})}
