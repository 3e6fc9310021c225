"""Clock arithmetic: elapsed hours in UTC, wall clocks, clock changes; holidays never move anything."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incident_tracker.domain.errors import Refusal

EARLIEST_YEAR = 1900
LATEST_YEAR = 2199
HOUR = timedelta(hours=1)
_SATURDAY = 5
_FARTHEST_OFFSET = timedelta(hours=14)
_LONGEST_TIME = 64
_DATE_SHAPE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)")


class TimeIsNaive(Refusal):
    """A time without an offset: it names an instant only by guessing."""

    message: ClassVar[str] = "%(value)s has no offset. Write the time with one, for example 2026-11-22T21:15+01:00."


class TimeIsUnreadable(Refusal):
    """A text that is no ISO 8601 time."""

    message: ClassVar[str] = "%(value)s is not a time. Write it as 2026-11-22T21:15+01:00."


class DateDoesNotExist(Refusal):
    """A day that the calendar does not have, such as 29 February in an ordinary year."""

    message: ClassVar[str] = "The calendar has no day %(value)s. Check the day, the month and the year."


class TimeIsOutOfRange(Refusal):
    """A time so far away that it can only be a slip of the pen."""

    message: ClassVar[str] = "%(value)s is too far away. Write a year from %(earliest)s to %(latest)s."


class TimeIsInFuture(Refusal):
    """Something that is said to have happened has not happened yet."""

    message: ClassVar[str] = "%(value)s has not happened yet. Write a time that has passed."


class TimeInClockChangeGap(Refusal):
    """A wall-clock time that was skipped when the clocks went forward."""

    message: ClassVar[str] = (
        "%(wall)s does not exist in %(zone)s: the clocks went forward from %(before)s to %(after)s. "
        "Write a time outside that gap."
    )


class TimeIsAmbiguous(Refusal):
    """A wall-clock time that happened twice when the clocks went back; `choices` are the two instants, in UTC."""

    message: ClassVar[str] = (
        "%(wall)s happened twice in %(zone)s, because the clocks went back. "
        "Choose the first (%(first_offset)s) or the second (%(second_offset)s)."
    )

    @property
    def choices(self) -> tuple[datetime, datetime]:
        """Return the first and the second instant, in UTC: fold 0 and fold 1."""
        first, second = self.params["first"], self.params["second"]
        assert isinstance(first, datetime)  # noqa: S101 - told to the type checker; we set them
        assert isinstance(second, datetime)  # noqa: S101
        return first, second


class ZoneIsUnknown(Refusal):
    """A time zone that the zone database does not have."""

    message: ClassVar[str] = "There is no time zone called %(zone)s. Write a name such as Europe/Copenhagen."


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The instant (UTC) at which a zone's clocks jump, by how much, and both wall-clock readings of it."""

    at: datetime
    shift: timedelta
    before: datetime
    after: datetime


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of an IANA name, or refuse with `ZoneIsUnknown`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneIsUnknown(field="zone", zone=name) from None


def require_aware(value: datetime, field: str | None = None) -> datetime:
    """Return the value unchanged if it carries an offset; refuse with `TimeIsNaive` otherwise."""
    if value.utcoffset() is None:
        raise TimeIsNaive(field=field, value=value.isoformat())
    return value


def to_utc(value: datetime, field: str | None = None) -> datetime:
    """Return the same instant in UTC; naive times and years outside 1900-2199 are refused."""
    require_aware(value, field)
    return _in_range(value, field).astimezone(UTC)


def require_not_future(value: datetime, now: datetime, field: str | None = None) -> datetime:
    """Return the instant in UTC if it is not after `now`; refuse with `TimeIsInFuture` otherwise."""
    instant = to_utc(value, field)
    if instant > now:
        raise TimeIsInFuture(field=field, value=value)
    return instant


def add_hours(anchor: datetime, hours: int) -> datetime:
    """Return the anchor plus so many elapsed hours, in UTC; no weekend, holiday or clock change moves it."""
    return _in_range(to_utc(anchor, "anchor") + timedelta(hours=hours), "anchor")


def outer_reading(anchor: datetime, hours: int) -> datetime:
    """Return the longest reading of a period in hours: next full hour plus the hours, in UTC.

    An event exactly on the hour moves a whole hour. A note, never a deadline: Regulation (EEC, Euratom)
    1182/71 Art. 3(1) and 3(2)(a) leave out the hour of the event. Full hours are those of UTC, which are those
    of every zone of the Union.
    """
    start_of_hour = to_utc(anchor, "anchor").replace(minute=0, second=0, microsecond=0)
    return add_hours(start_of_hour + HOUR, hours)


def from_wall_clock(wall: datetime, zone: str, fold: int | None = None, field: str | None = None) -> datetime:
    """Return the instant (UTC) at which the clocks of `zone` showed the naive time `wall`.

    A skipped time is refused with `TimeInClockChangeGap`. A doubled one is refused with `TimeIsAmbiguous` until
    `fold` says which (0 the first, 1 the second); elsewhere `fold` has no effect.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall-clock time carries no zone of its own")
    if fold not in (None, 0, 1):
        raise ValueError("fold is 0 for the first passing, 1 for the second, None if nobody was asked")
    _in_range(wall, field)
    place = zone_of(zone)
    first, second = (wall.replace(tzinfo=place, fold=passing) for passing in (0, 1))
    if _is_skipped(first):
        raise _gap(wall, zone, first.astimezone(UTC), field)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if fold is None:
        raise TimeIsAmbiguous(
            field=field,
            wall=wall.replace(fold=0),
            zone=zone,
            first=first.astimezone(UTC),
            second=second.astimezone(UTC),
            first_offset=offset_name(first),
            second_offset=offset_name(second),
        )
    return (second if fold else first).astimezone(UTC)


def parse_iso(text: str, field: str | None = None) -> datetime:
    """Return the instant (UTC) of an ISO 8601 time with offset; without an offset it is refused, never guessed."""
    written = text.strip()
    shown = written[:_LONGEST_TIME]
    try:
        value = datetime.fromisoformat(written) if len(written) <= _LONGEST_TIME else None
    except ValueError:
        value = None
    if value is None:
        raise _unreadable(shown, field)
    if value.tzinfo is None:
        raise TimeIsNaive(field=field, value=shown)
    if abs(value.utcoffset() or timedelta()) > _FARTHEST_OFFSET:
        raise TimeIsUnreadable(field=field, value=shown)
    return to_utc(value, field)


def offset_name(local: datetime) -> str:
    """Return the offset of an aware time as people write it: `UTC`, `UTC+1`, `UTC-3:30`."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def clock_changes(start: datetime, end: datetime, zone: str) -> tuple[ClockChange, ...]:
    """Return the clock changes of `zone` after `start` and not after `end`, in order."""
    place = zone_of(zone)
    found = []
    low, end = to_utc(start), to_utc(end)
    while low < end:
        high = min(low + HOUR, end)
        if low.astimezone(place).utcoffset() != high.astimezone(place).utcoffset():
            found.append(_change_between(low, high, place))
        low = high
    return tuple(found)


def weekend_time(start: datetime, end: datetime, zone: str) -> timedelta:
    """Return how much of the time from `start` to `end` is a Saturday or Sunday in `zone`, as elapsed time."""
    place = zone_of(zone)
    start, end = to_utc(start), to_utc(end)
    total = timedelta()
    for day in _days(start.astimezone(place).date(), end.astimezone(place).date()):
        if day.weekday() >= _SATURDAY:
            opens, closes = (_midnight(moment, place) for moment in (day, day + timedelta(days=1)))
            total += max(timedelta(), min(closes, end) - max(opens, start))
    return total


def _in_range(value: datetime, field: str | None) -> datetime:
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise TimeIsOutOfRange(field=field, value=value.isoformat(), earliest=EARLIEST_YEAR, latest=LATEST_YEAR)
    return value


def _is_skipped(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None, fold=0) != local.replace(tzinfo=None, fold=0)


def _gap(wall: datetime, zone: str, near: datetime, field: str | None) -> TimeInClockChangeGap:
    two_days = timedelta(days=2)
    jump = next(
        change
        for change in clock_changes(near - two_days, near + two_days, zone)
        if change.before <= wall < change.after
    )
    return TimeInClockChangeGap(field=field, wall=wall, zone=zone, before=jump.before, after=jump.after)


def _change_between(low: datetime, high: datetime, place: ZoneInfo) -> ClockChange:
    """Narrow the hour that holds a clock change to its second."""
    old, new = (moment.astimezone(place).utcoffset() or timedelta() for moment in (low, high))
    second = timedelta(seconds=1)
    low = low.replace(microsecond=0)
    while high - low > second:
        middle = low + (high - low) // 2
        if middle.astimezone(place).utcoffset() == old:
            low = middle
        else:
            high = middle
    at = (low + second).replace(microsecond=0)
    naive = at.replace(tzinfo=None)
    return ClockChange(at=at, shift=new - old, before=naive + old, after=naive + new)


def _unreadable(written: str, field: str | None) -> Refusal:
    shape = _DATE_SHAPE.match(written)
    if shape:
        try:
            date(*(int(part) for part in shape.groups()))
        except ValueError:
            return DateDoesNotExist(field=field, value=shape.group())
    return TimeIsUnreadable(field=field, value=written)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _midnight(day: date, place: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=place).astimezone(UTC)
