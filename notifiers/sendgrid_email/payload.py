"""One request for many people: a shared text, and for each person the values that SendGrid puts in.

A value stands for itself in plain text and escaped in HTML, so each placeholder becomes one token for each of
subject, text and HTML. Tokens hold a random part, so that no text a person writes can be taken for one.
"""

import html
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notifiers.protocol import Content, Message
from notifiers.support.texts import one_line, without_controls

MOST_RECIPIENTS = 1000
_LARGEST_VALUES = 9_500
"""Bytes of one person's values; SendGrid refuses 10,000."""
_PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_.]{0,63})\}\}")
_OFF: Mapping[str, Any] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all requests share: sender, where replies go, and whether nothing is really sent."""

    from_email: str
    from_name: str
    reply_to: str
    sandbox: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that can go out in one request."""

    messages: tuple[Message, ...]
    whole: bool = False
    """Whether the one message is written out, because its values are too large to be put in by SendGrid."""


def batches(messages: Sequence[Message], size: int) -> Iterator[Batch]:
    """Divide messages by shared content and unlike addresses: SendGrid refuses an address twice in a request."""
    waiting: dict[Content, list[list[Message]]] = {}
    addresses: dict[int, set[str]] = {}
    for message in messages:
        if _values_size(message.values) > _LARGEST_VALUES:
            yield Batch((message,), whole=True)
            continue
        groups = waiting.setdefault(message.content, [])
        address = message.address.lower()
        for group in groups:
            if len(group) < size and address not in addresses[id(group)]:
                break
        else:
            group = []
            groups.append(group)
            addresses[id(group)] = set()
        group.append(message)
        addresses[id(group)].add(address)
    for groups in waiting.values():
        for group in groups:
            yield Batch(tuple(group))


def payload(batch: Batch, envelope: Envelope) -> dict[str, Any]:
    """Return the request's body. Trackers and rewritten links are off in every message."""
    content = batch.messages[0].content
    texts = _written_out(batch.messages[0]) if batch.whole else _Template(content)
    name = re.sub(r"[;,]", " ", one_line(content.sender_name or envelope.from_name))
    reply_to = one_line(content.reply_to or envelope.reply_to)
    parts = [{"type": "text/plain", "value": texts.text}]
    if texts.html is not None:
        parts.append({"type": "text/html", "value": texts.html})
    body: dict[str, Any] = {
        "from": {"email": envelope.from_email, "name": name} if name else {"email": envelope.from_email},
        "subject": texts.subject,
        "content": parts,
        "personalizations": [_person(message, texts) for message in batch.messages],
        "headers": {"Auto-Submitted": "auto-generated"},
        "tracking_settings": _OFF,
    }
    if reply_to:
        body["reply_to"] = {"email": reply_to}
    if envelope.sandbox:
        body["mail_settings"] = {"sandbox_mode": {"enable": True}}
    return body


@dataclass(frozen=True, slots=True)
class Shared:
    """What is true of a text for everybody who gets it: its placeholders, and why nobody can be sent it."""

    placeholders: tuple[str, ...]
    fault: str


def look_at(content: Content) -> Shared:
    """Return the placeholders of a text, and a fault if SendGrid would refuse it."""
    fault = ""
    if not content.text.strip() or not content.subject.strip():
        fault = "an e-mail needs a subject and a text"
    elif not writable(content.subject, content.text, content.html or "", content.sender_name or ""):
        fault = "the text holds a character that cannot be written"
    return Shared(_names(content.subject + content.text + (content.html or "")), fault)


def writable(*texts: str) -> bool:
    """Return whether all texts can be written as UTF-8 (halves of a surrogate pair cannot)."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Template:
    """A content with tokens in place of placeholders."""

    def __init__(self, content: Content) -> None:
        self._mark = secrets.token_hex(6)
        self._subject_names = _names(content.subject)
        self._text_names = _names(content.text)
        self._html_names = _names(content.html or "")
        self.subject = one_line(self._tokens(content.subject, "s"))
        self.text = without_controls(self._tokens(content.text, "t"))
        self.html = None if content.html is None else without_controls(self._tokens(content.html, "h"))

    def substitutions(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what stands for each token: on one line for the subject, as it is, and escaped for HTML."""
        mark = self._mark
        swaps = {f"-{mark}.s.{name}-": one_line(values[name]) for name in self._subject_names}
        swaps |= {f"-{mark}.t.{name}-": without_controls(values[name]) for name in self._text_names}
        swaps |= {f"-{mark}.h.{name}-": html.escape(without_controls(values[name])) for name in self._html_names}
        return swaps

    def _tokens(self, text: str, part: str) -> str:
        return _PLACEHOLDER.sub(rf"-{self._mark}.{part}.\1-", text)


@dataclass(frozen=True, slots=True)
class _WrittenOut:
    subject: str
    text: str
    html: str | None

    def substitutions(self, values: Mapping[str, str]) -> dict[str, str]:
        del values
        return {}


def _written_out(message: Message) -> _WrittenOut:
    rich = message.html()
    return _WrittenOut(
        subject=one_line(message.subject()),
        text=without_controls(message.text()),
        html=None if rich is None else without_controls(rich),
    )


def _person(message: Message, texts: _Template | _WrittenOut) -> dict[str, Any]:
    person: dict[str, Any] = {
        "to": [{"email": message.address}],
        "custom_args": {"delivery": message.delivery, "attempt": message.attempt},
    }
    swaps = texts.substitutions(message.values)
    if swaps:
        person["substitutions"] = swaps
    return person


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def _values_size(values: Mapping[str, str]) -> int:
    # In the worst case a value stands in subject, text and HTML, escaped to six bytes a character there.
    letters = sum(map(len, values.values()))
    if letters * 14 + len(values) * 300 <= _LARGEST_VALUES:
        return 0
    return sum(
        2 * len(value.encode("utf-8", "replace")) + len(html.escape(value).encode("utf-8", "replace")) + 300
        for value in values.values()
    )
