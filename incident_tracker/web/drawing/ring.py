"""The small ring of the lists: three arcs for the thirds of the period, a glyph for what is settled or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_tracker.web.drawing.shared import arc, gone_share, known_state, spoke

if TYPE_CHECKING:
    from datetime import datetime

CENTRE = 20.0
RADIUS = 15.5
ARC = 112.0
GAP = 8.0
GLYPHS = {"met": "tick", "met_late": "tick", "overdue": "!", "set_aside": "-", "suspected": "?"}
SPOKES = 24


@dataclass(frozen=True)
class Ring:
    """The paths of a small ring in a `viewBox` of 40 by 40, and its glyph (`tick`, `!`, `-`, `?` or nothing)."""

    state: str
    left: str
    gone: str
    even: str
    dashed: bool
    glyph: str


def ring(
    *,
    state: str,
    now: datetime,
    start: datetime | None = None,
    due: datetime | None = None,
    settled: datetime | None = None,
) -> Ring:
    """Draw a duty small, from the same facts as the dial."""
    known_state(state)
    glyph = GLYPHS.get(state, "")
    if state == "set_aside":
        return Ring(state, "", "", "", dashed=True, glyph=glyph)
    if start is None or due is None or state in ("none", "suspected"):
        even = "".join(spoke(CENTRE, 13.5, 17.5, k * 360 / SPOKES + 7.5) for k in range(SPOKES))
        return Ring(state, "", "", even, dashed=False, glyph=glyph)
    turned = gone_share(start, due, settled if settled is not None and state == "met" else now) * 360
    if state in ("overdue", "met_late"):
        turned = 0.0
    left, gone = [], []
    for third in range(3):
        begins = third * 120 + GAP / 2
        ends = begins + ARC
        split = min(max(turned, begins), ends)
        gone.append(arc(CENTRE, RADIUS, begins, split))
        left.append(arc(CENTRE, RADIUS, split, ends))
    return Ring(state, "".join(left), "".join(gone), "", dashed=False, glyph=glyph)
