"""The dial and the small ring say with their strokes what the facts say with numbers."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.web.drawing.dial import CENTRE, Dial, dial
from incident_tracker.web.drawing.ring import ring
from incident_tracker.web.drawing.shared import amounts, arc, on_circle

START = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = START + 72 * HOUR


def _strokes(path: str) -> int:
    return path.count("M")


def _at(hours: float, state: str = "open", settled: float | None = None) -> Dial:
    done = None if settled is None else START + settled * HOUR
    return dial(state=state, now=START + hours * HOUR, start=START, due=DUE, settled=done)


def test_fresh_awareness_has_72_long_strokes_and_one_short_under_the_running_hour() -> None:
    drawing = _at(0)
    assert _strokes(drawing.left) == 72
    assert _strokes(drawing.gone) == 1


def test_the_hand_stands_five_degrees_further_each_hour() -> None:
    x, y = on_circle(CENTRE, 84, 10 * 5)
    assert _at(10).hand.startswith(f"M{x:.2f} {y:.2f}")


def test_the_running_hour_shows_the_part_that_is_left() -> None:
    shorter, longer = _at(10.75), _at(10.25)
    assert _strokes(shorter.left) == _strokes(longer.left) == 62
    first = re.compile(r"L([\d.]+) ([\d.]+)")

    def radius(drawing: Dial) -> float:
        found = first.search(drawing.left)
        assert found
        return float(((float(found[1]) - 120) ** 2 + (float(found[2]) - 120) ** 2) ** 0.5)

    assert radius(shorter) == pytest.approx(92 + 20 * 0.25, abs=0.02)
    assert radius(longer) == pytest.approx(92 + 20 * 0.75, abs=0.02)


def test_overdue_is_a_full_ring_with_an_arc_of_five_degrees_an_hour_and_no_hand() -> None:
    drawing = _at(73, "overdue")
    assert _strokes(drawing.left) == 72
    assert (drawing.gone, drawing.hand) == ("", "")
    assert drawing.arc == arc(CENTRE, 118, 0, 5)
    assert [(one.value, one.unit) for one in drawing.amounts] == [(1, "h"), (0, "min")]


def test_the_arc_of_the_overrun_is_full_at_72_hours_and_stays_so() -> None:
    assert _at(144, "overdue").arc == _at(300, "overdue").arc == arc(CENTRE, 118, 0, 360)


def test_met_stands_still_however_late_it_is_looked_at() -> None:
    early, late = _at(50, "met", settled=43), _at(500, "met", settled=43)
    assert (early.left, early.gone, early.amounts) == (late.left, late.gone, late.amounts)
    assert late.hand == ""
    assert [(one.value, one.unit) for one in late.amounts] == [(1, "d"), (5, "h")]


def test_met_late_has_short_strokes_and_an_arc_as_long_as_the_lateness() -> None:
    drawing = _at(500, "met_late", settled=76)
    assert _strokes(drawing.even) == 72
    assert drawing.arc == arc(CENTRE, 118, 0, 20)
    assert drawing.counts == "after"


def test_set_aside_is_one_dashed_circle_without_marks() -> None:
    drawing = _at(10, "set_aside")
    assert drawing.dashed
    assert (drawing.left, drawing.gone, drawing.even, drawing.day_marks, drawing.due_mark) == ("", "", "", (), False)


def test_a_suspicion_counts_up_without_hand_or_deadline() -> None:
    drawing = dial(state="suspected", now=START + 2.85 * HOUR, start=START)
    assert (_strokes(drawing.even), drawing.hand, drawing.due_mark, drawing.counts) == (72, "", False, "since")
    assert [(one.value, one.unit) for one in drawing.amounts] == [(2, "h"), (51, "min")]


def test_another_period_keeps_72_ticks_and_labels_its_thirds() -> None:
    drawing = dial(state="open", now=START + 12 * HOUR, start=START, due=START + 24 * HOUR)
    assert _strokes(drawing.left) == 36
    assert [mark.label for mark in drawing.day_marks] == ["", "16", "8"]


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="late"):
        dial(state="late", now=START, start=START, due=DUE)


@pytest.mark.parametrize(
    ("span", "parts"),
    [
        (timedelta(hours=63), [(2, "d"), (15, "h")]),
        (timedelta(hours=24), [(1, "d"), (0, "h")]),
        (timedelta(hours=23, minutes=59, seconds=59), [(23, "h"), (59, "min")]),
        (timedelta(minutes=42), [(42, "min")]),
        (timedelta(minutes=10), [(10, "min")]),
        (timedelta(minutes=9, seconds=59), [(9, "min"), (59, "s")]),
        (timedelta(seconds=-5), [(0, "min"), (0, "s")]),
    ],
)
def test_amounts_are_cut_to_two_parts(span: timedelta, parts: list[tuple[int, str]]) -> None:
    assert [(one.value, one.unit) for one in amounts(span)] == parts


@given(st.floats(min_value=0, max_value=71.999))
def test_long_strokes_are_the_hours_left_and_short_ones_the_hours_begun(hours: float) -> None:
    drawing = _at(hours)
    begun = int((timedelta(hours=hours)) / HOUR) + 1
    assert _strokes(drawing.gone) == begun
    assert _strokes(drawing.left) == 73 - begun


@given(
    st.floats(min_value=-10, max_value=500), st.sampled_from(["open", "approaching", "overdue", "met", "met_late"])
)
def test_no_stroke_ever_leaves_the_drawing(hours: float, state: str) -> None:
    drawing = _at(hours, state, settled=min(hours, 100) if state.startswith("met") else None)
    for path in (drawing.left, drawing.gone, drawing.even, drawing.hand):
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path):
            assert 0 <= float(x) <= 240
            assert -12 <= float(y) <= 240


def test_the_small_ring_splits_three_arcs_at_the_time_gone() -> None:
    facts = {"start": START, "due": DUE}
    fresh = ring(state="open", now=START, **facts)
    half = ring(state="open", now=START + 36 * HOUR, **facts)
    assert (_strokes(fresh.left), _strokes(fresh.gone)) == (3, 0)
    assert (_strokes(half.left), _strokes(half.gone)) == (2, 2)


@pytest.mark.parametrize(
    ("state", "glyph"),
    [("met", "tick"), ("met_late", "tick"), ("overdue", "!"), ("set_aside", "-"), ("suspected", "?"), ("open", "")],
)
def test_the_small_ring_says_its_state_without_colour(state: str, glyph: str) -> None:
    assert ring(state=state, now=DUE, start=START, due=DUE, settled=DUE).glyph == glyph
