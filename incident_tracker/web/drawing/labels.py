"""Where the labels of the time line go: two rows, eight pixels apart, and the plate of now always on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_tracker.web.drawing.shared import percent, text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

APART = 8.0
MERGE_WITHIN = 20.0
NAME_SIZE = 13.0
WHEN_SIZE = 12.0
PLATE_WIDTH = 66.0
PLATE_HALF = PLATE_WIDTH / 2
FLAG_WIDTH = 16.0
FROM_LINE = 3.0
ROUNDING = 0.5


@dataclass(frozen=True)
class Wanted:
    """A label that a mark would like to have, at a place in pixels; `source` is what it speaks of."""

    x: float
    name: str
    when: str
    source: Any = None
    kind: str = "mark"

    @property
    def width(self) -> float:
        """The estimated width of the wider of its two lines."""
        name = text_width(self.name, NAME_SIZE) * (1.06 if self.kind == "aware" else 1.0)
        return max(name, text_width(self.when, WHEN_SIZE))


@dataclass(frozen=True)
class Label:
    """A label in its place.

    `row` is `lower` or `upper`, `anchor` an SVG text-anchor, `dx` a nudge in pixels; `at` is the mark's place as a
    fraction, `left` and `right` are the box in pixels.
    """

    x: str
    dx: str
    anchor: str
    row: str
    name: str
    when: str
    bold: bool
    leader: bool
    at: float
    left: float
    right: float


@dataclass(frozen=True)
class _Room:
    """What no label may cover: the edges, the line of now, and its plate on top."""

    width: float
    now: float | None
    plate: float | None

    def has(self, label: Label, placed: Sequence[Label]) -> bool:
        """Tell whether a label may stand beside those already placed."""
        if label.left < -ROUNDING or label.right > self.width + FLAG_WIDTH + ROUNDING:
            return False
        if label.row == "upper":
            if self.plate is not None and _gap(label, self.plate - PLATE_HALF, self.plate + PLATE_HALF) < APART:
                return False
        elif self.now is not None and _gap(label, self.now, self.now) < FROM_LINE:
            return False
        return all(_apart(label, other, self.width) for other in placed)


def _gap(label: Label, left: float, right: float) -> float:
    """Tell how far a label stands from a stretch, below 0 where they overlap."""
    return max(label.left - right, left - label.right)


def _apart(one: Label, other: Label, width: float) -> bool:
    if one.row == other.row:
        return _gap(one, other.left, other.right) >= APART
    upper, lower = (one, other) if one.row == "upper" else (other, one)
    at = upper.at * width
    return not upper.leader or _gap(lower, at, at) >= FROM_LINE


def place_labels(
    wanted: Sequence[Wanted],
    fixed: Sequence[Wanted],
    *,
    width: float,
    now: float | None,
    plate: float | None,
    merged: Callable[[int, Any, Any], str],
) -> tuple[Label, ...]:
    """Place every label that has room, left to right; `fixed` come first, `now` and `plate` are never covered.

    Marks within 20 pixels whose labels do not fit are joined under one (`merged(count, first, last)`, name and time
    parted by a line break); a label that fits nowhere is left out, its fact stands in the table.
    """
    room = _Room(width, now, plate)
    groups = [[one] for one in sorted(wanted, key=lambda one: one.x)]
    while True:
        placed: list[Label] = []
        for one in fixed:
            placed += _first(room, one, placed)
        stuck = _place_groups(room, groups, placed, merged)
        if stuck is None:
            return tuple(sorted(placed, key=lambda label: label.left))
        groups[stuck : stuck + 2] = [groups[stuck] + groups[stuck + 1]]


def _place_groups(
    room: _Room, groups: list[list[Wanted]], placed: list[Label], merged: Callable[[int, Any, Any], str]
) -> int | None:
    """Place the groups into `placed`; the first that has no room and a near neighbour stops it and is returned."""
    before: Wanted | None = None
    for index, group in enumerate(groups):
        one = _joined(group, merged)
        found = _first(room, one, placed) or _both(room, before, one, placed)
        if found:
            placed += found
            before = one
        elif (near := _neighbour(groups, index)) is not None:
            return near
        else:
            before = None
    return None


def _first(room: _Room, one: Wanted, placed: Sequence[Label]) -> list[Label]:
    return next(([label] for label in _candidates(room, one) if room.has(label, placed)), [])


def _both(room: _Room, before: Wanted | None, one: Wanted, placed: list[Label]) -> list[Label]:
    """Move the label placed last if both then have room: `placed` loses it, and both are returned."""
    if before is None:
        return []
    rest = placed[:-1]
    for moved in _candidates(room, before):
        if room.has(moved, rest) and (found := _first(room, one, [*rest, moved])):
            del placed[-1]
            return [moved, *found]
    return []


def _neighbour(groups: list[list[Wanted]], index: int) -> int | None:
    """Find which pair to join for a label without room: with the one before it, else with the one after."""
    if index and groups[index][0].x - groups[index - 1][-1].x <= MERGE_WITHIN:
        return index - 1
    if index + 1 < len(groups) and groups[index + 1][0].x - groups[index][-1].x <= MERGE_WITHIN:
        return index
    return None


def _joined(group: list[Wanted], merged: Callable[[int, Any, Any], str]) -> Wanted:
    if len(group) == 1:
        return group[0]
    first, last = group[0], group[-1]
    name, _, when = merged(len(group), first.source, last.source).partition("\n")
    return Wanted((first.x + last.x) / 2, name, when)


def _candidates(room: _Room, one: Wanted) -> Iterator[Label]:
    for row, anchor in _choices(room, one):
        nudge = _nudge(room, one, anchor)
        left = one.x + nudge - {"start": 0.0, "middle": one.width / 2, "end": one.width}[anchor]
        yield Label(
            x=percent(one.x / room.width),
            dx=f"{nudge:.1f}",
            anchor=anchor,
            row=row,
            name=one.name,
            when=one.when,
            bold=one.kind == "aware",
            leader=one.kind != "due",
            at=one.x / room.width,
            left=left,
            right=left + one.width,
        )


def _nudge(room: _Room, one: Wanted, anchor: str) -> float:
    """Shift a label that ends at its mark: out to the flag's tip, or clear of the line of now."""
    if anchor != "end":
        return 0.0
    if one.kind == "due" and one.x > room.width - FLAG_WIDTH:
        return FLAG_WIDTH
    if room.now is not None and 0 <= room.now - one.x < FROM_LINE + 1:
        return room.now - FROM_LINE - 1 - one.x
    return 0.0


def _choices(room: _Room, one: Wanted) -> tuple[tuple[str, str], ...]:
    if one.kind == "due":
        return (("lower", "end"), ("lower", "start"), ("upper", "end"))
    if one.kind == "aware":
        return (("upper", "start"), ("lower", "start"), ("lower", "end"), ("upper", "end"))
    under_plate = room.now is not None and abs(one.x - room.now) < one.width / 2 + APART
    anchors = ("end", "middle", "start") if under_plate else ("middle", "start", "end")
    return tuple((row, anchor) for row in ("lower", "upper") for anchor in anchors)
