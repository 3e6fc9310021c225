"""Who takes part: the controller, its contact points, the people on call, and the roles of staff."""

from dataclasses import dataclass
from enum import StrEnum

LANGUAGES = ("da", "en")
"""The languages in which people are told things."""


class PartyRole(StrEnum):
    """In which role an organisation meets a breach (GDPR Art. 4(7), 4(8), 26)."""

    CONTROLLER = "controller"
    PROCESSOR = "processor"
    JOINT_CONTROLLER = "joint_controller"


class Role(StrEnum):
    """What a member of staff may do for one controller."""

    REPORTER = "reporter"
    RESPONDER = "responder"
    DECISION_MAKER = "decision_maker"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """A person or desk that can be asked, for instance the data protection officer (GDPR Art. 33(3)(b))."""

    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Controller:
    """An organisation whose incidents are kept here."""

    id: int
    slug: str
    name: str
    cvr: str
    time_zone: str = "Europe/Copenhagen"
    language: str = "da"
    sector: str = "private"
    reference_prefix: str = ""
    contact: ContactPoint = ContactPoint()
    dpo: ContactPoint = ContactPoint()
    four_eyes: str = "colleague"
    """Whose second pair of eyes counts: `colleague` (or an outside approver), or also `alone`."""
    colour: str = ""
    """The colour of its public pages as `#rrggbb`; empty: ours."""


@dataclass(frozen=True, slots=True)
class OnCallContact:
    """Someone who is called when an alarm goes off. `position` is the order of calling, from 1.

    `phone` is E.164. `muted` says that she has written STOP: alarms do not reach her by SMS until that is undone
    at the provider.
    """

    id: int
    controller_id: int
    position: int
    name: str
    phone: str
    email: str = ""
    language: str = "da"
    verified: bool = False
    muted: bool = False
    user_id: int | None = None
