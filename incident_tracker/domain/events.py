"""The facts that the register records, one frozen dataclass a kind.

An event says what became true and when; who said so, and when it was written down, stand on its journal entry.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_tracker.domain.facts import from_plain, to_plain
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
    """A duty does not bind here, for the written reason."""

    regime: str
    duty: str
    at: datetime
    reason: str


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


@dataclass(frozen=True, slots=True)
class ControllerCreated:
    """An organisation is kept here from now on."""

    controller_id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ControllerChanged:
    """Facts of a controller were changed; `fields` names them."""

    controller_id: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """Someone was put on call, changed, moved or taken off; `change` says which."""

    controller_id: int
    contact_id: int
    change: str


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A member of staff got an account, a role or a new password, or was shut out; `change` says which."""

    user_id: int
    change: str
    controller_id: int | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class DeliverySettled:
    """A person decided what a message in doubt counts as."""

    delivery_id: str
    decision: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotifierOpened:
    """An administrator let a paused notifier send again; it serves all controllers."""

    notifier: str


@dataclass(frozen=True, slots=True)
class ClockStopped:
    """The clock gave no sign of life between two instants, or jumped."""

    silent_from: datetime
    silent_to: datetime
    why: str


Event = (
    IncidentOpened
    | BecameAware
    | FoundNotABreach
    | BreachContained
    | IncidentClosed
    | IncidentReopened
    | OwnerAssigned
    | NoteAdded
    | AttachmentAdded
    | ScopeAssessed
    | AnswerRevised
    | QuestionTicked
    | ReportFiled
    | DutyMet
    | DutySetAside
    | AlertRaised
    | AlertAcknowledged
    | ControllerCreated
    | ControllerChanged
    | ContactChanged
    | UserChanged
    | DeliverySettled
    | NotifierOpened
    | ClockStopped
)

KINDS: dict[str, type[Event]] = {
    "incident_opened": IncidentOpened,
    "became_aware": BecameAware,
    "found_not_a_breach": FoundNotABreach,
    "breach_contained": BreachContained,
    "incident_closed": IncidentClosed,
    "incident_reopened": IncidentReopened,
    "owner_assigned": OwnerAssigned,
    "note_added": NoteAdded,
    "attachment_added": AttachmentAdded,
    "scope_assessed": ScopeAssessed,
    "answer_revised": AnswerRevised,
    "question_ticked": QuestionTicked,
    "report_filed": ReportFiled,
    "duty_met": DutyMet,
    "duty_set_aside": DutySetAside,
    "alert_raised": AlertRaised,
    "alert_acknowledged": AlertAcknowledged,
    "controller_created": ControllerCreated,
    "controller_changed": ControllerChanged,
    "contact_changed": ContactChanged,
    "user_changed": UserChanged,
    "delivery_settled": DeliverySettled,
    "notifier_opened": NotifierOpened,
    "clock_stopped": ClockStopped,
}
_NAMES = {kind: name for name, kind in KINDS.items()}

STATUTORY = frozenset(
    {
        "incident_opened",
        "became_aware",
        "found_not_a_breach",
        "report_filed",
        "duty_met",
        "duty_set_aside",
        "incident_closed",
        "incident_reopened",
    }
)
"""Kinds after which the head of the journal is anchored outside at once."""


def kind_of(event: Event) -> str:
    """Return the name under which the journal keeps this kind of event."""
    return _NAMES[type(event)]


def payload_of(event: Event) -> dict[str, Any]:
    """Return the event as plain data for the journal."""
    plain: dict[str, Any] = to_plain(event)
    return plain


def event_from(kind: str, payload: dict[str, Any]) -> Event:
    """Return the event that a journal entry holds."""
    return from_plain(KINDS[kind], payload)
