"""Processors and partners: kept with their agreements, named on incidents, told, and listened to."""

from incident_tracker.services.partners.agreements import keep_agreement, read_agreement
from incident_tracker.services.partners.concerned import Concerned, concern, leave_out, of_incident
from incident_tracker.services.partners.listing import (
    Kept,
    PartnerFacts,
    add,
    change,
    get,
    listing,
    remove,
)
from incident_tracker.services.partners.tips import by_secret, end_link, new_link, record_tip, take_tip

__all__ = [
    "Concerned",
    "Kept",
    "PartnerFacts",
    "add",
    "by_secret",
    "change",
    "concern",
    "end_link",
    "get",
    "keep_agreement",
    "leave_out",
    "listing",
    "new_link",
    "of_incident",
    "read_agreement",
    "record_tip",
    "remove",
    "take_tip",
]
