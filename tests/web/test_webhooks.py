"""What a provider calls back: believed with its signature, stored first, acted on by the clock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from incident_tracker import bootstrap
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.services import calling, incidents, outbox, replies
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.web.app import create_app
from tests.makers import PHONES, HandClock, make_contact, make_controller, make_database, make_settings, make_tracker

HOME = "https://brud.example.dk"
TOKEN = "0123456789abcdef0123456789abcdef"
TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN, "from_number": PHONES[1]}


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    settings = make_settings(
        tmp_path, server={"public_url": HOME}, routing={"sms": ["twilio_sms"]}, notifiers={"twilio_sms": TWILIO}
    )
    make_database(settings).close()
    made = bootstrap.build(settings, now=HandClock())
    yield made
    made.close()


@pytest.fixture
def provider(tracker: Tracker) -> FlaskClient:
    app: Flask = create_app(tracker)
    return app.test_client()


@pytest.fixture
def reference(tracker: Tracker) -> str:
    make_contact(tracker.context, make_controller(tracker.context), "Ben", PHONES[0])
    return incidents.open_incident(tracker.context, SHELL, title="Kundeliste lå åbent")


def _call(provider: FlaskClient, path: str, form: dict[str, str], **changed: Any) -> TestResponse:
    signed = RequestValidator(TOKEN).compute_signature(HOME + path, form)
    headers = {"X-Twilio-Signature": changed.get("signature", signed)}
    return provider.post(path, base_url=HOME, data=changed.get("sent", form), headers=headers)


REPLY = {"MessageSid": "SM1", "From": PHONES[0], "To": PHONES[1], "Body": "OK"}


def _sent(tracker: Tracker, reference: str) -> None:
    """Let the message count as sent, without asking any provider."""
    assert reference
    with tracker.context.database.writing() as session:
        values = {"state": "accepted", "sent_at": tracker.context.now(), "provider_id": "SM9"}
        session.execute(update(DeliveryRow).values(**values))


def test_a_signed_reply_takes_the_alert(provider: FlaskClient, tracker: Tracker, reference: str) -> None:
    _sent(tracker, reference)
    answer = _call(provider, "/webhooks/twilio_sms/inbound", REPLY)
    assert answer.status_code == 200
    assert answer.mimetype == "text/xml"
    assert tracker.woken.is_set()
    assert replies.apply(tracker.context) == 1
    assert calling.open_alerts(tracker.context, SHELL) == []


def test_the_same_reply_twice_counts_once(provider: FlaskClient, tracker: Tracker, reference: str) -> None:
    _sent(tracker, reference)
    for _ in range(2):
        assert _call(provider, "/webhooks/twilio_sms/inbound", REPLY).status_code == 200
    assert replies.apply(tracker.context) == 1


def test_a_signed_report_moves_the_delivery_on(provider: FlaskClient, tracker: Tracker, reference: str) -> None:
    _sent(tracker, reference)
    report = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    assert _call(provider, "/webhooks/twilio_sms/status?from=here&x=%C3%A6", report).status_code == 204
    tracker.engine.sweep()
    assert outbox.listing(tracker.context, SHELL)[0].delivery.state == "delivered"


@pytest.mark.parametrize("changed", [{"signature": "forged"}, {"sent": REPLY | {"Body": "OK ALLE"}}])
def test_a_forged_call_is_refused_and_nothing_of_it_is_kept(
    provider: FlaskClient, tracker: Tracker, reference: str, changed: dict[str, Any]
) -> None:
    _sent(tracker, reference)
    assert _call(provider, "/webhooks/twilio_sms/inbound", REPLY, **changed).status_code == 403
    assert replies.apply(tracker.context) == 0
    assert len(calling.open_alerts(tracker.context, SHELL)) == 1


@pytest.mark.parametrize("path", ["/webhooks/nobody/inbound", "/webhooks/outbox/inbound", "/webhooks/twilio_sms/x"])
def test_an_unknown_address_is_not_found(provider: FlaskClient, path: str) -> None:
    assert _call(provider, path, REPLY).status_code == 404


def test_without_a_public_https_address_nobody_can_call(tmp_path: Path) -> None:
    made = make_tracker(tmp_path, HandClock())
    try:
        answer = create_app(made).test_client().post("/webhooks/twilio_sms/inbound", data=REPLY)
        assert answer.status_code == 404
    finally:
        made.close()


def test_looking_is_not_how_a_provider_calls(provider: FlaskClient) -> None:
    assert provider.get("/webhooks/twilio_sms/status", base_url=HOME).status_code == 405
