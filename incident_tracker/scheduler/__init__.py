"""Floor 6: the clock. APScheduler is the metronome; what is due stands in the database."""

from incident_tracker.scheduler.clock import Clock

__all__ = ["Clock"]
