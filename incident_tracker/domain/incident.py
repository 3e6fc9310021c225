"""An incident: the facts it is made of, and how each event changes them.

`apply` is the only way an incident changes. Replaying the events of the journal gives the row in the database.
The functions below it decide: they take the incident as it is and `now`, and return the event, or refuse.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatch

from incident_tracker.domain import events
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.filings import Filed
from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.periods import require_not_future
from incident_tracker.domain.scope import CountRange, ScopeAssessment


class Status(StrEnum):
    """Where the incident stands; derived from its facts, never set."""

    SUSPECTED = "suspected"
    AWARE = "aware"
    CLOSED = "closed"
    NOT_A_BREACH = "not_a_breach"


@dataclass(frozen=True, slots=True)
class SettledDuty:
    """A duty that a person settled by hand: met elsewhere, or set aside, with the words written then."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """A finished notice: how many were to be told, how many messages were taken by their provider or delivered."""

    number: int
    audience: str
    begun_at: datetime
    finished_at: datetime
    recipients: int
    reached: int


@dataclass(frozen=True, slots=True)
class Incident:
    """The facts of one incident. Times are UTC instants, each with its own meaning (Art. 33 and 34 GDPR)."""

    reference: str
    controller_id: int
    title: str
    what_happened: str
    role: PartyRole
    detected_at: datetime
    place: str = ""
    ongoing: str = "unknown"
    people_estimate: CountRange | None = None
    exercise: bool = False
    became_aware_at: datetime | None = None
    awareness_reason: str = ""
    awareness_version: int = 0
    decided_at: datetime | None = None
    not_a_breach_at: datetime | None = None
    not_a_breach_reason: str = ""
    contained_at: datetime | None = None
    contained_how: str = ""
    closed_at: datetime | None = None
    close_reason: str = ""
    owner_id: int | None = None
    owner_name: str = ""
    assessment: ScopeAssessment | None = None
    assessment_version: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    ticked: frozenset[str] = frozenset()
    filings: tuple[Filed, ...] = ()
    met: dict[str, SettledDuty] = field(default_factory=dict)
    set_aside: dict[str, SettledDuty] = field(default_factory=dict)
    told: tuple[Told, ...] = ()

    @property
    def status(self) -> Status:
        """Return the status that follows from the facts."""
        if self.closed_at is not None:
            return Status.CLOSED
        if self.not_a_breach_at is not None:
            return Status.NOT_A_BREACH
        return Status.AWARE if self.became_aware_at is not None else Status.SUSPECTED

    @property
    def is_open(self) -> bool:
        """Return whether anybody still has to work on it."""
        return self.status in (Status.SUSPECTED, Status.AWARE)


class AwareBeforeItHappened(Refusal):
    """Nobody can be aware of a breach before it occurred."""

    message = "The breach began %(begin)s, so nobody could be aware of it %(at)s. Correct one of the two times."


class AwareAfterFiling(Refusal):
    """What the authority was notified of, the organisation knew of by then."""

    message = "The report was filed %(filed)s, so you were aware of the breach by then, not first %(at)s."


class ReasonIsMissing(Refusal):
    """A decision is written down with its reason, or it is not taken."""

    message = "Write the reason. It must be readable in two years."


class IncidentIsClosed(Refusal):
    """The incident is closed, or was found not to be a breach."""

    message = "%(reference)s is closed. Reopen it first, with a reason."


class IncidentIsOpen(Refusal):
    """Only a closed incident can be reopened."""

    message = "%(reference)s is open already."


class DutiesAreOpen(Refusal):
    """An incident is not closed over the head of a duty that still runs."""

    message = "%(reference)s cannot be closed yet: %(duties)s. Meet each duty or set it aside with a reason."


class NotDecidedYet(Refusal):
    """A suspicion is decided first: a breach, or not."""

    message = "Decide first whether %(reference)s is a breach. A suspicion cannot be closed without that."


class NothingChanges(Refusal):
    """What was asked for is already so."""

    message = "This is already recorded for %(reference)s. Nothing was changed."


class AlreadySettled(Refusal):
    """The duty is met or set aside already."""

    message = "This duty is already settled for %(reference)s."


class ReportComesFirst(Refusal):
    """Something that only a filed report can settle."""

    message = "This duty is met by filing the report. Record the filing, with its receipt."


class DecisionComesFirst(Refusal):
    """The duty to assess is met by deciding, and by nothing else."""

    message = "This duty is met by the decision: a breach, or not a breach. Record one of them."


class MetBeforeItBegan(Refusal):
    """A duty cannot have been met before it arose."""

    message = "The duty began %(begin)s, so it cannot have been met %(at)s. Check the time."


class NoController(Refusal):
    """There is no controller whose incidents could be kept, or none for this person."""

    message = "There is no controller to log this for. Finish the first run, or ask an administrator for a role."


class WhichController(Refusal):
    """There are several controllers, and none was named."""

    message = "Say which controller this concerns: %(names)s."


def must_be_open(incident: Incident) -> None:
    """Refuse to work on an incident that is closed."""
    if not incident.is_open:
        raise IncidentIsClosed(reference=incident.reference)


def record_awareness(incident: Incident, *, at: datetime, reason: str, now: datetime) -> events.BecameAware:
    """Decide that the controller is aware from `at` on; this starts, or moves, the 72 hours (GDPR Art. 33(1))."""
    must_be_open(incident)
    at = require_not_future(at, now, "at")
    if not reason.strip():
        raise ReasonIsMissing(field="reason")
    begin = incident.assessment.begin if incident.assessment else None
    if begin is not None and at < begin:
        raise AwareBeforeItHappened(field="at", at=at, begin=begin)
    filed = min((one.filed_at for one in incident.filings), default=None)
    if filed is not None and at > filed:
        raise AwareAfterFiling(field="at", at=at, filed=filed)
    if incident.became_aware_at == at:
        raise NothingChanges(field="at", reference=incident.reference)
    return events.BecameAware(at=at, reason=reason, version=incident.awareness_version + 1, decided_at=now)


def find_not_a_breach(incident: Incident, *, at: datetime, reason: str, now: datetime) -> events.FoundNotABreach:
    """Decide that it is no personal data breach; the incident stays in the register with the reason."""
    must_be_open(incident)
    if not reason.strip():
        raise ReasonIsMissing(field="reason")
    return events.FoundNotABreach(at=require_not_future(at, now, "at"), reason=reason, decided_at=now)


def contain(incident: Incident, *, at: datetime, how: str, now: datetime) -> events.BreachContained:
    """Record that the damage no longer grows. May come before awareness."""
    must_be_open(incident)
    if not how.strip():
        raise ReasonIsMissing(field="how")
    return events.BreachContained(at=require_not_future(at, now, "at"), how=how)


def close(incident: Incident, *, reason: str, open_duties: tuple[str, ...], now: datetime) -> events.IncidentClosed:
    """Close it, once it was decided and no duty runs any more."""
    must_be_open(incident)
    if incident.status is Status.SUSPECTED:
        raise NotDecidedYet(reference=incident.reference)
    if open_duties:
        raise DutiesAreOpen(reference=incident.reference, duties=open_duties)
    if not reason.strip():
        raise ReasonIsMissing(field="reason")
    return events.IncidentClosed(at=now, reason=reason)


def reopen(incident: Incident, *, reason: str, now: datetime) -> events.IncidentReopened:
    """Take it up again."""
    if incident.is_open:
        raise IncidentIsOpen(reference=incident.reference)
    if not reason.strip():
        raise ReasonIsMissing(field="reason")
    return events.IncidentReopened(at=now, reason=reason)


_BY_REPORT = frozenset({"notify_authority", "complete_report"})


def may_be_met(
    incident: Incident, began: datetime | None, duty: str, *, at: datetime, how: str, now: datetime
) -> datetime:
    """Return when a duty was met outside the tracker, or refuse: reports are filed, decisions are recorded."""
    must_be_open(incident)
    if duty in _BY_REPORT:
        raise ReportComesFirst
    if duty == "assess":
        raise DecisionComesFirst
    at = require_not_future(at, now, "at")
    if began is not None and at < began:
        raise MetBeforeItBegan(field="at", at=at, begin=began)
    if not how.strip():
        raise ReasonIsMissing(field="how")
    return at


def may_be_set_aside(incident: Incident, duty: str, *, reason: str) -> None:
    """Refuse to set aside the duty to decide, and anything without a reason."""
    must_be_open(incident)
    if duty == "assess":
        raise DecisionComesFirst
    if not reason.strip():
        raise ReasonIsMissing(field="reason")


def duty_key(regime: str, duty: str) -> str:
    """Return the key under which a duty settled by hand is kept."""
    return f"{regime}.{duty}"


@singledispatch
def apply_event(event: events.Event, incident: Incident) -> Incident:
    """Return the incident after the event. Events that change no fact of it leave it as it is."""
    del event
    return incident


def apply(incident: Incident | None, event: events.Event) -> Incident:
    """Return the incident after the event; the first event of every incident is `IncidentOpened`."""
    if isinstance(event, events.IncidentOpened):
        return opened(event)
    if incident is None:
        raise ValueError("an incident begins with IncidentOpened")
    return apply_event(event, incident)


def opened(event: events.IncidentOpened) -> Incident:
    """Return the incident that has just been opened."""
    return Incident(
        reference=event.reference,
        controller_id=event.controller_id,
        title=event.title,
        what_happened=event.what_happened,
        role=event.role,
        detected_at=event.detected_at,
        place=event.place,
        ongoing=event.ongoing,
        people_estimate=event.people_estimate,
        exercise=event.exercise,
    )


@apply_event.register
def _(event: events.BecameAware, incident: Incident) -> Incident:
    return replace(
        incident,
        became_aware_at=event.at,
        awareness_reason=event.reason,
        awareness_version=event.version,
        decided_at=incident.decided_at or event.decided_at,
    )


@apply_event.register
def _(event: events.FoundNotABreach, incident: Incident) -> Incident:
    return replace(
        incident,
        not_a_breach_at=event.at,
        not_a_breach_reason=event.reason,
        decided_at=incident.decided_at or event.decided_at,
    )


@apply_event.register
def _(event: events.BreachContained, incident: Incident) -> Incident:
    return replace(incident, contained_at=event.at, contained_how=event.how, ongoing="no")


@apply_event.register
def _(event: events.IncidentClosed, incident: Incident) -> Incident:
    return replace(incident, closed_at=event.at, close_reason=event.reason)


@apply_event.register
def _(event: events.IncidentReopened, incident: Incident) -> Incident:
    del event
    return replace(
        incident,
        closed_at=None,
        close_reason="",
        not_a_breach_at=None,
        not_a_breach_reason="",
        decided_at=incident.decided_at if incident.became_aware_at else None,
    )


@apply_event.register
def _(event: events.OwnerAssigned, incident: Incident) -> Incident:
    return replace(incident, owner_id=event.user_id, owner_name=event.name)


@apply_event.register
def _(event: events.ScopeAssessed, incident: Incident) -> Incident:
    return replace(incident, assessment=event.assessment, assessment_version=event.version)


@apply_event.register
def _(event: events.AnswerRevised, incident: Incident) -> Incident:
    answers = {**incident.answers, event.key: event.answer}
    if not event.answer.strip():
        del answers[event.key]
    return replace(incident, answers=answers, ticked=incident.ticked - {event.key})


@apply_event.register
def _(event: events.QuestionTicked, incident: Incident) -> Incident:
    return replace(incident, ticked=incident.ticked | {event.key} if event.ticked else incident.ticked - {event.key})


@apply_event.register
def _(event: events.ReportFiled, incident: Incident) -> Incident:
    filing = Filed(
        authority=event.authority,
        version=event.version,
        phase=event.phase,
        filed_at=event.filed_at,
        reference=event.reference,
        digest=event.digest,
        complete=event.complete,
        journal_number=event.journal_number,
        receipt_id=event.receipt_id,
        no_receipt_reason=event.no_receipt_reason,
        late_reason=event.late_reason,
    )
    return replace(incident, filings=(*incident.filings, filing), ticked=frozenset())


@apply_event.register
def _(event: events.DutyMet, incident: Incident) -> Incident:
    settled = SettledDuty(at=event.at, words=event.how)
    return replace(incident, met={**incident.met, duty_key(event.regime, event.duty): settled})


@apply_event.register
def _(event: events.DutySetAside, incident: Incident) -> Incident:
    settled = SettledDuty(at=event.at, words=event.reason)
    return replace(incident, set_aside={**incident.set_aside, duty_key(event.regime, event.duty): settled})


@apply_event.register
def _(event: events.NoticeFinished, incident: Incident) -> Incident:
    told = Told(event.number, event.audience, event.begun_at, event.at, event.recipients, event.reached)
    others = tuple(one for one in incident.told if one.number != event.number)
    return replace(incident, told=tuple(sorted((*others, told), key=lambda one: one.number)))
