"""The stand-in is trusted by every other test, so it is tested itself, over plain HTTP."""

import base64
import http.client
import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from notifiers.protocol import CallbackRequest, Channel, Content, Deadline, Message, NotSent
from notifiers.testing import ScriptedProvider, steps
from notifiers.testing.callbacks import deliver
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN
from notifiers.testing.wire import Answer, Request, WireServer
from notifiers.twilio_sms import TwilioSmsNotifier
from tests.notifiers.certificates import make_certificates

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()


def call(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        data = urlencode(body) if isinstance(body, dict) else body
        connection.request(method, path, data, {"Authorization": BASIC} | headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def fields(text: str = "OK?", attempt: str = "a1", **more: str) -> dict[str, str]:
    callback = f"https://tracker.example.dk/s?a={attempt}"
    return {"To": "+4534412345", "From": "+4532123456", "Body": text, "StatusCallback": callback} | more


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "32123456"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "https://under_score.example.dk/"}, 21609),
    ],
)
def test_it_refuses_what_twilio_refuses(provider: ScriptedProvider, wrong: dict[str, str], code: int) -> None:
    status, answer = call(provider.port, "POST", f"{MESSAGES}.json", fields() | wrong)
    assert (status, answer["code"]) == (400, code)
    assert not provider.sms


def test_it_counts_by_our_attempt_or_by_number_and_text(provider: ScriptedProvider) -> None:
    for _ in range(2):
        call(provider.port, "POST", f"{MESSAGES}.json", fields())
    call(provider.port, "POST", f"{MESSAGES}.json", fields() | {"StatusCallback": ""})
    assert provider.accepted == {"a1": 2, "+4534412345|OK?": 1}
    assert provider.duplicates == 1


def test_it_lists_in_pages_newest_first_with_filters(provider: ScriptedProvider) -> None:
    for number in range(5):
        call(provider.port, "POST", f"{MESSAGES}.json", fields(str(number), To=f"+4534412{number % 2}45"))
    status, first = call(provider.port, "GET", f"{MESSAGES}.json?" + urlencode({"To": "+4534412045", "PageSize": 2}))
    assert (status, len(first["messages"])) == (200, 2)
    _, second = call(provider.port, "GET", first["next_page_uri"])
    assert [item["body"] for item in second["messages"]] == ["4"]
    assert second["next_page_uri"] is None
    _, later = call(provider.port, "GET", f"{MESSAGES}.json?" + urlencode({"DateSent>": "2026-11-21"}))
    assert later["messages"] == []


def test_wrong_credentials_and_paths_get_twilios_answers(provider: ScriptedProvider) -> None:
    assert call(provider.port, "GET", f"{MESSAGES}.json", Authorization="Basic x")[1]["code"] == 20003
    assert call(provider.port, "GET", f"{MESSAGES}/SM1.json")[1]["code"] == 20404
    assert call(provider.port, "GET", "/elsewhere")[0] == 404


@contextmanager
def process(*more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    running = subprocess.Popen(  # noqa: S603 our own program
        [sys.executable, "-m", "notifiers.testing", *more], stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        yield running, int(running.stdout.readline().rsplit(":", 1)[1])
    finally:
        running.kill()
        running.communicate(timeout=5)


def test_killed_and_started_again_it_remembers_everything(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    with process(*state) as (running, port):
        _, sent = call(port, "POST", f"{MESSAGES}.json", fields())
        call(port, "POST", "/_stand_in/status", json.dumps({"sid": sent["sid"], "status": "delivered"}))
        call(port, "POST", "/_stand_in/write", json.dumps({"from": "+4534412345", "to": "+4532123456", "body": "OK"}))
        running.send_signal(signal.SIGKILL)
    with (tmp_path / "state").open("a") as file:
        file.write('{"own": "cut')
    with process(*state) as (_, port):
        assert call(port, "GET", f"{MESSAGES}/{sent['sid']}.json")[1]["status"] == "delivered"
        assert [sms["body"] for sms in call(port, "GET", "/_stand_in/sms")[1]] == ["OK?", "OK"]
        assert call(port, "GET", "/_stand_in/counts")[1]["accepted"] == {"a1": 1}


def test_a_stand_in_of_its_own_can_be_steered() -> None:
    with process("--counts-only") as (_, port):
        call(port, "POST", "/_stand_in/script", json.dumps([{"accept": False, "status": 503}]))
        assert call(port, "POST", f"{MESSAGES}.json", fields())[0] == 503
        assert call(port, "POST", f"{MESSAGES}.json", fields())[0] == 201
        call(port, "POST", "/_stand_in/credentials", json.dumps({"valid": False}))
        assert call(port, "POST", f"{MESSAGES}.json", fields())[0] == 401
        counts = call(port, "GET", "/_stand_in/counts")[1]
        assert (counts["asked"], counts["accepted"]) == ({"a1": 2}, {"a1": 1})


def test_a_callback_is_posted_under_its_path_with_its_signature(provider: ScriptedProvider) -> None:
    call(provider.port, "POST", f"{MESSAGES}.json", fields())
    seen: list[Request] = []

    def take(request: Request) -> Answer:
        seen.append(request)
        return Answer(204)

    listener = WireServer(take, lambda _: None)
    listener.start()
    request: CallbackRequest = provider.status_callback(provider.sms[0], "delivered")
    assert deliver(request, f"http://127.0.0.1:{listener.port}") == 204
    listener.stop()
    assert (seen[0].path, seen[0].query) == ("/s", "a=a1")
    assert seen[0].header("X-Twilio-Signature") == request.headers["X-Twilio-Signature"]
    assert seen[0].body == request.body


@pytest.mark.parametrize("expired", [True, False])
def test_a_provider_with_a_bad_certificate_gets_no_credentials(tmp_path: Path, *, expired: bool) -> None:
    certificates = make_certificates(tmp_path)
    context: ssl.SSLContext = certificates.expired if expired else certificates.valid
    with ScriptedProvider(lambda: NOW, tls=context) as secure:
        settings = {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "from_number": "+4532123456",
            "api_base": secure.address,
        }
        notifier = TwilioSmsNotifier.from_settings(settings, channel=Channel.SMS)
        message = Message("a1", "d1", "+4534412345", Content(text="OK?"))
        (outcome,) = notifier.send([message], Deadline(5, time.monotonic))
        assert isinstance(outcome, NotSent)
        assert not secure.requests


def test_a_valid_certificate_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = make_certificates(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    with ScriptedProvider(lambda: NOW, tls=certificates.valid) as secure:
        settings = {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "from_number": "+4532123456",
            "api_base": secure.address,
        }
        notifier = TwilioSmsNotifier.from_settings(settings, channel=Channel.SMS)
        secure.script(steps.accept(delay=0.05))
        message = Message("a1", "d1", "+4534412345", Content(text="OK?"))
        list(notifier.send([message], Deadline(5, time.monotonic)))
        assert [sms.body for sms in secure.sms] == ["OK?"]
