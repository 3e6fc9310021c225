"""Partners: kept, named on incidents, and listened to; the 72 hours begin with our own awareness."""

import hashlib

import pytest
from sqlalchemy import select

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, NotFound
from incident_tracker.domain.events import NoteAdded, PartnerConcerned
from incident_tracker.domain.incident import Status
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.domain.partners import PartnerHasNoAddress, TooManyTips
from incident_tracker.services import attachments, partners, register
from incident_tracker.services.partners import PartnerFacts
from incident_tracker.services.partners.agreements import DayIsNotADay
from incident_tracker.services.phones import PhoneCannotTakeSms
from incident_tracker.store.attachments import AttachmentIsDamaged
from incident_tracker.store.journal import PLACE
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.incidents import JournalRow
from incident_tracker.store.tables.outside import PartnerRow
from tests.makers import make_actor, make_controller
from tests.services.world import BEN, World

SKYHOST = PartnerFacts("Skyhost A/S", what="Hoster webshoppen", contact=ContactPoint("Vagten", "vagt@example.org"))


@pytest.fixture
def skyhost(world: World) -> int:
    return partners.add(world.context, SHELL, world.controller.id, SKYHOST)


def test_what_is_known_of_a_partner_is_kept_and_her_address_is_sealed(world: World, skyhost: int) -> None:
    kept = partners.get(world.context, SHELL, skyhost)
    assert (kept.partner.name, kept.partner.contact.email) == ("Skyhost A/S", "vagt@example.org")
    with world.context.database.reading() as session:
        sealed = session.execute(select(PartnerRow.sealed)).scalar_one()
    assert b"vagt@example.org" not in sealed


@pytest.mark.parametrize(
    ("contact", "refusal"),
    [(ContactPoint("Vagten"), PartnerHasNoAddress), (ContactPoint("", "", "112"), PhoneCannotTakeSms)],
)
def test_a_partner_that_cannot_be_told_is_refused(world: World, contact: ContactPoint, refusal: type) -> None:
    with pytest.raises(refusal):
        partners.add(world.context, SHELL, world.controller.id, PartnerFacts("Skyhost A/S", contact=contact))


def test_an_agreement_comes_back_as_it_was_filed(world: World, skyhost: int) -> None:
    words = b"%PDF-1.7 " + b"databehandleraftale " * 20_000
    kept = partners.keep_agreement(
        world.context, SHELL, skyhost, file_name="aftale.pdf", plain=[words], signed_on="2025-03-01"
    )
    _, pieces = partners.read_agreement(world.context, SHELL, skyhost, kept.id)
    assert b"".join(pieces) == words
    on_disk = (attachments.folder(world.context) / kept.id).read_bytes()
    assert b"databehandleraftale" not in on_disk
    assert attachments.check(world.context) == attachments.Check((), (), ())


def test_an_agreement_that_was_changed_on_the_disk_is_not_handed_out(world: World, skyhost: int) -> None:
    kept = partners.keep_agreement(world.context, SHELL, skyhost, file_name="aftale.pdf", plain=[b"aftale"])
    file = attachments.folder(world.context) / kept.id
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(AttachmentIsDamaged):
        partners.read_agreement(world.context, SHELL, skyhost, kept.id)


@pytest.mark.parametrize("day", ["2025-13-01", "2025-02-30", "20250301", "1. marts"])
def test_a_day_that_the_calendar_does_not_have_is_refused(world: World, skyhost: int, day: str) -> None:
    with pytest.raises(DayIsNotADay):
        partners.keep_agreement(world.context, SHELL, skyhost, file_name="a.pdf", plain=[b"a"], signed_on=day)
    assert attachments.check(world.context).orphans == ()


def test_a_tip_opens_an_incident_whose_awareness_is_still_to_be_decided(world: World, skyhost: int) -> None:
    reference = partners.record_tip(world.context, SHELL, skyhost, what="Vores backup lå åben.", reach="Vagten")
    overview = register.overview(world.context, SHELL, reference)
    assert overview.incident.status is Status.SUSPECTED
    assert overview.incident.became_aware_at is None
    assert [one.regime for one, _ in overview.obligations] == ["internal"]
    assert [phone for phone, _ in world.tick()] == [BEN]
    kinds = [type(one.event) for one in register.history(world.context, SHELL, reference)]
    assert PartnerConcerned in kinds
    assert NoteAdded in kinds


def test_what_a_partner_writes_behind_its_link_is_logged_in_its_name(world: World, skyhost: int) -> None:
    secret = partners.new_link(world.context, SHELL, skyhost)
    reference = partners.take_tip(world.context, secret, what="Vores backup lå åben.", once="form")
    again = partners.take_tip(world.context, secret, what="Vores backup lå åben.", once="form")
    assert reference is not None
    assert again == reference
    opened = next(iter(register.history(world.context, SHELL, reference)))
    assert opened.actor == f"partner:{skyhost}"


def test_a_link_ends_when_another_is_made_or_the_partner_is_taken_off(world: World, skyhost: int) -> None:
    first = partners.new_link(world.context, SHELL, skyhost)
    second = partners.new_link(world.context, SHELL, skyhost)
    assert partners.by_secret(world.context, first) is None
    assert partners.by_secret(world.context, second) is not None
    partners.remove(world.context, SHELL, skyhost)
    assert partners.by_secret(world.context, second) is None
    assert partners.take_tip(world.context, second, what="Mere") is None


def test_a_partner_off_the_list_gets_no_new_link_and_tells_nothing(world: World, skyhost: int) -> None:
    partners.remove(world.context, SHELL, skyhost)
    with pytest.raises(NotFound):
        partners.new_link(world.context, SHELL, skyhost)
    with pytest.raises(NotFound):
        partners.record_tip(world.context, SHELL, skyhost, what="Læk")


def test_a_partner_with_a_long_name_and_much_to_say_is_heard(world: World) -> None:
    facts = PartnerFacts("N" * 120, contact=SKYHOST.contact)
    partner = partners.add(world.context, SHELL, world.controller.id, facts)
    reference = partners.record_tip(world.context, SHELL, partner, what="Alle vores kunders sager " * 10)
    assert world.overview(reference).incident.title.startswith("NNN")


def test_incidents_on_which_we_named_a_partner_do_not_shut_its_link(world: World, skyhost: int) -> None:
    secret = partners.new_link(world.context, SHELL, skyhost)
    for _ in range(6):
        partners.concern(world.context, SHELL, world.open(), skyhost)
    assert partners.take_tip(world.context, secret, what="Vores backup lå åben.") is not None


def test_a_link_opens_five_incidents_a_day_and_then_says_whom_to_call(world: World, skyhost: int) -> None:
    secret = partners.new_link(world.context, SHELL, skyhost)
    for number in range(5):
        partners.take_tip(world.context, secret, what=f"Læk {number}")
    with pytest.raises(TooManyTips):
        partners.take_tip(world.context, secret, what="Læk 6")
    world.clock.advance(hours=25)
    assert partners.take_tip(world.context, secret, what="Læk 7") is not None


def test_a_partner_is_named_once_and_can_be_left_out(world: World, skyhost: int) -> None:
    reference = world.open()
    partners.concern(world.context, SHELL, reference, skyhost)
    partners.concern(world.context, SHELL, reference, skyhost)
    assert [one.partner.id for one in partners.of_incident(world.context, SHELL, reference)] == [skyhost]
    partners.leave_out(world.context, SHELL, reference, skyhost)
    assert partners.of_incident(world.context, SHELL, reference) == ()


def test_a_partner_of_another_controller_cannot_be_named(world: World) -> None:
    other = make_controller(world.context, "Fjord ApS", slug="fjord", reference_prefix="FJ")
    theirs = partners.add(world.context, SHELL, other.id, SKYHOST)
    with pytest.raises(NotFound):
        partners.concern(world.context, SHELL, world.open(controller_id=world.controller.id), theirs)


def test_an_auditor_reads_partners_and_changes_none(world: World, skyhost: int) -> None:
    dan = make_actor(world.controller, Role.AUDITOR)
    assert partners.get(world.context, dan, skyhost).partner.name == "Skyhost A/S"
    for act in (
        lambda: partners.change(world.context, dan, skyhost, SKYHOST),
        lambda: partners.remove(world.context, dan, skyhost),
        lambda: partners.new_link(world.context, dan, skyhost),
        lambda: partners.keep_agreement(world.context, dan, skyhost, file_name="a", plain=[b"a"]),
        lambda: partners.record_tip(world.context, dan, skyhost, what="Læk"),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_filing_an_agreement_is_journalled_with_its_digest(world: World, skyhost: int) -> None:
    kept = partners.keep_agreement(world.context, SHELL, skyhost, file_name="aftale.pdf", plain=[b"aftale"])
    with world.context.database.reading() as session:
        sealed = session.execute(select(JournalRow.payload).where(JournalRow.kind == "agreement_kept")).scalar_one()
    written = from_json(world.context.keyring.open(PLACE, sealed))
    assert written == {"partner_id": skyhost, "agreement_id": kept.id, "size": 6, "sha256": kept.sha256}
    assert kept.sha256 == hashlib.sha256(b"aftale").hexdigest()
