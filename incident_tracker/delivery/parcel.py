"""What a delivery row holds sealed: address, content and values. Where many share a content, it is kept once."""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from incident_tracker.store import deliveries as rows
from incident_tracker.store.database import Database
from incident_tracker.store.keys import KeyIsGone, Keyring
from notifiers.protocol import Content, Message

PLACE = "deliveries.sealed"
CONTENT_PLACE = "contents.sealed"
UNREADABLE = (KeyIsGone, InvalidTag, ValueError, TypeError)
"""What opening something sealed may raise: it is forgotten, or damaged."""
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SHARED = 2
"""Parts of a parcel without a content of its own: address and values."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One content for one address, before it has an attempt."""

    address: str
    content: Content
    values: Mapping[str, str]

    def seal(self, keyring: Keyring, key_id: str) -> bytes:
        """Return it encrypted for its column."""
        return keyring.seal(key_id, PLACE, _json([self.address, *_parts(self.content), dict(self.values)]))

    def message(self, attempt: str, delivery: str, valid_for: int | None) -> Message:
        """Return it as a notifier gets it."""
        return Message(attempt, delivery, self.address, self.content, self.values, valid_for)


def seal_all_shared(keyring: Keyring, key_id: str, to: Iterable[tuple[str, Mapping[str, str]]]) -> list[bytes]:
    """Return what deliveries keep that share their content (address and values), encrypted for their column."""
    return keyring.seal_many(key_id, PLACE, (_json([address, dict(values)]) for address, values in to))


def seal_content(keyring: Keyring, key_id: str, content: Content) -> bytes:
    """Return a content that many share, encrypted for its column."""
    return keyring.seal(key_id, CONTENT_PLACE, _json(_parts(content)))


class Contents:
    """Opens shared contents; a few stay in memory, the newest.

    Any thread may ask. A content that is not in memory is read from the database, so ask outside a unit of work.
    """

    def __init__(self, database: Database, keyring: Keyring, *, most: int = 32) -> None:
        """Keep at most so many contents."""
        self._database = database
        self._keyring = keyring
        self._most = most
        self._known: dict[str, Content] = {}
        self._lock = threading.Lock()

    def get(self, content_id: str) -> Content:
        """Return a content; raise KeyIsGone where it is forgotten, another of UNREADABLE where it is damaged."""
        known = self._known.get(content_id)
        if known is not None:
            return known
        with self._database.reading() as session:
            sealed = rows.sealed_content(session, content_id)
        if sealed is None:
            raise KeyIsGone
        content = open_content(self._keyring, sealed)
        with self._lock:
            self._known[content_id] = content
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return content

    def parcel(self, sealed: bytes, content_id: str | None) -> Parcel:
        """Return what a delivery says and to whom; raises as `get`."""
        return unseal(self._keyring, sealed, None if content_id is None else self.get(content_id))


def open_content(keyring: Keyring, sealed: bytes) -> Content:
    """Return a shared content; raises as `unseal`."""
    return Content(*json.loads(keyring.open_text(CONTENT_PLACE, sealed)))


def unseal(keyring: Keyring, sealed: bytes, shared: Content | None = None) -> Parcel:
    """Return what was sealed; raise KeyIsGone where it is forgotten, another of UNREADABLE where it is damaged.

    `shared` is the content of a delivery that does not have one of its own.
    """
    parts = json.loads(keyring.open_text(PLACE, sealed))
    if shared is not None and len(parts) == _SHARED:
        return Parcel(parts[0], shared, parts[1])
    address, *content, values = parts
    return Parcel(address, Content(*content), values)


def _parts(content: Content) -> list[str | None]:
    return [
        content.text,
        content.subject,
        content.html,
        content.language,
        content.sender_name,
        content.reply_to,
    ]


def _json(plain: object) -> bytes:
    return _COMPACT.encode(plain).encode()
