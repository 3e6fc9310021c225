"""The refusals of the floor below that pages and shell must tell from others."""

from incident_tracker.store.database import DatabaseMissing, DatabaseReplaced, NotSaved
from incident_tracker.store.keys import KeyIsGone, MasterKeyUnusable, MasterKeyWrong

__all__ = ["DatabaseMissing", "DatabaseReplaced", "KeyIsGone", "MasterKeyUnusable", "MasterKeyWrong", "NotSaved"]
