"""All lanes of the board lie on one axis, so that their order in time is seen at once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.web.drawing.strip import Axis, axis, strip

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 22, 18, 31, tzinfo=UTC)
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _axis(*starts: datetime, now: datetime = NOW) -> Axis:
    return axis(
        starts=starts,
        dues=[start + 72 * HOUR for start in starts],
        now=now,
        zone=ZONE,
        day_text=lambda day: day.strftime("%d."),
    )


def _share(text: str) -> float:
    return float(text.rstrip("%"))


def test_the_axis_begins_at_the_noon_before_the_oldest_awareness_and_reaches_60_hours_ahead() -> None:
    shared = _axis(AWARE)
    assert shared.start.astimezone(ZONE) == datetime(2026, 11, 20, 12, tzinfo=ZONE)
    assert shared.end >= NOW + 60 * HOUR
    assert shared.end.astimezone(ZONE).hour in (0, 12)


def test_weekend_days_are_those_of_the_controllers_zone() -> None:
    shared = _axis(AWARE)
    assert [day.text for day in shared.days if day.weekend] == ["21.", "22."]
    saturday = next(day for day in shared.days if day.weekend)
    begins = datetime(2026, 11, 21, tzinfo=ZONE).astimezone(UTC)
    assert _share(saturday.x) == round(shared.place(begins) * 100, 2)


def test_a_day_with_a_clock_change_is_an_hour_longer_on_the_axis() -> None:
    now = datetime(2026, 10, 25, 10, tzinfo=UTC)
    shared = _axis(now - 48 * HOUR, now=now)
    widths = {day.text: _share(day.width) for day in shared.days}
    assert round(widths["25."] / widths["24."], 2) == round(25 / 24, 2)


def test_a_running_lane_has_gone_left_and_flag_meeting_at_now() -> None:
    shared = _axis(AWARE)
    lane = strip(shared, state="approaching", start=AWARE, due=AWARE + 72 * HOUR)
    assert lane.gone is not None
    assert lane.left is not None
    assert lane.gone.end == lane.left.x == shared.now_x
    assert lane.left.end == lane.flag
    assert len(lane.gaps) == 2
    assert not lane.hollow_flag


def test_an_overdue_lane_is_hatched_from_the_flag_to_now() -> None:
    start = NOW - 80 * HOUR
    shared = _axis(start)
    lane = strip(shared, state="overdue", start=start, due=start + 72 * HOUR)
    assert lane.over is not None
    assert (lane.over.x, lane.over.end) == (lane.flag, shared.now_x)


def test_a_met_lane_ends_in_its_disc_with_a_hollow_flag_behind_dots() -> None:
    shared = _axis(AWARE)
    settled = AWARE + 40 * HOUR
    lane = strip(shared, state="met", start=AWARE, due=AWARE + 72 * HOUR, settled=settled)
    assert lane.left is not None
    assert lane.dotted is not None
    assert lane.done == lane.left.end == lane.dotted.x
    assert lane.hollow_flag


def test_a_suspicion_has_no_bar_but_the_times_at_which_it_is_asked_again() -> None:
    shared = _axis(AWARE)
    detected = NOW - 3 * HOUR
    lane = strip(shared, state="suspected", start=detected, asks=[detected + n * HOUR for n in (2, 4, 12, 24)])
    assert (lane.gone, lane.left, lane.flag) == (None, None, None)
    assert lane.heavy is not None
    assert len(lane.asks) == 3


def test_a_start_before_the_axis_gets_an_arrow() -> None:
    shared = _axis(AWARE)
    lane = strip(shared, state="met", start=AWARE - 30 * HOUR, due=AWARE + 42 * HOUR, settled=AWARE + 10 * HOUR)
    assert lane.arrow
    assert lane.begin is None


def test_nothing_older_than_a_week_stretches_the_axis() -> None:
    assert _axis(NOW - timedelta(days=40)).start >= NOW - timedelta(days=8)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)), st.integers(0, 400))  # noqa: DTZ001
def test_every_part_of_every_lane_lies_on_the_axis(now: datetime, hours: int) -> None:
    start = now - hours * HOUR
    shared = _axis(start, now=now)
    assert shared.start < now < shared.end
    lane = strip(shared, state="open" if hours < 72 else "overdue", start=start, due=start + 72 * HOUR)
    for span in (lane.gone, lane.left, lane.over):
        if span is not None:
            assert 0 <= _share(span.x) <= _share(span.end) <= 100
    assert abs(sum(_share(day.width) for day in shared.days) - 100) < 0.2
