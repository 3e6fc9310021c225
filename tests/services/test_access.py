"""Walls between controllers and roles, for every service that takes an id: a new one fails until it is listed."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_tracker import services
from incident_tracker.delivery.settle import Decision
from incident_tracker.domain.access import ALLOWED, SHELL, Act, Actor
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import calling, incidents, notices, outbox, partners, register, suspicions
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.on_call import ContactFacts
from incident_tracker.services.partners import PartnerFacts
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.reading import Layout, layout_of
from incident_tracker.services.suspicions import Told
from tests import four_eyes
from tests.makers import make_actor, make_contact, make_controller
from tests.notices import TEXTS, make_question
from tests.services.world import CLARA, World

Service = Callable[..., Any]
IDS = (
    "reference",
    "contact_id",
    "delivery_id",
    "alert_id",
    "controller_id",
    "slug",
    "approval_id",
    "notice_id",
    "suspicion_id",
    "question_id",
    "partner_id",
)

ACTS: Mapping[str, Act | None] = {
    "alerts.acknowledge": Act.WORK,
    "alerts.pass_on": Act.WORK,
    "approving.deciding.approve": Act.DECIDE,
    "approving.deciding.approve_alone": Act.DECIDE,
    "approving.deciding.carry_out": Act.DECIDE,
    "approving.deciding.reject": Act.DECIDE,
    "approving.deciding.take_back": Act.DECIDE,
    "approving.looking.newest": Act.READ,
    "approving.looking.show": Act.READ,
    "approving.outside.invite": Act.DECIDE,
    "attachments.add": Act.WORK,
    "attachments.listing": Act.READ,
    "attachments.read": Act.READ,
    "attachments.require": Act.READ,
    "calling.view": Act.READ,
    "controllers.by_slug": None,
    "controllers.change": Act.ADMINISTER,
    "controllers.get": None,
    "frame.house": None,
    "incidents.add_note": Act.WORK,
    "incidents.assign_owner": Act.WORK,
    "incidents.close": Act.DECIDE,
    "incidents.contain": Act.WORK,
    "incidents.find_not_a_breach": Act.DECIDE,
    "incidents.meet_duty": Act.WORK,
    "incidents.open_incident": Act.REPORT,
    "incidents.record_awareness": Act.WORK,
    "incidents.reopen": Act.DECIDE,
    "incidents.set_duty_aside": Act.DECIDE,
    "intake.report": Act.REPORT,
    "notices.checking.checks": Act.READ,
    "notices.previewing.preview": Act.READ,
    "notices.previewing.specimens": Act.READ,
    "notices.previewing.send_test": Act.WORK,
    "notices.reach.audience": Act.READ,
    "notices.sending.begin": Act.WORK,
    "notices.sending.pause": Act.WORK,
    "notices.sending.resume": Act.WORK,
    "notices.retrying.retry": Act.WORK,
    "notices.sending.settle_doubts": Act.DECIDE,
    "notices.sending.stop": Act.DECIDE,
    "notices.watching.ledger": Act.READ,
    "notices.watching.status": Act.READ,
    "notices.writing.change": Act.WORK,
    "notices.writing.create": Act.WORK,
    "notices.writing.of_incident": Act.READ,
    "notices.writing.show": Act.READ,
    "notices.writing.submit": Act.WORK,
    "on_call.add": Act.ADMINISTER,
    "on_call.listing": Act.READ,
    "on_call.move": Act.ADMINISTER,
    "on_call.remove": Act.ADMINISTER,
    "on_call.send_test": Act.ADMINISTER,
    "on_call.verify": Act.ADMINISTER,
    "outbox.reply_locally": Act.WORK,
    "outbox.resend": Act.DECIDE,
    "outbox.resolve": Act.DECIDE,
    "outbox.show": Act.READ,
    "partners.agreements.keep_agreement": Act.WORK,
    "partners.agreements.read_agreement": Act.READ,
    "partners.concerned.concern": Act.WORK,
    "partners.concerned.leave_out": Act.WORK,
    "partners.concerned.of_incident": Act.READ,
    "partners.listing.add": Act.WORK,
    "partners.listing.change": Act.WORK,
    "partners.listing.get": Act.READ,
    "partners.listing.listing": Act.READ,
    "partners.listing.remove": Act.DECIDE,
    "partners.tips.end_link": Act.WORK,
    "partners.tips.new_link": Act.WORK,
    "partners.tips.record_tip": Act.WORK,
    "people.changing.add_person": Act.WORK,
    "people.changing.remove": Act.WORK,
    "people.importing.begin": Act.WORK,
    "people.importing.stop": Act.WORK,
    "people.refused.imports": Act.READ,
    "people.refused.one_import": Act.READ,
    "people.refused.refused_rows": Act.READ,
    "people.the_list.columns_of": Act.READ,
    "people.the_list.count": Act.READ,
    "people.the_list.listing": Act.READ,
    "people.the_list.sample": Act.READ,
    "people.uploads.read_file": Act.WORK,
    "people.uploads.start": Act.WORK,
    "told.told_to": Act.READ,
    "colleagues.on_call": Act.REPORT,
    "colleagues.staff": Act.READ,
    "questions.answer": Act.WORK,
    "questions.close": Act.WORK,
    "questions.listing": Act.READ,
    "questions.show": Act.READ,
    "register.history": Act.READ,
    "register.overview": Act.READ,
    "register.planned": Act.READ,
    "reports.answers.revise_answer": Act.WORK,
    "reports.answers.tick": Act.WORK,
    "reports.filing.check_before_receipt": Act.WORK,
    "reports.filing.file_report": Act.WORK,
    "reports.filing.filed": Act.READ,
    "reports.filing.frozen_of": Act.READ,
    "reports.printing.html": Act.READ,
    "reports.printing.json": Act.READ,
    "reports.printing.pdf": Act.READ,
    "reports.sheet.draft": Act.READ,
    "reports.sheet.sheet": Act.READ,
    "scope.assess": Act.WORK,
    "scope.difference": Act.READ,
    "scope.versions": Act.READ,
    "suspicions.settling.accept": Act.WORK,
    "suspicions.settling.add_to_incident": Act.WORK,
    "suspicions.settling.dismiss": Act.WORK,
    "suspicions.settling.show": Act.READ,
}
"""What each service demands; None: any role of the controller will do."""

ELSEWHERE = {
    "approving.deciding.deciding": "it gives a unit of work; the services that use it are in the table",
    "accounts.set_role": "an account may serve several controllers; the rules stand with the accounts",
    "controllers.create": "the slug is that of a controller to be made",
}


def found_services() -> dict[str, Service]:
    """Return every public service that takes a context, an actor and an id, by its name."""
    found: dict[str, Service] = {}
    for module in pkgutil.walk_packages(services.__path__, "incident_tracker.services."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if not inspect.isfunction(one) or name.startswith("_") or one.__module__ != module.name:
                continue
            named = list(inspect.signature(one).parameters)
            if named[:2] == ["context", "actor"] and set(named) & set(IDS):
                found[f"{module.name.removeprefix('incident_tracker.services.')}.{name}"] = one
    return found


SERVICES = found_services()
NAMES = sorted(set(SERVICES) - set(ELSEWHERE))


def _layout() -> Layout:
    examined = Examined()
    examined.feed(b"navn;e-mail\nSomebody;somebody@example.dk\n")
    return layout_of(examined)


def samples(world: World) -> dict[str, Any]:
    return {
        "at": world.clock(),
        "reason": "Set i loggen",
        "how": "Brevet ligger i arkivet",
        "text": "OK",
        "title": "Alle adresser i CC",
        "regime": "gdpr",
        "duty": "notify_people",
        "via": "page",
        "file_name": "log.txt",
        "plain": [b"log"],
        "attachment_id": "0" * 32,
        "agreement_id": "0" * 32,
        "partner_id": 4711,
        "what": "Vores backup lå åben",
        "import_id": "0" * 32,
        "pieces": [b"log"],
        "size": 3,
        "file": Path("no-such-list.csv"),
        "layout": _layout(),
        "gettext": str,
        "field": "receipt",
        "user_id": None,
        "key": "no-such-question",
        "answer": "Ja",
        "ticked": True,
        "filed_at": world.clock(),
        "authority_reference": "X",
        "version": 1,
        "older": 0,
        "newer": 0,
        "assessment": ScopeAssessment(description="Sendt til alle"),
        "position": 1,
        "decision": Decision.SENT,
        "authority": "dk",
        "language": "da",
        "alert_id": "0" * 32,
        "name": "Eva",
        "email": "eva@example.org",
        "password": "en gul cykel i regnvejr",
        "facts": ControllerFacts("Sydlys ApS", cvr="00000000"),
        "texts": TEXTS,
        "channels": ["email"],
        "after_version": 1,
        "dismissed": {},
        "channel": "email",
        "recipient_id": "a" * 32,
        "to": "2026-0001",
        "told": Told("En mappe ligger åbent"),
    }


PARTNER = PartnerFacts("Skyhost A/S", contact=ContactPoint("", "vagt@example.org"))


class Ids:
    """The ids of what belongs to one controller."""

    def __init__(self, world: World, controller_id: int, slug: str, contact_id: int) -> None:
        reference = world.open(controller_id=controller_id)
        (alert,) = world.alerts(reference)
        delivery = next(one for one in world.deliveries() if one.controller_id == controller_id)
        self.of: dict[str, Any] = {
            "reference": reference,
            "contact_id": contact_id,
            "delivery_id": delivery.id,
            "alert_id": alert.id,
            "controller_id": controller_id,
            "slug": slug,
            "approval_id": _asked(world, reference),
            "notice_id": notices.create(world.context, SHELL, reference, texts=TEXTS, channels=["email"]),
            "suspicion_id": suspicions.receive(world.context, controller_id, Told("En mappe ligger åbent"), once="a"),
        }
        self.of["partner_id"] = partners.add(world.context, SHELL, controller_id, PARTNER)
        self.of["question_id"] = make_question(world.context, self.of["notice_id"])


def _asked(world: World, reference: str) -> str:
    """Return the id of an approval that is waited for."""
    four_eyes.assess(world.context, reference)
    incidents.record_awareness(world.context, SHELL, reference, at=world.clock(), reason="Set i loggen")
    return incidents.set_duty_aside(
        world.context, SHELL, reference, regime="gdpr", duty="notify_authority", reason="Lav risiko"
    )


NOWHERE: dict[str, Any] = {
    "reference": "2026-4711",
    "contact_id": 4711,
    "delivery_id": "f" * 32,
    "alert_id": "e" * 32,
    "controller_id": 4711,
    "slug": "ukendt",
    "approval_id": "d" * 32,
    "notice_id": 4711,
    "suspicion_id": "c" * 32,
    "question_id": "b" * 32,
    "partner_id": 4711,
}


def call(world: World, name: str, actor: Actor, ids: Mapping[str, Any]) -> Any:
    """Call a service with one of these ids and a sample of everything else it demands."""
    service = SERVICES[name]
    given: dict[str, Any] = {}
    id_given = False
    for parameter in list(inspect.signature(service).parameters.values())[2:]:
        if parameter.name in IDS and not id_given:
            given[parameter.name] = ids[parameter.name]
            id_given = True
        elif parameter.default is inspect.Parameter.empty:
            given[parameter.name] = samples(world)[parameter.name]
    if name == "on_call.add":
        given["facts"] = ContactFacts("Dan", "+4523456789")
    if name in ("partners.listing.add", "partners.listing.change"):
        given["facts"] = PARTNER
    if name == "notices.writing.submit":
        given["ticked"] = []
    if name == "incidents.open_incident":
        given["controller_id"] = ids["controller_id"]
    return service(world.context, actor, **given)


def outcome(world: World, name: str, actor: Actor, ids: Mapping[str, Any]) -> tuple[object, ...]:
    try:
        return ("returned", call(world, name, actor, ids))
    except Refusal as refusal:
        said = str(refusal)
        for one in ids.values():
            said = said.replace(str(one), "?") if len(str(one)) > 1 else said
        return (type(refusal), said)


def test_every_service_with_an_id_is_in_the_table_of_rights() -> None:
    assert set(SERVICES) == set(ACTS) | set(ELSEWHERE)


@pytest.mark.parametrize("name", NAMES)
def test_what_belongs_to_another_controller_is_answered_like_what_is_not_there(world: World, name: str) -> None:
    other = make_controller(world.context, "Sydlys ApS")
    contact = make_contact(world.context, other, "Clara", CLARA)
    foreign = Ids(world, other.id, other.slug, contact.id)
    actor = make_actor(world.controller)
    before = world.snapshot()
    theirs = outcome(world, name, actor, foreign.of)
    nowhere = outcome(world, name, actor, NOWHERE)
    assert theirs == nowhere
    assert theirs[0] in (NotFound, NotAllowed) or name == "frame.house"
    assert world.snapshot() == before


@pytest.mark.parametrize("name", [name for name in NAMES if ACTS[name] is not None])
def test_each_role_may_do_what_the_table_says_and_nothing_else(world: World, name: str) -> None:
    act = ACTS[name]
    assert act is not None
    own = Ids(world, world.controller.id, world.controller.slug, world.contacts[0].id)
    for role in [one for one in Role if one not in ALLOWED[act]]:
        before = world.snapshot()
        kind, said = outcome(world, name, make_actor(world.controller, role), own.of)
        assert kind in (NotAllowed, NotFound), f"{role} may {name}"
        named = ("ask", "?", "controller", "notice", "partner")
        assert any(word in str(said).casefold() for word in named), said
        assert world.snapshot() == before
    for role in ALLOWED[act]:
        kind, said = outcome(world, name, make_actor(world.controller, role), own.of)
        assert kind is not NotAllowed, f"{role} may not {name}: {said}"


def test_one_who_serves_no_controller_sees_nothing(world: World) -> None:
    world.open()
    nobody = Actor("user:9", {}, 9)
    for name in (
        "register.board",
        "register.listing",
        "calling.open_alerts",
        "outbox.listing",
        "controllers.listing",
    ):
        module, function = name.rsplit(".", 1)
        service = getattr(importlib.import_module(f"incident_tracker.services.{module}"), function)
        assert list(service(world.context, nobody)) == []
    with pytest.raises(Refusal):
        world.open(actor=nobody)


def test_a_list_holds_only_what_belongs_to_ones_own_controllers(world: World) -> None:

    other = make_controller(world.context, "Sydlys ApS")
    mine, theirs = world.open(controller_id=world.controller.id), world.open(controller_id=other.id)
    actor = make_actor(other)
    assert [one.reference for one in register.listing(world.context, actor)] == [theirs]
    assert [one.reference for one in register.listing(world.context, actor, search="2026")] == [theirs]
    assert [one.reference for one, _ in register.board(world.context, actor)] == [theirs]
    assert [reference for _, reference in calling.open_alerts(world.context, actor)] == [theirs]
    assert mine not in {one.delivery.incident for one in outbox.listing(world.context, actor)}
