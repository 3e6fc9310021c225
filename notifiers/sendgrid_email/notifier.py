"""The postman for e-mail in numbers: one request for a batch of people who share a text."""

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from notifiers.protocol import (
    Accepted,
    CallbackEvent,
    CallbackRequest,
    Channel,
    Content,
    Deadline,
    Message,
    Outcome,
    RefusalKind,
    Refused,
    Unknown,
)
from notifiers.sendgrid_email import events, outcomes
from notifiers.sendgrid_email.payload import (
    MOST_RECIPIENTS,
    Batch,
    Envelope,
    Shared,
    batches,
    look_at,
    payload,
    writable,
)
from notifiers.support.running import Call, CallSlots, send_bounded
from notifiers.support.settings import SettingsReader

READ_TIMEOUT = 15.0
"""Seconds for one read; the total is the deadline's."""
_SHORTEST = 0.05
_DEFAULT_BATCH = 250
_CALLS_AT_ONCE = 16
_ACCEPTED, _SANDBOXED = 202, 200
_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class SendgridEmailNotifier:
    """Sends e-mail and reads SendGrid's signed events."""

    name: ClassVar[str] = "sendgrid_email"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    max_batch = _DEFAULT_BATCH

    def __init__(
        self, *, account: Mapping[str, str], envelope: Envelope, keys: tuple[Any, ...], max_batch: int
    ) -> None:
        """Take what `from_settings` has checked; `account` is `api_key`, `region` and `api_base`."""
        self.channel = Channel.EMAIL
        self.max_batch = max_batch
        self._account = dict(account)
        self._envelope = envelope
        self._keys = keys
        self._slots = CallSlots(_CALLS_AT_ONCE)
        self._api: Any = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Name the sender, never a secret."""
        return f"<SendgridEmailNotifier {self._envelope.from_email}>"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        """Read `[notifiers.sendgrid_email]`; `webhook_public_key` may hold two keys while they are being changed."""
        reader = SettingsReader(cls.name, settings)
        reader.channel(channel, cls.channels)
        account = {
            "api_key": reader.text("api_key", required=True),
            "region": reader.choice("region", ("global", "eu"), default="global"),
            "api_base": reader.base_address("api_base"),
        }
        envelope = Envelope(
            from_email=reader.text("from_email", required=True),
            from_name=reader.text("from_name"),
            reply_to=reader.text("reply_to"),
            sandbox=reader.flag("sandbox"),
        )
        for key, address in (("from_email", envelope.from_email), ("reply_to", envelope.reply_to)):
            if address and not _ADDRESS.fullmatch(address):
                reader.mistake(key, "must be a plain e-mail address in ASCII")
        max_batch = reader.number("max_batch", default=_DEFAULT_BATCH, least=1, most=MOST_RECIPIENTS)
        keys: tuple[Any, ...] = ()
        try:
            keys = events.load_keys(reader.texts("webhook_public_key"))
        except ValueError:
            reader.mistake("webhook_public_key", "must be the base64 text that SendGrid shows")
        reader.finish()
        return cls(account=account, envelope=envelope, keys=keys, max_batch=max_batch)

    @property
    def api(self) -> Any:
        """The official client, made at the first call; its timeout is set last, for residency makes a new client."""
        with self._lock:
            if self._api is None:
                self._api = _make_api(**self._account)
            return self._api

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        """Yield the outcomes of each request; a bad address is found by halving and fails alone."""
        return send_bounded(messages, deadline, self._work, self._slots)

    def use_callbacks(self, status_url: str) -> None:
        """Nothing to do: the address of the event webhook is set in SendGrid's own pages."""

    def read_callback(self, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Read signed events; without a `webhook_public_key` every callback counts as forged."""
        return events.read(request, self._keys)

    def _work(self, call: Call) -> None:
        sound: list[Message] = []
        known: dict[Content, Shared] = {}
        for message in call.messages:
            if (refused := _refused_here(message, known)) is not None:
                call.tell(refused)
            else:
                sound.append(message)
        waiting = list(batches(sound, min(self.max_batch, MOST_RECIPIENTS)))[::-1]
        while waiting:
            batch = waiting.pop()
            verdict = self._post(batch, call)
            if verdict is not None and verdict.divide:
                middle = len(batch.messages) // 2
                waiting += [Batch(batch.messages[middle:]), Batch(batch.messages[:middle])]
            elif verdict is not None:
                stopped = [message for left in waiting for message in left.messages] if verdict.stops_the_rest else []
                for message in (*batch.messages, *stopped):
                    call.tell(verdict.outcome(message.attempt))
                if verdict.stops_the_rest:
                    return

    def _post(self, batch: Batch, call: Call) -> outcomes.Verdict | None:
        """Make one request; tell the outcomes if it was taken, else return what the answer means."""
        from python_http_client.exceptions import HTTPError  # noqa: PLC0415 imported with the client

        api, body = self.api, payload(batch, self._envelope)
        timeout = max(_SHORTEST, min(READ_TIMEOUT, call.deadline.remaining()))
        call.commit(*batch.messages)
        try:
            answer = api.client.mail.send.post(request_body=body, timeout=timeout)
        except HTTPError as error:
            verdict = outcomes.from_answer(
                error.status_code, error.body, dict(error.headers or {}), len(batch.messages)
            )
        except Exception as error:  # noqa: BLE001 whatever a library raises after the request went out is an outcome
            verdict = outcomes.from_exception(error)
        else:
            for message in batch.messages:
                call.tell(self._taken(message, answer.status_code, answer.headers.get("X-Message-Id") or ""))
            return None
        if verdict.certain:
            call.release(*batch.messages)
        return verdict

    def _taken(self, message: Message, status: int, message_id: str) -> Outcome:
        if self._envelope.sandbox and status == _SANDBOXED:
            return Accepted(message.attempt, events.provider_id("sandbox", message.attempt))
        if status == _ACCEPTED and message_id:
            return Accepted(message.attempt, events.provider_id(message_id, message.attempt))
        return Unknown(message.attempt, "SendGrid answered without the id of a message", str(status))


def _refused_here(message: Message, known: dict[Content, Shared]) -> Outcome | None:
    """Refuse what cannot be sent, so that it fails alone; `known` keeps what was found out of each shared text."""
    shared = known.get(message.content)
    if shared is None:
        shared = known[message.content] = look_at(message.content)
    if shared.fault:
        return Refused(message.attempt, RefusalKind.CONTENT, shared.fault)
    if any(name not in message.values for name in shared.placeholders):
        return Refused(message.attempt, RefusalKind.CONTENT, "a placeholder has no value")
    if not writable(message.address, *message.values.values()):
        return Refused(message.attempt, RefusalKind.CONTENT, "a value holds a character that cannot be written")
    return None


def _make_api(*, api_key: str, region: str, api_base: str) -> Any:
    from sendgrid import SendGridAPIClient  # noqa: PLC0415 70 ms that only senders should pay

    # The library logs addresses, texts and the key itself: that is not ours to keep.
    logging.getLogger("python_http_client").setLevel(logging.WARNING)
    api = SendGridAPIClient(api_key, host=api_base) if api_base else SendGridAPIClient(api_key)
    if not api_base:
        api.set_sendgrid_data_residency(region)
    api.client.timeout = READ_TIMEOUT
    return api
