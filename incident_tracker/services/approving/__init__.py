"""Four eyes as people ask for them: look, approve, reject, invite somebody outside, decide alone, carry out."""

from incident_tracker.services.approving.deciding import approve, approve_alone, carry_out, reject, take_back
from incident_tracker.services.approving.looking import Shown, Waiting, newest, show, waiting
from incident_tracker.services.approving.outside import Invitation, by_secret, decide_outside, invite

__all__ = [
    "Invitation",
    "Shown",
    "Waiting",
    "approve",
    "approve_alone",
    "by_secret",
    "carry_out",
    "decide_outside",
    "invite",
    "newest",
    "reject",
    "show",
    "take_back",
    "waiting",
]
