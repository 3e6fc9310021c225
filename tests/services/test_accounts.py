from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.events import UserChanged, event_from
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import accounts, controllers, sign_in
from incident_tracker.services.accounts import EmailIsTaken, LastAdministrator, NoRoleGiven, PasswordIsNotRight
from incident_tracker.services.context import Context
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.passwords import PasswordTooCommon
from incident_tracker.store import journal
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.parties import UserRow
from tests.makers import PASSWORD, in_threads, make_actor, make_context, make_controller, make_user
from tests.services.world import World


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def nordlys(context: Context) -> Controller:
    return make_controller(context)


@pytest.fixture
def skyhost(context: Context, nordlys: Controller) -> Controller:
    assert nordlys
    return make_controller(context, "Skyhost A/S")


def _make(context: Context, controller: Controller, **changes: object) -> int:
    facts: dict[str, object] = {"name": "Clara", "email": "clara@example.dk", "password": PASSWORD}
    facts |= {"grants": {controller.id: Role.RESPONDER}} | changes
    return accounts.create(context, SHELL, **facts)  # type: ignore[arg-type] # a test names only what matters


def _users(context: Context) -> int:
    with context.database.reading() as session:
        return len(session.scalars(select(UserRow)).all())


def test_an_account_is_made_with_its_roles_and_stands_in_the_journal(context: Context, nordlys: Controller) -> None:
    user_id = _make(context, nordlys)
    user = accounts.find(context, "CLARA@example.dk")
    assert (user.id, user.name, dict(user.grants)) == (user_id, "Clara", {nordlys.id: Role.RESPONDER})
    assert UserChanged(user_id, "created", nordlys.id, "responder") in _journalled(context)


def _journalled(context: Context) -> list[object]:
    with context.database.reading() as session:
        rows = session.connection().exec_driver_sql("SELECT kind, payload FROM journal ORDER BY seq").all()
    return [event_from(kind, from_json(context.keyring.open(journal.PLACE, sealed))) for kind, sealed in rows]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "  "},
        {"name": "x" * 101},
        {"email": "clara"},
        {"email": "clara@"},
        {"password": "kort"},
        {"password": "clara@example.dk"},
        {"language": "fr"},
        {"grants": {}},
    ],
    ids=str,
)
def test_what_cannot_be_an_account_is_refused_at_its_field(
    context: Context, nordlys: Controller, changes: dict[str, object]
) -> None:
    before = _users(context)
    with pytest.raises(Refusal) as refused:
        _make(context, nordlys, **changes)
    assert refused.value.field == {"grants": "role"}.get(next(iter(changes)), next(iter(changes)))
    assert _users(context) == before


def test_the_same_e_mail_in_another_case_is_the_same_account(context: Context, nordlys: Controller) -> None:
    _make(context, nordlys)
    with pytest.raises(EmailIsTaken):
        _make(context, nordlys, email="Clara@EXAMPLE.dk")
    assert _users(context) == 1


def test_without_a_role_there_is_no_account(context: Context, nordlys: Controller) -> None:
    with pytest.raises(NoRoleGiven):
        _make(context, nordlys, grants={})


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_touch_accounts(context: Context, nordlys: Controller, role: Role) -> None:
    ben = make_user(context, nordlys, Role.RESPONDER, "ben@example.dk", "Ben")
    actor = make_actor(nordlys, role)
    for act in (
        lambda: accounts.create(
            context, actor, name="X", email="x@example.dk", password=PASSWORD, grants={nordlys.id: Role.ADMINISTRATOR}
        ),
        lambda: accounts.set_role(context, actor, ben.id, nordlys.id, Role.ADMINISTRATOR),
        lambda: accounts.set_password(context, actor, ben.id, "tre blå cykler i sneen"),
        lambda: accounts.disable(context, actor, ben.id),
        lambda: accounts.enable(context, actor, ben.id),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            act()
    assert accounts.listing(context, actor) == []


def test_somebody_elses_account_answers_like_none_at_all(
    context: Context, nordlys: Controller, skyhost: Controller
) -> None:
    dan = make_user(context, skyhost, Role.AUDITOR, "dan@example.org", "Dan")
    actor = make_actor(nordlys)
    texts = set()
    for user_id in (dan.id, 999):
        for act in (
            partial(accounts.set_password, context, actor, user_id, "tre blå cykler i sneen"),
            partial(accounts.disable, context, actor, user_id),
            partial(accounts.set_role, context, actor, user_id, nordlys.id, Role.AUDITOR),
        ):
            with pytest.raises(NotFound) as refused:
                act()
            texts.add(str(refused.value))
    assert len(texts) == 1


def test_who_administers_one_of_two_controllers_cannot_take_over_an_account_of_both(
    context: Context, nordlys: Controller, skyhost: Controller
) -> None:
    dan = make_user(context, nordlys, Role.AUDITOR, "dan@example.org", "Dan")
    accounts.set_role(context, SHELL, dan.id, skyhost.id, Role.ADMINISTRATOR)
    actor = make_actor(nordlys)
    with pytest.raises(NotAllowed):
        accounts.set_password(context, actor, dan.id, "tre blå cykler i sneen")
    with pytest.raises(NotAllowed):
        accounts.disable(context, actor, dan.id)
    assert [dict(one.grants) for one in accounts.listing(context, actor)] == [{nordlys.id: Role.AUDITOR}]


def test_the_last_administrator_stays_one(context: Context, nordlys: Controller) -> None:
    ada = make_user(context, nordlys)
    actor = sign_in.actor_of(ada)
    with pytest.raises(LastAdministrator):
        accounts.set_role(context, actor, ada.id, nordlys.id, Role.AUDITOR)
    with pytest.raises(LastAdministrator):
        accounts.disable(context, actor, ada.id)
    make_user(context, nordlys, Role.ADMINISTRATOR, "ben@example.dk", "Ben")
    accounts.set_role(context, actor, ada.id, nordlys.id, Role.AUDITOR)
    assert accounts.find(context, "ada@example.dk").grants == {nordlys.id: Role.AUDITOR}


@pytest.mark.parametrize("how", ["demoted", "shut"])
def test_of_two_administrators_who_remove_one_another_at_once_one_stays(either: World, how: str) -> None:
    context, here = either.context, either.controller
    people = [make_user(context, here, email=f"{name}@example.dk", name=name) for name in ("ada", "ben")]
    refused: list[str] = []

    def remove(index: int) -> None:
        actor, other = sign_in.actor_of(people[index]), people[1 - index]
        try:
            if how == "shut":
                accounts.disable(context, actor, other.id)
            else:
                accounts.set_role(context, actor, other.id, here.id, Role.RESPONDER)
        except LastAdministrator as refusal:
            refused.append(type(refusal).__name__)

    in_threads(2, remove)
    assert refused == ["LastAdministrator"]
    found = accounts.listing(context, SHELL)
    assert [one.is_disabled or one.grants[here.id] is not Role.ADMINISTRATOR for one in found].count(False) == 1


def test_a_shut_account_can_be_opened_again(context: Context, nordlys: Controller) -> None:
    ada = make_user(context, nordlys)
    ben = make_user(context, nordlys, Role.RESPONDER, "ben@example.dk", "Ben")
    actor = sign_in.actor_of(ada)
    accounts.disable(context, actor, ben.id)
    accounts.enable(context, actor, ben.id)
    assert sign_in.sign_in(context, email="ben@example.dk", password=PASSWORD, address="192.0.2.1")


def test_ones_own_password_is_changed_only_by_who_knows_it(context: Context, nordlys: Controller) -> None:
    ada = make_user(context, nordlys)
    actor = sign_in.actor_of(ada)
    with pytest.raises(PasswordIsNotRight):
        accounts.change_own_password(context, actor, current="wrong", password="tre blå cykler i sneen")
    with pytest.raises(PasswordTooCommon):
        accounts.change_own_password(context, actor, current=PASSWORD, password="Password2026!")
    assert sign_in.sign_in(context, email="ada@example.dk", password=PASSWORD, address="192.0.2.1")


def test_a_second_controller_needs_a_prefix_and_gets_its_maker_as_administrator(context: Context) -> None:
    nordlys = make_controller(context)
    ada = make_user(context, nordlys)
    actor = sign_in.actor_of(ada)
    with pytest.raises(Refusal) as refused:
        controllers.create(context, actor, ControllerFacts("Skyhost A/S"))
    assert refused.value.field == "reference_prefix"
    made = controllers.create(context, actor, ControllerFacts("Skyhost A/S"), reference_prefix="SKY")
    assert (made.slug, made.reference_prefix) == ("skyhost-a-s", "SKY-")
    assert accounts.find(context, "ada@example.dk").grants[made.id] is Role.ADMINISTRATOR
    for slug, prefix in (("skyhost-a-s", "OTHER"), ("other", "SKY")):
        with pytest.raises(controllers.SlugIsTaken):
            controllers.create(context, actor, ControllerFacts("X"), slug=slug, reference_prefix=prefix)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": ""}, "name"),
        ({"cvr": "123"}, "cvr"),
        ({"cvr": "".join(chr(0xFF10 + digit) for digit in range(1, 9))}, "cvr"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"sector": "secret"}, "sector"),
    ],
)
def test_what_cannot_be_known_of_a_controller_is_refused(
    context: Context, nordlys: Controller, facts: dict[str, str], field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        controllers.change(context, make_actor(nordlys), nordlys.id, replace(ControllerFacts("X"), **facts))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_changing_a_controller_keeps_what_references_depend_on(context: Context, nordlys: Controller) -> None:
    actor = make_actor(nordlys)
    controllers.change(context, actor, nordlys.id, ControllerFacts("Nordlys Holding ApS", sector="public"))
    after = controllers.get(context, actor, nordlys.id)
    assert (after.name, after.sector, after.slug) == ("Nordlys Holding ApS", "public", nordlys.slug)
    with pytest.raises(NotAllowed):
        controllers.change(context, make_actor(nordlys, Role.RESPONDER), nordlys.id, ControllerFacts("X"))
