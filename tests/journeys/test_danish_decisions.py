"""Danish decisions walked again: the same facts on the same days, and where the tracker shows the mistake in time.

The facts are those of published decisions of Datatilsynet, told in our own words and with our own cast.
"""

from tests.journeys.conftest import MakeWorld
from tests.journeys.world import dk
from tests.makers import HandClock


def test_tax_administration_2021_the_72_hours_run_through_the_weekend(make: MakeWorld, hand: HandClock) -> None:
    """2021-442-13805: tip on Thursday 8 July, confirmed on Friday 9 July, reported on Monday 12 July."""
    hand.set(dk("2021-07-08 10:00"))
    world = make()
    reference = world.log("Brev med CPR-nummer til en forkert modtager")
    hand.set(dk("2021-07-09 11:00"))
    world.confirm(reference)
    assert world.duty(reference, "notify_authority")["due_at"] == "2021-07-12T09:00:00Z"
