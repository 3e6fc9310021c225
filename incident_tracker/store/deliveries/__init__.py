"""The rows of the outbox."""

from incident_tracker.store.deliveries.adding import add, add_shared, tell_of
from incident_tracker.store.deliveries.claiming import any_due, claim, open_attempts, reroute, waiting_routes
from incident_tracker.store.deliveries.contents import add_content, sealed_content
from incident_tracker.store.deliveries.doubts import (
    expire,
    known_to_provider,
    last_attempts,
    look_at_later,
    look_up_later,
    send_again,
    take_doubtful,
    take_for_look_up,
)
from incident_tracker.store.deliveries.listing import find, listed
from incident_tracker.store.deliveries.results import answer_attempts, move_alerts_on, standing, write_results
from incident_tracker.store.deliveries.wanted import call_off, give_back, unwanted
from incident_tracker.store.deliveries.words import (
    BY_DECISION,
    LOCAL,
    NOBODY_WAITS,
    STOPPED,
    Claimed,
    Decision,
    LedgerRow,
    Listed,
    Purpose,
    SharedRow,
    Standing,
    State,
)

__all__ = [
    "BY_DECISION",
    "LOCAL",
    "NOBODY_WAITS",
    "STOPPED",
    "Claimed",
    "Decision",
    "LedgerRow",
    "Listed",
    "Purpose",
    "SharedRow",
    "Standing",
    "State",
    "add",
    "add_content",
    "add_shared",
    "answer_attempts",
    "any_due",
    "call_off",
    "claim",
    "expire",
    "find",
    "give_back",
    "known_to_provider",
    "last_attempts",
    "listed",
    "look_at_later",
    "look_up_later",
    "move_alerts_on",
    "open_attempts",
    "reroute",
    "sealed_content",
    "send_again",
    "standing",
    "take_doubtful",
    "take_for_look_up",
    "tell_of",
    "unwanted",
    "waiting_routes",
    "write_results",
]
