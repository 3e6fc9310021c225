"""What becomes of an incident: opened, decided, contained, assessed, reported, closed; and its alerts."""

from dataclasses import dataclass
from datetime import datetime

from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.scope import CountRange, ScopeAssessment


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """Someone suspects that personal data have leaked."""

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


@dataclass(frozen=True, slots=True)
class BecameAware:
    """The controller is aware of a breach from `at` on (GDPR Art. 33(1)). A later one moves the anchor."""

    at: datetime
    reason: str
    version: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class FoundNotABreach:
    """It was looked into, and no personal data were breached (GDPR Art. 4(12))."""

    at: datetime
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class BreachContained:
    """The damage no longer grows from `at` on."""

    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """The work is done; the incident stays in the register (GDPR Art. 33(5))."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentReopened:
    """A closed incident, or one found not to be a breach, is taken up again."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class OwnerAssigned:
    """A member of staff leads the work; None hands it back."""

    user_id: int | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """Something worth remembering."""

    text: str


@dataclass(frozen=True, slots=True)
class AttachmentAdded:
    """A file was kept as evidence. Its bytes lie encrypted outside the journal; the digest stands here."""

    attachment_id: str
    file_name: str
    size: int
    sha256: str
    purpose: str = "evidence"


@dataclass(frozen=True, slots=True)
class ScopeAssessed:
    """What got out, of whom, how many, in what state: version `version`."""

    version: int
    assessment: ScopeAssessment


@dataclass(frozen=True, slots=True)
class AnswerRevised:
    """An answer of an authority's report was written in own words (empty: the derived answer stands again)."""

    authority: str
    key: str
    answer: str


@dataclass(frozen=True, slots=True)
class QuestionTicked:
    """An answer was carried over into the authority's own form, or that was undone."""

    authority: str
    key: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class ReportFiled:
    """A version of the report was filed with the authority, by hand (GDPR Art. 33(1), 33(4))."""

    authority: str
    version: int
    phase: str
    filed_at: datetime
    reference: str
    digest: str
    complete: bool = False
    journal_number: str = ""
    receipt_id: str | None = None
    no_receipt_reason: str = ""
    late_reason: str = ""


@dataclass(frozen=True, slots=True)
class DutyMet:
    """A duty was met outside the tracker; `how` says where the proof lies."""

    regime: str
    duty: str
    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class DutySetAside:
    """A duty does not bind here, for the written reason.

    Where four eyes are needed: who asked, who approved (an account, or the name of somebody outside), in which way.
    """

    regime: str
    duty: str
    at: datetime
    reason: str
    asked_by: str = ""
    approved_by: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """An alarm went off and someone on call was told."""

    alert_id: str
    kind: str
    rung: str
    step: int
    contact_ids: tuple[int, ...] = ()
    duty: str = ""


@dataclass(frozen=True, slots=True)
class AlertAcknowledged:
    """Someone took the alert; its steps stop, the deadline does not."""

    alert_id: str
    at: datetime
    via: str
    contact_id: int | None = None
