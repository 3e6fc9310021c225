from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from incident_tracker.domain.errors import NotAllowed, NotFound
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import on_call
from incident_tracker.services.context import Context
from incident_tracker.services.on_call import ContactFacts, PhoneIsTaken
from incident_tracker.store.keys import Keyring, load_master_key
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.makers import PHONES, make_actor, make_contact, make_context, make_controller


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = make_context(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def nordlys(context: Context) -> Controller:
    return make_controller(context)


def _names(context: Context, controller: Controller) -> list[tuple[int, str]]:
    return [(one.position, one.name) for one in on_call.listing(context, make_actor(controller), controller.id)]


def test_people_are_called_in_the_order_they_were_put_on_call(context: Context, nordlys: Controller) -> None:
    actor = make_actor(nordlys)
    on_call.add(context, actor, nordlys.id, ContactFacts(" Ben ", "34 41 23 45", verified=True))
    on_call.add(context, actor, nordlys.id, ContactFacts("Clara", "+45 32 12 34 56", "clara@example.dk", "en"))
    ben, clara = on_call.listing(context, actor, nordlys.id)
    assert (ben.position, ben.name, ben.phone, ben.verified) == (1, "Ben", PHONES[0], True)
    assert (clara.position, clara.phone, clara.language, clara.verified) == (2, PHONES[1], "en", False)


def test_moving_and_removing_leave_no_gap(context: Context, nordlys: Controller) -> None:
    actor = make_actor(nordlys)
    ben, clara = (
        make_contact(context, nordlys, name, phone) for name, phone in zip(("Ben", "Clara"), PHONES, strict=True)
    )
    on_call.move(context, actor, clara.id, 1)
    assert _names(context, nordlys) == [(1, "Clara"), (2, "Ben")]
    on_call.move(context, actor, clara.id, 99)
    assert _names(context, nordlys) == [(1, "Ben"), (2, "Clara")]
    on_call.remove(context, actor, ben.id)
    assert _names(context, nordlys) == [(1, "Clara")]
    with pytest.raises(NotFound):
        on_call.remove(context, actor, ben.id)


def test_a_number_is_on_call_once_and_again_after_it_was_taken_off(context: Context, nordlys: Controller) -> None:
    actor = make_actor(nordlys)
    ben = make_contact(context, nordlys)
    with pytest.raises(PhoneIsTaken) as refused:
        on_call.add(context, actor, nordlys.id, ContactFacts("Clara", PHONES[0]))
    assert refused.value.field == "phone"
    on_call.remove(context, actor, ben.id)
    on_call.add(context, actor, nordlys.id, ContactFacts("Clara", PHONES[0]))
    assert _names(context, nordlys) == [(1, "Clara")]


def test_a_test_is_one_sms_that_names_the_organisation(context: Context, nordlys: Controller) -> None:
    ben = make_contact(context, nordlys)
    delivery_id = on_call.send_test(context, make_actor(nordlys), ben.id)
    with context.database.reading() as session:
        row = session.scalars(select(DeliveryRow)).one()
    assert (row.id, row.purpose, row.channel, row.contact_id) == (delivery_id, "test", "sms", ben.id)


def test_a_test_can_be_sent_right_after_a_restart(context: Context, nordlys: Controller) -> None:
    ben = make_contact(context, nordlys)
    keyring = Keyring(load_master_key(context.settings.master_key_file), context.database)
    restarted = replace(context, keyring=keyring)
    assert on_call.send_test(restarted, make_actor(nordlys), ben.id)


def test_a_name_with_braces_is_no_placeholder(context: Context) -> None:
    odd = make_controller(context, "{{phone}} {x} ApS")
    ben = make_contact(context, odd)
    assert on_call.send_test(context, make_actor(odd), ben.id)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_change_who_is_called(context: Context, nordlys: Controller, role: Role) -> None:
    ben = make_contact(context, nordlys)
    actor = make_actor(nordlys, role)
    for act in (
        lambda: on_call.add(context, actor, nordlys.id, ContactFacts("Clara", PHONES[1])),
        lambda: on_call.remove(context, actor, ben.id),
        lambda: on_call.move(context, actor, ben.id, 2),
        lambda: on_call.verify(context, actor, ben.id),
        lambda: on_call.send_test(context, actor, ben.id),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert _names(context, nordlys) == [(1, "Ben")]


def test_somebody_elses_contact_answers_like_none_at_all(context: Context, nordlys: Controller) -> None:
    skyhost = make_controller(context, "Skyhost A/S")
    theirs = make_contact(context, skyhost)
    for contact_id in (theirs.id, 999):
        with pytest.raises(NotFound):
            on_call.send_test(context, make_actor(nordlys), contact_id)
    with pytest.raises(NotAllowed):
        on_call.listing(context, make_actor(nordlys), skyhost.id)
