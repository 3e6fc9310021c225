from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import periods, spoken_times
from incident_tracker.domain.errors import Refusal

ZONE = "Europe/Copenhagen"
SUNDAY_EVENING = datetime(2026, 11, 22, 18, 31, 20, tzinfo=UTC)  # 19.31 in Copenhagen
MONTHS = "januar februar marts april maj juni juli august september oktober november december".split()  # noqa: SIM905
INSTANTS = st.datetimes(datetime(2019, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def read(text: str, now: datetime = SUNDAY_EVENING, language: str = "da") -> str:
    return spoken_times.read(text, now, ZONE, language).isoformat(" ", timespec="minutes")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nu", "2026-11-22 19:31"),
        ("now", "2026-11-22 19:31"),
        ("i dag 9", "2026-11-22 09:00"),
        ("i dag kl. 9", "2026-11-22 09:00"),
        ("today 9", "2026-11-22 09:00"),
        ("9.05", "2026-11-22 09:05"),
        ("i går 14.30", "2026-11-21 14:30"),
        ("I GÅR, kl. 14:30 ", "2026-11-21 14:30"),
        ("igår 14.30", "2026-11-21 14:30"),
        ("i gaar klokken 14.30", "2026-11-21 14:30"),
        ("i forgårs 8", "2026-11-20 08:00"),
        ("yesterday 14:30", "2026-11-21 14:30"),
        ("Yesterday at 2:30 pm", "2026-11-21 14:30"),
        ("yesterday 12 am", "2026-11-21 00:00"),
        ("yesterday 12 p.m.", "2026-11-21 12:00"),
        ("i fredags 16.45", "2026-11-20 16:45"),
        ("fredag kl. 16.45", "2026-11-20 16:45"),
        ("on friday 16:45", "2026-11-20 16:45"),
        ("last Friday at 4:45pm", "2026-11-20 16:45"),
        ("i mandags 8", "2026-11-16 08:00"),
        ("i søndags 8", "2026-11-15 08:00"),
        ("last sunday 8", "2026-11-15 08:00"),
        ("22.11.2026 kl. 21.15", "2026-11-22 21:15"),
        ("22.11.2026 21.15", "2026-11-22 21:15"),
        ("22/11/2026 21:15", "2026-11-22 21:15"),
        ("22/11-2026 kl 21.15", "2026-11-22 21:15"),
        ("1.2.2026 kl. 3.04", "2026-02-01 03:04"),
        ("22.11. kl. 7", "2026-11-22 07:00"),
        ("23.11 kl. 7", "2025-11-23 07:00"),
        ("29.2. kl. 7", "2024-02-29 07:00"),
        ("den 20. november 2026 kl. 16.45", "2026-11-20 16:45"),
        ("20. nov. 16.45", "2026-11-20 16:45"),
        ("20 November 2026 16:45", "2026-11-20 16:45"),
        ("November 20th, 2026 at 4:45 pm", "2026-11-20 16:45"),
        ("2026-11-22T21:15", "2026-11-22 21:15"),
        ("2026-11-22 21:15", "2026-11-22 21:15"),
        ("2026-11-22T21:15:59", "2026-11-22 21:15"),
        ("2026-11-22T20:15Z", "2026-11-22 21:15"),
        ("2026-06-22T21:15+00:00", "2026-06-22 23:15"),
        ("for 2 timer siden", "2026-11-22 17:31"),
        ("for en time siden", "2026-11-22 18:31"),
        ("20 minutter siden", "2026-11-22 19:11"),
        ("3 hours ago", "2026-11-22 16:31"),
        ("an hour ago", "2026-11-22 18:31"),
        ("to døgn siden", "2026-11-20 19:31"),
    ],
)
def test_what_people_write_is_read_in_both_languages(text: str, expected: str) -> None:
    assert read(text) == expected
    assert read(text, language="en") == expected


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_example_that_a_refusal_offers_works(language: str) -> None:
    examples = spoken_times.EXAMPLES[language].split("; ")
    assert len(examples) == 7
    for example in examples:
        assert read(example, language=language)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "i morgen 9",
        "tomorrow 9",
        "sidst på dagen",
        "i går 25.00",
        "i går 14.60",
        "yesterday 13 pm",
        "yesterday 0 am",
        "i går 14.30 og lidt",
        "14.30 i går 15.30",
        "22 november 20261 9.00",
        "i smørdags 9",
        "99999 timer siden",
        "9999 dage siden",
        "syv bananer siden",
        "9" * 500,
        "i går 14.30\x00",
        "i går \u0661\u0664.30",
        "👻 9",
        "<script>9</script>",
    ],
)
@pytest.mark.parametrize(
    ("language", "example"), [("da", "i går 14.30"), ("en", "yesterday 14:30"), ("de", "yesterday")]
)
def test_what_is_not_understood_is_refused_with_forms_that_work(text: str, language: str, example: str) -> None:
    with pytest.raises(spoken_times.TimeIsNotUnderstood) as refusal:
        spoken_times.read(text, SUNDAY_EVENING, ZONE, language, "detected_at")
    assert example in str(refusal.value)
    assert refusal.value.field == "detected_at"


@pytest.mark.parametrize("text", ["i går", "yesterday", "i fredags", "22.11.2026", "22 November 2026", "2026-11-22"])
def test_a_day_without_a_time_of_day_is_asked_for_it(text: str) -> None:
    with pytest.raises(spoken_times.TimeOfDayIsMissing) as refusal:
        read(text)
    assert text.casefold() in str(refusal.value)


@pytest.mark.parametrize("text", ["søndag 8", "on Sunday 8", "sunday 8:00"])
def test_a_weekday_that_is_todays_is_not_guessed(text: str) -> None:
    with pytest.raises(spoken_times.WeekdayIsToday):
        read(text)


@pytest.mark.parametrize(
    "text", ["29.02.2026 kl. 9", "31. april 2026 kl. 9", "32.1.2026 9", "2026-02-30T09:00", "0.5. 9"]
)
def test_a_day_that_the_calendar_lacks_is_named(text: str) -> None:
    with pytest.raises(periods.DateDoesNotExist):
        read(text)


def test_today_is_the_day_of_the_zone_not_of_utc() -> None:
    past_midnight = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # Monday 00.30 in Copenhagen
    assert read("i dag 0.15", past_midnight) == "2026-11-23 00:15"
    assert read("i går 9", past_midnight) == "2026-11-22 09:00"
    assert read("i søndags 9", past_midnight) == "2026-11-22 09:00"


def test_hours_ago_are_elapsed_hours_over_a_clock_change() -> None:
    after_the_change = datetime(2026, 10, 25, 8, tzinfo=UTC)  # 9.00, the clocks went back at 3
    assert read("for 10 timer siden", after_the_change) == "2026-10-25 00:00"


def test_new_year_goes_back_to_the_last_year() -> None:
    new_year = datetime(2027, 1, 1, 8, tzinfo=UTC)
    assert read("i går 23.59", new_year) == "2026-12-31 23:59"
    assert read("31.12. kl. 23.59", new_year) == "2026-12-31 23:59"


def test_a_skipped_or_doubled_time_is_left_to_the_wall_clock_to_ask_about() -> None:
    autumn = datetime(2026, 10, 26, 8, tzinfo=UTC)
    with pytest.raises(periods.TimeIsAmbiguous):
        periods.from_wall_clock(spoken_times.read("i går 2.30", autumn, ZONE, "da"), ZONE)
    spring = datetime(2026, 3, 30, 8, tzinfo=UTC)
    with pytest.raises(periods.TimeInClockChangeGap):
        periods.from_wall_clock(spoken_times.read("yesterday 2:30", spring, ZONE, "en"), ZONE)


def test_now_is_never_ahead_of_now() -> None:
    now = datetime(2026, 11, 22, 18, 31, 59, 999999, tzinfo=UTC)
    assert periods.from_wall_clock(spoken_times.read("nu", now, ZONE, "da"), ZONE) <= now


@given(INSTANTS, st.integers(0, 6), st.integers(0, 23), st.integers(0, 59))
def test_a_weekday_of_the_past_is_one_to_seven_days_back(now: datetime, weekday: int, hour: int, minute: int) -> None:
    danish = ("mandags", "tirsdags", "onsdags", "torsdags", "fredags", "lørdags", "søndags")[weekday]
    english = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[weekday]
    moment = spoken_times.read(f"i {danish} {hour}.{minute:02d}", now, ZONE, "da")
    assert moment == spoken_times.read(f"last {english} {hour}:{minute:02d}", now, ZONE, "en")
    assert (moment.weekday(), moment.hour, moment.minute) == (weekday, hour, minute)
    assert 1 <= (now.astimezone(ZoneInfo(ZONE)).date() - moment.date()).days <= 7


@given(INSTANTS, st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)))  # noqa: DTZ001
def test_a_written_date_is_read_to_the_minute_in_every_form(now: datetime, wall: datetime) -> None:
    wall = wall.replace(second=0, microsecond=0)
    month = MONTHS[wall.month - 1]
    for text in (
        wall.isoformat(),
        f"{wall:%d.%m.%Y} kl. {wall:%H.%M}",
        f"{wall.day}/{wall.month}/{wall.year} {wall.hour}:{wall:%M}",
        f"den {wall.day}. {month} {wall.year} kl. {wall.hour}.{wall:%M}",
    ):
        assert spoken_times.read(text, now, ZONE, "da") == wall


@given(INSTANTS, st.text(max_size=40) | st.text("0123456789.:/- iågårdklTnovpmsen", max_size=30))
def test_any_text_gives_a_naive_time_or_a_refusal(now: datetime, text: str) -> None:
    outcome: datetime | Refusal
    try:
        outcome = spoken_times.read(text, now, ZONE, "da")
    except Refusal as refusal:
        outcome = refusal
    assert "%(" not in str(outcome)
    assert isinstance(outcome, Refusal) or outcome.tzinfo is None
