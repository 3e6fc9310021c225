"""Times as people write them in a form, in Danish and English: "i går 14.30", "yesterday 2:30 pm", "nu"."""

import re
from datetime import date, datetime, time, timedelta
from typing import ClassVar

from incident_tracker.domain import periods
from incident_tracker.domain.errors import Refusal

_LONGEST_TEXT = 80
_WEEK_DAYS = 7
_NOON = 12
_FARTHEST_BACK_DAYS = 366

EXAMPLES = {
    "da": "nu; i dag 9; i går 14.30; i fredags 16.45; for 2 timer siden; 22.11.2026 kl. 21.15; 2026-11-22T21:15",
    "en": "now; today 9; yesterday 14:30; last friday 4:45 pm; 2 hours ago; 22 November 2026 21:15; 2026-11-22T21:15",
}


class TimeIsNotUnderstood(Refusal):
    """A text that names no time in any form that is known here."""

    message: ClassVar[str] = "This time was not understood. These forms work: %(forms)s."


class TimeOfDayIsMissing(Refusal):
    """A day without a time of day, where the hours count."""

    message: ClassVar[str] = "Add the time of day, for example %(text)s %(example)s."


class WeekdayIsToday(Refusal):
    """A weekday that is today's: today or a week ago cannot be told apart."""

    message: ClassVar[str] = "Today has the same weekday. Write today, or write the date."


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar january jan",
            "februar february feb",
            "marts march mar",
            "april apr",
            "maj may",
            "juni june jun",
            "juli july jul",
            "august aug",
            "september sep sept",
            "oktober october okt oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mandag monday mon",
            "tirsdag tuesday tue tues",
            "onsdag wednesday wed",
            "torsdag thursday thu thurs",
            "fredag friday fri",
            "lørdag loerdag lordag saturday sat",
            "søndag soendag sondag sunday sun",
        )
    )
    for name in names.split()
}
_DAYS_AGO = {
    "i dag": 0,
    "idag": 0,
    "today": 0,
    "i går": 1,
    "i gaar": 1,
    "igår": 1,
    "igaar": 1,
    "yesterday": 1,
    "i forgårs": 2,
    "i forgaars": 2,
    "forgårs": 2,
    "the day before yesterday": 2,
}
_NUMBER_WORDS = {"en": 1, "et": 1, "a": 1, "an": 1, "one": 1, "to": 2, "two": 2, "tre": 3, "three": 3}
_UNITS = {
    "minut": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "time": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "timer": timedelta(hours=1),
    "t": timedelta(hours=1),
    "h": timedelta(hours=1),
    "dag": timedelta(days=1),
    "day": timedelta(days=1),
    "døgn": timedelta(days=1),
    "dage": timedelta(days=1),
    "minutter": timedelta(minutes=1),
}

_CLOCK = re.compile(
    r"(?:^|[ ,]+|(?<=\d)t(?=\d))(?:(?:kl\.?|klokken|at|@) *)?"
    r"(?P<hour>[0-9]{1,2})(?:[.:](?P<minute>[0-9]{2}))?(?::(?P<second>[0-9]{2}))? *(?P<half>[ap]\.?m\.?)?$"
)
_AGO = re.compile(r"(?:for )?(?P<number>[0-9]{1,4}|[a-z]+) (?P<unit>[a-zø]+?)s? (?:siden|ago)")
_ISO_DATE = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")
_DAY_FIRST = re.compile(r"(?:den )?(?P<day>[0-9]{1,2})[./-](?P<month>[0-9]{1,2})(?:[./-](?P<year>[0-9]{4})?)?")
_DAY_MONTH = re.compile(
    r"(?:den |the )?(?P<day>[0-9]{1,2})(?:\.|st|nd|rd|th)? (?:of )?(?P<name>[a-z]+)\.?,?(?: (?P<year>[0-9]{4}))?"
)
_MONTH_DAY = re.compile(r"(?P<name>[a-z]+)\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,?(?: (?P<year>[0-9]{4}))?")
_WEEKDAY = re.compile(r"(?P<certain>i |sidste |last )?(?:on |on the |om )?(?P<name>[a-zø]+?)(?P<past>s)?")


def read(text: str, now: datetime, zone: str, language: str, field: str | None = None) -> datetime:
    """Return the naive wall-clock time, in `zone`, that a text names; `now` is the aware moment of reading.

    Danish and English forms are both read, whatever the language; it chooses the examples of a refusal. A day without
    a year is the latest such day that is not to come. The result may lie in a gap, in a doubled hour or ahead of now:
    `periods.from_wall_clock` and `periods.require_not_future` ask about these.
    """
    words = " ".join(text.casefold().split())
    here = periods.to_utc(now).astimezone(periods.zone_of(zone)).replace(tzinfo=None, fold=0)
    minute = here.replace(second=0, microsecond=0)
    if not words or len(words) > _LONGEST_TEXT:
        raise _not_understood(language, field)
    if words in {"nu", "now", "lige nu", "just now", "right now"}:
        return minute
    ago = _ago(words, now, zone)
    if ago is not None:
        return ago
    exact = _with_offset(text.strip(), zone, field)
    if exact is not None:
        return exact
    return _day_and_clock(words, minute, language, field)


def _not_understood(language: str, field: str | None) -> TimeIsNotUnderstood:
    return TimeIsNotUnderstood(field=field, forms=EXAMPLES.get(language, EXAMPLES["en"]))


def _with_offset(text: str, zone: str, field: str | None) -> datetime | None:
    """Read an ISO time that names its own offset, and show it on the wall clock of the zone."""
    try:
        instant = periods.parse_iso(text, field)
    except (periods.TimeIsNaive, periods.TimeIsUnreadable, periods.DateDoesNotExist):
        return None
    return instant.astimezone(periods.zone_of(zone)).replace(tzinfo=None)


def _ago(words: str, now: datetime, zone: str) -> datetime | None:
    """Read "2 hours ago": elapsed time, so it is taken off the instant, not off the wall clock."""
    found = _AGO.fullmatch(words)
    if found is None:
        return None
    number, unit = found["number"], _UNITS.get(found["unit"])
    count = int(number) if number.isdigit() else _NUMBER_WORDS.get(number)
    if count is None or unit is None or count * unit > timedelta(days=_FARTHEST_BACK_DAYS):
        return None
    place = periods.zone_of(zone)
    return (
        (periods.to_utc(now) - count * unit).astimezone(place).replace(tzinfo=None, second=0, microsecond=0, fold=0)
    )


def _day_and_clock(words: str, here: datetime, language: str, field: str | None) -> datetime:
    """Try every place where the day may end and the time of day begin."""
    for start in range(len(words)):
        found = _CLOCK.search(words, start)
        if found is not None:
            clock = _clock(found)
            day = _day(words[: found.start()].strip(" ,"), here.date(), field)
            if clock is not None and day is not None:
                return datetime.combine(day, clock)
    if _day(words, here.date(), field) is not None:
        example = "14.30" if language == "da" else "14:30"
        raise TimeOfDayIsMissing(field=field, text=words, example=example)
    raise _not_understood(language, field)


def _clock(found: re.Match[str]) -> time | None:
    parts = found.groupdict(default="")
    hour = int(parts["hour"])
    half = parts.get("half", "")[:1]
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return time(hour, int(parts["minute"] or 0), int(parts.get("second") or 0))
    except ValueError:
        return None


def _day(words: str, today: date, field: str | None) -> date | None:
    if not words:
        return today
    if words in _DAYS_AGO:
        return today - timedelta(days=_DAYS_AGO[words])
    return _written_date(words, today, field) or _weekday(words, today, field)


def _written_date(words: str, today: date, field: str | None) -> date | None:
    for pattern in (_ISO_DATE, _DAY_FIRST, _DAY_MONTH, _MONTH_DAY):
        found = pattern.fullmatch(words)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts["month"]) if "month" in parts else _MONTHS.get(parts["name"])
        if month is not None:
            year = parts.get("year")
            return (
                _date(int(year), month, int(parts["day"]), field)
                if year
                else _latest(month, parts["day"], today, field)
            )
    return None


def _date(year: int, month: int, day: int, field: str | None) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise periods.DateDoesNotExist(field=field, value=f"{year:04d}-{month:02d}-{day:02d}") from None


def _latest(month: int, day: str, today: date, field: str | None) -> date:
    """Return the latest day of that name that is not to come (29 February may lie up to eight years back)."""
    for year in range(today.year, today.year - 9, -1):
        try:
            found = date(year, month, int(day))
        except ValueError:
            continue
        if found <= today:
            return found
    return _date(today.year, month, int(day), field)


def _weekday(words: str, today: date, field: str | None) -> date | None:
    found = _WEEKDAY.fullmatch(words)
    number = _WEEKDAYS.get(found["name"]) if found else None
    if found is None or number is None:
        return None
    days_back = (today.weekday() - number) % _WEEK_DAYS
    if not days_back:
        if found["certain"] is None:
            raise WeekdayIsToday(field=field)
        days_back = _WEEK_DAYS
    return today - timedelta(days=days_back)
