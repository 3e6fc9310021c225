"""The postman for SMS. One message a request, because that is all Twilio takes."""

import re
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from notifiers.protocol import (
    Accepted,
    CallbackEvent,
    CallbackRequest,
    Channel,
    Deadline,
    ForgedCallbackError,
    Message,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    Reply,
    StatusReport,
    Unknown,
)
from notifiers.support.running import Answers, Call, CallSlots, ask_bounded, send_bounded
from notifiers.support.settings import SettingsReader
from notifiers.twilio_sms import callbacks, outcomes
from notifiers.twilio_sms.client import Line, Lines, make_line

_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
_LONGEST_BODY = 1600
_LONGEST_VALIDITY = 36000
_CALLS_AT_ONCE = 32
_PAGE = 200
_REMEMBERED = 20_000
_CLOCKS_APART = timedelta(minutes=2)


class TwilioSmsNotifier:
    """Sends SMS, reads delivery reports and replies, and can be asked for both."""

    name: ClassVar[str] = "twilio_sms"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    max_batch = 50

    def __init__(
        self, *, lines: Lines, secrets: tuple[str, ...], sender: Mapping[str, str], validity: int | None
    ) -> None:
        """Take what `from_settings` has checked; `sender` holds the library's names of the sender's fields."""
        self.channel = Channel.SMS
        self._lines = lines
        self._secrets = secrets
        self._sender = dict(sender)
        self._validity = validity
        self._status_url = ""
        self._slots = CallSlots(_CALLS_AT_ONCE)
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}

    def __repr__(self) -> str:
        """Name the sender, never a secret."""
        return f"<TwilioSmsNotifier {' '.join(self._sender.values())}>"

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        """Read `[notifiers.twilio_sms]`; `validity` (seconds) is for messages without one of their own."""
        reader = SettingsReader(cls.name, settings)
        reader.channel(channel, cls.channels)
        account = {
            "account_sid": reader.text("account_sid", required=True),
            "auth_token": reader.text("auth_token", required=True),
            "region": reader.text("region"),
            "edge": reader.text("edge"),
            "api_base": reader.base_address("api_base"),
        }
        previous = reader.text("auth_token_previous")
        service, number = reader.text("messaging_service_sid"), reader.text("from_number")
        sender = {"messaging_service_sid": service, "from_": number}
        if not service and not number:
            reader.mistake("from_number", "is missing (or set messaging_service_sid)")
        if account["account_sid"] and not re.fullmatch(r"AC[0-9a-f]{32}", account["account_sid"]):
            reader.mistake("account_sid", "must be AC and 32 hexadecimal digits")
        validity = reader.number("validity", default=0, least=0, most=_LONGEST_VALIDITY)
        reader.finish()
        return cls(
            lines=Lines(lambda: make_line(**account)),
            secrets=tuple(secret for secret in (account["auth_token"], previous) if secret),
            sender={name: value for name, value in sender.items() if value},
            validity=validity or None,
        )

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        """Yield an outcome for each message as soon as Twilio has answered."""
        return send_bounded(messages, deadline, self._work, self._slots)

    def use_callbacks(self, status_url: str) -> None:
        """Give Twilio this address, marked with our attempt, in every message from now on."""
        self._status_url = status_url

    def read_callback(self, request: CallbackRequest) -> Sequence[CallbackEvent]:
        """Read a signed status or inbound callback; the previous token counts too, while tokens are being changed."""
        try:
            event = callbacks.read(request, self._secrets)
        except ValueError as error:  # for instance a port that is none
            raise ForgedCallbackError("the callback cannot be read") from error
        if isinstance(event, StatusReport) and event.attempt and event.provider_id:
            self._remember(event.provider_id, event.attempt)
        return () if event is None else (event,)

    def look_up(self, provider_ids: Sequence[str], deadline: Deadline) -> Iterator[StatusReport]:
        """Yield the state of each message that Twilio still knows."""

        def ask(answers: Answers[StatusReport]) -> None:
            with self._lines.line() as line:
                for sid in provider_ids:
                    line.allow(deadline.remaining())
                    if (known := _fetch(line, sid)) is not None:
                        answers.tell(known)

        return ask_bounded(deadline, ask, self._slots)

    def search(
        self, messages: Sequence[Message], since: datetime, deadline: Deadline, taken: Collection[str] = ()
    ) -> Iterator[StatusReport]:
        """Yield what Twilio has of `messages`, found by number, text and sender.

        Where Twilio has another number of equal messages than we ask for, none is yielded: one of its messages is
        never given to two attempts, and a message of someone else is never taken for ours.
        """
        groups: dict[tuple[str, str], list[Message]] = defaultdict(list)
        for message in messages:
            groups[message.address, _text(message.text())].append(message)

        def ask(answers: Answers[StatusReport]) -> None:
            with self._lines.line() as line:
                listed: dict[str, list[Any]] = {}
                for (address, body), ours in groups.items():
                    line.allow(deadline.remaining())
                    if address not in listed:
                        listed[address] = self._sent_to(line, address, since)
                    theirs = [found for found in listed[address] if _text(found.body) == body]
                    free = [
                        found for found in theirs if found.sid not in taken and not self._is_anothers(found, ours)
                    ]
                    for known in _pair(ours, free):
                        self._remember(known.provider_id or "", known.attempt or "")
                        answers.tell(known)

        return ask_bounded(deadline, ask, self._slots)

    def replies(self, since: datetime, deadline: Deadline) -> Iterator[Reply]:
        """Yield what came in for our number (all numbers of the account with a messaging service), oldest first."""

        def ask(answers: Answers[Reply]) -> None:
            number = self._sender.get("from_")
            with self._lines.line() as line:
                line.allow(deadline.remaining())
                wanted = {"to": number} if number else {}
                found = line.messages.list(date_sent_after=since.astimezone(UTC), page_size=_PAGE, **wanted)
            inbound = [(item.date_sent or item.date_created, item) for item in found if item.direction == "inbound"]
            for at, item in sorted(inbound, key=lambda pair: (pair[0] or since, pair[1].sid)):
                answers.tell(Reply(item.from_ or "", item.body or "", item.sid, item.to or "", at))

        return ask_bounded(deadline, ask, self._slots)

    def _work(self, call: Call) -> None:
        with self._lines.line() as line:
            refusal: NotSent | None = None
            for message in call.messages:
                if refusal is not None:
                    call.tell(NotSent(message.attempt, refusal.reason, refusal.code, setup=True))
                    continue
                outcome = self._send_one(line, message, call)
                call.tell(outcome)
                if isinstance(outcome, NotSent) and outcomes.stops_the_rest(outcome):
                    refusal = outcome

    def _send_one(self, line: Line, message: Message, call: Call) -> Outcome:
        try:
            body = message.text()
            body.encode()
        except (KeyError, UnicodeEncodeError):
            why = "a placeholder has no value, or a character cannot be written"
            return Refused(message.attempt, RefusalKind.CONTENT, why)
        if not body.strip() or len(body) > _LONGEST_BODY:
            return Refused(
                message.attempt, RefusalKind.CONTENT, f"the text must have 1 to {_LONGEST_BODY} characters"
            )
        fields = self._fields(message)
        line.allow(call.deadline.remaining())
        call.commit(message)
        try:
            answer = line.messages.create(to=message.address, body=body, **fields)
        except Exception as error:  # noqa: BLE001 whatever a library raises after the request went out is an outcome
            return _outcome_of(message.attempt, error, line.answer_headers)
        if isinstance(answer.sid, str) and _MESSAGE_SID.fullmatch(answer.sid):
            self._remember(answer.sid, message.attempt)
            return Accepted(message.attempt, answer.sid)
        return Unknown(message.attempt, "Twilio answered without the id of a message")

    def _fields(self, message: Message) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self._sender)
        if self._status_url:
            fields["status_callback"] = callbacks.address_with_mark(
                self._status_url, message.attempt, self._secrets[0]
            )
        seconds = message.valid_for if message.valid_for is not None else self._validity
        if seconds is not None:
            fields["validity_period"] = max(1, min(_LONGEST_VALIDITY, seconds))
        return fields

    def _remember(self, sid: str, attempt: str) -> None:
        """Keep whose message this is, so that `search` never gives it to another attempt with the same text."""
        with self._lock:
            self._owners[sid] = attempt
            if len(self._owners) > _REMEMBERED:
                del self._owners[next(iter(self._owners))]

    def _is_anothers(self, item: Any, ours: Sequence[Message]) -> bool:
        owner = self._owners.get(item.sid)
        return owner is not None and all(owner != message.attempt for message in ours)

    def _sent_to(self, line: Line, address: str, since: datetime) -> list[Any]:
        after = since.astimezone(UTC) - _CLOCKS_APART
        found = line.messages.list(to=address, date_sent_after=after, page_size=_PAGE)
        return [item for item in found if self._is_ours(item, after)]

    def _is_ours(self, item: Any, after: datetime) -> bool:
        if not str(item.direction or "").startswith("outbound"):
            return False
        if item.date_created is not None and item.date_created < after:
            return False
        service = self._sender.get("messaging_service_sid")
        if service:
            return bool(item.messaging_service_sid == service)
        return bool(item.from_ == self._sender["from_"])


def _pair(ours: Sequence[Message], theirs: Sequence[Any]) -> Iterator[StatusReport]:
    if len(ours) != len(theirs):
        return
    in_order = sorted(theirs, key=lambda item: (str(item.date_created or ""), item.sid))
    for message, item in zip(ours, in_order, strict=True):
        code = "" if item.error_code is None else str(item.error_code)
        known = callbacks.report(item.sid, str(item.status), code, attempt=message.attempt)
        if known is not None:
            yield known


def _fetch(line: Line, sid: str) -> StatusReport | None:
    """Return the state of a message; None if Twilio has no good answer for this one. Raises if it has for none."""
    from twilio.base.exceptions import TwilioRestException  # noqa: PLC0415 imported with the client

    try:
        item = line.messages(sid).fetch()
    except TwilioRestException as error:
        if error.status in {401, 403, 429}:
            raise
        return None
    return callbacks.report(sid, str(item.status), "" if item.error_code is None else str(item.error_code))


def _outcome_of(attempt: str, error: Exception, headers: Mapping[str, str]) -> Outcome:
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if isinstance(status, int):
        return outcomes.from_answer(attempt, status, code if isinstance(code, int) else None, headers)
    return outcomes.from_exception(attempt, error)


def _text(body: str | None) -> str:
    """Return a text as it is compared: Twilio trims blanks at the ends."""
    return (body or "").strip()
