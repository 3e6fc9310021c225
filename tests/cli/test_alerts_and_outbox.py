import threading

import pytest

from incident_tracker import bootstrap, settings
from tests.cli.conftest import World


@pytest.fixture
def called(run: World) -> World:
    """Give an installation with Ben on call."""
    run.done("oncall", "add", "--name", "Ben", "--phone", "34412345", "--verified")
    return run


def _send(run: World) -> None:
    """Let the outbox do its work once."""
    values = {f"INCIDENT_TRACKER__{name}": value for name, value in run.settings.items()}
    tracker = bootstrap.build(settings.load(values), now=run.now)
    tracker.engine.drain(threading.Event())
    tracker.close()


def test_an_open_alert_is_listed_until_it_is_taken(called: World) -> None:
    reference = called.open()
    (alert,) = called.json("alerts", "list")
    assert (alert["incident"], alert["kind"], alert["state"], alert["step"]) == (reference, "suspicion", "open", 0)
    assert alert["raised_at"] == "2026-11-20T13:00:00Z"
    assert reference in called.done("alerts", "list")
    assert called.done("alerts", "ack", reference) == f"Acknowledged: {reference}. The deadline is still running.\n"
    assert called.json("alerts", "list") == []
    assert called.done("alerts", "ack", reference) == f"{reference} has no open alert.\n"


def test_an_alert_that_does_not_exist_cannot_be_taken(called: World) -> None:
    reference = called.open()
    called.refused("alerts", "ack", reference, "--alert", "nothing")
    called.refused("alerts", "ack", "2026-0999")
    assert len(called.json("alerts", "list")) == 1


def test_the_outbox_lists_messages_with_the_documented_keys(called: World) -> None:
    reference = called.open()
    (waiting,) = called.json("outbox", "list")
    assert waiting.keys() >= {
        "id",
        "purpose",
        "incident",
        "channel",
        "notifier",
        "state",
        "attempts",
        "created_at",
        "sent_at",
        "provider_id",
        "possible_duplicate",
    }
    assert (waiting["purpose"], waiting["incident"], waiting["state"]) == ("alert", reference, "pending")
    _send(called)
    (sent,) = called.json("outbox", "list", "--incident", reference)
    assert sent["state"] in {"accepted", "delivered"}
    assert sent["sent_at"] == "2026-11-20T13:00:00Z"
    assert called.json("outbox", "list", "--state", "pending") == []
    assert "Ben" in called.done("outbox", "list")


def test_only_what_is_in_doubt_can_be_settled(called: World) -> None:
    called.open()
    (waiting,) = called.json("outbox", "list")
    line = called.refused("outbox", "resolve", waiting["id"], "--sent", "--reason", "She has it")
    assert "not in doubt" in line
    assert "cannot be sent again" in called.refused("outbox", "resend", waiting["id"])
    assert called("outbox", "resolve", waiting["id"], "--reason", "x").exit_code == 2
    called.refused("outbox", "resolve", "nothing", "--again", "--reason", "x")


def test_a_message_in_doubt_is_settled_with_a_reason(called: World) -> None:
    import sqlite3  # noqa: PLC0415

    called.open()
    (waiting,) = called.json("outbox", "list")
    connection = sqlite3.connect(called.data / "incident-tracker.sqlite3")
    with connection:
        connection.execute("UPDATE deliveries SET state = 'in_doubt', attempts = 1")
    connection.close()
    called.refused("outbox", "resolve", waiting["id"], "--sent", "--reason", " ")
    called.done("outbox", "resolve", waiting["id"], "--sent", "--reason", "She has it")
    assert called.json("outbox", "list")[0]["state"] == "accepted"
    assert called.json("journal", "verify")["result"] == "ok"
