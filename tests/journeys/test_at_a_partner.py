"""Journey 8: a processor tells us, or we are the processor; each partner has its own notice line and ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.deadlines import Standing
from incident_tracker.domain.notices import NoticeText
from incident_tracker.domain.parties import ContactPoint, PartyRole, Role
from incident_tracker.services import approving, incidents, notices, partners, register
from incident_tracker.services.partners import PartnerFacts
from tests.makers import make_actor
from tests.services.world import BEN, CLARA, World, make_world

DANISH = NoticeText(
    "Brud hos os, der berører jeres data",
    """Kære {{name}}

Vi er jeres databehandler. I er berørt af et brud hos os.

## Hvad skete der
En backup lå åben fra fredag kl. 22 til lørdag kl. 9.

## Hvilke oplysninger
Navne og e-mailadresser på jeres kunder. Ikke betalinger.

## Hvad det kan betyde
Adresserne kan bruges til falske mails.

## Hvad vi har gjort
Backuppen er lukket, og loggen er sikret.

## Hvad I skal gøre
1. Vurder i dag, om I selv skal anmelde bruddet.

## Spørgsmål
Kontakt {{contact}}, og nævn {{reference}}. I kan klage til Datatilsynet.
""",
    "",
)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = make_world(tmp_path, database_url)
    made.put_on_call(("Ben", BEN), ("Clara", CLARA))
    yield made
    made.close()


def send(world: World, reference: str) -> int:
    """Write to the partners of an incident, have it approved by a colleague, and let it go."""
    context = world.context
    ada = make_actor(world.controller, Role.DECISION_MAKER, 901)
    notice_id = notices.create(
        context, SHELL, reference, texts={"da": DANISH}, channels=("email", "sms"), audience="partners"
    )
    found = notices.checks(context, SHELL, notice_id)
    ticked = [one.id for one in found if one.method != "auto"]
    dismissed = {one.id: "Til partnere" for one in found if one.method == "auto" and not one.ok}
    approval = notices.submit(context, SHELL, notice_id, ticked=ticked, dismissed=dismissed)
    approving.approve(context, ada, approval)
    notices.begin(context, SHELL, notice_id)
    for _ in range(3):
        notices.go_on(context, world.clock())
        world.tick()
    return notice_id


def test_a_processor_tells_us_and_our_72_hours_begin_when_we_become_aware(world: World) -> None:
    context = world.context
    skyhost = partners.add(
        context, SHELL, world.controller.id, PartnerFacts("Skyhost A/S", contact=ContactPoint("", "v@example.org"))
    )
    secret = partners.new_link(context, SHELL, skyhost)
    reference = partners.take_tip(context, secret, what="Vores backup med jeres kunder lå åben.")
    assert reference is not None
    assert [phone for phone, text in world.tick() if reference in text] == [BEN]
    world.clock.advance(hours=5)
    told = register.overview(context, SHELL, reference)
    assert [one.duty for one, _ in told.obligations] == ["assess"]
    world.aware(reference, reason="Skyhost har sendt en log, der viser hentning.")
    duty = next(
        one for one, _ in register.overview(context, SHELL, reference).obligations if one.duty == "notify_authority"
    )
    assert duty.due_at is not None
    assert duty.due_at - world.clock() == duty.due_at - duty.anchor_at
    assert (duty.due_at - world.clock()).total_seconds() == 72 * 3600
    (concerned,) = partners.of_incident(context, SHELL, reference)
    assert (concerned.partner.name, concerned.told) == ("Skyhost A/S", ())


def test_as_a_processor_we_tell_each_controller_once_and_each_has_its_own_ledger(world: World) -> None:
    context = world.context
    ids = [
        partners.add(
            context,
            SHELL,
            world.controller.id,
            PartnerFacts(name, "controller", contact=ContactPoint("", email, phone)),
        )
        for name, email, phone in (
            ("Fjord ApS", "dpo@example.dk", ""),
            ("Bakke A/S", "drift@example.org", ""),
            ("Mark I/S", "", "+45 32 12 34 56"),
        )
    ]
    reference = incidents.open_incident(
        context, SHELL, title="Backup lå åben", what_happened="Backup lå åben", role=PartyRole.PROCESSOR
    )
    world.aware(reference)
    for one in ids:
        partners.concern(context, SHELL, reference, one)
    running = {one.duty: stands for one, stands in register.overview(context, SHELL, reference).obligations}
    assert running["notify_controller"] is Standing.OPEN
    notice_id = send(world, reference)
    status = notices.status(context, SHELL, notice_id)
    assert (status.state, status.recipients, status.unreachable) == ("finished", 3, 0)
    ledger = {one.partner.name: one.told for one in partners.of_incident(context, SHELL, reference)}
    assert {name: [row.channel for row in told] for name, told in ledger.items()} == {
        "Fjord ApS": ["email"],
        "Bakke A/S": ["email"],
        "Mark I/S": ["sms"],
    }
    mailed = [one for one in world.mail.carried if one.address in ("dpo@example.dk", "drift@example.org")]
    assert sorted(one.address for one in mailed) == ["dpo@example.dk", "drift@example.org"]
    assert all("Vi er jeres databehandler" in one.text() for one in mailed)
    met = {one.duty: stands for one, stands in register.overview(context, SHELL, reference).obligations}
    assert met["notify_controller"] is Standing.MET


def test_telling_partners_does_not_meet_the_duty_to_tell_the_people(world: World) -> None:
    context = world.context
    partner = partners.add(
        context, SHELL, world.controller.id, PartnerFacts("Skyhost A/S", contact=ContactPoint("", "v@example.org"))
    )
    reference = world.open()
    world.aware(reference)
    partners.concern(context, SHELL, reference, partner)
    send(world, reference)
    open_duties = {
        one.duty for one, _ in register.overview(context, SHELL, reference).obligations if one.met_at is None
    }
    assert {"notify_people", "inform_parties", "notify_authority"} <= open_duties


def test_the_controllers_are_told_when_each_of_them_is_and_nobody_stands_in_for_them(world: World) -> None:
    context = world.context
    facts = [
        PartnerFacts("Kabel A/S", "processor", contact=ContactPoint("", "kabel@example.org")),
        PartnerFacts("Fjord ApS", "controller", contact=ContactPoint("", "dpo@example.dk")),
    ]
    below, above = (partners.add(context, SHELL, world.controller.id, one) for one in facts)
    reference = incidents.open_incident(
        context, SHELL, title="Backup lå åben", what_happened="Backup lå åben", role=PartyRole.PROCESSOR
    )
    world.aware(reference)

    def standing() -> Standing:
        running = register.overview(context, SHELL, reference).obligations
        return next(stands for one, stands in running if one.duty == "notify_controller")

    partners.concern(context, SHELL, reference, below)
    send(world, reference)
    assert standing() is Standing.OPEN
    partners.concern(context, SHELL, reference, above)
    send(world, reference)
    assert standing() is Standing.MET
