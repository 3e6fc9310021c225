"""The bar of a sending shows every state that has somebody in it."""

from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.web.drawing.progress import NARROWEST, NOMINAL_WIDTH, ORDER, progress

counts = st.dictionaries(st.sampled_from([*ORDER, "sending"]), st.integers(0, 100_000))


def _share(text: str) -> float:
    return float(text.rstrip("%"))


def test_parts_lie_in_the_order_of_the_work() -> None:
    parts = progress({"pending": 3118, "in_doubt": 12, "delivered": 7912, "accepted": 1204, "failed": 131})
    assert [part.state for part in parts] == ["delivered", "accepted", "failed", "in_doubt", "pending"]


def test_what_is_being_sent_still_waits() -> None:
    assert [(part.state, part.count) for part in progress({"pending": 3, "sending": 2})] == [("pending", 5)]


def test_nothing_to_send_has_no_parts() -> None:
    assert progress({"delivered": 0}) == ()


@given(counts)
def test_no_part_is_too_thin_to_see_and_together_they_fill_the_bar(found: dict[str, int]) -> None:
    parts = progress(found)
    assert all(_share(part.width) >= NARROWEST / NOMINAL_WIDTH * 100 - 0.6 for part in parts)
    assert not parts or abs(sum(_share(part.width) for part in parts) - 100) < 0.1
    assert sum(part.count for part in parts) == sum(found.values())
