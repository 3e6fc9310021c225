"""Four eyes: who may say yes to what another asked for, in which of three ways, and from when it may be done.

A colleague who may decide, and neither asked nor wrote it last; somebody outside by a one-time link; or, where the
controller allows it, the same person alone: with a written reason, signing in again, and a wait.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import Refusal

COLLEAGUE = "colleague"
ALONE = "alone"
OUTSIDE = "outside"
RULES = (COLLEAGUE, ALONE)
"""What a controller can choose: a second person always, or also someone alone."""
WAIT_ALONE = timedelta(minutes=15)
"""How long someone alone waits between deciding and doing."""
INVITED_FOR = timedelta(hours=72)
"""How long a one-time link for somebody outside can be used."""
NOTICE = "notice:"
SET_ASIDE = "set_aside:"
FOUR_EYES_DUTIES = frozenset({("gdpr", "notify_authority"), ("gdpr", "notify_people")})
"""The duties that nobody sets aside without a second pair of eyes (GDPR Art. 33(1) and 34(1))."""


class State(StrEnum):
    """Where a decision stands that needs a second pair of eyes."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    USED = "used"


class NotApproved(Refusal):
    """It was not approved, or not any more."""

    message = "This waits for a second pair of eyes. Nothing is done before somebody else has approved it."


class ChangedSinceApproval(Refusal):
    """What was approved is no longer what would be done."""

    message = "This was changed since it was approved. Ask for approval of what it says now."


class NothingIsAsked(Refusal):
    """Nobody asked for a second pair of eyes on this."""

    message = "Nobody has asked for approval of this. Ask first: duty set-aside."


class WaitIsNotOver(Refusal):
    """Someone alone approved it and must wait."""

    message = "You decided this alone. It can be carried out from %(at)s on; until then you can still take it back."


class AlreadyDecided(Refusal):
    """Somebody else decided first."""

    message = "Somebody else was faster: this is decided already. Nothing was changed; look at what was decided."


class NotBySamePerson(Refusal):
    """Whoever asked, or wrote it last, is no second pair of eyes."""

    message = "You asked for this or wrote it last. Somebody else must look at it: a colleague, or a person outside."


class NotByShell(Refusal):
    """The shell itself is never a second pair of eyes."""

    message = "The shell itself approves nothing. A person must: name her account with --as, or use the pages."


class AloneIsNotAllowed(Refusal):
    """The controller's rule wants a second person."""

    message = (
        "Here a second person must look at it. An administrator can allow deciding alone in the settings of the "
        "organisation."
    )


class ReasonForDeciding(Refusal):
    """A no, and a yes given alone, need a reason."""

    message = "Write the reason. It must be readable in two years."


class InvitationIsDead(Refusal):
    """The one-time link was used, replaced, is too old, or never was one: the answer is the same."""

    message = "This link is not valid any more. Ask whoever sent it for a new one."


class OutsiderIsYourself(Refusal):
    """The address of the outside approver is that of whoever invites, asked or wrote."""

    message = "This is the address of whoever asked. A second pair of eyes must be somebody else's."


class AssessmentIsMissing(Refusal):
    """Not notifying cannot be reasoned without knowing what got out."""

    message = (
        "Write down first what got out: the scope has no version yet. Whether the authority and the people must be "
        "told follows from it."
    )


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision that needs a second pair of eyes.

    `subject` is `notice:3` or `set_aside:gdpr.notify_people`, `digest` what exactly was asked for, `reason` why.
    `way` is how it was decided: `colleague`, `outside` or `alone`; `why` the words of whoever decided. `not_by` are
    those who may not approve besides whoever asked. `outsider` is the name of who was invited, until `invited_until`.
    """

    id: str
    controller_id: int
    incident_id: int
    subject: str
    digest: str
    state: str
    asked_by: str
    asked_at: datetime
    way: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None
    not_before: datetime | None = None
    reason: str = ""
    why: str = ""
    not_by: tuple[str, ...] = ()
    outsider: str = ""
    outsider_email: str = ""
    invited_until: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Return whether nobody has decided yet."""
        return self.state == State.WAITING

    @property
    def duty(self) -> tuple[str, str] | None:
        """Return regime and name of the duty to be set aside; None where it is about something else."""
        if not self.subject.startswith(SET_ASIDE):
            return None
        regime, _, duty = self.subject.removeprefix(SET_ASIDE).partition(".")
        return regime, duty

    @property
    def notice_id(self) -> int | None:
        """Return which notice is to be sent; None where it is about something else."""
        return int(self.subject.removeprefix(NOTICE)) if self.subject.startswith(NOTICE) else None

    def may_be_done(self, now: datetime) -> bool:
        """Return whether what was asked for may be done now."""
        return self.state == State.APPROVED and (self.not_before is None or now >= self.not_before)


def about_notice(notice_id: int) -> str:
    """Return the subject of an approval to send a notice."""
    return f"{NOTICE}{notice_id}"


def about_setting_aside(regime: str, duty: str) -> str:
    """Return the subject of an approval not to do what a duty demands."""
    return f"{SET_ASIDE}{regime}.{duty}"


def digest_of_setting_aside(regime: str, duty: str, reason: str, assessment_version: int) -> str:
    """Return what covers a "no": the duty, its reason, and the version of what is known that it was judged by."""
    covered = json.dumps([regime, duty, reason, assessment_version], ensure_ascii=False)
    return hashlib.sha256(covered.encode()).hexdigest()


def needs_four_eyes(regime: str, duty: str) -> bool:
    """Return whether nobody sets this duty aside alone."""
    return (regime, duty) in FOUR_EYES_DUTIES


def require(approval: Approval | None, digest: str, now: datetime) -> Approval:
    """Return the approval if what has this digest may be done now; refuse otherwise, saying what is missing."""
    if approval is None or approval.state in (State.REJECTED, State.WITHDRAWN, State.USED):
        raise NotApproved
    if approval.digest != digest:
        raise ChangedSinceApproval
    if approval.state != State.APPROVED:
        raise NotApproved
    if approval.not_before is not None and now < approval.not_before:
        raise WaitIsNotOver(at=approval.not_before)
    return approval


def must_be_waiting(approval: Approval) -> None:
    """Refuse where somebody decided already."""
    if not approval.is_waiting:
        raise AlreadyDecided


def is_second_pair(approval: Approval, name: str) -> bool:
    """Return whether this actor's eyes are others than those of who asked and who wrote."""
    return name not in (SHELL.name, approval.asked_by) and name not in approval.not_by


def must_be_second_pair(approval: Approval, actor: Actor) -> None:
    """Refuse whoever asked, whoever wrote it last, and the shell."""
    must_be_a_person(actor)
    if not is_second_pair(approval, actor.name):
        raise NotBySamePerson


def must_be_a_person(actor: Actor) -> None:
    """Refuse the shell and the clock: only a person with an account decides."""
    if actor.user_id is None:
        raise NotByShell


def may_be_alone(rule: str) -> None:
    """Refuse deciding alone where the controller wants a second person."""
    if rule != ALONE:
        raise AloneIsNotAllowed


def must_be_reasoned(reason: str) -> None:
    """Refuse a decision that needs a reason and has none."""
    if not reason.strip():
        raise ReasonForDeciding(field="reason")


def is_invited(approval: Approval, now: datetime) -> bool:
    """Return whether somebody outside can decide by the link now."""
    return approval.is_waiting and approval.invited_until is not None and now < approval.invited_until


def others(names: Collection[str], approval: Approval) -> list[str]:
    """Return which of these actors may be the second pair of eyes."""
    return [name for name in names if is_second_pair(approval, name)]
