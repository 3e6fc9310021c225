"""Where the labels of the time line go: two rows, eight pixels apart, and the plate of now always on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_tracker.web.drawing.shared import percent, text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

APART = 8.0
MERGE_WITHIN = 20.0
NAME_SIZE = 13.0
WHEN_SIZE = 12.0
PLATE_WIDTH = 66.0
FLAG_WIDTH = 16.0
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
    """A label in its place: `row` is `lower` or `upper`, `anchor` is an SVG text-anchor, `dx` a nudge in pixels;
    `at` is the mark's place as a fraction, `left` and `right` the box in pixels."""

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


@dataclass
class _Board:
    """What is taken so far: boxes in each row, and the leaders of the upper row that pass the lower one."""

    width: float
    now: float | None
    rows: dict[str, list[tuple[float, float]]]
    leaders: list[float]

    def free(self, row: str, left: float, right: float, x: float) -> bool:
        """Tell whether a box may stand in a row without coming too near anything."""
        if left < -ROUNDING or right > self.width + FLAG_WIDTH + ROUNDING:
            return False
        if any(left < taken[1] + APART and right > taken[0] - APART for taken in self.rows[row]):
            return False
        if row == "upper":
            return not any(taken[0] - 3 < x < taken[1] + 3 for taken in self.rows["lower"])
        crossed = [*self.leaders, *([] if self.now is None else [self.now])]
        return not any(left - 3 < line < right + 3 for line in crossed)


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

    Marks within 20 pixels whose labels do not fit are joined under one (`merged(count, first, last)`); a label that
    fits nowhere is left out, its fact stands in the table.
    """
    groups = [[one] for one in sorted(wanted, key=lambda one: one.x)]
    while True:
        board = _board(width, now, plate)
        placed = [label for one in fixed if (label := _place(board, one)) is not None]
        stuck = None
        for index, group in enumerate(groups):
            label = _place(board, _joined(group, merged))
            if label is not None:
                placed.append(label)
            elif (stuck := _neighbour(groups, index)) is not None:
                break
        if stuck is None:
            return tuple(sorted(placed, key=lambda label: label.left))
        groups[stuck : stuck + 2] = [groups[stuck] + groups[stuck + 1]]


def _board(width: float, now: float | None, plate: float | None) -> _Board:
    upper = [] if plate is None else [(plate - PLATE_WIDTH / 2, plate + PLATE_WIDTH / 2)]
    return _Board(width, now, {"lower": [], "upper": upper}, [])


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


def _place(board: _Board, one: Wanted) -> Label | None:
    for row, anchor in _choices(board, one):
        gap = 4.0 if one.kind == "mark" and anchor != "middle" and board.now is not None else 0.0
        near_now = board.now is not None and abs(one.x - board.now) < one.width
        nudge = {"start": 0.0, "middle": 0.0, "end": -gap if near_now else 0.0}[anchor]
        if one.kind == "due" and anchor == "end" and one.x > board.width - FLAG_WIDTH:
            nudge = FLAG_WIDTH
        at = one.x
        if nudge < 0 and board.now is not None:
            nudge = min(nudge, board.now - 4 - at)
        left = at + nudge - {"start": 0.0, "middle": one.width / 2, "end": one.width}[anchor]
        right = left + one.width
        if board.free(row, left, right, at):
            board.rows[row].append((left, right))
            if row == "upper":
                board.leaders.append(at)
            return Label(
                x=percent(at / board.width),
                dx=f"{nudge:g}",
                anchor=anchor,
                row=row,
                name=one.name,
                when=one.when,
                bold=one.kind == "aware",
                leader=one.kind != "due",
                at=at / board.width,
                left=left,
                right=right,
            )
    return None


def _choices(board: _Board, one: Wanted) -> tuple[tuple[str, str], ...]:
    if one.kind == "due":
        return (("lower", "end"), ("lower", "start"), ("upper", "end"))
    if one.kind == "aware":
        return (("upper", "start"), ("lower", "start"), ("lower", "end"), ("upper", "end"))
    under_plate = board.now is not None and abs(one.x - board.now) < one.width / 2 + APART
    anchors = ("end", "middle", "start") if under_plate else ("middle", "start", "end")
    return tuple((row, anchor) for row in ("lower", "upper") for anchor in anchors)
