import hashlib
import json
import socket
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from notifiers.protocol import (
    Accepted,
    CallbackRequest,
    Channel,
    Content,
    Deadline,
    ForgedCallbackError,
    LooksUp,
    Message,
    NotifierSettingsError,
    NotSent,
    Outcome,
    ReadsCallbacks,
    RefusalKind,
    Refused,
    Reply,
    ReportedState,
    StatusReport,
    Unknown,
)
from notifiers.support.running import UnansweredError
from notifiers.testing import NotifierContract, ScriptedProvider, Situation, steps
from notifiers.testing.callbacks import twilio as signed_by_stand_in
from notifiers.testing.ledger import Asked
from notifiers.testing.provider import ACCOUNT_SID, AUTH_TOKEN, PREVIOUS_AUTH_TOKEN
from notifiers.twilio_sms import TwilioSmsNotifier, callbacks

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
OURS, BEN = "+4532123456", "+4534412345"
STATUS_URL = "https://tracker.example.dk/webhooks/twilio_sms/status"
VECTORS = json.loads((Path(__file__).parent / "webhook_vectors.json").read_text("utf-8"))


def soon(seconds: float = 5) -> Deadline:
    return Deadline(seconds, time.monotonic)


def make(provider: ScriptedProvider, **more: Any) -> TwilioSmsNotifier:
    given = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "from_number": OURS, "api_base": provider.address}
    return TwilioSmsNotifier.from_settings(given | more, channel=Channel.SMS)


def message(attempt: str = "a1", text: str = "2026-0007: svar OK", **more: Any) -> Message:
    return Message(attempt, "d1", BEN, Content(text=text), **more)


def send(notifier: TwilioSmsNotifier, *messages: Message) -> list[Outcome]:
    return list(notifier.send(messages, soon()))


class TestTwilioContract(NotifierContract):
    kind: ClassVar[type] = TwilioSmsNotifier
    channel = Channel.SMS
    address = BEN
    secrets = (AUTH_TOKEN, PREVIOUS_AUTH_TOKEN)
    _STEPS: ClassVar[Mapping[Situation, steps.Step]] = {
        Situation.REFUSES_ADDRESS: steps.refuse(21211),
        Situation.SENDS_AWAY: steps.too_many("3"),
        Situation.DROPS: steps.drop(accepted=True),
        Situation.HANGS: steps.hang(accepted=True),
        Situation.DRIPS: steps.accept(drip=0.1),
        Situation.BABBLES: steps.strange("<html>ok</html>"),
    }

    @pytest.fixture(autouse=True)
    def _provider(self, provider: ScriptedProvider) -> None:
        self.provider = provider
        self.api_base = provider.address

    def settings(self) -> Mapping[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "auth_token_previous": PREVIOUS_AUTH_TOKEN,
            "from_number": OURS,
            "api_base": self.api_base,
        }

    def make(self) -> TwilioSmsNotifier:
        notifier = super().make()
        assert isinstance(notifier, TwilioSmsNotifier)
        notifier.use_callbacks(STATUS_URL)
        return notifier

    def stage(self, situation: Situation) -> None:
        if situation is Situation.UNREACHABLE:
            self.api_base = "http://127.0.0.1:9"
        elif situation is Situation.LOCKS_OUT:
            self.provider.credentials_rejected = True
        else:
            self.provider.script(self._STEPS[situation])

    def taken(self) -> Mapping[str, int]:
        return self.provider.accepted


REFUSED = {
    **dict.fromkeys((21211, 21214, 21217, 21612, 21614, 30004, 30005, 30006), RefusalKind.ADDRESS),
    21610: RefusalKind.OPTED_OUT,
    30007: RefusalKind.CONTENT,
    21617: RefusalKind.CONTENT,
}


@pytest.mark.parametrize(("code", "kind"), REFUSED.items())
def test_permanent_codes_are_refused(provider: ScriptedProvider, code: int, kind: RefusalKind) -> None:
    provider.script(steps.refuse(code))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, Refused)
    assert (outcome.kind, outcome.code) == (kind, str(code))


@pytest.mark.parametrize(("code", "status"), [(21408, 400), (21408, 403), (21606, 400)])
def test_a_number_we_may_not_write_to_is_that_receivers_trouble_alone(
    provider: ScriptedProvider, code: int, status: int
) -> None:
    provider.script(steps.refuse(code, status))
    first, second = send(make(provider), message("a1"), message("a2"))
    assert isinstance(first, Refused)
    assert (first.kind, first.code) == (RefusalKind.ADDRESS, str(code))
    assert isinstance(second, Accepted)


@pytest.mark.parametrize("code", [21611, 30001, 30003, 30008, 30036])
def test_transient_codes_come_back_later(provider: ScriptedProvider, code: int) -> None:
    provider.script(steps.refuse(code))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.setup) == (str(code), False)


@pytest.mark.parametrize(
    ("code", "status"),
    [(20003, 401), (20404, 404), (21212, 400), (30042, 400), (21663, 400), (30002, 400)]
    + [(status, status) for status in (401, 403, 404, 405, 413)],
)
def test_our_own_mistakes_pause_and_burn_nothing(provider: ScriptedProvider, code: int, status: int) -> None:
    provider.script(steps.refuse(code, status))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.setup) == (str(code), True)


@pytest.mark.parametrize(("code", "status"), [(20500, 500), (20500, 400), (20503, 503), (30001, 503), (502, 502)])
@pytest.mark.parametrize("accepted", [True, False])
def test_every_5xx_leaves_doubt_whether_taken_or_not(
    provider: ScriptedProvider, code: int, status: int, *, accepted: bool
) -> None:
    body = json.dumps({"code": code, "message": "x", "status": status})
    provider.script(steps.Step(accept=accepted, status=status, body=body))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Fri, 20 Nov 2026 15:47:00 GMT", 120.0),
        (None, None),
        ("99999999", 3600.0),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("Fri, 20 Nov 2026 15:00:00 GMT", None),
    ],
)
def test_429_is_never_processed_and_names_its_wait(
    provider: ScriptedProvider, header: str | None, seconds: float | None
) -> None:
    provider.script(steps.too_many(header))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, NotSent)
    assert (outcome.code, outcome.retry_after, outcome.setup) == ("20429", seconds, False)


def test_429_can_name_its_wait_by_the_rate_limit_headers(provider: ScriptedProvider) -> None:
    at = str(int((NOW + timedelta(seconds=30)).timestamp()))
    provider.script(steps.too_many(X_RateLimit_Reset=at, X_RateLimit_Remaining="0"))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after == 30.0


@pytest.mark.parametrize("when", ["instead_of_answering", "reset", "half", "before_reading"])
def test_a_broken_connection_leaves_doubt(provider: ScriptedProvider, when: str) -> None:
    provider.script(steps.drop(when))
    (outcome,) = list(make(provider).send([message()], soon(1.5)))
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("body", ["", "<html>", '{"sid": "SM1', '{"sid": "CA123"}', "{}", "[]", "null", '{"sid": 7}'])
def test_a_strange_yes_is_never_accepted(provider: ScriptedProvider, body: str) -> None:
    provider.script(steps.strange(body))
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, Unknown)


def test_a_name_that_does_not_resolve_is_certainly_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    settings = {"account_sid": ACCOUNT_SID, "auth_token": "x", "from_number": OURS}
    notifier = TwilioSmsNotifier.from_settings(
        settings | {"api_base": "https://no-such-host.invalid"}, channel=Channel.SMS
    )
    (outcome,) = notifier.send([message()], soon(8))
    assert isinstance(outcome, NotSent)


def test_a_redirect_is_not_followed(provider: ScriptedProvider) -> None:
    step = steps.Step(accept=False, status=302, headers={"Location": f"{provider.address}/elsewhere"})
    provider.script(step)
    (outcome,) = send(make(provider), message())
    assert isinstance(outcome, Unknown)
    assert len(provider.requests) == 1


def test_the_dead_line_after_a_hang_is_not_used_again(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    provider.script(steps.hang(accepted=True))
    hung, untried = notifier.send([message("a1"), message("a2")], soon(0.4))
    assert isinstance(hung, Unknown)
    assert isinstance(untried, NotSent)
    (outcome,) = send(notifier, message("a3"))
    assert isinstance(outcome, Accepted)
    assert sum(provider.accepted.values()) == 2


def test_locked_out_once_the_rest_is_not_even_tried(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    provider.script(steps.refuse(20003, 401))
    outcomes = send(notifier, *(message(f"a{number}") for number in range(5)))
    assert all(isinstance(outcome, NotSent) and outcome.setup for outcome in outcomes)
    assert len(provider.requests) == 1


def test_region_and_edge_reach_the_stand_in_too(provider: ScriptedProvider) -> None:
    (outcome,) = send(make(provider, region="ie1", edge="dublin"), message())
    assert isinstance(outcome, Accepted)


def test_a_message_carries_sender_validity_and_a_marked_callback_address(provider: ScriptedProvider) -> None:
    notifier = make(provider, validity=90)
    notifier.use_callbacks(STATUS_URL)
    send(notifier, message("a1"), message("a2", valid_for=100_000), message("a3", valid_for=0))
    first, second, third = provider.sms
    assert (first.sender, first.to, first.body) == (OURS, BEN, "2026-0007: svar OK")
    assert [sms.validity for sms in (first, second, third)] == ["90", "36000", "1"]
    query = parse_qs(urlsplit(first.callback).query)
    assert query["a"] == ["a1"]
    assert len(query["m"][0]) == 32
    assert provider.accepted == {"a1": 1, "a2": 1, "a3": 1}


def test_without_a_public_address_no_callback_is_asked_for(provider: ScriptedProvider) -> None:
    send(make(provider), message())
    assert "StatusCallback" not in provider.requests[0].fields


def test_a_messaging_service_is_a_sender(provider: ScriptedProvider) -> None:
    service = "MG" + "0" * 32
    send(make(provider, from_number="", messaging_service_sid=service), message())
    assert (provider.sms[0].service, provider.sms[0].sender) == (service, "")


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1601])
def test_a_text_twilio_would_not_take_is_refused_here(provider: ScriptedProvider, text: str) -> None:
    (outcome,) = send(make(provider), message(text=text))
    assert isinstance(outcome, Refused)
    assert not provider.requests


def test_all_mistakes_of_the_settings_are_told() -> None:
    settings = {"account_sid": "nonsense", "api_base": "http://proxy.example.org", "validity": -1, "pigeon": 1}
    with pytest.raises(NotifierSettingsError) as caught:
        TwilioSmsNotifier.from_settings(settings, channel=Channel.EMAIL)
    keys = {mistake.split(":")[0].rpartition(".")[2] for mistake in caught.value.mistakes}
    assert keys == {"account_sid", "auth_token", "from_number", "api_base", "validity", "pigeon", "channel"}


def params(vector: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in vector["params"].items()
        for value in (values if isinstance(values, list) else [values])
    ]


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector["provider"] == "twilio"])
def test_signatures_of_others_are_known_and_a_flipped_bit_is_not(vector: Mapping[str, Any]) -> None:
    fields = params(vector)
    assert callbacks.signature(vector["token"], vector["url"], fields) == vector["signature"]
    body = urlencode(fields).encode()
    request = CallbackRequest("status", vector["url"], {"x-twilio-signature": vector["signature"]}, body)
    callbacks.read(request, (vector["token"],))
    for wrong in (
        CallbackRequest("status", vector["url"], request.headers, body.replace(b"1234", b"1235")),
        CallbackRequest("status", vector["url"] + "3", request.headers, body),
        CallbackRequest("status", vector["url"], {"x-twilio-signature": "A" + vector["signature"][1:]}, body),
    ):
        with pytest.raises(ForgedCallbackError):
            callbacks.read(wrong, (vector["token"],))


@given(
    fields=st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1, max_size=3), max_size=5),
    url=st.sampled_from(["https://example.dk/a?b=1", "https://example.dk:8443/æ", "http://example.org:80/"]),
)
def test_our_signature_is_the_one_of_the_official_validator(fields: dict[str, list[str]], url: str) -> None:
    pairs = [(name, value) for name, values in fields.items() for value in values]
    official = RequestValidator("token").compute_signature(url, MultiDictAsTwilioReadsIt(pairs))
    # The library sorts the values of a name, we sort (name, value): the same order.
    try:
        ours = callbacks.signature("token", url, pairs)
    except UnicodeEncodeError:
        return
    assert ours == official


class MultiDictAsTwilioReadsIt(MultiDict[str, str]):
    def getall(self, name: str) -> Sequence[str]:
        return self.getlist(name)


@pytest.mark.parametrize("key", ["current", "previous"])
def test_a_callback_names_our_attempt_even_while_tokens_change(provider: ScriptedProvider, key: str) -> None:
    notifier = make(provider, auth_token_previous=PREVIOUS_AUTH_TOKEN)
    assert isinstance(notifier, ReadsCallbacks)
    notifier.use_callbacks(STATUS_URL)
    send(notifier, message("a1"))
    (event,) = notifier.read_callback(provider.status_callback(provider.sms[0], "delivered", key=key))
    assert isinstance(event, StatusReport)
    assert (event.state, event.attempt, event.provider_id) == (ReportedState.DELIVERED, "a1", provider.sms[0].sid)


def test_a_callback_that_comes_before_the_answer_can_be_read(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    early: list[Any] = []
    provider.on_callback = lambda request: early.extend(notifier.read_callback(request))
    provider.script(steps.Step(callbacks=("sent", "delivered"), cut="instead_of_answering"))
    (outcome,) = send(notifier, message("a1"))
    assert isinstance(outcome, Unknown)
    assert [(event.attempt, event.state) for event in early] == [
        ("a1", ReportedState.ACCEPTED),
        ("a1", ReportedState.DELIVERED),
    ]


def test_the_same_event_twice_has_one_key_and_another_state_another(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    send(notifier, message("a1"))
    told = [
        notifier.read_callback(provider.status_callback(provider.sms[0], state))[0].unique
        for state in ("sent", "sent", "delivered")
    ]
    assert told[0] == told[1] != told[2]


def test_another_attempt_in_the_query_is_a_forgery_even_when_signed(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    send(notifier, message("a1"), message("a2"))
    stolen = provider.sms[0].callback.replace("a=a1", "a=a2")
    request = signed_by_stand_in("status", stolen, {"MessageSid": "SM1", "MessageStatus": "delivered"}, AUTH_TOKEN)
    with pytest.raises(ForgedCallbackError):
        notifier.read_callback(request)


def test_a_forged_key_is_refused(provider: ScriptedProvider) -> None:
    notifier = make(provider, auth_token_previous=PREVIOUS_AUTH_TOKEN)
    notifier.use_callbacks(STATUS_URL)
    send(notifier, message("a1"))
    with pytest.raises(ForgedCallbackError):
        notifier.read_callback(provider.status_callback(provider.sms[0], "delivered", key="forged"))


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_standard_port_may_stand_in_the_signed_address_or_not(provider: ScriptedProvider, port: str) -> None:
    notifier = make(provider)
    sms = provider.write_to_us(BEN, OURS, "OK")
    signed = provider.inbound_callback(sms, f"https://tracker.example.dk{port}/webhooks/twilio_sms/inbound")
    for ours in ("", ":443"):
        url = f"https://tracker.example.dk{ours}/webhooks/twilio_sms/inbound"
        (event,) = notifier.read_callback(CallbackRequest("inbound", url, signed.headers, signed.body))
        assert event == Reply(BEN, "OK", sms.sid, OURS)


def test_a_json_callback_is_bound_by_its_digest(provider: ScriptedProvider) -> None:
    body = b'{"x":1}'
    url = f"https://tracker.example.dk/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": callbacks.signature(AUTH_TOKEN, url, [])}
    notifier = make(provider)
    assert notifier.read_callback(CallbackRequest("status", url, headers, body)) == ()
    with pytest.raises(ForgedCallbackError):
        notifier.read_callback(CallbackRequest("status", url, headers, body + b" "))


@pytest.mark.parametrize(
    ("status", "code", "state", "opted_out"),
    [
        ("queued", "", ReportedState.ACCEPTED, False),
        ("sent", "", ReportedState.ACCEPTED, False),
        ("delivered", "", ReportedState.DELIVERED, False),
        ("undelivered", "30003", ReportedState.FAILED, False),
        ("undelivered", "30008", ReportedState.FAILED, False),
        ("failed", "30001", ReportedState.FAILED, False),
        ("failed", "30007", ReportedState.FAILED, False),
        ("failed", "21610", ReportedState.FAILED, True),
    ],
)
def test_a_poll_reads_every_state(
    provider: ScriptedProvider, status: str, code: str, state: ReportedState, *, opted_out: bool
) -> None:
    notifier = make(provider)
    (outcome,) = send(notifier, message())
    assert isinstance(outcome, Accepted)
    provider.change(outcome.provider_id, status, int(code) if code else None)
    (report,) = notifier.look_up([outcome.provider_id, "SM" + "f" * 32], soon())
    assert (report.state, report.code, report.opted_out) == (state, code, opted_out)


@pytest.mark.parametrize(
    "step", [steps.drop(), steps.strange("<html>", 200), steps.too_many("5"), steps.refuse(20003, 401)]
)
def test_a_poll_that_breaks_off_says_so_and_is_not_taken_for_no_news(
    provider: ScriptedProvider, step: steps.Step
) -> None:
    notifier = make(provider)
    assert isinstance(notifier, LooksUp)
    provider.script_reads(step, step, step)
    with pytest.raises(UnansweredError):
        list(notifier.look_up(["SM" + "0" * 32], soon()))
    with pytest.raises(UnansweredError):
        list(notifier.replies(NOW, soon()))
    with pytest.raises(UnansweredError):
        list(notifier.search([message()], NOW, soon()))


def test_one_message_that_cannot_be_read_does_not_hide_the_others(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    sids = [
        outcome.provider_id
        for outcome in send(notifier, message("a1"), message("a2"))
        if isinstance(outcome, Accepted)
    ]
    provider.script_reads(steps.broken(500))
    assert [report.provider_id for report in notifier.look_up(sids, soon())] == sids[1:]


def test_polling_a_silent_provider_ends_at_the_deadline(provider: ScriptedProvider) -> None:
    provider.script_reads(steps.hang())
    started = time.monotonic()
    with pytest.raises(UnansweredError):
        list(make(provider).look_up(["SM" + "0" * 32], soon(0.4)))
    assert time.monotonic() - started < 1


def test_what_was_taken_before_the_drop_is_found_again(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    provider.script(steps.drop(accepted=True), steps.drop(accepted=False))
    outcomes = send(notifier, message("a1", "første"), message("a2", "anden"))
    assert all(isinstance(outcome, Unknown) for outcome in outcomes)
    (report,) = notifier.search([message("a1", "første"), message("a2", "anden")], NOW - timedelta(minutes=1), soon())
    assert (report.attempt, report.provider_id) == ("a1", provider.sms[0].sid)


@pytest.mark.parametrize(("taken", "asked", "found"), [(1, 2, 0), (2, 2, 2), (2, 1, 0), (1, 1, 1), (0, 1, 0)])
def test_one_message_of_the_provider_is_never_given_to_two_attempts(
    provider: ScriptedProvider, taken: int, asked: int, found: int
) -> None:
    send(make(provider), *(message(f"x{number}", "ens") for number in range(taken)))
    notifier = make(provider)
    wanted = [message(f"a{number}", "ens") for number in range(asked)]
    reports = list(notifier.search(wanted, NOW - timedelta(minutes=1), soon()))
    assert len({report.attempt for report in reports}) == len({report.provider_id for report in reports}) == found


def test_a_message_that_belongs_to_another_attempt_is_left_alone(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    (known,) = send(notifier, message("a1", "ens"))
    assert isinstance(known, Accepted)
    since = NOW - timedelta(minutes=1)
    restarted = make(provider)
    assert list(restarted.search([message("a2", "ens")], since, soon(), taken=[known.provider_id])) == []
    assert list(notifier.search([message("a2", "ens")], since, soon())) == []
    restarted.read_callback(provider.status_callback(provider.sms[0], "sent"))
    assert list(restarted.search([message("a2", "ens")], since, soon())) == []
    assert [report.attempt for report in restarted.search([message("a1", "ens")], since, soon())] == ["a1"]


def test_texts_of_other_senders_times_and_directions_are_not_ours(provider: ScriptedProvider) -> None:
    since = NOW - timedelta(minutes=1)
    send(make(provider, from_number="+4532123457"), message("a1"))
    provider.write_to_us(OURS, BEN, message().text())
    assert list(make(provider).search([message("a1")], since, soon())) == []
    send(make(provider), message("a1"))
    assert list(make(provider).search([message("a1")], NOW + timedelta(hours=1), soon())) == []
    assert len(list(make(provider).search([message("a1")], since, soon()))) == 1


def test_replies_are_polled_oldest_first_through_many_pages(provider: ScriptedProvider) -> None:
    notifier = make(provider)
    send(notifier, message())
    for number in range(250):
        provider.write_to_us(BEN, OURS, f"OK {number}")
    provider.write_to_us(BEN, "+4532123457", "ikke til os")
    replies = list(notifier.replies(NOW - timedelta(minutes=1), soon()))
    assert {reply.text for reply in replies} == {f"OK {number}" for number in range(250)}
    assert (replies[0].from_address, replies[0].to_address, replies[0].at) == (BEN, OURS, NOW)
    assert list(notifier.replies(NOW + timedelta(hours=1), soon())) == []


def test_the_stand_in_can_follow_a_rule(provider: ScriptedProvider) -> None:
    def every_third(asked: Asked) -> steps.Step | None:
        return steps.refuse(21614) if asked.own_ids[0].endswith("3") else None

    provider.rule = every_third
    notifier = make(provider)
    notifier.use_callbacks(STATUS_URL)
    outcomes = send(notifier, *(message(f"a{number}") for number in range(5)))
    assert [type(outcome) for outcome in outcomes].index(Refused) == 3
