from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.services import accounts, controllers, first_run, on_call, sign_in
from incident_tracker.services.context import Context
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.first_run import Administrator, LinkIsDead, SeveralMistakes, SheetWasShown
from incident_tracker.services.on_call import ContactFacts, PhoneIsTaken
from incident_tracker.services.sign_in import SignInRefused
from tests.makers import PASSWORD, PHONES, in_threads, make_actor, make_contact, make_context, make_controller

ADA = Administrator("Ada", "ada@example.dk", PASSWORD)
NORDLYS = ControllerFacts("Nordlys ApS", "00000000", dpo=ContactPoint("Ada", "ada@example.dk", ""))
BEN = ContactFacts("Ben", PHONES[0])


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    yield made
    made.database.close()


def _token(context: Context) -> str:
    link = first_run.ensure_link(context)
    assert link is not None
    return link.rsplit("/", 1)[1]


def _complete(context: Context, token: str) -> int:
    return first_run.complete(context, token, administrator=ADA, controller=NORDLYS, contacts=[BEN])


def test_the_link_makes_everything_that_is_needed_and_is_dead_afterwards(context: Context) -> None:
    token = _token(context)
    user_id = _complete(context, token)
    user = accounts.find(context, "ada@example.dk")
    actor = sign_in.actor_of(user)
    (nordlys,) = controllers.listing(context, actor)
    assert (user.id, user.grants) == (user_id, {nordlys.id: Role.ADMINISTRATOR})
    assert (nordlys.name, nordlys.slug, nordlys.reference_prefix) == ("Nordlys ApS", "nordlys-aps", "")
    assert [one.phone for one in on_call.listing(context, actor, nordlys.id)] == [PHONES[0]]
    with pytest.raises(LinkIsDead):
        _complete(context, token)
    assert first_run.ensure_link(context) is None


def test_each_start_kills_the_link_of_the_one_before(context: Context) -> None:
    before = _token(context)
    newest = _token(context)
    for token in (before, "", "x", newest[:-1]):
        with pytest.raises(LinkIsDead):
            first_run.check_link(context, token)
    first_run.check_link(context, newest)
    assert _complete(context, newest)


def test_the_database_does_not_hold_the_token(context: Context) -> None:
    token = _token(context)
    context.database.close()
    assert not [file for file in context.settings.data.dir.iterdir() if token.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"administrator": replace(ADA, password="kort")}, "administrator_password"),
        ({"administrator": replace(ADA, email="ada")}, "administrator_email"),
        ({"controller": replace(NORDLYS, cvr="12")}, "controller_cvr"),
        ({"controller": replace(NORDLYS, dpo=ContactPoint("", "x", ""))}, "controller_dpo_email"),
        ({"contacts": [BEN, replace(BEN, phone="112")]}, "contact_1_phone"),
        ({"contacts": [BEN, BEN]}, "contact_1_phone"),
    ],
)
def test_a_mistake_is_named_by_its_field_and_leaves_nothing_behind(
    context: Context, changes: dict[str, object], field: str
) -> None:
    token = _token(context)
    facts: dict[str, object] = {"administrator": ADA, "controller": NORDLYS, "contacts": [BEN]}
    with pytest.raises(Refusal) as refused:
        first_run.complete(context, token, **facts | changes)  # type: ignore[arg-type] # one fact is replaced
    assert str(refused.value.field).endswith(field)
    assert first_run.is_open(context)
    assert _complete(context, token)


def test_mistakes_of_all_parts_are_named_at_once(context: Context) -> None:
    with pytest.raises(SeveralMistakes) as refused:
        first_run.complete(
            context,
            _token(context),
            administrator=replace(ADA, password="kort"),
            controller=replace(NORDLYS, cvr="12"),
            contacts=[replace(BEN, phone="112")],
        )
    fields = {one.field for one in refused.value.refusals}
    assert fields == {"administrator_password", "controller_cvr", "contact_0_phone"}


def test_of_two_who_use_the_link_at_once_one_gets_in(context: Context) -> None:
    token = _token(context)
    outcomes: list[str] = []

    def use(number: int) -> None:
        try:
            first_run.complete(
                context,
                token,
                administrator=replace(ADA, email=f"ada{number}@example.dk"),
                controller=NORDLYS,
                contacts=[BEN],
            )
            outcomes.append("in")
        except Refusal:
            outcomes.append("refused")

    in_threads(2, use)
    assert sorted(outcomes) == ["in", "refused"]


def test_a_controller_that_the_shell_has_made_is_kept(context: Context) -> None:
    made = make_controller(context, "Old name")
    _complete(context, _token(context))
    actor = sign_in.actor_of(accounts.find(context, "ada@example.dk"))
    assert [(one.id, one.slug, one.name) for one in controllers.listing(context, actor)] == [
        (made.id, made.slug, "Nordlys ApS")
    ]


def test_a_number_that_the_shell_has_put_on_call_is_refused_by_its_field(context: Context) -> None:
    make_contact(context, make_controller(context), phone=PHONES[0])
    with pytest.raises(PhoneIsTaken):
        _complete(context, _token(context))
    assert first_run.is_open(context)


def test_the_recovery_sheet_is_shown_once_to_an_administrator(context: Context) -> None:
    _complete(context, _token(context))
    actor = sign_in.actor_of(accounts.find(context, "ada@example.dk"))
    (nordlys,) = controllers.listing(context, actor)
    with pytest.raises(NotAllowed):
        first_run.show_sheet(context, make_actor(nordlys, Role.DECISION_MAKER))
    assert first_run.sheet_is_due(context)
    sheet = first_run.show_sheet(context, actor)
    assert sheet.master_key == context.settings.master_key_file.read_text().strip()
    assert not first_run.sheet_is_due(context)
    with pytest.raises(SheetWasShown):
        first_run.show_sheet(context, actor)


def test_everything_of_set_up_works_on_either_database(tmp_path: Path, empty_database_url: str) -> None:
    context = make_context(tmp_path, database_url=empty_database_url)
    _complete(context, _token(context))
    with pytest.raises(SignInRefused):
        sign_in.sign_in(context, email="ada@example.dk", password="wrong wrong", address="192.0.2.1")
    secret = sign_in.sign_in(context, email="ada@example.dk", password=PASSWORD, address="192.0.2.1")
    found = sign_in.resume(context, secret)
    assert found is not None
    actor = found.actor
    second = controllers.create(context, actor, ControllerFacts("Skyhost A/S"), reference_prefix="SKY")
    with pytest.raises(controllers.SlugIsTaken):
        controllers.create(context, actor, ControllerFacts("Skyhost A/S"), reference_prefix="SKY")
    third = controllers.create(context, actor, ControllerFacts("Third"), reference_prefix="THIRD")
    assert third.id > second.id
    (nordlys,) = actor.grants or {}
    clara = on_call.add(context, actor, nordlys, ContactFacts("Clara", PHONES[1]))
    with pytest.raises(PhoneIsTaken):
        on_call.add(context, actor, nordlys, ContactFacts("Clara", PHONES[1]))
    on_call.move(context, actor, clara, 1)
    assert [one.name for one in on_call.listing(context, actor, nordlys)] == ["Clara", "Ben"]
    assert on_call.send_test(context, actor, clara)
    sign_in.sign_out(context, secret)
    assert sign_in.resume(context, secret) is None
    context.database.close()
