import base64
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.protocol import (
    Accepted,
    CallbackRequest,
    Channel,
    Content,
    Deadline,
    ForgedCallbackError,
    Message,
    NotifierSettingsError,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    ReportedState,
    StatusReport,
    Unknown,
)
from notifiers.sendgrid_email import SendgridEmailNotifier
from notifiers.sendgrid_email.notifier import READ_TIMEOUT
from notifiers.sendgrid_email.payload import Envelope, batches, payload
from notifiers.testing import NotifierContract, ScriptedProvider, Situation, steps
from notifiers.testing.callbacks import SendgridSigner
from notifiers.testing.provider import API_KEY
from notifiers.testing.sendgrid_api import render

FROM = "incidents@example.dk"
URL = "https://tracker.example.dk/webhooks/sendgrid_email/status"
VECTORS = [
    vector
    for vector in json.loads((Path(__file__).parent / "webhook_vectors.json").read_text("utf-8"))
    if vector["provider"] == "sendgrid"
]
CONTENT = Content(text="Kære {{name}}", subject="Brud hos {{name}}", html="<p>Kære {{name}}</p>")


def make(provider: ScriptedProvider, **more: Any) -> SendgridEmailNotifier:
    settings = {"api_key": API_KEY, "from_email": FROM, "api_base": provider.address}
    return SendgridEmailNotifier.from_settings(settings | more, channel=Channel.EMAIL)


def message(number: int, content: Content = CONTENT, address: str = "", **values: str) -> Message:
    given = {"name": f"Ada {number}"} | values
    return Message(f"a{number}", f"d{number}", address or f"ada{number}@example.dk", content, given)


def send(notifier: SendgridEmailNotifier, *messages: Message, seconds: float = 5) -> list[Outcome]:
    return list(notifier.send(messages, Deadline(seconds, time.monotonic)))


class TestSendgridContract(NotifierContract):
    kind: ClassVar[type] = SendgridEmailNotifier
    channel = Channel.EMAIL
    address = "ada@example.dk"
    secrets = (API_KEY,)
    batches = True
    _STEPS: ClassVar[Mapping[Situation, steps.Step]] = {
        Situation.SENDS_AWAY: steps.too_many("3"),
        Situation.DROPS: steps.drop(accepted=True),
        Situation.HANGS: steps.hang(accepted=True),
        Situation.DRIPS: steps.accept(drip=0.1),
        Situation.BABBLES: steps.strange("<html>ok</html>", 202),
    }

    @pytest.fixture(autouse=True)
    def _provider(self, provider: ScriptedProvider) -> None:
        self.provider = provider
        self.api_base = provider.address

    def settings(self) -> Mapping[str, Any]:
        key = self.provider.sendgrid_signer.public_key
        return {"api_key": API_KEY, "from_email": FROM, "api_base": self.api_base, "webhook_public_key": key}

    def address_of(self, number: int) -> str:
        return f"{number}{self.address}" if number else self.address

    def stage(self, situation: Situation) -> None:
        if situation is Situation.UNREACHABLE:
            self.api_base = "http://127.0.0.1:9"
        elif situation is Situation.LOCKS_OUT:
            self.provider.credentials_rejected = True
        elif situation is Situation.REFUSES_ADDRESS:
            body = {"errors": [{"field": "personalizations.0.to.0.email", "message": "ada@example.dk is not valid"}]}
            self.provider.script(steps.Step(accept=False, status=400, body=json.dumps(body)))
        else:
            self.provider.script(self._STEPS[situation])

    def taken(self) -> Mapping[str, int]:
        return self.provider.accepted


def test_a_batch_is_one_request_and_each_reads_their_own_name(provider: ScriptedProvider) -> None:
    names = ["Ada <&>", "Søren", "-- {{name}} --", ""]
    outcomes = send(make(provider), *(message(number, name=name) for number, name in enumerate(names)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(provider.requests) == 1
    mails = provider.mails
    assert [mail.text for mail in mails] == ["Kære Ada <&>", "Kære Søren", "Kære -- {{name}} --", "Kære "]
    assert mails[0].html == "<p>Kære Ada &lt;&amp;&gt;</p>"
    assert mails[1].subject == "Brud hos Søren"
    assert [mail.attempt for mail in mails] == ["a0", "a1", "a2", "a3"]


text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40)


@given(template=text, values=st.lists(text, min_size=1, max_size=4))
def test_what_sendgrid_puts_in_is_what_the_message_says(template: str, values: list[str]) -> None:
    shared = Content(
        text=f"{template}{{{{v}}}}", subject=f"x {{{{v}}}} {template}", html=f"<b>{{{{v}}}}</b>{template}"
    )
    people = [
        Message(f"a{number}", "d", f"a{number}@example.dk", shared, {"v": value, "unused": template})
        for number, value in enumerate(values)
    ]
    try:
        [person.text() for person in people]
    except KeyError:
        return  # the random text was a placeholder
    (batch,) = batches(people, 10)
    body = payload(batch, Envelope(FROM, "", "", sandbox=False))
    for person, entry in zip(people, body["personalizations"], strict=True):
        mail = render("m", body, entry)
        assert (mail.text, mail.html) == (person.text(), person.html())
        assert mail.subject.split() == person.subject().split()


def test_only_our_own_ids_go_along_and_no_tracker(provider: ScriptedProvider) -> None:
    send(make(provider), message(1))
    body = provider.requests[0].fields
    assert body["personalizations"][0]["custom_args"] == {"delivery": "d1", "attempt": "a1"}
    tracking = body["tracking_settings"]
    assert tracking["click_tracking"] == {"enable": False, "enable_text": False}
    assert tracking["open_tracking"] == tracking["subscription_tracking"] == {"enable": False}
    assert "mail_settings" not in body


def test_sender_and_reply_address_come_from_the_content_first(provider: ScriptedProvider) -> None:
    notifier = make(provider, from_name="Nordlys; ApS", reply_to="dpo@example.dk")
    own = Content(text="x", subject="y", sender_name="Skyhost\r\nA/S, Drift", reply_to="drift@example.org")
    send(notifier, message(1), message(2, own))
    first, second = (asked.fields for asked in provider.requests)
    assert (first["from"]["name"], first["reply_to"]) == ("Nordlys  ApS", {"email": "dpo@example.dk"})
    assert (second["from"]["name"], second["reply_to"]) == ("Skyhost A/S  Drift", {"email": "drift@example.org"})


def test_one_address_twice_goes_into_two_requests(provider: ScriptedProvider) -> None:
    people = [message(1, address="ada@example.dk"), message(2, address="Ada@Example.dk"), message(3)]
    outcomes = send(make(provider), *people)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(provider.requests) == 2


def test_values_too_large_to_be_put_in_are_written_out(provider: ScriptedProvider) -> None:
    outcomes = send(make(provider), message(1, name="<x>" * 5000), message(2))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    found = {mail.attempt: mail for mail in provider.mails}
    assert found["a1"].text == "Kære " + "<x>" * 5000
    assert found["a1"].html == "<p>Kære " + "&lt;x&gt;" * 5000 + "</p>"


@pytest.mark.parametrize("bad", [{0}, {7}, {3, 4}, set(range(8)), {0, 3, 7}])
def test_bad_addresses_are_found_by_halving_and_fail_alone(provider: ScriptedProvider, bad: set[int]) -> None:
    provider.bad_addresses = {f"ada{number}@example.dk" for number in bad}
    outcomes = {outcome.attempt: outcome for outcome in send(make(provider), *map(message, range(8)))}
    for number in range(8):
        outcome = outcomes[f"a{number}"]
        if number in bad:
            assert isinstance(outcome, Refused)
            assert outcome.kind is RefusalKind.ADDRESS
        else:
            assert isinstance(outcome, Accepted)
    assert provider.accepted == {f"a{number}": 1 for number in range(8) if number not in bad}


@pytest.mark.parametrize(("field", "kind"), [("from.email", NotSent), ("reply_to", NotSent), ("content", Refused)])
def test_a_fault_that_all_share_is_not_hunted_by_halving(
    provider: ScriptedProvider, field: str, kind: type[Outcome]
) -> None:
    provider.script(steps.Step(accept=False, status=400, body=json.dumps({"errors": [{"field": field}]})))
    outcomes = send(make(provider), *map(message, range(8)))
    assert {type(outcome) for outcome in outcomes} == {kind}
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413])
def test_our_own_mistakes_pause_and_are_not_repeated(provider: ScriptedProvider, status: int) -> None:
    provider.script(steps.Step(accept=False, status=status, body="{}"))
    other = Content(text="x", subject="y")
    outcomes = send(make(provider), message(1), message(2, other))
    assert all(isinstance(outcome, NotSent) and outcome.setup for outcome in outcomes)
    assert len(provider.requests) == 1


def test_429_stops_the_call_and_names_its_wait(provider: ScriptedProvider) -> None:
    provider.script(steps.too_many("7"))
    outcomes = send(make(provider), message(1), message(2, Content(text="x", subject="y")))
    assert all(isinstance(outcome, NotSent) and outcome.retry_after == 7.0 for outcome in outcomes)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
@pytest.mark.parametrize("accepted", [True, False])
def test_5xx_leaves_the_whole_request_in_doubt(provider: ScriptedProvider, status: int, *, accepted: bool) -> None:
    provider.script(steps.broken(status, accepted=accepted))
    outcomes = send(make(provider), *map(message, range(3)))
    assert all(isinstance(outcome, Unknown) for outcome in outcomes)


@pytest.mark.parametrize("when", ["instead_of_answering", "reset", "half", "before_reading"])
def test_a_broken_connection_leaves_the_whole_request_in_doubt(provider: ScriptedProvider, when: str) -> None:
    provider.script(steps.drop(when))
    outcomes = send(make(provider), *map(message, range(3)), seconds=1.5)
    assert all(isinstance(outcome, Unknown) for outcome in outcomes)


@pytest.mark.parametrize(("status", "body"), [(200, ""), (200, "<html>"), (202, ""), (204, "")])
def test_a_yes_without_an_id_is_never_accepted(provider: ScriptedProvider, status: int, body: str) -> None:
    provider.script(steps.strange(body, status))
    (outcome,) = send(make(provider), message(1))
    assert isinstance(outcome, Unknown)


def test_a_name_that_does_not_resolve_is_certainly_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    settings = {"api_key": API_KEY, "from_email": FROM}
    notifier = SendgridEmailNotifier.from_settings(settings, channel=Channel.EMAIL)
    (outcome,) = send(notifier, message(1))
    assert isinstance(outcome, NotSent)


def test_the_sandbox_checks_everything_and_sends_nothing(provider: ScriptedProvider) -> None:
    outcomes = send(make(provider, sandbox=True), message(1), message(2))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert provider.requests[0].fields["mail_settings"] == {"sandbox_mode": {"enable": True}}
    assert not provider.mails


@pytest.mark.parametrize(
    ("region", "host"), [("eu", "https://api.eu.sendgrid.com"), ("global", "https://api.sendgrid.com")]
)
def test_the_final_client_has_its_timeout_in_every_region(region: str, host: str) -> None:
    settings = {"api_key": API_KEY, "from_email": FROM, "region": region}
    api = SendgridEmailNotifier.from_settings(settings, channel=Channel.EMAIL).api
    assert api.client.host == host
    assert api.client.mail.send.timeout == READ_TIMEOUT


def test_all_mistakes_of_the_settings_are_told() -> None:
    settings = {
        "from_email": "blå@example.dk",
        "reply_to": "nobody",
        "region": "mars",
        "api_base": "ftp://x",
        "sandbox": "perhaps",
        "max_batch": 1001,
        "webhook_public_key": "bm90IGEga2V5",
    }
    with pytest.raises(NotifierSettingsError) as caught:
        SendgridEmailNotifier.from_settings(settings, channel=Channel.SMS)
    keys = {mistake.split(":")[0].rpartition(".")[2] for mistake in caught.value.mistakes}
    assert keys == {*settings, "api_key", "channel"}


def callback(vector: Mapping[str, str]) -> CallbackRequest:
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": vector["signature"],
        "X-Twilio-Email-Event-Webhook-Timestamp": vector["timestamp"],
    }
    return CallbackRequest("status", URL, headers, vector["payload"].encode())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expected"])
def test_the_signature_covers_the_last_line_end_too(provider: ScriptedProvider, vector: Mapping[str, str]) -> None:
    notifier = make(provider, webhook_public_key=vector["public_key"])
    if vector["expected"] == "invalid":
        with pytest.raises(ForgedCallbackError):
            notifier.read_callback(callback(vector))
        return
    (event,) = notifier.read_callback(callback(vector))
    assert isinstance(event, StatusReport)
    assert (event.state, event.attempt) == (ReportedState.FAILED, None)
    flipped = callback({**vector, "payload": vector["payload"].replace("dropped", "droppeb")})
    late = callback({**vector, "timestamp": str(int(vector["timestamp"]) + 1)})
    for wrong in (flipped, late):
        with pytest.raises(ForgedCallbackError):
            notifier.read_callback(wrong)


def test_two_keys_are_good_while_they_are_being_changed(provider: ScriptedProvider) -> None:
    old, new, foreign = SendgridSigner(), SendgridSigner(), SendgridSigner()
    notifier = make(provider, webhook_public_key=[old.public_key, new.public_key])
    events = [{"event": "delivered", "attempt": "a1", "delivery": "d1", "timestamp": 1, "sg_message_id": "m.x"}]
    for signer in (old, new):
        (event,) = notifier.read_callback(signer.request(URL, events, 1))
        assert isinstance(event, StatusReport)
        assert (event.attempt, event.provider_id, event.state) == ("a1", "m/a1", ReportedState.DELIVERED)
    with pytest.raises(ForgedCallbackError):
        notifier.read_callback(foreign.request(URL, events, 1))


def test_without_a_key_every_callback_is_forged(provider: ScriptedProvider) -> None:
    with pytest.raises(ForgedCallbackError):
        make(provider).read_callback(SendgridSigner().request(URL, [], 1))


def test_events_say_where_a_message_is_and_repeat_no_address(provider: ScriptedProvider) -> None:
    signer = provider.sendgrid_signer
    base = {"email": "ada@example.dk", "attempt": "a1", "delivery": "d1", "timestamp": 7, "sg_message_id": "m1.f-2"}
    told: list[dict[str, Any]] = [
        {"event": "processed"},
        {"event": "deferred", "reason": "450 <ada@example.dk> busy"},
        {"event": "delivered"},
        {"event": "bounce", "status": "5.1.1", "reason": "550 <ada@example.dk> unknown"},
        {"event": "dropped", "reason": "Unsubscribed Address"},
        {"event": "open"},
    ]
    notifier = make(provider, webhook_public_key=signer.public_key)
    events = notifier.read_callback(signer.request(URL, [base | event for event in told], 7))
    reports = [event for event in events if isinstance(event, StatusReport)]
    accepted, delivered, failed = ReportedState.ACCEPTED, ReportedState.DELIVERED, ReportedState.FAILED
    assert [report.state for report in reports] == [accepted, accepted, delivered, failed, failed]
    assert [report.opted_out for report in reports] == [False, False, False, False, True]
    assert reports[3].code == "5.1.1"
    assert len({report.unique for report in reports}) == 5
    assert "ada@example.dk" not in repr(reports)


def test_a_retry_under_another_event_id_is_known_as_the_same_event(provider: ScriptedProvider) -> None:
    signer = provider.sendgrid_signer
    notifier = make(provider, webhook_public_key=signer.public_key)
    base = {"event": "delivered", "attempt": "a1", "delivery": "d1", "timestamp": 7}
    events = notifier.read_callback(signer.request(URL, [base | {"sg_event_id": name} for name in ("x", "y")], 7))
    assert len({event.unique for event in events}) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[1, null, [], {}]", b"\xff"])
def test_a_signed_body_that_makes_no_sense_says_nothing(provider: ScriptedProvider, body: bytes) -> None:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    signer = provider.sendgrid_signer
    signature = signer._key.sign(b"1" + body, ec.ECDSA(hashes.SHA256()))
    vector = {"signature": base64.b64encode(signature).decode(), "timestamp": "1", "payload": ""}
    request = CallbackRequest("status", URL, callback(vector).headers, body)
    assert make(provider, webhook_public_key=signer.public_key).read_callback(request) == ()
