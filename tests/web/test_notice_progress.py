"""How far a sending is: the parts of the bar are the whole bar, and no time is promised that was not measured."""

import pytest
from flask import Flask

from incident_tracker.web.notices import progress

NONE = dict.fromkeys(
    ("pending", "sending", "accepted", "delivered", "failed", "in_doubt", "suppressed", "cancelled"), 0
)


def test_the_parts_are_the_whole_bar_in_the_order_of_the_work(app: Flask) -> None:
    counts = NONE | {
        "delivered": 7912,
        "accepted": 1204,
        "failed": 131,
        "in_doubt": 12,
        "suppressed": 23,
        "sending": 8,
    }
    with app.test_request_context(headers={"Accept-Language": "da"}):
        shown = progress.parts(counts, 3110)
    assert [one.key for one in shown] == ["delivered", "accepted", "failed", "in_doubt", "suppressed", "waiting"]
    assert sum(one.count for one in shown) == 12_400
    assert sum(float(one.width.rstrip("%")) for one in shown) == pytest.approx(100, abs=0.01)
    assert [one.number for one in shown][::5] == ["7.912", "3.118"]


def test_a_bar_without_a_message_waits_as_a_whole(app: Flask) -> None:
    with app.test_request_context():
        shown = progress.parts(NONE, 0)
    assert [one.width for one in shown if one.key == "waiting"] == ["100%"]
    assert progress.share_done(NONE, 0) == 0


@pytest.mark.parametrize(
    ("counts", "unwritten", "percent"),
    [({"delivered": 999, "pending": 1}, 0, 99), ({"failed": 3}, 0, 100), ({"delivered": 1}, 2, 33), ({}, 5, 0)],
)
def test_a_sending_is_whole_only_when_nothing_waits(counts: dict[str, int], unwritten: int, percent: int) -> None:
    assert progress.share_done(NONE | counts, unwritten) == percent


@pytest.mark.parametrize(
    ("seconds", "rate", "said"),
    [
        (None, 8.0, "kan siges, når"),
        (300.0, 0.0, "kan siges, når"),
        (0.2, 3.25, "Cirka 1 s tilbage ved 3,2 i sekundet."),
        (360.0, 8.4, "Cirka 6 min tilbage ved 8,4 i sekundet."),
        (361.0, 120.4, "Cirka 7 min tilbage ved 120 i sekundet."),
        (7260.0, 1.0, "Cirka 2 t 1 min tilbage ved 1 i sekundet."),
    ],
)
def test_the_rest_is_rounded_up_and_never_guessed(app: Flask, seconds: float | None, rate: float, said: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "da"}):
        assert said in progress.rest_of(seconds, rate)
