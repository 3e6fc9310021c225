"""What a new notice begins with, so that nobody faces an empty box."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from incident_tracker import paths
from incident_tracker.domain.notices import PEOPLE

PLACE = "{controller}"


@dataclass(frozen=True, slots=True)
class Outline:
    """Subject and text of a notice that is still to be written. Its SMS is left to us, for it should say little."""

    subject: str
    body: str


def outline(language: str, controller: str, audience: str = PEOPLE) -> Outline:
    """Return what a new notice in `da` or `en` begins with; the controller's name stands in its place."""
    # Braces in a name would be taken for a placeholder of the notice.
    name = controller.replace("{", "(").replace("}", ")")
    found = _outlines()
    texts = found[language] if audience == PEOPLE else found[audience][language]
    return Outline(*(str(texts[part]).strip().replace(PLACE, name) for part in ("subject", "body")))


@cache
def _outlines() -> Mapping[str, Any]:
    return tomllib.loads((paths.config() / "notices" / "outlines.toml").read_text("utf-8"))
