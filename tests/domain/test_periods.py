from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from incident_tracker.domain import periods
from tests.domain.makers import ROOT

VECTORS = yaml.safe_load((ROOT / "tests/data/deadline_vectors.yaml").read_text(encoding="utf-8"))
ZONES = ("Europe/Copenhagen", "Atlantic/Azores")
YEARS = range(2024, 2031)
INSTANTS = st.datetimes(datetime(2018, 5, 25), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def sundays_of_change(zone: str) -> list[periods.ClockChange]:
    return [
        change
        for year in YEARS
        for change in periods.clock_changes(
            datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC), zone
        )
    ]


CHANGES = [(zone, change) for zone in ZONES for change in sundays_of_change(zone)]
FORWARD = [(zone, change) for zone, change in CHANGES if change.shift > timedelta()]
BACK = [(zone, change) for zone, change in CHANGES if change.shift < timedelta()]


def name_of(value: object) -> str:
    return f"{value.at:%Y-%m-%d}" if isinstance(value, periods.ClockChange) else str(value)


def test_the_copy_of_the_vectors_is_whole() -> None:
    assert len(VECTORS["cases"]) == 7
    assert Path(ROOT, "tests/data/deadline_vectors.yaml").stat().st_size > 2000


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["id"])
def test_every_vector_of_the_72_hours_comes_out_to_the_second(case: dict[str, str]) -> None:
    aware = periods.parse_iso(case["aware"])
    due = periods.add_hours(aware, 72)
    assert due == datetime.fromisoformat(case["strict_utc"])
    assert due.astimezone(ZoneInfo(VECTORS["tz"])).isoformat() == case["strict"]
    outer = periods.outer_reading(aware, 72)
    assert outer.astimezone(ZoneInfo(VECTORS["tz"])).isoformat() == case["reg1182"]


def test_each_zone_changes_its_clocks_twice_a_year_to_2030_on_the_days_of_the_union() -> None:
    assert len(CHANGES) == len(ZONES) * len(YEARS) * 2
    assert {change.at.weekday() for _, change in CHANGES} == {6}
    assert {(change.at.hour, change.at.minute) for _, change in CHANGES} == {(1, 0)}
    assert {(change.at.month, change.shift) for _, change in CHANGES} == {
        (3, timedelta(hours=1)),
        (10, timedelta(hours=-1)),
    }


@pytest.mark.parametrize(("zone", "change"), CHANGES, ids=name_of)
@pytest.mark.parametrize("minutes_before", [0, 1, 59, 30 * 60, 71 * 60 + 59])
def test_over_a_clock_change_72_hours_are_72_elapsed_hours(
    zone: str, change: periods.ClockChange, minutes_before: int
) -> None:
    anchor = (change.at - timedelta(minutes=minutes_before)).astimezone(ZoneInfo(zone))
    due = periods.add_hours(anchor, 72)
    assert due - anchor.astimezone(UTC) == timedelta(hours=72)
    wall_difference = due.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - anchor.replace(tzinfo=None)
    crossed = minutes_before > 0
    assert wall_difference == timedelta(hours=72) + (change.shift if crossed else timedelta())


@pytest.mark.parametrize(("zone", "change"), CHANGES, ids=name_of)
def test_every_minute_of_a_clock_change_night_survives_the_wall_clock_and_back(
    zone: str, change: periods.ClockChange
) -> None:
    for minute in range(-180, 181, 7):
        instant = change.at + timedelta(minutes=minute)
        local = instant.astimezone(ZoneInfo(zone))
        assert periods.from_wall_clock(local.replace(tzinfo=None, fold=0), zone, local.fold) == instant


@pytest.mark.parametrize(("zone", "change"), FORWARD, ids=name_of)
def test_a_skipped_wall_time_is_refused_and_the_gap_is_named(zone: str, change: periods.ClockChange) -> None:
    for minutes in (0, 30, 59):
        wall = change.before + timedelta(minutes=minutes)
        for fold in (None, 0, 1):
            with pytest.raises(periods.TimeInClockChangeGap) as refusal:
                periods.from_wall_clock(wall, zone, fold, field="aware_at")
            assert refusal.value.field == "aware_at"
            assert (refusal.value.params["before"], refusal.value.params["after"]) == (change.before, change.after)
    assert periods.from_wall_clock(change.after, zone) == change.at
    assert periods.from_wall_clock(change.before - timedelta(minutes=1), zone) == change.at - timedelta(minutes=1)


@pytest.mark.parametrize(("zone", "change"), BACK, ids=name_of)
def test_a_doubled_wall_time_is_asked_for_never_guessed(zone: str, change: periods.ClockChange) -> None:
    for minutes in (0, 30, 59):
        wall = change.after + timedelta(minutes=minutes)
        with pytest.raises(periods.TimeIsAmbiguous) as refusal:
            periods.from_wall_clock(wall, zone, field="aware_at")
        first, second = refusal.value.choices
        assert second - first == timedelta(hours=1)
        assert periods.from_wall_clock(wall, zone, 0) == first
        assert periods.from_wall_clock(wall, zone, 1) == second
        assert first < change.at <= second
        assert "first" in str(refusal.value)
    assert periods.from_wall_clock(change.before, zone) == change.at + timedelta(hours=1)


def test_the_two_passings_are_told_apart_by_their_offsets() -> None:
    with pytest.raises(periods.TimeIsAmbiguous) as refusal:
        periods.from_wall_clock(datetime(2026, 10, 25, 2, 30), "Europe/Copenhagen")  # noqa: DTZ001
    assert refusal.value.params["first_offset"] == "UTC+2"
    assert refusal.value.params["second_offset"] == "UTC+1"


def test_fold_means_nothing_where_the_clocks_do_not_change() -> None:
    wall = datetime(2026, 11, 22, 21, 15)  # noqa: DTZ001
    expected = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
    assert {periods.from_wall_clock(wall, "Europe/Copenhagen", fold) for fold in (None, 0, 1)} == {expected}


def test_a_whole_day_that_a_zone_skipped_is_a_gap_too() -> None:
    with pytest.raises(periods.TimeInClockChangeGap):
        periods.from_wall_clock(datetime(2011, 12, 30, 12), "Pacific/Apia")  # noqa: DTZ001


@given(INSTANTS, st.integers(0, 2000))
def test_elapsed_hours_are_exact_whatever_the_zone(instant: datetime, hours: int) -> None:
    for zone in ZONES:
        due = periods.add_hours(instant.astimezone(ZoneInfo(zone)), hours)
        assert due - instant == timedelta(hours=hours)
        assert due.tzinfo is UTC


@given(INSTANTS, st.integers(0, 500), st.integers(0, 500))
def test_adding_hours_twice_is_adding_their_sum(instant: datetime, some: int, more: int) -> None:
    assert periods.add_hours(periods.add_hours(instant, some), more) == periods.add_hours(instant, some + more)


@given(INSTANTS)
@example(datetime(2026, 11, 24, 12, tzinfo=UTC))
@example(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
def test_the_outer_reading_ends_on_a_full_hour_more_than_none_and_at_most_one_hour_later(instant: datetime) -> None:
    outer = periods.outer_reading(instant, 72)
    assert timedelta() < outer - periods.add_hours(instant, 72) <= timedelta(hours=1)
    assert (outer.minute, outer.second, outer.microsecond) == (0, 0, 0)


@given(INSTANTS, st.sampled_from(ZONES), st.integers(0, 1))
def test_wall_clock_round_trip_from_any_instant(instant: datetime, zone: str, other_fold: int) -> None:
    local = instant.astimezone(ZoneInfo(zone))
    wall = local.replace(tzinfo=None, fold=0)
    assert periods.from_wall_clock(wall, zone, local.fold) == instant
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        assert periods.from_wall_clock(wall, zone) == instant
        return
    with pytest.raises(periods.TimeIsAmbiguous) as refusal:
        periods.from_wall_clock(wall, zone)
    assert refusal.value.choices == (first, second)
    assert periods.from_wall_clock(wall, zone, other_fold) == (first, second)[other_fold]


@given(INSTANTS, st.timedeltas(timedelta(), timedelta(days=40)), st.sampled_from(ZONES))
def test_weekend_time_is_additive_and_never_more_than_the_time_itself(
    start: datetime, length: timedelta, zone: str
) -> None:
    end, middle = start + length, start + length / 3
    whole = periods.weekend_time(start, end, zone)
    assert timedelta() <= whole <= length
    assert whole == periods.weekend_time(start, middle, zone) + periods.weekend_time(middle, end, zone)


def test_a_plain_week_has_48_hours_of_weekend_and_the_autumn_one_49() -> None:
    monday = periods.from_wall_clock(datetime(2026, 11, 16), "Europe/Copenhagen")  # noqa: DTZ001
    week = timedelta(days=7)
    assert periods.weekend_time(monday, monday + week, "Europe/Copenhagen") == timedelta(hours=48)
    autumn = periods.from_wall_clock(datetime(2026, 10, 19), "Europe/Copenhagen")  # noqa: DTZ001
    assert periods.weekend_time(autumn, autumn + week + timedelta(hours=1), "Europe/Copenhagen") == timedelta(
        hours=49
    )
    assert periods.weekend_time(monday, monday + timedelta(days=5), "Europe/Copenhagen") == timedelta()


def test_a_clock_change_is_found_only_after_the_start_and_up_to_the_end() -> None:
    at = datetime(2026, 10, 25, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    zone = "Europe/Copenhagen"
    assert not periods.clock_changes(at, at + timedelta(hours=72), zone)
    assert not periods.clock_changes(at - timedelta(hours=72), at - second, zone)
    found = periods.clock_changes(at - timedelta(hours=71, minutes=23, seconds=7), at, zone)
    assert [(change.at, change.shift) for change in found] == [(at, timedelta(hours=-1))]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("2026-11-22T21:15", periods.TimeIsNaive),
        ("2026-11-22", periods.TimeIsNaive),
        ("2026-02-29T10:00+01:00", periods.DateDoesNotExist),
        ("2100-02-29T10:00+01:00", periods.DateDoesNotExist),
        ("2026-13-01T10:00Z", periods.DateDoesNotExist),
        ("2026-11-31", periods.DateDoesNotExist),
        ("2026-11-22T25:00Z", periods.TimeIsUnreadable),
        ("2026-11-22T21:15+15:00", periods.TimeIsUnreadable),
        ("yesterday", periods.TimeIsUnreadable),
        ("", periods.TimeIsUnreadable),
        ("1732310100", periods.TimeIsUnreadable),
        ("2026-11-22T21:15+01:00" + " " * 3 + "x" * 5000, periods.TimeIsUnreadable),
        ("\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0662T21:15+01:00", periods.TimeIsUnreadable),
        ("0001-01-01T00:00+14:00", periods.TimeIsOutOfRange),
        ("9999-12-31T23:59-12:00", periods.TimeIsOutOfRange),
    ],
)
def test_a_time_that_names_no_instant_is_refused_with_its_field(text: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as caught:
        periods.parse_iso(text, "anchor")
    assert getattr(caught.value, "field", None) == "anchor"
    assert "%(" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T21:15+01:00", " 2026-11-22 21:15:00+01:00 ", "2026-11-22T20:15Z", "2024-02-29T00:00Z"],
)
def test_a_time_with_an_offset_is_read(text: str) -> None:
    assert periods.parse_iso(text).tzinfo is UTC


@given(INSTANTS, st.integers(-14 * 60, 14 * 60))
def test_any_written_instant_is_read_back(instant: datetime, minutes: int) -> None:
    assume(2018 < instant.year < 2037)
    written = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    assert periods.parse_iso(written) == instant


def test_naive_times_are_refused_never_guessed() -> None:
    naive = datetime(2026, 11, 22, 21, 15)  # noqa: DTZ001
    for first_step in (periods.require_aware, periods.to_utc):
        with pytest.raises(periods.TimeIsNaive):
            first_step(naive)
    for count in (periods.add_hours, periods.outer_reading):
        with pytest.raises(periods.TimeIsNaive):
            count(naive, 72)


def test_what_has_not_happened_is_refused_to_the_second() -> None:
    now = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
    assert periods.require_not_future(now, now, "at") == now
    with pytest.raises(periods.TimeIsInFuture):
        periods.require_not_future(now + timedelta(seconds=1), now, "at")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "Europe", "../../etc/passwd", "/etc/passwd", "Europe/\x00"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(periods.ZoneIsUnknown):
        periods.zone_of(zone)


def test_misuse_by_the_program_is_not_a_refusal() -> None:
    with pytest.raises(ValueError, match="no zone of its own"):
        periods.from_wall_clock(datetime(2026, 1, 1, tzinfo=UTC), "Europe/Copenhagen")
    with pytest.raises(ValueError, match="fold"):
        periods.from_wall_clock(datetime(2026, 1, 1), "Europe/Copenhagen", 2)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("minutes", "name"), [(0, "UTC"), (60, "UTC+1"), (-60, "UTC-1"), (330, "UTC+5:30"), (-210, "UTC-3:30")]
)
def test_offsets_are_named_as_people_write_them(minutes: int, name: str) -> None:
    assert periods.offset_name(datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=minutes)))) == name
