"""What a notifier promises, and what it is given. Public and versioned: strangers write plugins against this file.

A notifier is a postman. It gets sealed messages and addresses, and answers with an outcome for each. It has never
heard of incidents. The core does addressing, rendering, retries and bookkeeping, once, for all notifiers.
"""

import html
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

PROTOCOL_VERSION = 1

_PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_.]{0,63})\}\}")


class Channel(StrEnum):
    """The ways a message can reach a person."""

    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"
    CHAT = "chat"


class NotifierSettingsError(ValueError):
    """The settings of a notifier cannot work. `mistakes` lists every one, each with its setting's name."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """Keep all mistakes, so that an administrator repairs them in one go."""
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


class ForgedCallbackError(Exception):
    """A callback whose signature does not fit its raw bytes. Nothing of it may be believed or stored."""


@dataclass(frozen=True, slots=True)
class Content:
    """A text that one or many messages share. Placeholders are written `{{name}}`.

    `subject` and `html` are for e-mail; `language` is `da` or `en`.
    """

    text: str
    subject: str = ""
    html: str | None = None
    language: str = "da"
    sender_name: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One content for one address.

    `attempt` is our own id of this try: opaque, without personal data, sent along so that a callback can name it.
    `delivery` is the id of the row the try belongs to. `valid_for` is the number of seconds after which the message
    is worthless and should be dropped by the provider (None: as long as the provider keeps it).
    """

    attempt: str
    delivery: str
    address: str
    content: Content
    values: Mapping[str, str] = field(default_factory=dict)
    valid_for: int | None = None

    def subject(self) -> str:
        """Return the subject with this person's values, on one line."""
        return " ".join(self._fill(self.content.subject, str).split())

    def text(self) -> str:
        """Return the plain text with this person's values."""
        return self._fill(self.content.text, str)

    def html(self) -> str | None:
        """Return the HTML part with this person's values, escaped, or None."""
        return None if self.content.html is None else self._fill(self.content.html, html.escape)

    def _fill(self, template: str, escape: Callable[[str], str]) -> str:
        return _PLACEHOLDER.sub(lambda found: escape(self.values[found.group(1)]), template)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message and gave it `provider_id`. Not the same as delivered."""

    attempt: str
    provider_id: str


class RefusalKind(StrEnum):
    """Why a provider will never deliver this message."""

    ADDRESS = "address"
    OPTED_OUT = "opted_out"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not sent, and trying again is useless. `reason` is for people, `code` is the provider's own."""

    attempt: str
    kind: RefusalKind
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly not sent, this time. `retry_after` in seconds if the provider named it.

    `setup` says that our own set-up is wrong (401, sender not allowed): trying again does not help until an
    administrator has repaired it, so the caller pauses and alarms.
    """

    attempt: str
    reason: str
    code: str = ""
    retry_after: float | None = None
    setup: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been sent, or not. The core calls this in doubt, shows it and settles it by rule."""

    attempt: str
    reason: str
    code: str = ""


Outcome = Accepted | Refused | NotSent | Unknown


class Deadline:
    """How long a call may still take, measured on a monotonic clock."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """Start now; `clock` is `time.monotonic` or a test's own."""
        self._clock = clock
        self._ends_at = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._ends_at - self._clock())

    def passed(self) -> bool:
        """Return whether no time is left."""
        return self.remaining() <= 0.0


@runtime_checkable
class Notifier(Protocol):
    """A message plugin. Register the class under the entry-point group `incident_tracker.notifiers`."""

    name: ClassVar[str]
    channels: ClassVar[frozenset[Channel]]
    max_batch: int
    channel: Channel

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        """Build it from its `[notifiers.<name>]` section; raise NotifierSettingsError with every mistake."""

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        """Yield an outcome for each message as soon as it is known; stop before `deadline` has passed.

        Messages that were never tried when time runs out are NotSent. Raising means Unknown for all unanswered.
        """


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it came in. `url` is the public address with its query; `body` the untouched bytes."""

    kind: str
    """`status` or `inbound`."""
    url: str
    headers: Mapping[str, str]
    body: bytes


class ReportedState(StrEnum):
    """What a provider can say later about a message it had accepted."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A provider's word on a message, named by our `attempt` or its own `provider_id`, or both.

    `unique` is the same for the same event told twice.
    """

    state: ReportedState
    unique: str
    attempt: str | None = None
    provider_id: str | None = None
    reason: str = ""
    code: str = ""
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that a person sent to us. `at` is the provider's time (aware UTC), None where it gives none."""

    from_address: str
    text: str
    unique: str
    to_address: str = ""
    at: datetime | None = None


CallbackEvent = StatusReport | Reply


@runtime_checkable
class ReadsCallbacks(Protocol):
    """Ability: the provider calls us."""

    def use_callbacks(self, status_url: str) -> None:
        """From now on give the provider this address for delivery reports (only with public HTTPS)."""

    def read_callback(self, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Check the signature on the raw bytes first (ForgedCallbackError), then say what happened."""


@runtime_checkable
class LooksUp(Protocol):
    """Ability: we ask the provider. Raising means that not all was said, and that the question is asked again."""

    def look_up(self, provider_ids: Sequence[str], deadline: Deadline) -> Iterator[StatusReport]:
        """Yield what the provider says of messages it accepted."""

    def search(
        self, messages: Sequence[Message], since: datetime, deadline: Deadline, taken: Collection[str] = ()
    ) -> Iterator[StatusReport]:
        """Yield reports for those of `messages` (tried since then, result unknown) that the provider has.

        A message the provider does not have, or cannot be told from another, is not yielded. `taken` are provider
        ids that are known to belong to other attempts.
        """

    def replies(self, since: datetime, deadline: Deadline) -> Iterator[Reply]:
        """Yield what people wrote to us since then, oldest first."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of an authority's form with the answer so far.

    `canonical` is the key of the shared field map; `warnings` are sentences for people (for instance that the
    answer seems to hold personal data); `missing` says that an answer is demanded and there is none.
    """

    key: str
    canonical: str | None
    section: str
    label: str
    answer: str
    missing: bool
    required: bool
    warnings: tuple[str, ...] = ()
    hint: str = ""
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    """(code, word) of a question that is answered with one of several codes."""
    own_words: bool = True
    """Whether the answer may be written on the report; else it is changed where the fact is recorded."""
    written: str = ""
    """The answer in own words as it was written, where there is one."""


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A report in the authority's own order. Plain data: printing and filing are the core's work."""

    authority: str
    language: str
    checked_against_live_form: bool
    banner: str
    sections: tuple[tuple[str, str], ...]
    """(section id, title) in order."""
    questions: tuple[Question, ...]
    blocked_by: tuple[str, ...] = ()
    """Keys of the questions without whose answer the report cannot be filed at all."""
    form_url: str = ""
    notes: tuple[str, ...] = ()
    """What the authority wants people to know before they file, in the draft's language."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the keys of the questions that still lack an answer."""
        return tuple(question.key for question in self.questions if question.missing)


@runtime_checkable
class AuthorityReport(Protocol):
    """A report plugin: turns the canonical record into one authority's draft."""

    authority: ClassVar[str]

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Build it; `settings["form"]` is the parsed `config/authorities/<authority>.toml`."""

    def draft(self, record: Mapping[str, Any], language: str) -> ReportDraft:
        """Return the draft; `record` maps canonical keys to plain values."""


@runtime_checkable
class ChecksIdentifiers(Protocol):
    """Ability of a report plugin: it knows what the authority's numbers usually look like."""

    def identifier_warnings(self, identifiers: Mapping[str, str], language: str) -> Sequence[str]:
        """Return a sentence for each unusual number (`reference` of a submission, `journal_number` of the case)."""
