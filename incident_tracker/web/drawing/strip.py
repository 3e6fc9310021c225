"""The board: every incident's 72 hours on one shared axis, one lane each, one line for now through all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from incident_tracker.web.drawing.shared import RUNNING, days_between, is_weekend, known_state, percent, text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

AHEAD = timedelta(hours=60)
LOOK_BACK = timedelta(days=7)
ROOM_AFTER_DUE = timedelta(hours=6)
HALF_DAY = timedelta(hours=12)
NOMINAL_WIDTH = 470.0
PLATE = 66.0
LABEL_SIZE = 12.0


@dataclass(frozen=True)
class Day:
    """One calendar day on the axis, its left edge and width in percent; the text is empty where it has no room."""

    x: str
    width: str
    text: str
    weekend: bool
    border: bool


@dataclass(frozen=True)
class Axis:
    """The axis that all lanes share: instants, the place of now, and the days."""

    start: datetime
    end: datetime
    now: datetime
    now_x: str
    days: tuple[Day, ...]

    def place(self, at: datetime) -> float:
        """Find an instant on the axis, as a fraction from 0 to 1; outside it is the nearest end."""
        share = (at - self.start) / (self.end - self.start)
        return min(1.0, max(0.0, share))


@dataclass(frozen=True)
class Span:
    """A stretch of the axis, in percent."""

    x: str
    width: str
    end: str


@dataclass(frozen=True)
class Strip:
    """One lane's drawing; a part that the state does not have is `None` or empty."""

    state: str
    begin: str | None
    arrow: bool
    gone: Span | None
    left: Span | None
    over: Span | None
    done: str | None
    dotted: Span | None
    heavy: Span | None
    gaps: tuple[str, ...]
    flag: str | None
    hollow_flag: bool
    asks: tuple[str, ...]


def axis(
    *,
    starts: Iterable[datetime],
    dues: Iterable[datetime],
    now: datetime,
    zone: ZoneInfo,
    day_text: Callable[[date], str],
) -> Axis:
    """Lay the shared axis: from the noon or midnight before the oldest running start to 60 hours ahead or more.

    `day_text(day)` names a day shortly. Nothing older than a week stretches the axis; it gets an arrow instead.
    """
    oldest = max(min([*starts, now - HALF_DAY]), now - LOOK_BACK)
    latest = max([now + AHEAD, *(due + ROOM_AFTER_DUE for due in dues)])
    begins, ends = _half_day_before(oldest, zone), _half_day_after(latest, zone)
    whole = ends - begins
    days = []
    for day, first, last in days_between(begins, ends, zone):
        share = (last - first) / whole
        days.append(
            Day(
                x=percent((first - begins) / whole),
                width=percent(share),
                text=_fitting(day_text(day), share),
                weekend=is_weekend(day),
                border=first > begins,
            )
        )
    return Axis(begins, ends, now, percent((now - begins) / whole), tuple(days))


def _fitting(text: str, share: float) -> str:
    return text if text_width(text, LABEL_SIZE) + 2 <= share * NOMINAL_WIDTH else ""


def _half_day_before(at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    return local.replace(hour=12 if local.hour >= 12 else 0, minute=0, second=0, microsecond=0).astimezone(UTC)  # noqa: PLR2004


def _half_day_after(at: datetime, zone: ZoneInfo) -> datetime:
    before = _half_day_before(at, zone)
    return before if before == at else _half_day_before(before + HALF_DAY + timedelta(hours=2), zone)


def strip(
    shared: Axis,
    *,
    state: str,
    start: datetime,
    due: datetime | None = None,
    settled: datetime | None = None,
    asks: Sequence[datetime] = (),
) -> Strip:
    """Draw one lane on the shared axis; `start` is the awareness, or the detection while only suspected."""
    known_state(state)
    arrow = start < shared.start
    begin = None if arrow else percent(shared.place(start))
    empty = Strip(state, begin, arrow, None, None, None, None, None, None, (), None, hollow_flag=False, asks=())
    if due is None or state in ("none", "suspected"):
        return _undecided(empty, shared, start, asks)
    flag = percent(shared.place(due)) if shared.start <= due <= shared.end else None
    if state in RUNNING:
        gone, left = _span(shared, start, shared.now), _span(shared, shared.now, due)
        return replace(empty, gone=gone, left=left, gaps=_gaps(shared, start, due), flag=flag)
    if state == "overdue":
        gone, over = _span(shared, start, due), _span(shared, due, shared.now)
        return replace(empty, gone=gone, over=over, gaps=_gaps(shared, start, due), flag=flag)
    if state == "set_aside" or settled is None:
        return replace(empty, dotted=_span(shared, start, due), flag=flag, hollow_flag=True)
    left, dotted = _span(shared, start, settled), _span(shared, settled, due)
    done = percent(shared.place(settled)) if settled >= shared.start else None
    return replace(empty, left=left, dotted=dotted, done=done, flag=flag, hollow_flag=state == "met")


def _undecided(empty: Strip, shared: Axis, start: datetime, asks: Sequence[datetime]) -> Strip:
    coming = [at for at in asks if shared.now < at <= shared.end]
    dotted = _span(shared, shared.now, shared.end)
    heavy = _span(shared, start, shared.now)
    return replace(empty, heavy=heavy, dotted=dotted, asks=tuple(percent(shared.place(at)) for at in coming))


def _span(shared: Axis, first: datetime, last: datetime) -> Span | None:
    a, b = shared.place(first), shared.place(last)
    return Span(percent(a), percent(b - a), percent(b)) if b > a else None


def _gaps(shared: Axis, start: datetime, due: datetime) -> tuple[str, ...]:
    thirds = (start + (due - start) / 3, start + (due - start) * 2 / 3)
    return tuple(percent(shared.place(at)) for at in thirds if shared.start < at < shared.end)
