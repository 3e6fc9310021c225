"""How far a sending is: the parts of the bar with their numbers, the rate, and an honest time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.web.current import language

ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("delivered", ("delivered",)),
    ("accepted", ("accepted",)),
    ("failed", ("failed",)),
    ("in_doubt", ("in_doubt",)),
    ("suppressed", ("suppressed",)),
    ("cancelled", ("cancelled",)),
    ("waiting", ("pending", "sending")),
)
"""The parts of the bar from left to right, each with the states that it counts."""
ALWAYS = frozenset({"delivered", "accepted"})
_LONG = 120
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar: how many messages, how wide (a percentage, as SVG writes it), the words at its number."""

    key: str
    count: int
    number: str
    width: str
    words: str


def parts(counts: Mapping[str, int], unwritten: int) -> list[Part]:
    """Return the parts of the bar; `unwritten` recipients have no message yet and wait."""
    found = {key: sum(counts.get(state, 0) for state in states) for key, states in ORDER}
    found["waiting"] += unwritten
    whole = sum(found.values())
    return [
        Part(
            key,
            count,
            rendering.number(count, language()),
            f"{100 * count / whole:.3f}%" if whole else ("100%" if key == "waiting" else "0%"),
            part_words(key),
        )
        for key, count in found.items()
        if count or key in ALWAYS or (key == "waiting" and not whole)
    ]


def part_words(key: str) -> str:
    """Return what stands under the number of a part."""
    return str(
        {
            "delivered": _("delivered"),
            "accepted": _("handed to the provider"),
            "failed": _("failed"),
            "in_doubt": _("in doubt"),
            "suppressed": _("suppressed"),
            "cancelled": _("cancelled"),
            "waiting": _("waiting"),
        }[key]
    )


def rest_of(seconds: float | None, rate: float) -> str:
    """Return how long a sending still takes, and how fast it goes; no promise where nothing has been measured yet."""
    if seconds is None or rate <= 0:
        return str(_("How long it takes can be said once the first messages have gone."))
    speed = rendering.number(round(rate, 1) if rate < 10 else round(rate), language())  # noqa: PLR2004
    if seconds < _LONG:
        return str(
            _("About %(seconds)s s left at %(rate)s a second.", seconds=max(1, math.ceil(seconds)), rate=speed)
        )
    if seconds < _HOUR:
        return str(_("About %(minutes)s min left at %(rate)s a second.", minutes=math.ceil(seconds / 60), rate=speed))
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return str(
        _("About %(hours)s h %(minutes)s min left at %(rate)s a second.", hours=hours, minutes=minutes, rate=speed)
    )


def share_done(counts: Mapping[str, int], unwritten: int) -> int:
    """Return how much of the messages has left or ended, in whole percent; 100 only when none is left."""
    whole = sum(counts.values()) + unwritten
    waiting = counts.get("pending", 0) + counts.get("sending", 0) + unwritten
    return 100 * (whole - waiting) // whole if whole else 0
