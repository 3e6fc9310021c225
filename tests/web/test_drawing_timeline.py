"""The time line tells the story in one look: to scale where it counts, and no label over another."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.web.drawing.labels import APART, PLATE_WIDTH
from incident_tracker.web.drawing.timeline import WIDTHS, Happening, Timeline, Words, timeline, timelines

ZONE = ZoneInfo("Europe/Copenhagen")
AWARE = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
DUE = AWARE + timedelta(hours=72)
NOW = datetime(2026, 11, 22, 18, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
LADDER = (48, 24, 12, 6, 3, 1)
LONG = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")


def _day(day: date, short: bool) -> str:  # noqa: FBT001 - the shape that the drawing calls
    return LONG[day.weekday()][:3] if short else f"{LONG[day.weekday()]} {day.day}."


WORDS = Words(
    aware="Blev bekendt",
    aware_when="fre 16.45",
    due="Frist",
    due_when="man 16.45",
    reminders="Påmindelser",
    day=_day,
    merged=lambda count, first, last: f"{count} mærker\n{first.when}-{last.when}",
)


def _happening(hours: float, name: str = "Fandt noget", kind: str = "fact") -> Happening:
    return Happening(name, "fre 16.10", AWARE + hours * HOUR, kind)


def _line(*happenings: Happening, width: int = 1040, **facts: Any) -> Timeline:
    given_facts: dict[str, Any] = {
        "state": "approaching",
        "aware": AWARE,
        "due": DUE,
        "now": NOW,
        "zone": ZONE,
        "words": WORDS,
        "ladder_hours": LADDER,
    }
    return timeline(width=width, happenings=happenings, **(given_facts | facts))


def _share(text: str | None) -> float:
    assert text is not None
    return float(text.rstrip("%"))


def test_what_lies_before_awareness_has_30_percent_and_is_in_order_not_to_scale() -> None:
    line = _line(_happening(-200, "Skete"), _happening(-1, "Konstateret"), _happening(-0.5, "Alarm", "alarm"))
    assert line.aware == "30%"
    places = [_share(mark.x) for mark in line.marks]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] < 30
    assert places[1] > 5


def test_without_anything_before_it_awareness_stands_at_the_left() -> None:
    line = _line()
    assert line.aware == "0%"
    assert line.before is None


def test_from_awareness_to_due_it_is_to_scale() -> None:
    line = _line(_happening(-5), _happening(36))
    assert _share(line.marks[1].x) == pytest.approx(65)
    assert [_share(x) for x in line.gaps] == pytest.approx([30 + 70 / 3, 30 + 140 / 3], abs=0.01)
    assert line.flag == "100%"


def test_weekend_days_are_shaded_in_the_controllers_zone_and_named() -> None:
    line = _line()
    assert [band.text for band in line.bands if band.weekend] == ["lørdag 21.", "søndag 22."]
    new_york = _line(zone=ZoneInfo("America/New_York"))
    assert [band.x for band in new_york.bands if band.weekend] != [band.x for band in line.bands if band.weekend]


def test_the_ladder_shows_what_has_passed() -> None:
    line = _line()
    assert [(rung.label, rung.passed) for rung in line.rungs] == [
        ("48", True), ("24", True), ("12", False), ("6", False), ("3", False), ("1", False),
    ]  # fmt: skip


def test_overdue_stretches_the_axis_to_now_with_a_bar_behind_the_flag() -> None:
    line = _line(state="overdue", now=DUE + 10 * HOUR)
    assert line.now == "100%"
    assert line.over is not None
    assert line.over.x == line.flag
    assert _share(line.flag) < 100


def test_met_ends_in_a_disc_and_dots_towards_a_hollow_flag() -> None:
    line = _line(state="met", now=DUE + 500 * HOUR, settled=AWARE + 43 * HOUR)
    assert line.now is None
    assert line.left is not None
    assert line.dotted is not None
    assert line.done == line.left.end == line.dotted.x
    assert line.hollow_flag


def test_a_suspicion_has_only_the_order_of_things() -> None:
    line = _line(_happening(-2), _happening(-1), aware=None, due=None, state="suspected")
    assert (line.aware, line.flag, line.bands, line.now) == (None, None, (), None)
    assert len(line.marks) == 2


def test_a_label_without_room_in_the_lower_row_goes_to_the_upper() -> None:
    line = _line(*(_happening(20 + 3 * n, f"Udkast nummer {n}") for n in range(3)))
    rows = [label.row for label in line.labels if label.name.startswith("Udkast")]
    assert sorted(rows) == ["lower", "lower", "upper"]


def test_marks_within_20_pixels_share_one_label_when_two_rows_are_not_enough() -> None:
    line = _line(*(_happening(20 + n / 4, f"Udkast nummer {n}") for n in range(6)))
    merged = [label for label in line.labels if "mærker" in label.name]
    assert merged
    assert merged[0].when == "fre 16.10-fre 16.10"
    assert len(line.marks) == 6


def test_a_label_under_the_plate_is_set_to_its_left() -> None:
    near = (NOW - AWARE) / HOUR - 0.3
    line = _line(_happening(-1), _happening(near, "Underretning sendes", "notice"))
    label = next(label for label in line.labels if label.name == "Underretning sendes")
    assert label.anchor == "end"
    assert label.right < _share(line.now) / 100 * line.width


def test_a_phone_shows_marks_and_days_without_labels_or_what_lay_before() -> None:
    line = _line(_happening(-3), _happening(20), phone=True, width=326)
    assert (line.labels, line.rungs, line.aware) == ((), (), "0%")
    assert len(line.marks) == 1
    assert "lør" in [band.text for band in line.bands]


def test_the_same_facts_are_drawn_for_every_width() -> None:
    facts = {"aware": AWARE, "due": DUE, "now": NOW, "zone": ZONE, "words": WORDS, "ladder_hours": LADDER}
    drawn = timelines(state="open", happenings=[_happening(3)], **facts)
    assert [line.width for line in drawn] == list(WIDTHS)


names = st.sampled_from(["Alarm", "Kvitteret", "Udkast til anmeldelse", "Underretning sendes", "Skete"])
happenings = st.lists(st.builds(_happening, st.floats(min_value=-300, max_value=72), names), max_size=14)


@given(happenings, st.floats(min_value=0, max_value=71.9), st.sampled_from(WIDTHS))
def test_no_label_covers_another_or_the_plate(found: list[Happening], hours: float, width: int) -> None:
    line = _line(*found, now=AWARE + hours * HOUR, width=width)
    for row in ("lower", "upper"):
        boxes = sorted((label.left, label.right) for label in line.labels if label.row == row)
        if row == "upper":
            plate = _share(line.plate) / 100 * width
            boxes = sorted([*boxes, (plate - PLATE_WIDTH / 2, plate + PLATE_WIDTH / 2)])
        for first, second in pairwise(boxes):
            assert second[0] - first[1] >= APART - 0.2


@given(happenings, st.floats(min_value=0, max_value=71.9), st.sampled_from(WIDTHS))
def test_the_line_of_now_strikes_no_label(found: list[Happening], hours: float, width: int) -> None:
    line = _line(*found, now=AWARE + hours * HOUR, width=width)
    now = _share(line.now) / 100 * width
    assert not [label for label in line.labels if label.row == "lower" and label.left < now - 0.2 < label.right - 0.4]


@given(happenings, st.sampled_from(["open", "overdue", "met"]))
def test_every_mark_is_drawn_once_and_on_the_line(found: list[Happening], state: str) -> None:
    now = DUE + 9 * HOUR if state == "overdue" else NOW
    line = _line(*found, state=state, now=now, settled=AWARE + HOUR if state == "met" else None)
    assert len(line.marks) == len(found)
    assert all(0 <= _share(mark.x) <= 100 for mark in line.marks)
