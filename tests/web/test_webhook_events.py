"""What Twilio and SendGrid tell the real page: believed with its signature, stored first, applied later."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.tables.outbox import AttemptRow, CallbackRow, DeliveryRow
from incident_tracker.web.app import create_app
from notifiers.protocol import CallbackRequest, Channel, Content
from notifiers.testing import ScriptedProvider
from notifiers.testing.ledger import Asked
from notifiers.testing.provider import ACCOUNT_SID, API_KEY, AUTH_TOKEN
from notifiers.testing.steps import Step
from tests.delivery.world import NEVER
from tests.makers import PHONES, HandClock, make_controller, make_database, make_settings

HOME = "https://brud.example.dk"
EVENTS = f"{HOME}/webhooks/sendgrid_email/status"
VECTORS = json.loads((Path(__file__).parents[1] / "notifiers" / "webhook_vectors.json").read_text("utf-8"))
_numbers = itertools.count()


class House:
    """The product with both providers, its pages, and the stand-in."""

    def __init__(
        self, folder: Path, provider: ScriptedProvider, home: str = HOME, **changed: Mapping[str, Any]
    ) -> None:
        base = {"api_base": provider.address}
        key = provider.sendgrid_signer.public_key
        mail = base | {"api_key": API_KEY, "from_email": "brud@example.dk", "webhook_public_key": key}
        sms = base | {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": PHONES[1]}
        settings = make_settings(
            folder,
            server={"public_url": home},
            routing={"sms": ["twilio_sms"], "email": ["sendgrid_email"]},
            notifiers={
                "twilio_sms": sms | changed.get("twilio_sms", {}),
                "sendgrid_email": mail | changed.get("sendgrid_email", {}),
            },
        )
        make_database(settings).close()
        self.home = home
        self.provider = provider
        self.tracker: Tracker = bootstrap.build(settings, now=HandClock())
        self.app = create_app(self.tracker)
        self.pages: FlaskClient = self.app.test_client()
        self.controller = make_controller(self.tracker.context)

    def enqueue(self, channel: Channel = Channel.EMAIL) -> str:
        context = self.tracker.context
        number = next(_numbers)
        new = NewDelivery(
            controller_id=self.controller.id,
            purpose=Purpose.NOTICE,
            once=f"once-{number}",
            channel=channel,
            address=PHONES[0] if channel is Channel.SMS else f"person{number}@example.dk",
            address_hash=b"hash",
            content=Content("Kære kunde", "Om dine oplysninger"),
        )
        year, now = context.keyring.year(context.now()), context.now()
        with context.database.writing() as session:
            return enqueue(session, context.keyring, year, now, context.routing, [new], local_only=False)[0]

    def sent(self, channel: Channel = Channel.EMAIL) -> tuple[str, str, str]:
        """Return (delivery, attempt, provider's id) of a message that the provider took."""
        delivery = self.enqueue(channel)
        self.tracker.engine.drain(NEVER)
        with self.tracker.context.database.reading() as session:
            attempt = session.scalars(select(AttemptRow.id).where(AttemptRow.delivery_id == delivery)).one()
        return delivery, attempt, self.row(delivery).provider_id or ""

    def row(self, delivery: str) -> DeliveryRow:
        with self.tracker.context.database.reading() as session:
            return session.scalars(select(DeliveryRow).where(DeliveryRow.id == delivery)).one()

    def stored(self) -> Sequence[CallbackRow]:
        with self.tracker.context.database.reading() as session:
            return session.scalars(select(CallbackRow).order_by(CallbackRow.id)).all()

    def call(self, request: CallbackRequest) -> TestResponse:
        path = request.url.removeprefix(self.home)
        return self.pages.post(path, base_url=self.home, data=request.body, headers=dict(request.headers))

    def events(self, *events: Mapping[str, Any]) -> TestResponse:
        return self.call(self.provider.sendgrid_signer.request(EVENTS, events, 1_800_000_000))


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(HandClock()) as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, provider: ScriptedProvider) -> Iterator[House]:
    made = House(tmp_path, provider)
    yield made
    made.tracker.close()


def event(kind: str, delivery: str, attempt: str, provider_id: str, **more: Any) -> dict[str, Any]:
    message_id = provider_id.partition("/")[0]
    ours = {"delivery": delivery, "attempt": attempt, "sg_message_id": f"{message_id}.filter-1"}
    return {"event": kind, "timestamp": 1_800_000_000, "email": "person@example.dk", **ours, **more}


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["provider"] == "sendgrid"])
def test_every_vector_of_sendgrid_is_judged_rightly(
    tmp_path: Path, provider: ScriptedProvider, vector: Mapping[str, Any]
) -> None:
    house = House(tmp_path, provider, sendgrid_email={"webhook_public_key": vector["public_key"]})
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": vector["signature"],
        "X-Twilio-Email-Event-Webhook-Timestamp": vector["timestamp"],
        "Content-Type": "application/json",
    }

    answer = house.call(CallbackRequest("status", EVENTS, headers, vector["payload"].encode()))

    valid = vector["expected"] == "valid"
    assert answer.status_code == (204 if valid else 403)
    assert len(house.stored()) == (len(json.loads(vector["payload"])) if valid else 0)
    assert all(one.applied_at is None for one in house.stored())
    house.tracker.close()


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["provider"] == "twilio"])
@pytest.mark.parametrize("forged", [False, True])
def test_every_vector_of_twilio_is_judged_rightly(
    tmp_path: Path, provider: ScriptedProvider, vector: Mapping[str, Any], *, forged: bool
) -> None:
    home, _, path = vector["url"].partition("/myapp.php")
    house = House(tmp_path, provider, home, twilio_sms={"auth_token": vector["token"]})
    house.app.add_url_rule(  # the address is signed too, so the page must answer at that of the vector
        "/myapp.php",
        endpoint="webhooks.vector",
        view_func=house.app.view_functions["webhooks.take"],
        methods=["POST"],
        defaults={"notifier": "twilio_sms", "kind": "status"},
    )
    body = urlencode(vector["params"], doseq=True)
    if forged:
        body = body.replace("1234", "1235")
    headers = {"X-Twilio-Signature": vector["signature"], "Content-Type": "application/x-www-form-urlencoded"}

    answer = house.call(CallbackRequest("status", f"{home}/myapp.php{path}", headers, body.encode()))

    assert answer.status_code == (403 if forged else 204)
    assert house.stored() == [], "it names no message"
    house.tracker.close()


def test_an_event_is_stored_first_and_applied_later(house: House) -> None:
    delivery, attempt, provider_id = house.sent()

    assert house.events(event("delivered", delivery, attempt, provider_id)).status_code == 204

    assert house.row(delivery).state == "accepted"
    assert [one.applied_at for one in house.stored()] == [None]
    house.tracker.engine.sweep()
    assert house.row(delivery).state == "delivered"
    assert house.row(delivery).provider_id == provider_id


def test_a_bounce_after_it_was_accepted_is_a_failure_with_its_reason(house: House) -> None:
    delivery, attempt, provider_id = house.sent()
    bounced = event("bounce", delivery, attempt, provider_id, bounce_classification="Invalid Address", status="5.1.1")

    house.events(event("processed", delivery, attempt, provider_id), bounced)
    house.tracker.engine.sweep()

    row = house.row(delivery)
    assert (row.state, row.reason, row.code) == ("failed", "bounce: Invalid Address", "5.1.1")
    assert row.finished_at is not None


def test_the_same_event_twice_is_one_change(house: House) -> None:
    delivery, attempt, provider_id = house.sent()
    told = event("delivered", delivery, attempt, provider_id, sg_event_id="one")

    house.events(told, told)
    house.events(told | {"sg_event_id": "told again"})
    house.tracker.engine.sweep()

    assert [one.result for one in house.stored()] == ["applied"]
    assert house.row(delivery).state == "delivered"


def test_events_out_of_order_only_move_forward(house: House) -> None:
    delivery, attempt, provider_id = house.sent()

    for kind in ("delivered", "deferred", "processed", "bounce"):
        house.events(event(kind, delivery, attempt, provider_id))
        house.tracker.engine.sweep()

    assert house.row(delivery).state == "delivered"
    assert [one.result for one in house.stored()] == ["applied"] * 4


def test_an_event_may_come_before_our_own_commit(house: House) -> None:
    def deliver_at_once(asked: Asked) -> Step | None:
        args = asked.fields["personalizations"][0]["custom_args"]
        told = {"event": "delivered", "timestamp": 1, "sg_message_id": "", **args}
        assert house.events(told).status_code == 204
        house.tracker.engine._inbox.apply()
        return None

    house.provider.rule = deliver_at_once
    delivery, _, provider_id = house.sent()

    assert house.row(delivery).state == "delivered"
    assert provider_id


def test_events_about_nothing_of_ours_are_put_aside_and_counted(house: House) -> None:
    house.events(event("delivered", "d-nobody", "a-nobody", "m"))
    told = {"event": "delivered", "timestamp": 1, "sg_message_id": "unknown.filter"}
    house.events(told)

    house.tracker.engine.sweep()
    clock = house.tracker.context.now
    assert isinstance(clock, HandClock)
    clock.advance(minutes=6)
    house.tracker.engine.sweep()

    assert [one.result for one in house.stored()] == ["unknown", "unknown"]


def test_a_changed_byte_is_a_forgery_of_which_nothing_is_kept(house: House) -> None:
    delivery, attempt, provider_id = house.sent()
    signed = house.provider.sendgrid_signer.request(EVENTS, [event("bounce", delivery, attempt, provider_id)], 5)
    changed = CallbackRequest("status", signed.url, signed.headers, signed.body.replace(b"bounce", b"delive"))

    assert house.call(changed).status_code == 403
    assert house.call(CallbackRequest("status", signed.url, {}, signed.body)).status_code == 403

    assert house.stored() == []
    house.tracker.engine.sweep()
    assert house.row(delivery).state == "accepted"


@pytest.mark.parametrize("key", ["current", "forged"])
def test_a_report_of_twilio_is_believed_only_with_its_signature(house: House, key: str) -> None:
    delivery, _, provider_id = house.sent(Channel.SMS)
    sms = house.provider.ledger.sms[provider_id]

    answer = house.call(house.provider.status_callback(sms, "undelivered", "30003", key=key))
    house.tracker.engine.sweep()

    assert answer.status_code == (204 if key == "current" else 403)
    assert len(house.stored()) == (1 if key == "current" else 0)
    row = house.row(delivery)
    assert (row.state, row.code) == (("failed", "30003") if key == "current" else ("accepted", ""))


def test_a_mark_of_another_attempt_is_not_believed_even_with_a_signature(house: House) -> None:
    _, attempt, provider_id = house.sent(Channel.SMS)
    sms = house.provider.ledger.sms[provider_id]
    moved = type(sms)(
        **{name: getattr(sms, name) for name in sms.__slots__} | {"callback": sms.callback.replace(attempt, "f" * 32)}
    )

    assert house.call(house.provider.status_callback(moved, "delivered")).status_code == 403
    assert house.stored() == []
