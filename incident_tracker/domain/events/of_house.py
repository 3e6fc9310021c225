"""The house itself: controllers, staff, partners, programs, what comes from outside, backups, the clock."""

from dataclasses import dataclass
from datetime import datetime


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
class SuspicionReceived:
    """Somebody outside told us of a suspected leak; `source` is `public`, `partner` or `api`."""

    suspicion_id: str
    controller_id: int
    source: str


@dataclass(frozen=True, slots=True)
class SuspicionSettled:
    """A report from outside became an incident (`reference`), or was dismissed for the written reason."""

    suspicion_id: str
    controller_id: int
    accepted: bool
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PartnerChanged:
    """A processor or partner was added, changed, removed, or got a new link; `change` says which."""

    partner_id: int
    controller_id: int
    change: str


@dataclass(frozen=True, slots=True)
class AgreementKept:
    """A data-processing agreement was filed with its partner (GDPR Art. 28(3))."""

    partner_id: int
    agreement_id: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TokenChanged:
    """A program got a token, or lost it; `change` says which."""

    token_id: str
    user_id: int
    change: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup was written. `head_seq` is the journal's last entry in it."""

    backup_id: str
    head_seq: int
    head_hash: str
    size: int


@dataclass(frozen=True, slots=True)
class BackupRestored:
    """This installation was brought back from a backup: what came after `head_seq` in the old one is not here.

    `restored_at` is the time of this entry, said inside what only the master key can write, and `held` how many
    messages wait for a person.
    """

    backup_id: str
    made_at: datetime
    head_seq: int
    head_hash: str
    held: int = 0
    restored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockStopped:
    """The clock gave no sign of life between two instants, or jumped."""

    silent_from: datetime
    silent_to: datetime
    why: str
