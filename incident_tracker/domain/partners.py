"""Partners of a controller: who processes data for it, and for whom it processes (GDPR Art. 4(8), 28)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import ContactPoint


class PartnerKind(StrEnum):
    """What a partner is to us: it processes for us, we process for it, or neither."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    PARTNER = "partner"


_NOBODY = ContactPoint()


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that must tell us of a breach, or be told of one. `what` is what it does, in plain words."""

    id: int
    controller_id: int
    name: str
    kind: PartnerKind
    cvr: str = ""
    what: str = ""
    contact: ContactPoint = _NOBODY
    language: str = "da"
    removed: bool = False
    has_link: bool = False


MOST_TIPS = 5
"""Incidents that one link may open within `TIPS_WITHIN`; a partner with more to say calls."""
TIPS_WITHIN = timedelta(hours=24)


class TooManyTips(Refusal):
    """A partner's link was used more often than honest use explains."""

    message = (
        "%(number)s reports have come by this link in 24 hours. They are received. For more, call %(controller)s: "
        "%(contact)s."
    )


class PartnerHasNoAddress(Refusal):
    """A partner that cannot be reached cannot be told."""

    message = "Write an e-mail address or a mobile number, so that the partner can be told of a breach."


def recipient_id(incident_id: int, partner_id: int) -> str:
    """Return under which name the outbox knows a partner told of an incident; the names sort as the ids do."""
    return f"partner:{incident_id:010d}:{partner_id:010d}"


def partner_id_of(recipient: str) -> int | None:
    """Return which partner a recipient is, None for a person."""
    return int(recipient.rpartition(":")[2]) if recipient.startswith("partner:") else None
