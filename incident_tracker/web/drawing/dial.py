"""The dial: 72 ticks, five degrees each; hours left long and coloured, hours gone short and grey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from incident_tracker.web.drawing.shared import (
    Amount,
    amounts,
    arc,
    gone_share,
    known_state,
    number,
    on_circle,
    spoke,
)

if TYPE_CHECKING:
    from datetime import datetime, timedelta

CENTRE = 120.0
TICKS = 72
STEP = 360 / TICKS
LEFT = (92.0, 112.0)
GONE = (100.0, 107.0)
UNDECIDED = (100.0, 108.0)
DAY_MARK = (86.0, 117.0)
HAND = (84.0, 119.0)
ARC_RADIUS = 118.0
LABEL_RADIUS = 75.0


@dataclass(frozen=True)
class DayMark:
    """A mark at a third of the period; its label says the hours left there and where it stands."""

    path: str
    label: str
    x: str
    y: str


@dataclass(frozen=True)
class Dial:
    """Everything the template prints; a path is empty where the state has none of it."""

    state: str
    left: str
    gone: str
    even: str
    arc: str
    hand: str
    day_marks: tuple[DayMark, ...]
    due_mark: bool
    dashed: bool
    counts: str
    amounts: tuple[Amount, ...]
    start: datetime | None
    due: datetime | None
    now: datetime


def dial(
    *,
    state: str,
    now: datetime,
    start: datetime | None = None,
    due: datetime | None = None,
    settled: datetime | None = None,
) -> Dial:
    """Draw a duty from its facts: `start` is the anchor (or the detection), `settled` when it was met.

    `counts` of the result is `left`, `over`, `since`, `before` or `after` the deadline, or `nothing`.
    """
    known_state(state)
    if state == "set_aside":
        return _plain(state, now, start, due)
    if start is None or due is None or state in ("none", "suspected"):
        return _counting_up(state, now, start)
    share = gone_share(start, due, settled if settled is not None and state == "met" else now)
    elapsed = share * TICKS
    counts, span = _span(state, now, due, settled)
    left, gone, even, over = "", "", "", ""
    if state == "overdue":
        left = _ticks(range(TICKS), *LEFT)
        over = arc(CENTRE, ARC_RADIUS, 0, _overrun(start, due, now))
    elif state == "met_late":
        even = _ticks(range(TICKS), *UNDECIDED)
        over = arc(CENTRE, ARC_RADIUS, 0, _overrun(start, due, settled or now))
    else:
        left, gone = _ring(elapsed)
    hand = spoke(CENTRE, *HAND, elapsed * STEP) if state in ("open", "approaching") else ""
    return Dial(
        state=state,
        left=left,
        gone=gone,
        even=even,
        arc=over,
        hand=hand,
        day_marks=_day_marks(due - start),
        due_mark=True,
        dashed=False,
        counts=counts,
        amounts=amounts(span),
        start=start,
        due=due,
        now=now,
    )


def _span(state: str, now: datetime, due: datetime, settled: datetime | None) -> tuple[str, timedelta]:
    if state == "overdue":
        return "over", now - due
    if state == "met":
        return "before", due - (settled or now)
    if state == "met_late":
        return "after", (settled or now) - due
    return "left", due - now


def _overrun(start: datetime, due: datetime, until: datetime) -> float:
    period = (due - start).total_seconds()
    over = max(0.0, (until - due).total_seconds())
    return 360.0 if period <= 0 else min(360.0, over / period * 360)


def _ticks(which: range, inner: float, outer: float) -> str:
    return "".join(spoke(CENTRE, inner, outer, k * STEP + STEP / 2) for k in which)


def _ring(elapsed: float) -> tuple[str, str]:
    """Split the ring at the running hour: a short grey tick with the rest of its hour as a long one over it."""
    running = int(elapsed)
    left = _ticks(range(running + 1, TICKS), *LEFT)
    gone = _ticks(range(min(running + 1, TICKS)), *GONE)
    part = 1 - (elapsed - running)
    if running < TICKS and part > 0:
        inner, outer = LEFT
        left = spoke(CENTRE, inner, inner + (outer - inner) * part, running * STEP + STEP / 2) + left
    return left, gone


def _day_marks(period: timedelta) -> tuple[DayMark, ...]:
    marks = []
    for third in range(3):
        degrees = third * 120.0
        x, y = on_circle(CENTRE, LABEL_RADIUS, degrees)
        hours = period.total_seconds() / 3600 * (3 - third) / 3
        label = number(hours) if third else ""
        marks.append(DayMark(spoke(CENTRE, *DAY_MARK, degrees), label, number(x), number(y + 5)))
    return tuple(marks)


def _plain(state: str, now: datetime, start: datetime | None, due: datetime | None) -> Dial:
    return Dial(
        state=state,
        left="",
        gone="",
        even="",
        arc="",
        hand="",
        day_marks=(),
        due_mark=False,
        dashed=True,
        counts="nothing",
        amounts=(),
        start=start,
        due=due,
        now=now,
    )


def _counting_up(state: str, now: datetime, start: datetime | None) -> Dial:
    return replace(
        _plain(state, now, start, None),
        even=_ticks(range(TICKS), *UNDECIDED),
        dashed=False,
        counts="nothing" if start is None else "since",
        amounts=() if start is None else amounts(now - start),
    )
