"""Journey 4, the weekend: reminders climb a ladder through nights, crashes and outages until the duty is met."""

from datetime import timedelta

from tests.journeys.world import World, hours_after


def test_the_ladder_is_climbed_across_the_weekend_and_overdue_comes_every_hour(either: World) -> None:
    aware = either.clock()
    reference = either.log("Stjålet bærbar computer", actor=either.clara, aware_at=aware, aware_reason="Meldt stjålet")
    either.take(either.beat())
    reminded = either.walk_taking(aware + timedelta(hours=75))
    assert [at for at, _, _ in reminded] == hours_after(aware, 24, 48, 60, 66, 69, 71, 72, 73, 74, 75)
    assert either.standing(reference, "notify_authority") == "overdue"
