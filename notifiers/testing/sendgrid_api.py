"""As much of SendGrid's v3 mail/send as our messages use.

Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send and its OpenAPI (tsg_mail_v3.json).
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from notifiers.testing.ledger import Mail, own_id_of

_MOST_RECIPIENTS = 1000
_LARGEST_ARGS = 10_000


class SendgridRefusalError(Exception):
    """The whole request is refused."""

    def __init__(self, field: str | None, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"errors": [{"message": message, "field": field, "help": None}]})


def own_ids(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return our attempt ids, one a recipient."""
    people = payload.get("personalizations")
    return tuple(own_id_of(person) for person in people) if isinstance(people, list) else ()


def check(payload: Mapping[str, Any], bad_addresses: Collection[str]) -> None:
    """Refuse what SendGrid refuses; one bad address is enough for the whole request."""
    people = payload.get("personalizations")
    if not isinstance(people, list) or not 1 <= len(people) <= _MOST_RECIPIENTS:
        raise SendgridRefusalError("personalizations", "The personalizations field needs 1 to 1000 entries.")
    sender = payload.get("from")
    if not isinstance(sender, dict) or not str(sender.get("email", "")).isascii() or not sender.get("email"):
        raise SendgridRefusalError("from.email", "The from email does not contain a valid address.")
    if not payload.get("subject"):
        raise SendgridRefusalError("subject", "The subject is required.")
    content = payload.get("content")
    if not isinstance(content, list) or not content or any(not part.get("value") for part in content):
        raise SendgridRefusalError("content", "The content value must be a string at least one character in length.")
    if [part.get("type") for part in content] not in (["text/plain"], ["text/plain", "text/html"]):
        raise SendgridRefusalError("content", "text/plain must be first, followed by text/html.")
    seen: set[str] = set()
    for place, person in enumerate(people):
        _check_person(f"personalizations.{place}", person, seen, bad_addresses)


def render(message_id: str, payload: Mapping[str, Any], person: Mapping[str, Any]) -> Mail:
    """Return what one recipient would read, substitutions made."""
    parts = {part["type"]: part["value"] for part in payload.get("content", ())}
    swaps = person.get("substitutions") or {}

    def fill(text: str) -> str:
        for key, value in swaps.items():
            text = text.replace(key, value)
        return text

    html = parts.get("text/html")
    return Mail(
        message_id=message_id,
        attempt=own_id_of(person),
        to=person["to"][0]["email"],
        subject=fill(str(payload.get("subject", ""))),
        text=fill(parts.get("text/plain", "")),
        html=None if html is None else fill(html),
        payload=payload,
    )


def _check_person(where: str, person: Mapping[str, Any], seen: set[str], bad_addresses: Collection[str]) -> None:
    to = person.get("to")
    address = to[0].get("email", "") if isinstance(to, list) and len(to) == 1 else ""
    _, at, domain = address.rpartition("@")
    if not at or "." not in domain or " " in address or address in bad_addresses:
        raise SendgridRefusalError(f"{where}.to.0.email", "Does not contain a valid address.")
    if address.lower() in seen:
        raise SendgridRefusalError(f"{where}.to", "Each email address in the personalization block should be unique.")
    seen.add(address.lower())
    for name in ("custom_args", "substitutions"):
        values = person.get(name) or {}
        if not all(isinstance(value, str) for value in values.values()):
            raise SendgridRefusalError(f"{where}.{name}", "The values must be strings.")
        if sum(len(key.encode()) + len(value.encode()) for key, value in values.items()) >= _LARGEST_ARGS:
            raise SendgridRefusalError(f"{where}.{name}", "The size must be under 10000 bytes.")
