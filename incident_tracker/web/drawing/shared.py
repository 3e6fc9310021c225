"""What the drawings have in common: states, amounts of time, points on a circle, the width of words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

STATES = ("open", "approaching", "overdue", "met", "met_late", "set_aside", "none", "suspected")
"""The six standings, `none` for a duty without a fixed period and `suspected` before anything is decided."""

RUNNING = ("open", "approaching")

SATURDAY = 5
SECONDS_SHOWN_BELOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Amount:
    """One number of a span of time with the key of its unit: `d`, `h`, `min` or `s`."""

    value: int
    unit: str


def amounts(span: timedelta) -> tuple[Amount, ...]:
    """Split a span as the dial shows it: days and hours, hours and minutes, minutes, or minutes and seconds.

    A negative span counts as nothing; parts are cut, never rounded up.
    """
    seconds = max(0, int(span.total_seconds()))
    days, hours = divmod(seconds // 3600, 24)
    minutes = seconds // 60 % 60
    if days:
        return Amount(days, "d"), Amount(hours, "h")
    if hours:
        return Amount(hours, "h"), Amount(minutes, "min")
    if seconds < SECONDS_SHOWN_BELOW.total_seconds():
        return Amount(minutes, "min"), Amount(seconds % 60, "s")
    return (Amount(minutes, "min"),)


def known_state(state: str) -> str:
    """Give the state back, or refuse one that no drawing knows."""
    if state not in STATES:
        raise ValueError(f"no drawing for the state {state!r}")
    return state


def number(value: float) -> str:
    """Write a coordinate with at most two decimals and no needless zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(fraction: float) -> str:
    """Write a fraction of a drawing's width as the percentage an SVG attribute takes."""
    return f"{number(fraction * 100)}%"


def on_circle(centre: float, radius: float, degrees: float) -> tuple[float, float]:
    """Find the point at an angle, clockwise from 12 o'clock."""
    angle = math.radians(degrees)
    return centre + radius * math.sin(angle), centre - radius * math.cos(angle)


def spoke(centre: float, inner: float, outer: float, degrees: float) -> str:
    """Draw one stroke from an inner to an outer radius, as a piece of a path."""
    x1, y1 = on_circle(centre, inner, degrees)
    x2, y2 = on_circle(centre, outer, degrees)
    return f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"


def arc(centre: float, radius: float, start: float, end: float) -> str:
    """Draw an arc clockwise between two angles, as a path; a whole turn or more is a closed circle."""
    if end <= start:
        return ""
    x1, y1 = on_circle(centre, radius, start)
    r = number(radius)
    if end - start >= 360:  # noqa: PLR2004 - a whole turn
        x2, y2 = on_circle(centre, radius, start + 180)
        half = f"A{r} {r} 0 1 1 "
        return f"M{number(x1)} {number(y1)}{half}{number(x2)} {number(y2)}{half}{number(x1)} {number(y1)}"
    x2, y2 = on_circle(centre, radius, end)
    large = int(end - start > 180)  # noqa: PLR2004 - half a turn
    return f"M{number(x1)} {number(y1)}A{r} {r} 0 {large} 1 {number(x2)} {number(y2)}"


def gone_share(start: datetime, end: datetime, now: datetime) -> float:
    """Tell how much of a period has passed, from 0 to 1; an empty period has passed."""
    whole = (end - start).total_seconds()
    if whole <= 0:
        return 1.0
    return min(1.0, max(0.0, (now - start).total_seconds() / whole))


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Find the instant at which a day begins in a zone, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """Walk the calendar days of a zone that touch a span: the day, and where it begins and ends within the span."""
    day = start.astimezone(zone).date()
    while (begins := local_midnight(day, zone)) < end:
        following = day + timedelta(days=1)
        ends = local_midnight(following, zone)
        if ends > start:
            yield day, max(begins, start), min(ends, end)
        day = following


def is_weekend(day: date) -> bool:
    """Tell whether a day is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


_WIDTHS = {
    240: " ",
    260: "'ij",
    280: ",.l",
    300: "!:;",
    320: "[]",
    340: "()f·",
    360: "t{|}",
    380: "r",
    400: "-",
    420: "/I",
    480: "?z",
    500: "cs",
    520: "*Lvxy",
    540: "Jagkåä»«",
    560: "F_eoøéö",
    580: "Thnuü\u2013",
    600: "$+0123456789<=>ESZbdpq",
    620: "PVY",
    640: "CX",
    660: "ABKRÅÄ",
    680: "#DUÜ",
    700: "&G",
    720: "HNOQØÖ",
    800: "w",
    820: "M",
    860: "æ",
    880: "m",
    900: "@",
    920: "W",
    940: "%Æ",
}
"""Advance widths of IBM Plex Sans at weight 500, in thousandths of the size, to the nearest twenty."""

_WIDTH_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_WIDTH_UNKNOWN = 640


def text_width(text: str, size: float) -> float:
    """Estimate the width of words in the product's own face, in pixels at a size in pixels."""
    return sum(_WIDTH_OF.get(character, _WIDTH_UNKNOWN) for character in text) * size / 1000
