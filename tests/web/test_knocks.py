"""Asking for what is not there: who guesses is slowed down, and nobody else by it."""

from datetime import timedelta

from incident_tracker.web.public import knocks
from tests.makers import START


def test_who_knocks_too_often_waits_for_the_next_minute() -> None:
    door = knocks.Knocks(2)
    for _ in range(2):
        assert not door.too_many("192.0.2.1", START)
        door.count("192.0.2.1", START)
    assert door.too_many("192.0.2.1", START)
    assert not door.too_many("192.0.2.2", START)
    assert not door.too_many("192.0.2.1", START + timedelta(minutes=1))


def test_a_crowd_of_addresses_shuts_nobody_else_out() -> None:
    door = knocks.Knocks(1)
    for number in range(knocks._MOST_ADDRESSES + 2):
        door.count(f"2001:db8::{number:x}", START)
    assert len(door._counts) == knocks._MOST_ADDRESSES
    assert not door.too_many("192.0.2.1", START)
    assert door.too_many("2001:db8::1", START)
