"""Journey 5, the report: it writes itself from the facts, says what is missing, is filed by hand and then frozen."""

from incident_tracker.services import reports
from tests.journeys.world import World


def test_the_draft_names_what_is_missing_in_danish_and_in_english(world: World) -> None:
    reference = world.log("Nyhedsbrev med alle adresser i CC")
    world.confirm(reference)
    danish = reports.draft(world.context, world.ada, reference, language="da")
    english = reports.draft(world.context, world.ada, reference, language="en")
    assert danish.missing
    assert [one.key for one in danish.questions] == [one.key for one in english.questions]
    assert {one.label for one in danish.questions} != {one.label for one in english.questions}
