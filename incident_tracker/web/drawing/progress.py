"""The bar of a sending: one part for each state of a delivery, none too thin to be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_tracker.web.drawing.shared import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER = ("delivered", "accepted", "failed", "in_doubt", "suppressed", "cancelled", "pending")
WAITING = ("pending", "sending")
NARROWEST = 8.0
NOMINAL_WIDTH = 640.0


@dataclass(frozen=True)
class Part:
    """One state's share of the bar, in percent, with its number."""

    state: str
    count: int
    x: str
    width: str


def progress(counts: Mapping[str, int], *, width: float = NOMINAL_WIDTH) -> tuple[Part, ...]:
    """Draw counts by state of delivery; `sending` counts as waiting, a part under 8 pixels of `width` is drawn 8."""
    merged = {state: counts.get(state, 0) for state in ORDER} | {
        "pending": sum(counts.get(one, 0) for one in WAITING)
    }
    shown = {state: count for state, count in merged.items() if count > 0}
    total = sum(shown.values())
    if not total:
        return ()
    least = NARROWEST / width
    sizes = {state: max(count / total, least) for state, count in shown.items()}
    spare = sum(size for size in sizes.values() if size > least)
    excess = sum(sizes.values()) - 1
    parts, x = [], 0.0
    for state, count in shown.items():
        size = sizes[state] - (excess * sizes[state] / spare if sizes[state] > least and spare else 0.0)
        parts.append(Part(state, count, percent(x), percent(size)))
        x += size
    return tuple(parts)
