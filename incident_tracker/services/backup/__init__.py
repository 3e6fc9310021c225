"""Backups: made while the service runs, restored on an empty machine, missed when they stay away."""

from incident_tracker.services.backup.lateness import BackupState, state, tell_administrators
from incident_tracker.services.backup.making import Made, make
from incident_tracker.services.backup.restoring import Restored, restore, restored_from

__all__ = ["BackupState", "Made", "Restored", "make", "restore", "restored_from", "state", "tell_administrators"]
