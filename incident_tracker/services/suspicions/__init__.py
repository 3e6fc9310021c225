"""Reports from outside: anyone may tell of a suspected leak; a person accepts it as an incident or dismisses it."""

from incident_tracker.services.suspicions.receiving import (
    LINE_LIMIT,
    PHONE_LIMIT,
    PUBLIC,
    WHAT_LIMIT,
    Told,
    check,
    count_trapped,
    decoy,
    receipt_of,
    receive,
)
from incident_tracker.services.suspicions.settling import (
    SettledMeanwhile,
    Shown,
    accept,
    add_to_incident,
    count_open,
    dismiss,
    find,
    listing,
    show,
)

__all__ = [
    "LINE_LIMIT",
    "PHONE_LIMIT",
    "PUBLIC",
    "WHAT_LIMIT",
    "SettledMeanwhile",
    "Shown",
    "Told",
    "accept",
    "add_to_incident",
    "check",
    "count_open",
    "count_trapped",
    "decoy",
    "dismiss",
    "find",
    "listing",
    "receipt_of",
    "receive",
    "show",
]
