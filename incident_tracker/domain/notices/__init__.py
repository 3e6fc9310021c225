"""Notices: what people are told, in which languages, over which channels, and when it may go.

A notice is text that people write. It never meets a template engine: `placeholders` puts in the few values that are
allowed, `layout` makes paragraphs of it, `checks` says what the law and good sense miss in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from incident_tracker.domain import canonical
from incident_tracker.domain.errors import Refusal, phrase

CHANNELS = ("email", "sms")
"""The ways a notice can go; the order in a notice is the order in which they are tried."""
PEOPLE, PARTNERS = "people", "partners"
AUDIENCES = (PEOPLE, PARTNERS)
BODY_LIMIT = 20_000
SUBJECT_LIMIT = 200
SMS_LIMIT = 612
"""Four parts of GSM-7: a longer SMS is a letter, and costs like one."""
VALUE_LIMIT = 200
"""Longest value of a placeholder; what is longer is cut, so that no column of a list can swell a message."""
REFERENCE_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0, O, 1, I, L and U, which look or sound alike."""
REFERENCE_LENGTH = 8


class State(StrEnum):
    """Where a notice stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


WRITABLE = frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})
BEGUN = frozenset({State.SENDING, State.PAUSED, State.STOPPED, State.FINISHED})


class NoticeIsNot(Refusal):
    """A step that does not follow from where the notice stands."""

    message = "Notice %(reference)s/%(number)s is %(state)s, so this is not possible now."


class NoticeChangedMeanwhile(Refusal):
    """Somebody else wrote a newer version."""

    message = (
        "Notice %(number)s was changed by somebody else while you were writing. Nothing was saved, and your words "
        "are still here. Look at what changed, then save again."
    )


class NoTextInAnyLanguage(Refusal):
    """A notice says something in at least one language."""

    message = "Write the notice in at least one language: %(languages)s."


class LanguageUnknown(Refusal):
    """A language that the product does not speak."""

    message = "A notice can be written in %(languages)s, not in “%(language)s”."


class ChannelUnknown(Refusal):
    """A channel that notices cannot use, or none at all."""

    message = "Choose how the notice goes: email, sms or both."


class AudienceUnknown(Refusal):
    """Neither the people nor the partners."""

    message = "A notice goes to people or to partners, not to “%(audience)s”."


class StillToBeWritten(Refusal):
    """Parts of the outline were left as they were."""

    message = "Some parts are still to be written: %(found)s. Write them, or take the square brackets out."


class ChecksAreOpen(Refusal):
    """Something that a notice must have is missing, or nobody has looked."""

    message = "The notice is not ready. Still open: %(checks)s."


class CheckUnknown(Refusal):
    """A tick or a dismissal that names no check, or one that cannot be ticked or dismissed."""

    message = "“%(check)s” cannot be %(how)s here."


class NobodyToTell(Refusal):
    """There is nobody on the list, or nobody who can be reached over the notice's channels."""

    message = "There is nobody to tell: no one on the list can be reached over the channels of this notice."


class NoContactPoint(Refusal):
    """GDPR Art. 34(2) with 33(3)(b) demands a contact."""

    message = (
        "A notice needs a contact (GDPR Art. 34(2)). Enter the data protection officer or the contact point in the "
        "settings, with an e-mail address or a phone number."
    )


class NothingToCorrect(Refusal):
    """A correction names a notice that was sent."""

    message = "Notice %(number)s was not sent, so there is nothing to correct. Change it instead."


TICKED, DISMISSED = phrase("ticked"), phrase("dismissed")


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What a notice says in one language. `body` is text with headings and lists; an empty `sms` is made by us."""

    subject: str
    body: str
    sms: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with the incident it belongs to. `reference` is the incident's, `public_reference` its own.

    `contents` are the ids of the texts in the outbox (`da.email`), `round` counts how often people were told.
    `seen` are failed and ended messages when it was last let go on. `dismissed` maps a check to the reason.
    """

    id: int
    number: int
    public_reference: str
    reference: str
    incident_id: int
    controller_id: int
    exercise: bool
    audience: str
    state: State
    version: int
    channels: tuple[str, ...]
    texts: Mapping[str, NoticeText]
    digest: str
    corrects: int | None
    written_by: str
    written_at: datetime
    begun_at: datetime | None = None
    finished_at: datetime | None = None
    recipients: int = 0
    unreachable: int = 0
    all_told: bool = False
    paused_at: datetime | None = None
    pause_reason: str = ""
    ticked: tuple[str, ...] = ()
    dismissed: Mapping[str, str] = field(default_factory=dict)
    told_up_to: str = ""
    contents: Mapping[str, str] = field(default_factory=dict)
    round: int = 1
    seen: tuple[int, int] = (0, 0)

    @property
    def has_begun(self) -> bool:
        """Return whether anybody may have been told."""
        return self.begun_at is not None

    def language_for(self, language: str) -> str:
        """Return the language in which somebody is told: her own where it is written, else the first one."""
        return language if language in self.texts else next(iter(self.texts))


def digest(
    texts: Mapping[str, NoticeText],
    channels: Collection[str],
    audience: str,
    *,
    ticked: Collection[str] = (),
    dismissed: Mapping[str, str] | None = None,
    corrects: int | None = None,
) -> str:
    """Return the SHA-256 of everything that is approved: texts, channels, audience, ticks and dismissals."""
    return canonical.digest(
        {
            "texts": {
                name: {"subject": one.subject, "body": one.body, "sms": one.sms} for name, one in texts.items()
            },
            "channels": list(channels),
            "audience": audience,
            "ticked": sorted(ticked),
            "dismissed": dict(dismissed or {}),
            "corrects": corrects,
        }
    )


def must_be(notice: Notice, *states: State) -> None:
    """Refuse a step that the notice's state does not allow."""
    if notice.state not in states:
        raise NoticeIsNot(reference=notice.reference, number=notice.number, state=SAID[notice.state])


def spelled(signs: str) -> str:
    """Return a public reference as it is printed: `K7QM-2RXT`."""
    return f"{signs[:4]}-{signs[4:]}"


def read_public_reference(typed: str) -> str:
    """Return a public reference as it is kept, whatever hyphens, blanks and case were typed; empty if it is none."""
    signs = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(signs) != REFERENCE_LENGTH or not set(signs) <= set(REFERENCE_SIGNS):
        return ""
    return spelled(signs)


SAID: Mapping[State, str] = {
    State.DRAFT: phrase("a draft"),
    State.SUBMITTED: phrase("waiting for approval"),
    State.APPROVED: phrase("approved"),
    State.SENDING: phrase("being sent"),
    State.PAUSED: phrase("paused"),
    State.STOPPED: phrase("stopped"),
    State.FINISHED: phrase("finished"),
}
"""The states inside a sentence."""
