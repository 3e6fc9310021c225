"""Telling people: the list, the second pair of eyes, the notice on its way, the questions that come back."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PeopleImported:
    """A list of the people affected was read. `digest` is the SHA-256 of the file; nobody is named."""

    import_id: str
    read: int
    accepted: int
    duplicates: int
    refused: int
    digest: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class PeopleRemoved:
    """People whom nobody has been told anything yet were taken off the list again."""

    import_id: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """Someone asked for a second pair of eyes on `subject`: `notice:3`, `set_aside:gdpr.notify_people`."""

    approval_id: str
    subject: str
    digest: str
    reason: str = ""
    invited: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalDecided:
    """A second pair of eyes said yes or no. `way` is `colleague`, `outside` or `alone`.

    Someone alone signed in again, wrote the reason, and may act from `not_before` on.
    """

    approval_id: str
    subject: str
    digest: str
    approved: bool
    way: str
    reason: str = ""
    outsider: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeWritten:
    """A notice was drafted, changed, or handed over for approval (`submitted`).

    `digest` covers the text in all languages, the channels, the audience, what a person ticked, and for which reason
    a warning was set aside (`dismissed`).
    """

    notice_id: int
    number: int
    version: int
    audience: str
    channels: tuple[str, ...]
    languages: tuple[str, ...]
    digest: str
    corrects: int | None = None
    ticked: tuple[str, ...] = ()
    dismissed: dict[str, str] = field(default_factory=dict)
    submitted: bool = False


@dataclass(frozen=True, slots=True)
class NoticeBegun:
    """The sending of an approved notice began."""

    notice_id: int
    number: int
    digest: str
    recipients: int
    unreachable: int


@dataclass(frozen=True, slots=True)
class NoticeHalted:
    """A sending was paused, resumed or stopped, or a notice taken back before it began; `change` says which."""

    notice_id: int
    number: int
    change: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoticeRetried:
    """Recipients who were not reached are told again over another channel."""

    notice_id: int
    number: int
    channel: str
    recipients: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoticeFinished:
    """No message of the notice is open any more. `digest` covers the outcome of each delivery; nobody is named."""

    notice_id: int
    number: int
    audience: str
    begun_at: datetime
    at: datetime
    recipients: int
    reached: int
    unreachable: int
    counts: dict[str, int]
    digest: str


@dataclass(frozen=True, slots=True)
class DoubtsSettled:
    """A person decided what all messages of a notice that are in doubt count as."""

    notice_id: int
    decision: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class QuestionReceived:
    """A reader of a notice asked something, or said that it was not meant for her."""

    question_id: str
    kind: str
    notice_id: int


@dataclass(frozen=True, slots=True)
class QuestionSettled:
    """A question was answered by mail, or closed without an answer."""

    question_id: str
    answered: bool
    delivery_id: str = ""


@dataclass(frozen=True, slots=True)
class PartnerConcerned:
    """A partner was named on an incident, or taken off it again."""

    partner_id: int
    name: str
    concerned: bool = True
