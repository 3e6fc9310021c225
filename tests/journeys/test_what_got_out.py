"""Journey 3, what got out: the scope in versions, and "do not notify" only with a reason and a second pair of eyes.

The clock rings meanwhile: asking for approval settles nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker.delivery.parcel import unseal
from incident_tracker.domain import approvals as rules
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.incident import DutiesAreOpen, ReasonIsMissing
from incident_tracker.domain.parties import Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import approving, controllers, incidents, scope
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.journeys.world import World
from tests.makers import PASSWORD, make_actor, make_user

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
REASON = "Disken var krypteret med en stærk nøgle, som ikke fulgte med. Risikoen er usandsynlig."
FIRST = ScopeAssessment(
    breach_types=("confidentiality",),
    description="En bærbar computer er stjålet fra et tog.",
    people_categories=("customers",),
    people_count=CountRange.read("200-400", "people_count"),
    data_types=("basic", "contact"),
    recipients="En ukendt tyv.",
    systems="Bærbar computer, kundekartotek.",
)


@dataclass
class Staff:
    """Ada and Ben may both decide; each has an account."""

    world: World
    reference: str
    ada: Actor
    ben: Actor

    def ask(self, duty: str = "notify_authority", reason: str = REASON) -> str:
        return incidents.set_duty_aside(
            self.world.context, self.ada, self.reference, regime="gdpr", duty=duty, reason=reason
        )

    def standing(self, duty: str = "notify_authority") -> str:
        return self.world.standing(self.reference, duty)

    def assess(self, what: ScopeAssessment = FIRST) -> int:
        return scope.assess(self.world.context, self.world.clara, self.reference, what)

    def mails_to(self, address: str) -> list[str]:
        with self.world.context.database.reading() as session:
            sealed = session.scalars(select(DeliveryRow.sealed).where(DeliveryRow.channel == "email"))
            opened = [unseal(self.world.context.keyring, one) for one in sealed]
        return [one.content.text for one in opened if one.address == address]

    def last(self) -> Any:
        return self.world.journal(self.reference)[-1].event


def settle_in(world: World) -> Staff:
    ada, ben = (
        make_user(world.context, world.controller, Role.DECISION_MAKER, f"{name.lower()}@example.dk", name)
        for name in ("Ada", "Ben")
    )
    reference = world.log("Bærbar computer stjålet", actor=world.clara, aware_at=world.clock(), aware_reason="Set.")
    world.take(world.beat())
    actors = (make_actor(world.controller, Role.DECISION_MAKER, one.id) for one in (ada, ben))
    return Staff(world, reference, *actors)


@pytest.fixture
def staff(world: World) -> Staff:
    return settle_in(world)


@pytest.fixture
def anywhere(either: World) -> Staff:
    return settle_in(either)


def test_the_scope_is_kept_in_versions_that_say_what_changed(anywhere: Staff) -> None:
    staff, context = anywhere, anywhere.world.context
    assert staff.assess() == 1
    staff.world.clock.advance(hours=5)
    more = ScopeAssessment(
        breach_types=("confidentiality",),
        description="En bærbar computer er stjålet fra et tog. Disken var krypteret.",
        people_categories=("customers", "employees"),
        people_count=CountRange.read("312", "people_count"),
        data_types=("basic", "contact"),
        unintelligible="protection_intact",
        recipients="En ukendt tyv.",
        systems="Bærbar computer, kundekartotek.",
        measures_taken="Computeren er slettet på afstand.",
    )
    assert staff.assess(more) == 2
    newest, first = scope.versions(context, staff.ada, staff.reference)
    assert (first.version, first.assessment, first.before) == (1, FIRST, None)
    assert (newest.version, newest.before) == (2, FIRST)
    assert {one.key for one in scope.difference(context, staff.ada, staff.reference, 1, 2)} == {
        "nature.description",
        "nature.unintelligible",
        "people.categories",
        "people.count",
        "people.count_kind",
        "measures.taken",
    }
    with pytest.raises(scope.AssessedMeanwhile):
        scope.assess(context, staff.world.clara, staff.reference, FIRST, after_version=1)
    incidents.contain(context, staff.world.clara, staff.reference, at=staff.world.clock(), how="Slettet på afstand.")
    assert staff.world.shown(staff.reference)["contained_at"] == "2026-11-20T20:45:00Z"
    assert staff.world.journal_is_whole()


def test_a_no_needs_an_assessment_and_a_reason(staff: Staff) -> None:
    with pytest.raises(rules.AssessmentIsMissing):
        staff.ask()
    staff.assess()
    with pytest.raises(ReasonIsMissing):
        staff.ask(reason="  ")
    assert staff.standing() == "open"


def test_a_colleague_says_yes_and_the_clock_rings_until_then(anywhere: Staff) -> None:
    staff, world = anywhere, anywhere.world
    staff.assess()
    world.set_aside(staff.reference, "promise.inform_parties", reason="Ingen andre parter.")
    began = world.clock()
    approval = staff.ask()
    (mail,) = staff.mails_to("ben@example.dk")
    assert f"/incidents/{staff.reference}/approvals/{approval}" in mail
    heard = world.walk_taking(began + 71 * HOUR + 30 * MINUTE, minutes=30)
    rung = re.compile(r"(\d+ [dt] \d+ (?:t|min)) til anmeldelsesfristen")
    assert rung.findall(" ".join(text for _, _, text in heard)) == [
        "2 d 0 t",
        "1 d 0 t",
        "12 t 0 min",
        "6 t 0 min",
        "3 t 0 min",
        "1 t 0 min",
    ]
    with pytest.raises(DutiesAreOpen):
        incidents.close(world.context, staff.ada, staff.reference, reason="Krypteret.")
    with pytest.raises(rules.NotBySamePerson):
        approving.approve(world.context, staff.ada, approval)
    with pytest.raises(rules.NotByShell):
        approving.approve(world.context, SHELL, approval)
    approving.approve(world.context, staff.ben, approval, reason="Enig.")
    assert staff.standing() == "set_aside"
    after = world.walk_taking(began + 100 * HOUR, minutes=60)
    assert not [text for _, _, text in after if "anmeldelsesfristen" in text or "overskredet" in text]
    said: Any
    _, said = [one.event for one in world.journal(staff.reference) if one.kind == "duty_set_aside"]
    assert (said.reason, said.asked_by, said.approved_by, said.way) == (
        REASON,
        staff.ada.name,
        staff.ben.name,
        "colleague",
    )
    assert world.journal_is_whole()


def test_a_rejection_leaves_the_duty_running(staff: Staff) -> None:
    staff.assess()
    approval = staff.ask("notify_people")
    approving.reject(staff.world.context, staff.ben, approval, reason="Nøglen lå i tasken.")
    assert staff.standing("notify_people") == "open"
    (mail,) = staff.mails_to("ada@example.dk")
    assert "afvist" in mail
    assert "Nøglen" not in mail, "the words stay on the page"


def test_somebody_outside_says_yes_by_a_link_that_works_once(staff: Staff) -> None:
    staff.assess()
    context, approval = staff.world.context, staff.ask("notify_people")
    approving.invite(context, staff.ada, approval, name="Eva Ekstern", email="eva@example.org")
    (mail,) = staff.mails_to("eva@example.org")
    secret = mail.partition("/approve/")[2].split()[0]
    assert len(secret) >= 43, "256 bits"
    assert "stjålet" not in mail, "what happened stays on the page"
    for _ in range(5):
        assert approving.by_secret(context, secret).approval.reason == REASON
    assert staff.standing("notify_people") == "open", "opening the link decides nothing"
    staff.world.clock.advance(hours=71, minutes=59)
    approving.decide_outside(context, secret, approve=True)
    assert staff.standing("notify_people") == "set_aside"
    assert (staff.last().approved_by, staff.last().way) == ("Eva Ekstern", "outside")
    with pytest.raises(rules.InvitationIsDead):
        approving.decide_outside(context, secret, approve=False, reason="Fortrudt")


def test_someone_alone_waits_signs_in_again_and_is_recorded_as_alone(staff: Staff) -> None:
    staff.assess()
    context, approval = staff.world.context, staff.ask()

    def alone() -> None:
        approving.approve_alone(
            context, staff.ada, approval, reason="Jeg er ene om det i weekenden.", password=PASSWORD
        )

    with pytest.raises(rules.AloneIsNotAllowed):
        alone()
    facts = ControllerFacts(staff.world.controller.name, cvr="00000000", four_eyes="alone")
    controllers.change(context, SHELL, staff.world.controller.id, facts)
    alone()
    assert staff.standing() == "open"
    with pytest.raises(rules.WaitIsNotOver):
        approving.carry_out(context, staff.ada, approval)
    staff.world.clock.advance(minutes=15)
    assert staff.standing() == "open", "nothing happens by itself"
    approving.carry_out(context, staff.ada, approval)
    assert staff.standing() == "set_aside"
    assert (staff.last().way, staff.last().approved_by) == ("alone", staff.ada.name)
    decided = next(one.event for one in staff.world.journal(staff.reference) if one.kind == "approval_decided")
    event: Any = decided
    assert (event.reason, event.not_before) == (
        "Jeg er ene om det i weekenden.",
        staff.world.clock(),
    )


@pytest.mark.parametrize("way", ["asked", "alone"])
def test_new_facts_before_it_is_done_take_the_approval_away(staff: Staff, way: str) -> None:
    staff.assess()
    context, approval = staff.world.context, staff.ask("notify_people")
    act: Callable[[], None] = lambda: approving.approve(context, staff.ben, approval)  # noqa: E731 - one of two
    if way == "alone":
        facts = ControllerFacts(staff.world.controller.name, cvr="00000000", four_eyes="alone")
        controllers.change(context, SHELL, staff.world.controller.id, facts)
        approving.approve_alone(context, staff.ada, approval, reason="Alene.", password=PASSWORD)
        staff.world.clock.advance(minutes=15)
        act = lambda: approving.carry_out(context, staff.ada, approval)  # noqa: E731 - as above
    staff.assess(ScopeAssessment(description="Disken var slet ikke krypteret."))
    with pytest.raises(rules.ChangedSinceApproval):
        act()
    assert staff.standing("notify_people") == "open"


def test_the_promises_of_the_house_are_set_aside_at_once(staff: Staff) -> None:
    staff.world.set_aside(staff.reference, "promise.inform_parties", reason="Ingen andre parter.")
    assert staff.standing("inform_parties") == "set_aside"
