"""Notices from the first draft to the last delivery: what is refused, what is sent, what is written down."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from incident_tracker.domain import notices as rules
from incident_tracker.domain.approvals import AlreadyDecided, NotApproved
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.notices import NoticeText
from incident_tracker.domain.notices.placeholders import PlaceholderUnknown
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.services import approving, notices
from incident_tracker.store import controllers as controller_rows
from notifiers.protocol import Message, Refused, RefusalKind, Outcome
from tests.delivery.world import NEVER, accepted
from tests.makers import in_threads, make_actor, make_controller
from tests.notices import DANISH, TEXTS, TICKS, approve, begin, crowd, make_notice, make_people, second, writer
from tests.services.world import World


@pytest.fixture
def told(world: World) -> tuple[World, str]:
    """Give an incident that is a breach, with three people on its list."""
    reference = world.open()
    world.aware(reference)
    make_people(world.context, reference, crowd(3), ordre="17")
    world.tick()
    return world, reference


def run(world: World) -> None:
    """Let clock and outbox go on until nothing moves any more."""
    for _ in range(4):
        notices.go_on(world.context, world.clock())
        world.tracker.engine.drain(NEVER)
        world.tracker.engine.sweep()


def test_a_notice_goes_to_everybody_once_in_her_own_language(told: tuple[World, str]) -> None:
    world, reference = told
    notice_id = begin(world.context, reference, world.controller)
    run(world)
    mails = {one.address: one for one in world.mail.carried if "oplysninger" in one.subject() or "data" in one.subject()}
    assert sorted(mails) == [f"person{number}@example.org" for number in range(3)]
    assert "Kære Person 0\n" in mails["person0@example.org"].text()
    assert "Dear Person 2\n" in mails["person2@example.org"].text()
    run(world)
    assert len([one for one in world.mail.carried if one.address == "person0@example.org"]) == 1
    shown = notices.show(world.context, writer(world.controller), notice_id)
    assert (shown.state, shown.recipients, shown.unreachable) == ("finished", 3, 0)
