"""Four eyes: who may approve what, that one of two wins, and that whatever changes is no longer approved."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker.delivery.parcel import unseal
from incident_tracker.domain import approvals as rules
from incident_tracker.domain.access import SHELL, Act, Actor
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.incident import AlreadySettled, IncidentIsClosed
from incident_tracker.domain.parties import Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import approvals, approving, controllers, incidents, journal, register, scope
from incident_tracker.services.accounts import PasswordIsNotRight
from incident_tracker.services.approving import Invitation, looking
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.sign_in import SignInSlowedDown
from incident_tracker.services.work import working
from incident_tracker.store import approvals as rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import users
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import ApprovalRow
from tests import four_eyes
from tests.makers import PASSWORD, destroy_key, make_actor, make_controller, make_user
from tests.services.world import World

REASON = "Oplysningerne var krypteret, og nøglen er ikke kompromitteret."
OUTSIDER = "eva@example.org"


@dataclass
class House:
    """Nordlys with three who may decide, and a breach whose scope is known."""

    world: World
    reference: str
    ada: users.User
    ben: users.User

    def actor(self, user: users.User) -> Actor:
        return make_actor(self.world.controller, Role.DECISION_MAKER, user.id)

    def ask(self, by: Actor | None = None, duty: str = "notify_people", reason: str = REASON) -> str:
        asker = by or self.actor(self.ada)
        return incidents.set_duty_aside(
            self.world.context, asker, self.reference, regime="gdpr", duty=duty, reason=reason
        )

    def approval(self, duty: str = "notify_people") -> Approval:
        found = approving.newest(self.world.context, SHELL, self.reference)
        return found[rules.about_setting_aside("gdpr", duty)][0]

    @property
    def standing(self) -> str:
        return self.world.standing(self.reference, "notify_people")

    def allow_alone(self) -> None:
        facts = ControllerFacts("Nordlys ApS", cvr="00000000", four_eyes="alone")
        controllers.change(self.world.context, SHELL, self.world.controller.id, facts)

    def mails(self) -> list[tuple[str, str]]:
        with self.world.context.database.reading() as session:
            rows = session.scalars(select(DeliveryRow).where(DeliveryRow.channel == "email"))
            opened = [unseal(self.world.context.keyring, one.sealed) for one in rows]
        return sorted((one.address, one.content.text) for one in opened)

    def invite(self, approval: str, email: str = OUTSIDER) -> str:
        before = self.mails()
        approving.invite(self.world.context, self.actor(self.ada), approval, name="Eva Ekstern", email=email)
        ((_, text),) = [one for one in self.mails() if one not in before]
        return text.partition("/approve/")[2].split()[0]


def settle_in(world: World) -> House:
    ada, ben = (
        make_user(world.context, world.controller, Role.DECISION_MAKER, f"{name.lower()}@example.dk", name)
        for name in ("Ada", "Ben")
    )
    make_user(world.context, world.controller, Role.RESPONDER, "clara@example.dk", "Clara")
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    scope.assess(world.context, SHELL, reference, ScopeAssessment(description="Sendt til alle"))
    return House(world, reference, ada, ben)


@pytest.fixture
def house(world: World) -> House:
    return settle_in(world)


@pytest.fixture
def any_house(either: World) -> House:
    return settle_in(either)


def test_a_colleague_approves_and_the_duty_is_set_aside_with_reason_and_names(any_house: House) -> None:
    house = any_house
    approval = house.ask()
    assert house.standing == "open"
    assert [one.reference for one in approving.waiting(house.world.context, house.actor(house.ben))] == [
        house.reference
    ]
    assert approving.waiting(house.world.context, house.actor(house.ada)) == ()
    approving.approve(house.world.context, house.actor(house.ben), approval, reason="Enig")
    assert house.standing == "set_aside"
    assert house.approval().state == State.USED
    asked, decided, aside = register.history(house.world.context, SHELL, house.reference)[-3:]
    assert (asked.kind, decided.kind, aside.kind) == ("approval_asked", "approval_decided", "duty_set_aside")
    assert asked.actor == f"user:{house.ada.id}"
    assert decided.actor == aside.actor == f"user:{house.ben.id}"
    event: Any = aside.event
    assert (event.reason, event.asked_by, event.approved_by, event.way) == (
        REASON,
        f"user:{house.ada.id}",
        f"user:{house.ben.id}",
        "colleague",
    )
    assert approving.waiting(house.world.context, house.actor(house.ben)) == ()
    assert journal.verify(house.world.context).result == "ok"


def test_what_waits_is_shown_however_much_of_ones_own_waits_before_it(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_AT_ONCE", 1)
    monkeypatch.setattr(looking, "_MOST", 1)
    any_house.ask(any_house.actor(any_house.ben))
    any_house.world.clock.advance(seconds=1)
    other = any_house.ask(duty="notify_authority")
    found = approving.waiting(any_house.world.context, any_house.actor(any_house.ben))
    assert [one.approval.id for one in found] == [other]


def test_a_decision_about_what_was_forgotten_keeps_no_page_from_its_reader(house: House) -> None:
    context = house.world.context
    house.ask()
    gone = house.world.open(aware_at=house.world.clock(), aware_reason="Set i loggen")
    four_eyes.assess(context, gone)
    incidents.set_duty_aside(
        context, house.actor(house.ada), gone, regime="gdpr", duty="notify_people", reason=REASON
    )
    with context.database.writing() as session:
        destroy_key(session, incident_rows.load(session, context.keyring, gone, None).record_key, house.world.clock())
    context.keyring._keys.clear()
    assert [one.reference for one in approving.waiting(context, house.actor(house.ben))] == [house.reference]


def test_the_same_asked_twice_is_one_and_other_words_end_the_first(house: House) -> None:
    first = house.ask()
    assert house.ask() == first
    second = house.ask(reason="En anden begrundelse")
    assert second != first
    with pytest.raises(rules.AlreadyDecided):
        approving.approve(house.world.context, house.actor(house.ben), first)
    approving.approve(house.world.context, house.actor(house.ben), second)
    assert house.world.duty(house.reference, "notify_people").set_aside_reason == "En anden begrundelse"


def test_neither_asker_nor_shell_nor_clock_nor_responder_nor_stranger_approves(house: House) -> None:
    approval, context = house.ask(), house.world.context
    stranger = make_actor(make_controller(context, "Skyhost A/S"), Role.ADMINISTRATOR, house.ben.id)
    refusals: list[tuple[Actor, type[Refusal]]] = [
        (house.actor(house.ada), rules.NotBySamePerson),
        (SHELL, rules.NotByShell),
        (make_actor(house.world.controller, Role.RESPONDER, 55), NotAllowed),
        (make_actor(house.world.controller, Role.AUDITOR, 56), NotAllowed),
        (stranger, NotFound),
    ]
    for actor, refusal in refusals:
        with pytest.raises(refusal):
            approving.approve(context, actor, approval)
        with pytest.raises(refusal):
            approving.reject(context, actor, approval, reason="Nej")
    assert house.approval().state == State.WAITING


def test_whoever_wrote_it_last_is_no_second_pair(house: House) -> None:
    context = house.world.context
    with working(context, house.actor(house.ada)) as work:
        loaded = work.load(house.reference, Act.DECIDE)
        approval = approvals.ask(
            work, loaded, subject="set_aside:gdpr.notify_people", digest="x", not_by=(f"user:{house.ben.id}",)
        )
    with pytest.raises(rules.NotBySamePerson):
        approving.approve(context, house.actor(house.ben), approval)


def at_once(acts: list[Callable[[], None]]) -> list[BaseException | None]:
    """Let several do something at the same moment; return how it went for each."""
    start, ends = threading.Barrier(len(acts)), [None] * len(acts)
    results: list[BaseException | None] = list(ends)

    def run(number: int) -> None:
        start.wait(timeout=30)
        try:
            acts[number]()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    return results


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(any_house: House) -> None:
    house, context = any_house, any_house.world.context
    people = [make_actor(house.world.controller, Role.DECISION_MAKER, number) for number in (71, 72, 73)]
    for duty in ("notify_people", "notify_authority"):
        approval = house.ask(duty=duty)
        secret = house.invite(approval)
        acts: list[Callable[[], None]] = [
            lambda actor=one, which=approval: approving.approve(context, actor, which)  # type: ignore[misc] # bound now
            for one in people[:2]
        ]
        acts.append(lambda which=approval: approving.reject(context, people[2], which, reason="Nej"))  # type: ignore[misc]
        acts.append(lambda link=secret: approving.decide_outside(context, link, approve=True))  # type: ignore[misc]
        went = at_once(acts)
        assert went.count(None) == 1, went
        assert all(isinstance(one, rules.AlreadyDecided | rules.InvitationIsDead) for one in went if one is not None)
        kinds = [one.kind for one in register.history(context, SHELL, house.reference)]
        assert kinds.count("approval_decided") == (1 if duty == "notify_people" else 2)
    assert journal.verify(context).result == "ok"


def test_new_facts_make_what_was_asked_for_void(house: House) -> None:
    context, approval = house.world.context, house.ask()
    scope.assess(context, SHELL, house.reference, ScopeAssessment(description="Også CPR-numre"))
    with pytest.raises(rules.ChangedSinceApproval):
        approving.approve(context, house.actor(house.ben), approval)
    again = house.ask()
    assert again != approval
    approving.approve(context, house.actor(house.ben), again)
    assert house.standing == "set_aside"
    (_, changed) = approving.newest(context, SHELL, house.reference)["set_aside:gdpr.notify_people"]
    assert not changed
    scope.assess(context, SHELL, house.reference, ScopeAssessment(description="Også helbred"))
    (_, changed) = approving.newest(context, SHELL, house.reference)["set_aside:gdpr.notify_people"]
    assert changed


def test_without_an_assessment_nobody_says_no(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    with pytest.raises(rules.AssessmentIsMissing):
        incidents.set_duty_aside(
            world.context, SHELL, reference, regime="gdpr", duty="notify_authority", reason=REASON
        )
    assert not incidents.set_duty_aside(
        world.context, SHELL, reference, regime="promise", duty="inform_parties", reason="Ingen"
    )


def test_a_duty_met_meanwhile_is_not_set_aside(house: House) -> None:
    context, approval = house.world.context, house.ask()
    incidents.meet_duty(
        context,
        SHELL,
        house.reference,
        regime="gdpr",
        duty="notify_people",
        at=house.world.clock(),
        how="Brev, kopi i arkivet",
    )
    with pytest.raises(rules.AlreadyDecided):
        approving.approve(context, house.actor(house.ben), approval)
    assert approving.waiting(context, house.actor(house.ben)) == ()
    with pytest.raises(AlreadySettled):
        house.ask()


def test_nothing_is_approved_on_a_closed_incident(house: House) -> None:
    context, approval = house.world.context, house.ask()
    incidents.find_not_a_breach(context, SHELL, house.reference, reason="Kun testdata")
    assert approving.waiting(context, house.actor(house.ben)) == ()
    with pytest.raises(IncidentIsClosed):
        approving.approve(context, house.actor(house.ben), approval)


def test_the_deadline_rings_until_somebody_has_approved(house: House) -> None:
    house.world.tick()
    for duty in ("notify_people", "notify_authority"):
        house.ask(duty=duty)
    house.world.advance(hours=71)
    assert {one.rung for one in house.world.alerts(house.reference)} & {"48h", "24h", "1h"}
    for duty in ("notify_people", "notify_authority"):
        approving.approve(house.world.context, house.actor(house.ben), house.approval(duty).id)
    incidents.set_duty_aside(
        house.world.context, SHELL, house.reference, regime="promise", duty="inform_parties", reason="Ingen andre"
    )
    before = len(house.world.alerts(house.reference))
    house.world.advance(hours=200)
    assert len(house.world.alerts(house.reference)) == before


def test_whoever_may_decide_is_told_by_mail_and_the_asker_of_the_answer(house: House) -> None:
    approval = house.ask()
    assert [address for address, _ in house.mails()] == ["ben@example.dk"]
    text = house.mails()[0][1]
    assert f"/incidents/{house.reference}/approvals/{approval}" in text
    assert REASON not in text, "the reason stays on the page"
    approving.reject(house.world.context, house.actor(house.ben), approval, reason="Nøglen lå ved siden af")
    assert [address for address, _ in house.mails()] == ["ada@example.dk", "ben@example.dk"]
    assert "afvist" in house.mails()[0][1]


class TestAlone:
    """Someone alone: the rule of the controller, a reason, the password, a wait."""

    def act(self, house: House, approval: str, reason: str = "Jeg er alene", password: str = PASSWORD) -> None:
        approving.approve_alone(
            house.world.context,
            house.actor(house.ada),
            approval,
            reason=reason,
            password=password,
            address="192.0.2.7",
        )

    def test_only_where_the_controller_allows_it(self, house: House) -> None:
        with pytest.raises(rules.AloneIsNotAllowed):
            self.act(house, house.ask())

    def test_a_reason_and_the_right_password(self, house: House) -> None:
        house.allow_alone()
        approval = house.ask()
        with pytest.raises(rules.ReasonForDeciding):
            self.act(house, approval, reason=" ")
        with pytest.raises(PasswordIsNotRight):
            self.act(house, approval, password="et forkert kodeord")
        with pytest.raises(rules.NotByShell):
            approving.approve_alone(house.world.context, SHELL, approval, reason="x", password=PASSWORD)
        assert house.approval().state == State.WAITING

    def test_wrong_passwords_are_slowed_down(self, house: House) -> None:
        house.allow_alone()
        approval = house.ask()
        for _ in range(3):
            with pytest.raises(PasswordIsNotRight):
                self.act(house, approval, password="et forkert kodeord")
        with pytest.raises(SignInSlowedDown):
            self.act(house, approval)

    def test_it_is_carried_out_after_the_wait_and_recorded_as_alone(self, house: House) -> None:
        house.allow_alone()
        approval, context = house.ask(), house.world.context
        self.act(house, approval)
        until = house.world.clock() + timedelta(minutes=15)
        assert house.approval().not_before == until
        house.world.clock.advance(minutes=14, seconds=59)
        with pytest.raises(rules.WaitIsNotOver) as refused:
            approving.carry_out(context, house.actor(house.ada), approval)
        assert refused.value.params == {"at": until}
        assert house.standing == "open"
        house.world.clock.advance(seconds=1)
        approving.carry_out(context, house.actor(house.ada), approval)
        assert house.standing == "set_aside"
        event: Any = register.history(context, SHELL, house.reference)[-1].event
        assert event.way == "alone"
        with pytest.raises(rules.NotApproved):
            approving.carry_out(context, house.actor(house.ada), approval)

    def test_it_can_be_taken_back_while_waiting(self, house: House) -> None:
        house.allow_alone()
        approval, context = house.ask(), house.world.context
        self.act(house, approval)
        approving.take_back(context, house.actor(house.ben), approval)
        house.world.clock.advance(minutes=20)
        with pytest.raises(rules.NotApproved):
            approving.carry_out(context, house.actor(house.ada), approval)
        assert house.standing == "open"

    def test_new_facts_during_the_wait_end_it(self, house: House) -> None:
        house.allow_alone()
        approval, context = house.ask(), house.world.context
        self.act(house, approval)
        scope.assess(context, SHELL, house.reference, ScopeAssessment(description="Også CPR-numre"))
        house.world.clock.advance(minutes=20)
        with pytest.raises(rules.ChangedSinceApproval):
            approving.carry_out(context, house.actor(house.ada), approval)


class TestOutside:
    """Somebody outside: one link, once, for 72 hours, and nothing of it in the clear."""

    def test_the_link_works_once_and_her_name_is_recorded(self, any_house: House) -> None:
        house, context = any_house, any_house.world.context
        secret = house.invite(house.ask())
        found: Invitation = approving.by_secret(context, secret)
        assert (found.incident.reference, found.asked_by) == (house.reference, "Ada")
        assert approving.by_secret(context, secret) == found, "looking changes nothing"
        assert house.standing == "open"
        approving.decide_outside(context, secret, approve=True, reason="Set")
        assert house.standing == "set_aside"
        event: Any = register.history(context, SHELL, house.reference)[-1].event
        assert (event.approved_by, event.way) == ("Eva Ekstern", "outside")
        for _ in range(2):
            with pytest.raises(rules.InvitationIsDead):
                approving.decide_outside(context, secret, approve=False, reason="Nej")

    def test_a_rejection_needs_a_reason_and_the_link_still_works_after_the_refusal(self, house: House) -> None:
        secret, context = house.invite(house.ask()), house.world.context
        with pytest.raises(rules.ReasonForDeciding):
            approving.decide_outside(context, secret, approve=False)
        approving.decide_outside(context, secret, approve=False, reason="Nøglen lå ved siden af")
        assert house.approval().state == State.REJECTED
        assert house.standing == "open"

    def test_the_link_ends_after_72_hours_with_a_new_one_and_with_every_decision(self, house: House) -> None:
        context, approval = house.world.context, house.ask()
        first = house.invite(approval)
        second = house.invite(approval)
        with pytest.raises(rules.InvitationIsDead):
            approving.by_secret(context, first)
        house.world.clock.advance(hours=72)
        with pytest.raises(rules.InvitationIsDead):
            approving.by_secret(context, second)
        third = house.invite(approval)
        approving.approve(context, house.actor(house.ben), approval)
        with pytest.raises(rules.InvitationIsDead):
            approving.decide_outside(context, third, approve=True)
        with pytest.raises(rules.InvitationIsDead):
            approving.by_secret(context, "")

    def test_nobody_invites_herself_and_the_shell_invites_nobody(self, house: House) -> None:
        approval = house.ask()
        with pytest.raises(rules.OutsiderIsYourself):
            house.invite(approval, "ADA@example.dk")
        with pytest.raises(rules.NotByShell):
            approving.invite(house.world.context, SHELL, approval, name="Eva", email=OUTSIDER)

    def test_the_database_holds_neither_secret_nor_name_nor_reason(self, house: House) -> None:
        secret = house.invite(house.ask())
        with house.world.context.database.reading() as session:
            row = session.scalars(select(ApprovalRow)).one()
        assert row.invite_hash is not None
        assert len(row.invite_hash) == 32
        file = house.world.context.database.file
        assert file is not None
        for part in (file, file.with_name(f"{file.name}-wal")):
            content = part.read_bytes()
            for secret_text in (secret, "Eva Ekstern", OUTSIDER, "ikke kompromitteret"):
                assert secret_text.encode() not in content
