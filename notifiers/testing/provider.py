"""The scripted stand-in: Twilio's Messages and SendGrid's mail/send on one loopback port.

Duplicates are counted here, by our own ids, never by the product. With a state file the stand-in and the product can
be killed separately.
"""

import base64
import json
import ssl
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from notifiers.protocol import CallbackRequest
from notifiers.testing import callbacks, sendgrid_api, twilio_api
from notifiers.testing.ledger import Asked, Ledger, Mail, Sms
from notifiers.testing.steps import Step
from notifiers.testing.wire import Answer, Request, WireServer

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "stand-in-token"  # noqa: S105 opens nothing but this stand-in
PREVIOUS_AUTH_TOKEN = "stand-in-token-before"  # noqa: S105 as above
API_KEY = "SG.stand-in"
_FORGED = "forged-token"

Rule = Callable[[Asked], Step | None]


class ScriptedProvider:
    """A real HTTP server that behaves as it is told. Use it as a context manager, or `start` and `stop` it.

    `now` gives the dates that the provider writes. `script` sets what happens to the next sends, `rule` what happens
    to every send that the script leaves alone; without either every valid message is accepted.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        state_file: Path | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        keep_contents: bool = True,
    ) -> None:
        self._now = now
        self.ledger = Ledger(state_file, keep_contents=keep_contents)
        self.rule: Rule | None = None
        self.on_callback: Callable[[CallbackRequest], Any] | None = None
        """Gets the callbacks that a step reports before its answer."""
        self.credentials_rejected = False
        self.bad_addresses: set[str] = set()
        """E-mail addresses that make the whole mail/send request a 400."""
        self.account_sid, self.auth_token, self.previous_auth_token = ACCOUNT_SID, AUTH_TOKEN, PREVIOUS_AUTH_TOKEN
        self.api_key = API_KEY
        self._script: deque[Step] = deque()
        self._reads: deque[Step] = deque()
        self._lock = threading.Lock()
        self._signer: callbacks.SendgridSigner | None = None
        self._dates = ("", "")
        basic = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        self._credentials = {f"Basic {basic}", f"Bearer {API_KEY}"}
        self._messages_path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"
        self._scheme = "http" if tls is None else "https"
        self._wire = WireServer(self._handle, self._before_reading, port=port, tls=tls)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._wire.port

    @property
    def address(self) -> str:
        """What goes into `api_base`."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Begin to answer."""
        self._wire.start()
        return self

    def stop(self) -> None:
        """Break all connections and close."""
        self._wire.stop()
        self.ledger.close()

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def script(self, *steps: Step) -> None:
        """Append what happens to the next sends, one step each."""
        with self._lock:
            self._script.extend(steps)

    def script_reads(self, *steps: Step) -> None:
        """Append what happens to the next look-ups and lists."""
        with self._lock:
            self._reads.extend(steps)

    @property
    def accepted(self) -> Mapping[str, int]:
        """How often each of our ids was taken."""
        return self.ledger.accepted

    @property
    def asked(self) -> Mapping[str, int]:
        """How often each of our ids was asked for, taken or not."""
        return self.ledger.asked

    @property
    def duplicates(self) -> int:
        """How many messages were taken beyond the first of each id."""
        return sum(count - 1 for count in self.ledger.accepted.values())

    @property
    def requests(self) -> Sequence[Asked]:
        """Every send that was read, with its time."""
        return self.ledger.requests

    @property
    def sms(self) -> Sequence[Sms]:
        """Every text message, inbound ones included, oldest first."""
        return tuple(self.ledger.sms.values())

    @property
    def mails(self) -> Sequence[Mail]:
        """Every e-mail as its recipient would read it, oldest first."""
        return tuple(sendgrid_api.render(*kept) for kept in list(self.ledger.mails))

    def change(self, sid: str, status: str, error_code: int | None = None) -> None:
        """Let a text message become `delivered`, `undelivered`, ... for those who ask."""
        self.ledger.change(sid, status, error_code)

    def write_to_us(self, sender: str, to: str, body: str) -> Sms:
        """Let a person write to us; the message can then be listed."""
        sms = twilio_api.inbound(sender, to, body, self._now())
        self.ledger.take_sms("", sms)
        return sms

    def status_callback(
        self, sms: Sms, status: str, error_code: str = "", *, key: str = "current"
    ) -> CallbackRequest:
        """Return the delivery report of a message; `key` is `current`, `previous` or `forged`."""
        fields = {"MessageSid": sms.sid, "MessageStatus": status, "AccountSid": self.account_sid, "To": sms.to}
        if error_code:
            fields["ErrorCode"] = error_code
        return callbacks.twilio("status", sms.callback, fields, self._token(key))

    def inbound_callback(self, sms: Sms, url: str, *, key: str = "current") -> CallbackRequest:
        """Return the callback that brings a person's message to `url`."""
        fields = {"MessageSid": sms.sid, "From": sms.sender, "To": sms.to, "Body": sms.body}
        return callbacks.twilio("inbound", url, fields, self._token(key))

    @property
    def sendgrid_signer(self) -> callbacks.SendgridSigner:
        """The key pair of the event webhook, made at first use."""
        if self._signer is None:
            self._signer = callbacks.SendgridSigner()
        return self._signer

    def _token(self, key: str) -> str:
        return {"current": self.auth_token, "previous": self.previous_auth_token}.get(key, _FORGED)

    def _before_reading(self, first: bytes) -> Step | None:
        with self._lock:
            if first == b"POST" and self._script and self._script[0].cut == "before_reading":
                return self._script.popleft()
        return None

    def _next(self, steps: deque[Step]) -> Step | None:
        with self._lock:
            return steps.popleft() if steps else None

    def _handle(self, request: Request) -> Answer:
        if request.path.startswith("/_stand_in/"):
            return _json(200, self._control(request))
        if self.credentials_rejected or request.header("Authorization") not in self._credentials:
            return _json(401, {"code": 20003, "message": "Authenticate", "status": 401})
        if request.path == "/v3/mail/send" and request.method == "POST":
            return self._send_mail(request)
        if request.path == f"{self._messages_path}.json":
            return self._send_sms(request) if request.method == "POST" else self._list(request)
        if request.path.startswith(f"{self._messages_path}/"):
            return self._fetch(request.path.rpartition("/")[2].removesuffix(".json"))
        return _json(404, {"code": 20404, "message": "not found", "status": 404})

    def _send_sms(self, request: Request) -> Answer:
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        own = twilio_api.own_id(fields)
        step = self._step(request.path, (own,), fields)
        sms: Sms | None = None
        try:
            twilio_api.check(fields)
        except twilio_api.TwilioRefusalError as refusal:
            honest = Answer(refusal.status, refusal.body.encode(), headers=self._dated())
        else:
            sms = twilio_api.accepted(fields, self._now())
            honest = Answer(201, json.dumps(twilio_api.resource(sms, ACCOUNT_SID)).encode(), headers=self._dated())
        if sms is not None and step.accept is not False:
            self.ledger.take_sms(own, sms)
            for status in step.callbacks:
                if self.on_callback is not None:
                    self.on_callback(self.status_callback(sms, status))
        return self._as_told(honest, step)

    def _send_mail(self, request: Request) -> Answer:
        try:
            payload = json.loads(request.body)
            json.dumps(payload, ensure_ascii=False).encode()
        except ValueError:
            return _json(400, {"errors": [{"message": "Bad Request", "field": None}]}, self._dated())
        step = self._step(request.path, sendgrid_api.own_ids(payload), payload)
        sandbox = bool(payload.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"))
        message_id = uuid.uuid4().hex[:22]
        try:
            sendgrid_api.check(payload, self.bad_addresses)
        except sendgrid_api.SendgridRefusalError as refusal:
            return self._as_told(Answer(refusal.status, refusal.body.encode(), headers=self._dated()), step)
        if step.accept is not False and not sandbox:
            self.ledger.take_mail(message_id, payload)
        given = (*self._dated(), ("X-Message-Id", message_id))
        honest = Answer(200, headers=self._dated()) if sandbox else Answer(202, headers=given)
        return self._as_told(honest, step)

    def _step(self, path: str, own_ids: tuple[str, ...], fields: Mapping[str, Any]) -> Step:
        self.ledger.note_request(path, own_ids, fields)
        step = self._next(self._script)
        if step is None and self.rule is not None:
            step = self.rule(Asked(0.0, path, own_ids, fields))
        return step or _HONEST

    def _list(self, request: Request) -> Answer:
        query = dict(parse_qsl(request.query))
        honest = _json(200, twilio_api.page(self.ledger, ACCOUNT_SID, query), self._dated())
        return self._as_told(honest, self._next(self._reads) or _HONEST)

    def _fetch(self, sid: str) -> Answer:
        sms = self.ledger.sms.get(sid)
        if sms is None:
            honest = _json(404, {"code": 20404, "message": "not found", "status": 404})
        else:
            honest = _json(200, twilio_api.resource(sms, ACCOUNT_SID), self._dated())
        return self._as_told(honest, self._next(self._reads) or _HONEST)

    def _as_told(self, honest: Answer, step: Step) -> Answer:
        if step is _HONEST:
            return honest
        if step.status is None:
            return Answer(honest.status, honest.body, honest.content_type, honest.headers, step)
        body = (step.body or "").encode()
        kind = "text/html" if body.startswith(b"<") else "application/json"
        return Answer(step.status, body, kind, (*self._dated(), *step.headers.items()), step)

    def _dated(self) -> tuple[tuple[str, str], ...]:
        now = self._now().replace(microsecond=0)
        key = now.isoformat()
        if self._dates[0] != key:
            self._dates = (key, format_datetime(now).replace("+0000", "GMT"))
        return (("Date", self._dates[1]),)

    def _control(self, request: Request) -> Any:
        """Answer the process that steers a stand-in running on its own."""
        data = json.loads(request.body) if request.body else {}
        match request.path.removeprefix("/_stand_in/"):
            case "script":
                self.script(*(Step.from_json(step) for step in data))
            case "credentials":
                self.credentials_rejected = not data["valid"]
            case "status":
                self.change(data["sid"], data["status"], data.get("error_code"))
            case "write":
                return {"sid": self.write_to_us(data["from"], data["to"], data["body"]).sid}
            case "counts":
                ledger = self.ledger
                return {"accepted": ledger.accepted, "asked": ledger.asked, "accepted_at": ledger.accepted_at}
            case "sms":
                return [twilio_api.resource(sms, ACCOUNT_SID) for sms in self.sms]
        return {}


_HONEST = Step()


def _json(status: int, data: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, json.dumps(data).encode(), headers=headers)
