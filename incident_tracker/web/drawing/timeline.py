"""The time line: what happened before awareness in order, then the 72 hours to scale up to the flag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from incident_tracker.web.drawing.labels import Label, Wanted, place_labels
from incident_tracker.web.drawing.shared import (
    RUNNING,
    days_between,
    is_weekend,
    known_state,
    percent,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

WIDTHS = (1040, 860, 700, 560)
"""The widths for which labels are placed; the narrowest sheet a drawing is shown on is as wide as its number."""

BEFORE = 0.30
PLATE = 66.0
DAY_SIZE = 12.0


@dataclass(frozen=True)
class Happening:
    """One fact to mark: its name and time in words, its instant, and its kind.

    Kinds are `fact`, `alarm` (also an acknowledgement), `report`, `notice`. An approximate time has a hollow dot.
    """

    name: str
    when: str
    at: datetime
    kind: str = "fact"
    approximate: bool = False


@dataclass(frozen=True)
class Words:
    """The words that the drawing itself needs; `day(day, short)` and `merged(count, first, last)` make them."""

    aware: str
    aware_when: str
    due: str
    due_when: str
    reminders: str
    day: Callable[[date, bool], str]
    merged: Callable[[int, Happening, Happening], str]


@dataclass(frozen=True)
class Band:
    """One day, in percent of the width; the name is empty where it has no room."""

    x: str
    width: str
    text: str
    weekend: bool
    border: bool


@dataclass(frozen=True)
class Mark:
    """One mark on the line."""

    x: str
    kind: str
    approximate: bool


@dataclass(frozen=True)
class Rung:
    """One reminder of the ladder; the label is the hours left, empty where it has no room."""

    x: str
    label: str
    with_unit: bool
    passed: bool


@dataclass(frozen=True)
class Bar:
    """A stretch of the line, in percent."""

    x: str
    width: str
    end: str


@dataclass(frozen=True)
class Timeline:
    """Everything the template prints for one width; a part that the state does not have is `None` or empty."""

    width: int
    state: str
    aware: str | None
    before: Bar | None
    gone: Bar | None
    left: Bar | None
    over: Bar | None
    dotted: Bar | None
    done: str | None
    flag: str | None
    hollow_flag: bool
    now: str | None
    plate: str | None
    bands: tuple[Band, ...]
    gaps: tuple[str, ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    rungs: tuple[Rung, ...]
    rungs_label: str | None


@dataclass(frozen=True)
class _Scale:
    """Where an instant lies: in order before awareness, to scale after it."""

    begin: float
    aware: datetime
    end: datetime

    def place(self, at: datetime) -> float:
        share = (at - self.aware) / (self.end - self.aware)
        return self.begin + (1 - self.begin) * min(1.0, max(0.0, share))


def timelines(**facts: object) -> tuple[Timeline, ...]:
    """Draw the same facts for each of `WIDTHS`, widest first; the style sheet shows the one that fits."""
    return tuple(timeline(width=width, **facts) for width in WIDTHS)  # type: ignore[arg-type]


def timeline(
    *,
    width: int,
    state: str,
    happenings: Sequence[Happening],
    aware: datetime | None,
    due: datetime | None,
    now: datetime,
    zone: ZoneInfo,
    words: Words,
    ladder_hours: Sequence[int],
    settled: datetime | None = None,
    phone: bool = False,
) -> Timeline:
    """Draw the story of one incident; labels are placed for `width` pixels and hold for every wider sheet.

    `ladder_hours` are the reminders before the deadline; `settled` is when the duty was met. On a phone
    (`phone=True`) the axis begins at the awareness, without labels.
    """
    known_state(state)
    ordered = sorted(happenings, key=lambda one: one.at)
    if aware is None or due is None:
        return _in_order(width, state, ordered, words, phone=phone)
    early = [] if phone else [one for one in ordered if one.at < aware]
    scale = _Scale(_share_before(early), aware, _end(state, due, now, settled))
    late = [one for one in ordered if aware <= one.at <= scale.end]
    places = [*_spread(early, scale.begin, width), *(scale.place(one.at) for one in late)]
    shown = [*early, *late]
    now_x = scale.place(now) if now <= scale.end else None
    plate = None if now_x is None else min(max(now_x, PLATE / 2 / width), 1 - PLATE / 2 / width)
    due_x = scale.place(due)
    labels: tuple[Label, ...] = ()
    if not phone:
        wanted = [Wanted(x * width, one.name, one.when, one) for x, one in zip(places, shown, strict=True)]
        fixed = [
            Wanted(due_x * width, words.due, words.due_when, kind="due"),
            Wanted(scale.begin * width, words.aware, words.aware_when, kind="aware"),
        ]
        labels = place_labels(
            wanted,
            fixed,
            width=float(width),
            now=None if now_x is None else now_x * width,
            plate=None if plate is None else plate * width,
            merged=words.merged,
        )
    bars = _bars(state, scale, due, now, settled)
    lines = [] if phone else [at for at in (now_x, *(label.at for label in labels if label.leader)) if at is not None]
    rungs = () if phone else _rungs(scale, due, now, ladder_hours, width)
    return Timeline(
        width=width,
        state=state,
        aware=percent(scale.begin),
        before=_bar(0.0, scale.begin) if early else None,
        gone=bars["gone"],
        left=bars["left"],
        over=bars["over"],
        dotted=bars["dotted"],
        done=percent(scale.place(settled)) if settled is not None and state in ("met", "met_late") else None,
        flag=percent(due_x),
        hollow_flag=state in ("met", "set_aside"),
        now=None if now_x is None else percent(now_x),
        plate=None if plate is None else percent(plate),
        bands=_bands(scale, zone, words, width, lines, phone=phone),
        gaps=tuple(percent(scale.place(aware + (due - aware) * third / 3)) for third in (1, 2)),
        marks=tuple(Mark(percent(x), one.kind, one.approximate) for x, one in zip(places, shown, strict=True)),
        labels=labels,
        rungs=rungs,
        rungs_label=_room_for_caption(rungs, scale, words, width),
    )


def _end(state: str, due: datetime, now: datetime, settled: datetime | None) -> datetime:
    if state == "overdue":
        return max(due, now)
    if settled is not None and state == "met_late":
        return max(due, settled)
    return due


def _share_before(early: Sequence[Happening]) -> float:
    return BEFORE if early else 0.0


def _spread(early: Sequence[Happening], until: float, width: int) -> list[float]:
    """Set what lies before awareness in order, with room in proportion to each label."""
    if not early:
        return []
    sizes = [max(text_width(one.name, 13), text_width(one.when, 12)) for one in early]
    steps = [(first + second) / 2 + 16 for first, second in zip(sizes, [*sizes[1:], 24.0], strict=True)]
    steps[0] += sizes[0] / 2
    room = until * width / sum(steps)
    places, x = [], 0.0
    for step in steps:
        places.append(x / width)
        x += step * room
    return places


def _in_order(width: int, state: str, ordered: Sequence[Happening], words: Words, *, phone: bool) -> Timeline:
    """Draw a suspicion: no scale and no deadline, only the order of things."""
    places = _spread(ordered, 1.0, width)
    wanted = [Wanted(x * width, one.name, one.when, one) for x, one in zip(places, ordered, strict=True)]
    labels = () if phone else place_labels(wanted, [], width=float(width), now=None, plate=None, merged=words.merged)
    return Timeline(
        width=width,
        state=state,
        aware=None,
        before=_bar(0.0, 1.0),
        gone=None,
        left=None,
        over=None,
        dotted=None,
        done=None,
        flag=None,
        hollow_flag=False,
        now=None,
        plate=None,
        bands=(),
        gaps=(),
        marks=tuple(Mark(percent(x), one.kind, one.approximate) for x, one in zip(places, ordered, strict=True)),
        labels=labels,
        rungs=(),
        rungs_label=None,
    )


def _bar(first: float, last: float) -> Bar | None:
    return Bar(percent(first), percent(last - first), percent(last)) if last > first else None


def _bars(state: str, scale: _Scale, due: datetime, now: datetime, settled: datetime | None) -> dict[str, Bar | None]:
    none: dict[str, Bar | None] = {"gone": None, "left": None, "over": None, "dotted": None}
    begin, end = scale.begin, scale.place(due)
    if state in RUNNING:
        return none | {"gone": _bar(begin, scale.place(now)), "left": _bar(scale.place(now), end)}
    if state == "overdue":
        return none | {"gone": _bar(begin, end), "over": _bar(end, scale.place(now))}
    if state in ("met", "met_late") and settled is not None:
        done = scale.place(settled)
        return none | {"left": _bar(begin, done), "dotted": _bar(done, end)}
    return none | {"dotted": _bar(begin, end)}


def _bands(
    scale: _Scale, zone: ZoneInfo, words: Words, width: int, lines: Sequence[float], *, phone: bool
) -> tuple[Band, ...]:
    """Name the days that have room: in full, else in short, and never where a leader or now would strike them."""
    bands = []
    for day, first, last in days_between(scale.aware, scale.end, zone):
        x, room = scale.place(first), scale.place(last) - scale.place(first)
        names = [words.day(day, True)] if phone else [words.day(day, False), words.day(day, True)]  # noqa: FBT003
        fits = [
            name for name in names if _has_room(text_width(name, DAY_SIZE), x * width, room * width, lines, width)
        ]
        bands.append(Band(percent(x), percent(room), (fits or [""])[0], is_weekend(day), first > scale.aware))
    return tuple(bands)


def _has_room(wide: float, x: float, room: float, lines: Sequence[float], width: int) -> bool:
    struck = any(x + 4 < line * width < x + wide + 10 for line in lines)
    return wide + 12 <= room and not struck


def _rungs(scale: _Scale, due: datetime, now: datetime, hours: Sequence[int], width: int) -> tuple[Rung, ...]:
    rungs, taken = [], 0.0
    for left in sorted(hours, reverse=True):
        at = due - timedelta(hours=left)
        if at <= scale.aware:
            continue
        x = scale.place(at)
        label, with_unit, half = "", False, 0.0
        for unit in (True, False):
            half = text_width(f"{left} t" if unit else str(left), DAY_SIZE) / 2
            if x * width - half >= taken + (16 if unit else 6):
                label, with_unit, taken = str(left), unit, x * width + half
                break
        rungs.append(Rung(percent(x), label, with_unit, at <= now))
    return tuple(rungs)


def _room_for_caption(rungs: tuple[Rung, ...], scale: _Scale, words: Words, width: int) -> str | None:
    if not rungs:
        return None
    first = float(rungs[0].x.rstrip("%")) / 100
    room = (first - scale.begin) * width - 24
    return percent(scale.begin) if text_width(words.reminders, DAY_SIZE) <= room else None
