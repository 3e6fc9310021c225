"""The draft of the next version, drawn up from everything that is recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from incident_tracker.domain import reports
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.canonical import Change
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.facts import from_plain
from incident_tracker.domain.filings import Phase, late, possible_phases
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.reports import Completeness, ReportFacts
from incident_tracker.services import scope
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.services.context import Context
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store import reports as rows
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.reports import Frozen
from notifiers.protocol import AuthorityReport, Question, ReportDraft


@dataclass(frozen=True, slots=True)
class Sheet:
    """The draft of the next version, with everything its page shows.

    `due_at` is the deadline of Art. 33(1) where it binds; `changed` are the keys of the questions that are answered
    differently from the last version filed, `changes` the same by canonical key.
    """

    incident: Incident
    controller: Controller
    draft: ReportDraft
    version: int
    phase: Phase
    possible: tuple[Phase, ...]
    record: dict[str, Any]
    completeness: Completeness
    due_at: datetime | None
    changed: tuple[str, ...]
    changes: tuple[Change, ...]
    now: datetime

    @property
    def asked(self) -> int:
        """Return how many questions count: those that are answered, and those that must be."""
        return sum(bool(question.answer) or question.missing for question in self.draft.questions)

    @property
    def ready(self) -> int:
        """Return how many questions are answered."""
        return sum(bool(question.answer) for question in self.draft.questions)

    @property
    def ticked(self) -> frozenset[str]:
        """Return the keys of the answers that were carried over into the authority's form."""
        return self.incident.ticked.intersection(question.key for question in self.draft.questions)

    @property
    def open_points(self) -> tuple[str, ...]:
        """Return what stands in the way of a final report."""
        return (*self.completeness.open, *self.completeness.unsettled)

    def is_late(self, filed_at: datetime) -> bool:
        """Return whether a first report filed then needs a reason for the delay."""
        return not self.incident.filings and late(filed_at, self.due_at)


def draft(context: Context, actor: Actor, reference: str, authority: str = "dk", language: str = "da") -> ReportDraft:
    """Return the report as it stands, in the authority's own order."""
    return sheet(context, actor, reference, authority, language).draft


def sheet(
    context: Context,
    actor: Actor,
    reference: str,
    authority: str = "dk",
    language: str = "da",
    *,
    phase: Phase | None = None,
) -> Sheet:
    """Return the draft of the next version; without `phase` it is the usual next one."""
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope_for(Act.READ))
        return build(context, session, loaded, authority, language, phase=phase)


def build(
    context: Context,
    session: Session,
    loaded: Loaded,
    authority: str,
    language: str,
    *,
    phase: Phase | None = None,
    late_reason: str = "",
    as_of: datetime | None = None,
) -> Sheet:
    """Return the draft of an incident that is loaded already; `late_reason` and `as_of` are those of a filing."""
    incident, now = loaded.incident, context.now()
    controller = controller_rows.get(session, context.keyring, incident.controller_id, None)
    possible = possible_phases(incident.filings)
    wanted = phase or next(iter(possible), Phase.WITHDRAWN)
    facts = _facts(incident, controller, wanted, late_reason)
    record = reports.record_from(facts, as_of=_as_of(incident, as_of or now))
    made = plugin_of(context, authority).draft(record, language)
    written = {question.canonical for question in made.questions if question.written and question.canonical}
    before = _last(context, session, loaded, authority)
    return Sheet(
        incident=incident,
        controller=controller,
        draft=made,
        version=facts.version,
        phase=wanted,
        possible=possible,
        record=record,
        completeness=reports.completeness(record, canonical_fields(), answered=written),
        due_at=_due_at(context, session, loaded),
        changed=() if before is None else changed_between(draft_of(before, language), made),
        changes=() if before is None else reports.difference(before.content["record"], record),
        now=now,
    )


def plugin_of(context: Context, authority: str) -> AuthorityReport:
    """Return what draws up the report to an authority, or refuse."""
    if authority not in context.reports:
        raise NotFound(what=authority)
    return context.reports[authority]


def question_of(made: Sheet, key: str) -> Question:
    """Return one question of the draft, or refuse."""
    found = next((question for question in made.draft.questions if question.key == key), None)
    if found is None:
        raise NotFound(what=key)
    return found


def draft_of(frozen: Frozen, language: str) -> ReportDraft:
    """Return the draft that was frozen, in one of its languages."""
    return from_plain(ReportDraft, frozen.content["drafts"][language])


def _facts(incident: Incident, controller: Controller, phase: Phase, late_reason: str) -> ReportFacts:
    earlier = incident.filings
    return ReportFacts(
        reference=incident.reference,
        controller=controller,
        detected_at=incident.detected_at,
        became_aware_at=incident.became_aware_at,
        phase=phase,
        version=len(earlier) + 1,
        assessment=scope.known(incident),
        answers=incident.answers,
        earlier=earlier,
        late_reason=late_reason or (earlier[0].late_reason if earlier else ""),
    )


def _as_of(incident: Incident, now: datetime) -> datetime:
    """Return the instant that decides lateness: the first report's. A follow-up does not make a report late."""
    return min((one.filed_at for one in incident.filings), default=now)


def _due_at(context: Context, session: Session, loaded: Loaded) -> datetime | None:
    """Return the deadline of Art. 33(1), if it binds."""
    kept = obligation_rows.of_incidents(session, context.keyring, [loaded.id], None)[loaded.id]
    duties = (one.obligation for one in kept)
    return next((one.due_at for one in duties if (one.regime, one.duty) == ("gdpr", "notify_authority")), None)


def _last(context: Context, session: Session, loaded: Loaded, authority: str) -> Frozen | None:
    if not loaded.incident.filings:
        return None
    found = rows.of_incident(session, context.keyring, loaded.id, None, authority=authority)
    return found[-1] if found else None


def changed_between(older: ReportDraft, newer: ReportDraft) -> tuple[str, ...]:
    """Return the keys of the questions that are answered differently."""
    before = {question.key: question.answer for question in older.questions}
    return tuple(one.key for one in newer.questions if one.answer != before.get(one.key, ""))
