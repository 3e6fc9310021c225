"""Journey 1, Friday 16:45: staff logs a suspicion, the phone buzzes, `OK` takes it, and silence calls the next."""

from incident_tracker.domain.sms import fits_one_segment
from tests.journeys.world import BEN, World

TITLE = "Nyhedsbrev sendt med alle adresser i CC"
SUSPICION = (
    "2026-0001: ny mistanke om brud. Ikke vurderet endnu (0 t siden). "
    "Svar OK for at tage den. Log ind for at se mere."
)


def test_the_phone_buzzes_in_the_same_round_with_a_text_that_tells_no_facts(either: World) -> None:
    reference = either.log(TITLE, what_happened="612 kunder kunne se hinandens adresser")
    assert either.beat() == [("Fri 20 Nov 16:45 +0100", BEN, SUSPICION)]
    assert fits_one_segment(SUSPICION)
    assert either.shown(reference)["status"] == "suspected"
    assert either.journal_is_whole()
