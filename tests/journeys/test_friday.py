"""Journey 1, Friday 16:45: staff logs a suspicion, the phone buzzes, `OK` takes it, and silence calls the next."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incident_tracker.domain.sms import fits_one_segment
from incident_tracker.services import outbox, register
from incident_tracker.web.app import create_app
from notifiers.protocol import CallbackRequest
from notifiers.testing import steps
from tests.journeys.conftest import MakeWorld
from tests.journeys.world import BEN, CLARA, PUBLIC_URL, World

TITLE = "Nyhedsbrev sendt med alle adresser i CC"
SUSPICION = (
    "2026-0001: ny mistanke om brud. Ikke vurderet endnu (0 t siden). "
    "Svar OK for at tage den. Log ind for at se mere."
)
TAKEN = "Kvitteret: 2026-0001."
NO_SUCH_NUMBER = 21211
FIVE = timedelta(minutes=5)


def alert_states(world: World, reference: str) -> list[tuple[str, str | None]]:
    alerts = register.overview(world.context, world.ada, reference).alerts
    return [(one.state, one.acknowledged_via) for one in alerts]


def outbox_states(world: World) -> list[str]:
    return [str(one.delivery.state) for one in outbox.listing(world.context, world.ada)]


def test_the_phone_buzzes_in_the_same_round_with_a_text_that_tells_no_facts(either: World) -> None:
    reference = either.log(TITLE, what_happened="612 kunder kunne se hinandens adresser", place="Nyhedsbrevet")
    assert either.beat() == [("Fri 20 Nov 16:45 +0100", BEN, SUSPICION)]
    assert fits_one_segment(SUSPICION)
    assert either.shown(reference)["status"] == "suspected"
    assert [(one.kind, one.actor) for one in either.journal(reference)] == [
        ("incident_opened", "user:1"),
        ("alert_raised", "user:1"),
    ]
    assert either.journal_is_whole()


def test_ben_answers_ok_and_a_shop_without_a_public_address_hears_it_by_asking(either: World) -> None:
    reference = either.log(TITLE)
    either.beat()
    either.clock.advance(minutes=2)
    either.writes(BEN, " ok.")
    assert either.beat() == [("Fri 20 Nov 16:47 +0100", BEN, TAKEN)]
    assert alert_states(either, reference) == [("acknowledged", "sms")]
    taken = either.journal(reference)[-1]
    assert (taken.kind, taken.actor) == ("alert_acknowledged", f"contact:{either.contacts[0].id}")
    assert either.wind(minutes=30) == []
    assert either.standing(reference, "assess") == "open", "an OK decides nothing"


def test_the_answer_to_an_ok_says_how_long_the_deadline_still_runs_and_what_else_is_open(world: World) -> None:
    world.log("Stjålet telefon", actor=world.clara, aware_at=world.clock(), aware_reason="Meldt stjålet.")
    world.beat()
    world.clock.advance(minutes=1)
    world.log(TITLE)
    world.beat()
    world.clock.advance(minutes=1)
    assert world.take([("", BEN, "")]) == ["Kvitteret: 2026-0002. 1 alarm mere er åben: svar OK ALLE."]
    world.clock.advance(minutes=1)
    world.writes(BEN, "OK ALLE")
    assert [text for _, _, text in world.beat()] == ["Kvitteret: 2026-0001. Fristen løber stadig: 2 d 23 t."]


@pytest.fixture
def called(make: MakeWorld) -> tuple[World, FlaskClient]:
    """Give a world with a public address, and the provider's way in."""
    world = make(PUBLIC_URL)
    return world, create_app(world.tracker).test_client()


def call(client: FlaskClient, callback: CallbackRequest) -> TestResponse:
    path = callback.url.removeprefix(PUBLIC_URL)
    return client.post(path, data=callback.body, headers=dict(callback.headers), base_url=PUBLIC_URL)


def test_with_a_public_address_the_ok_comes_as_a_signed_callback(called: tuple[World, FlaskClient]) -> None:
    world, client = called
    reference = world.log(TITLE)
    world.beat()
    reply = world.provider.write_to_us(BEN, CLARA, "OK")
    inbound = f"{PUBLIC_URL}/webhooks/twilio_sms/inbound"
    assert call(client, world.provider.inbound_callback(reply, inbound, key="forged")).status_code == 403
    assert world.beat() == [], "neither believed nor asked for"
    assert alert_states(world, reference) == [("open", None)]
    for _ in range(2):
        assert call(client, world.provider.inbound_callback(reply, inbound)).status_code == 200
    assert [text for _, _, text in world.beat()] == [TAKEN], "told twice, answered once"
    assert alert_states(world, reference) == [("acknowledged", "sms")]


def test_with_a_public_address_the_provider_says_that_the_message_arrived(called: tuple[World, FlaskClient]) -> None:
    world, client = called
    world.log(TITLE)
    world.beat()
    (sent,) = world.provider.sms
    assert sent.callback.startswith(f"{PUBLIC_URL}/webhooks/twilio_sms/status?")
    assert call(client, world.provider.status_callback(sent, "delivered", key="forged")).status_code == 403
    assert outbox_states(world) == ["accepted"]
    assert call(client, world.provider.status_callback(sent, "delivered")).status_code == 204
    world.beat()
    assert outbox_states(world) == ["delivered"]


def test_nobody_answers_and_the_next_is_called_after_five_minutes_round_and_round(either: World) -> None:
    either.log(TITLE)
    called = [*either.beat(), *either.walk(either.clock() + 4 * FIVE, minutes=1)]
    assert [(at[11:16], phone) for at, phone, _ in called] == [
        ("16:45", BEN),
        ("16:50", CLARA),
        ("16:55", BEN),
        ("17:00", CLARA),
        ("17:05", BEN),
    ]
    either.writes(CLARA, "OK")
    assert [(phone, text) for _, phone, text in either.beat()] == [(CLARA, TAKEN)]
    assert either.walk(either.clock() + 3 * FIVE, minutes=1) == []


def test_a_number_that_does_not_exist_is_not_waited_for(either: World) -> None:
    either.provider.script(steps.refuse(NO_SUCH_NUMBER))
    reference = either.log(TITLE)
    either.beat()
    assert [(at[11:16], phone) for at, phone, _ in [*either.heard(), *either.beat()]] == [("16:45", CLARA)]
    assert sorted(outbox_states(either)) == ["accepted", "failed"]
    assert either.kinds(reference) == ["incident_opened", "alert_raised", "alert_raised"]


def test_a_power_cut_between_logging_and_sending_loses_nothing(either: World) -> None:
    either.log(TITLE)
    either.restart()
    assert [(phone, text) for _, phone, text in either.beat()] == [(BEN, SUSPICION)]


def test_after_a_restart_the_next_step_comes_at_its_time_and_an_ok_is_still_understood(either: World) -> None:
    reference = either.log(TITLE)
    either.beat()
    either.clock.advance(minutes=3)
    either.restart()
    assert either.beat() == [], "Ben was told already"
    assert [(at[11:16], phone) for at, phone, _ in either.wind(minutes=2)] == [("16:50", CLARA)]
    either.writes(BEN, "OK")
    either.restart()
    assert [(phone, text) for _, phone, text in either.beat()] == [(BEN, TAKEN)]
    either.restart()
    assert either.walk(either.clock() + 3 * FIVE, minutes=1) == []
    assert alert_states(either, reference) == [("acknowledged", "sms")]
    assert either.provider.duplicates == 0
    assert either.journal_is_whole()


def test_a_provider_that_is_away_for_a_while_gets_the_message_when_it_is_back(world: World) -> None:
    world.provider.rule = lambda _: steps.broken(503)
    world.log(TITLE)
    assert world.walk(world.clock() + 2 * FIVE, minutes=1) == []
    world.provider.rule = None
    heard = world.walk(world.clock() + FIVE, minutes=1)
    assert {phone for _, phone, _ in heard} == {BEN, CLARA}
    assert world.provider.duplicates == 0
