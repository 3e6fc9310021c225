"""What a sentence of the journal is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _

from incident_tracker.web import words
from notifiers.protocol import Question

Told = Mapping[tuple[str, int], list[tuple[int, str, str]]]


class Said(NamedTuple):
    """A sentence after the name, the words that were written then, and where to read on."""

    icon: str
    text: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What sentences need besides the event: zone, address, names, who was told, the questions of the report."""

    zone: str
    url: str
    names: Mapping[str, str]
    told: Told = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)

    def asked(self, key: str) -> str:
        """Return what a question of the report asks."""
        return self.questions[key].label if key in self.questions else key

    def answered(self, key: str, answer: str) -> str:
        """Return an answer as people read it: the word of a choice, not its code."""
        choices = dict(self.questions[key].choices) if key in self.questions else {}
        return choices.get(answer, answer)

    def time(self, at: datetime) -> str:
        """Return an instant in words."""
        return words.moment(at, self.zone)

    def contact(self, number: int) -> str:
        """Return the name of somebody on call."""
        return self.names.get(f"contact:{number}") or str(_("somebody"))
