"""What a provider can do to us, through the real client and the engine: each fault ends where it should."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.delivery.pace import Pace
from incident_tracker.store.database import Database
from notifiers.protocol import Channel, Content
from notifiers.testing import ScriptedProvider, Step, steps
from tests.delivery.world import NEVER, Postman, World, make_world
from tests.faults.sender import notifier

QUICK = Pace(workers=2, claim=4, call_seconds=1.0, grace_seconds=0.3, lease=timedelta(seconds=5))


@pytest.fixture
def database_kind() -> str:
    """What a provider does is the same on both databases; one is enough here."""
    return "sqlite"


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(lambda: datetime.now(UTC)) as started:  # noqa: TID251 - the other side's clock
        yield started


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = make_world(database)
    made.routing["sms"] = ("twilio_sms",)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("step", "state", "code"),
    [
        (steps.too_many("7"), "pending", "20429"),
        (steps.too_many("99999999"), "pending", "20429"),
        (steps.too_many("-3"), "pending", "20429"),
        (steps.too_many("soon"), "pending", "20429"),
        (steps.too_many("Fri, 20 Nov 2026 13:00:09 GMT"), "pending", "20429"),
        (steps.broken(503), "in_doubt", None),
        (steps.broken(500, accepted=True), "in_doubt", None),
        (steps.refuse(21614), "failed", "21614"),
        (steps.refuse(21610), "suppressed", "21610"),
        (steps.refuse(20003, 401), "pending", "20003"),
        (steps.refuse(21408, 403), "failed", "21408"),
        (steps.drop(), "in_doubt", None),
        (steps.drop("reset"), "in_doubt", None),
        (steps.drop("half"), "in_doubt", None),
        (steps.hang(), "in_doubt", None),
        (steps.hang(accepted=True), "in_doubt", None),
        (steps.accept(drip=0.3), "in_doubt", None),
        (steps.strange(""), "in_doubt", None),
        (steps.strange("<html>"), "in_doubt", None),
        (steps.strange('{"sid": "SM'), "in_doubt", None),
        (steps.strange('{"sid": "XX123"}'), "in_doubt", None),
        (steps.accept(delay=0.2), "accepted", ""),
    ],
)
def test_a_fault_of_the_provider_ends_in_its_state(
    world: World, provider: ScriptedProvider, step: Step, state: str, code: str | None
) -> None:
    (delivery,) = world.enqueue()
    provider.script(step)

    world.engine(notifier(provider.address), pace=QUICK).drain(NEVER)

    row = world.row(delivery)
    assert row.state == state
    assert code is None or row.code == code
    blocked = world.lane("twilio_sms").blocked_until
    assert blocked is None or blocked - world.clock() <= QUICK.probe_after


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_burst_of_errors_ends_with_every_alert_sent_and_every_double_marked(
    world: World,
    provider: ScriptedProvider,
    status: int,
    accepted: bool,  # noqa: FBT001
) -> None:
    ids = [world.enqueue(content=Content(f"alert {number}"), values={})[0] for number in range(12)]
    provider.script(*[steps.broken(status, accepted=accepted)] * 6)
    engine = world.engine(notifier(provider.address), pace=QUICK)

    for _ in range(4):
        engine.drain(NEVER)
        engine.sweep()
        world.clock.advance(minutes=1)

    assert {world.row(one).state for one in ids} == {"accepted"}
    assert provider.duplicates == 0  # the provider was asked, and what it had was not sent again
    assert set(provider.accepted.values()) == {1}


def test_a_provider_that_takes_nobodys_connection_has_certainly_taken_nothing(world: World) -> None:
    with ScriptedProvider(lambda: datetime.now(UTC)) as gone:  # noqa: TID251 - as above
        address = gone.address
    (delivery,) = world.enqueue()

    world.engine(notifier(address), pace=QUICK).drain(NEVER)

    row = world.row(delivery)
    assert (row.state, row.possible_duplicate) == ("pending", False)


def test_while_sms_hangs_mail_goes_out_and_after_the_outage_all_is_sent_within_a_minute(
    world: World, provider: ScriptedProvider
) -> None:
    world.routing["email"] = ("mail",)
    alerts = [world.enqueue(content=Content(f"alert {number}"), values={})[0] for number in range(4)]
    (letter,) = world.enqueue(channel=Channel.EMAIL, address="ada@example.dk")
    down = True
    provider.rule = lambda _asked: steps.hang(accepted=False) if down else None
    engine = world.engine(notifier(provider.address), Postman("mail", Channel.EMAIL), pace=QUICK)

    for _ in range(3):
        engine.drain(NEVER)
        engine.sweep()
        world.clock.advance(hours=2)
    assert world.row(letter).state == "accepted"
    assert "accepted" not in {world.row(one).state for one in alerts}

    down = False
    engine.drain(NEVER)
    engine.sweep()
    engine.drain(NEVER)
    world.clock.advance(seconds=60)
    engine.drain(NEVER)
    assert {world.row(one).state for one in alerts} == {"accepted"}
    assert provider.duplicates == 0
