"""The demo: a house with five breaches of everyday, played through the services as exercises."""

from incident_tracker.services.demo.acts import Stage, answer
from incident_tracker.services.demo.playing import is_played, play, set_stage
from incident_tracker.services.demo.script import LONGEST

__all__ = ["LONGEST", "Stage", "answer", "is_played", "play", "set_stage"]
