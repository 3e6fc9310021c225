"""The facts that the register records, one frozen dataclass a kind.

An event says what became true and when; who said so, and when it was written down, stand on its journal entry.
"""

from typing import Any

from incident_tracker.domain.events.of_house import (
    AgreementKept,
    BackupMade,
    BackupRestored,
    ClockStopped,
    ContactChanged,
    ControllerChanged,
    ControllerCreated,
    DeliverySettled,
    NotifierOpened,
    PartnerChanged,
    SuspicionReceived,
    SuspicionSettled,
    TokenChanged,
    UserChanged,
)
from incident_tracker.domain.events.of_incidents import (
    AlertAcknowledged,
    AlertRaised,
    AnswerRevised,
    AttachmentAdded,
    BecameAware,
    BreachContained,
    DutyMet,
    DutySetAside,
    FoundNotABreach,
    IncidentClosed,
    IncidentOpened,
    IncidentReopened,
    NoteAdded,
    OwnerAssigned,
    QuestionTicked,
    ReportFiled,
    ScopeAssessed,
)
from incident_tracker.domain.events.of_telling import (
    ApprovalAsked,
    ApprovalDecided,
    DoubtsSettled,
    NoticeBegun,
    NoticeFinished,
    NoticeHalted,
    NoticeRetried,
    NoticeWritten,
    PartnerConcerned,
    PeopleImported,
    PeopleRemoved,
    QuestionReceived,
    QuestionSettled,
)
from incident_tracker.domain.facts import from_plain, to_plain

__all__ = [
    "KINDS",
    "STATUTORY",
    "AgreementKept",
    "AlertAcknowledged",
    "AlertRaised",
    "AnswerRevised",
    "ApprovalAsked",
    "ApprovalDecided",
    "AttachmentAdded",
    "BackupMade",
    "BackupRestored",
    "BecameAware",
    "BreachContained",
    "ClockStopped",
    "ContactChanged",
    "ControllerChanged",
    "ControllerCreated",
    "DeliverySettled",
    "DoubtsSettled",
    "DutyMet",
    "DutySetAside",
    "Event",
    "FoundNotABreach",
    "IncidentClosed",
    "IncidentOpened",
    "IncidentReopened",
    "NoteAdded",
    "NoticeBegun",
    "NoticeFinished",
    "NoticeHalted",
    "NoticeRetried",
    "NoticeWritten",
    "NotifierOpened",
    "OwnerAssigned",
    "PartnerChanged",
    "PartnerConcerned",
    "PeopleImported",
    "PeopleRemoved",
    "QuestionReceived",
    "QuestionSettled",
    "QuestionTicked",
    "ReportFiled",
    "ScopeAssessed",
    "SuspicionReceived",
    "SuspicionSettled",
    "TokenChanged",
    "UserChanged",
    "event_from",
    "kind_of",
    "payload_of",
]

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
    | PeopleImported
    | PeopleRemoved
    | ApprovalAsked
    | ApprovalDecided
    | NoticeWritten
    | NoticeBegun
    | NoticeHalted
    | NoticeRetried
    | NoticeFinished
    | DoubtsSettled
    | QuestionReceived
    | QuestionSettled
    | SuspicionReceived
    | SuspicionSettled
    | PartnerChanged
    | AgreementKept
    | PartnerConcerned
    | TokenChanged
    | BackupMade
    | BackupRestored
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
    "people_imported": PeopleImported,
    "people_removed": PeopleRemoved,
    "approval_asked": ApprovalAsked,
    "approval_decided": ApprovalDecided,
    "notice_written": NoticeWritten,
    "notice_begun": NoticeBegun,
    "notice_halted": NoticeHalted,
    "notice_retried": NoticeRetried,
    "notice_finished": NoticeFinished,
    "doubts_settled": DoubtsSettled,
    "question_received": QuestionReceived,
    "question_settled": QuestionSettled,
    "suspicion_received": SuspicionReceived,
    "suspicion_settled": SuspicionSettled,
    "partner_changed": PartnerChanged,
    "agreement_kept": AgreementKept,
    "partner_concerned": PartnerConcerned,
    "token_changed": TokenChanged,
    "backup_made": BackupMade,
    "backup_restored": BackupRestored,
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
        "approval_decided",
        "notice_begun",
        "notice_finished",
        "backup_restored",
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
