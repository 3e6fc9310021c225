"""Journey 2, is it a breach: the tracker asks until a breach, or none, is recorded; then the 72 hours run, or nothing."""

from datetime import timedelta

from tests.journeys.world import World, hours_after


def test_it_asks_after_4_12_and_24_hours_and_then_daily_until_somebody_decides(world: World) -> None:
    detected = world.clock()
    reference = world.log("Fremmed log ind på kundelisten")
    world.take(world.beat())
    asked = world.walk_taking(detected + timedelta(days=5))
    assert [at for at, _, _ in asked] == hours_after(detected, 4, 12, 24, 48, 72, 96, 120)
    assert world.standing(reference, "assess") == "open"
