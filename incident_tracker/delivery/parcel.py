"""What a delivery row holds sealed: address, content and values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from incident_tracker.store.keys import KeyIsGone, Keyring
from notifiers.protocol import Content, Message

PLACE = "deliveries.sealed"
UNREADABLE = (KeyIsGone, InvalidTag, ValueError, TypeError)
"""What opening something sealed may raise: it is forgotten, or damaged."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One content for one address, before it has an attempt."""

    address: str
    content: Content
    values: Mapping[str, str]

    def seal(self, keyring: Keyring, key_id: str) -> bytes:
        """Return it encrypted for its column."""
        content = self.content
        plain = [
            self.address,
            content.text,
            content.subject,
            content.html,
            content.language,
            content.sender_name,
            content.reply_to,
            dict(self.values),
        ]
        return keyring.seal(key_id, PLACE, json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())

    def message(self, attempt: str, delivery: str, valid_for: int | None) -> Message:
        """Return it as a notifier gets it."""
        return Message(attempt, delivery, self.address, self.content, self.values, valid_for)


def unseal(keyring: Keyring, sealed: bytes) -> Parcel:
    """Return what was sealed; raise KeyIsGone where it is forgotten, another of UNREADABLE where it is damaged."""
    address, text, subject, html, language, sender_name, reply_to, values = json.loads(keyring.open(PLACE, sealed))
    return Parcel(address, Content(text, subject, html, language, sender_name, reply_to), values)
