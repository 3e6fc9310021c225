"""All tables; importing this package makes the metadata complete."""

from incident_tracker.store.tables import incidents, keys, outbox, outside, parties, telling
from incident_tracker.store.tables.types import KEYRING, Table

__all__ = ["KEYRING", "Table", "incidents", "keys", "outbox", "outside", "parties", "telling"]
