"""The words and records of the outbox."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from incident_tracker.domain.errors import phrase


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


class Purpose(StrEnum):
    """What a delivery is for."""

    ALERT = "alert"
    ESCALATION = "escalation"
    NOTICE = "notice"
    PARTNER = "partner"
    QUESTION = "question"
    ACCOUNT = "account"
    TEST = "test"


class Decision(StrEnum):
    """What a person can decide about a message in doubt."""

    SENT = "sent"
    AGAIN = "again"


LOCAL = "outbox"
"""The notifier whose messages never leave this machine; the only one that an exercise may use."""
NOBODY_WAITS = phrase("nobody waits for it any more")
"""Why a message was cancelled that would have gone again."""
STOPPED = phrase("the sending was stopped")
"""Why a message of a notice was cancelled."""
BY_DECISION = phrase("treated as sent by decision")


class Claimed(NamedTuple):
    """A delivery that this engine holds until `lease_until`, with the number of its attempt.

    `notice_id` and `content_id` are there for the deliveries of a notice, which share a text.
    """

    id: str
    controller_id: int
    contact_id: int | None
    purpose: str
    channel: str
    notifier: str
    local_only: bool
    sealed: bytes
    valid_for: int | None
    rank: int
    not_before: datetime
    number: int
    possible_duplicate: bool
    notice_id: int | None = None
    content_id: str | None = None
    batch: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a result or a report must know of a row before it changes it."""

    id: str
    state: str
    batch: str | None
    number: int
    contact_id: int | None
    provider_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Term:
    """Under which batch rows are claimed, when, and until when they are ours."""

    batch: str
    now: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class SharedRow:
    """What is a delivery's own among those of one notice and one content."""

    id: str
    recipient_id: str
    once: str
    sealed: bytes
    address_hash: bytes


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line of a notice's ledger: what became of one message to one recipient."""

    id: str
    recipient_id: str
    channel: str
    notifier: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    provider_id: str | None
    possible_duplicate: bool
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as the outbox page and `outbox list` show it."""

    id: str
    controller_id: int
    purpose: str
    incident: str | None
    channel: str
    notifier: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    provider_id: str | None
    possible_duplicate: bool
    reason: str
    code: str
