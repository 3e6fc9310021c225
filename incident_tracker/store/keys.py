"""The keys of personal data at rest.

The master key (32 bytes, from a file or the environment, never in the database) wraps random data keys: two an
incident (`people` and `record`), one a year for entries without an incident, one a controller and one for the
installation to find a person by keyed hash. What is sealed says which data key opens it, and is bound to its place
(table and column), so that a value moved elsewhere does not open. AES-256-GCM throughout (NIST SP 800-38D).
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.store.database import Database
from incident_tracker.store.tables.keys import DataKey

KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_BYTES = 16
_VERSION = b"\x01"


class MasterKeyUnusable(Refusal):
    """The master key is missing or not a key."""

    message = "The master key %(where)s cannot be used: %(why)s."


class MasterKeyWrong(Refusal):
    """The master key is a key, but not the one that wrapped this installation's data keys."""

    message = "This master key does not open this database. Use the key on the recovery sheet of this installation."


class KeyIsGone(Refusal):
    """The data key was destroyed: what it opened is forgotten."""

    message = "This was deleted and cannot be read any more."


class KeyKind(StrEnum):
    """What a data key is for."""

    RECORD = "record"
    PEOPLE = "people"
    YEAR = "year"
    LOOK_UP = "look_up"


def new_master_key() -> str:
    """Return a fresh master key in the form that the recovery sheet prints: groups of base32."""
    return format_master_key(secrets.token_bytes(KEY_BYTES))


def format_master_key(key: bytes) -> str:
    """Return the key as groups of four signs, without letters that look alike on paper."""
    plain = base64.b32encode(key).decode().rstrip("=")
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def read_master_key(written: str, where: str) -> bytes:
    """Return the 32 bytes of a written master key; spaces, hyphens and case do not matter."""
    signs = "".join(written.split()).replace("-", "").upper()
    try:
        key = base64.b32decode(signs + "=" * (-len(signs) % 8))
    except (binascii.Error, ValueError):
        raise MasterKeyUnusable(where=where, why=phrase("it is not written in base32")) from None
    if len(key) != KEY_BYTES:
        raise MasterKeyUnusable(where=where, why=phrase("it does not have 32 bytes"))
    return key


def load_master_key(file: Path) -> bytes:
    """Return the master key that a file holds."""
    try:
        return read_master_key(file.read_text("ascii"), str(file))
    except FileNotFoundError:
        raise MasterKeyUnusable(where=file, why=phrase("the file does not exist")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyUnusable(where=file, why=phrase("the file cannot be read")) from error


def make_master_key_file(file: Path) -> None:
    """Write a fresh master key into a new file that only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(new_master_key() + "\n")
        out.flush()
        os.fsync(out.fileno())


class Keyring:
    """Opens and makes data keys. Unwrapped keys stay in memory only."""

    def __init__(self, master_key: bytes, database: Database) -> None:
        """Use the master key for the data keys of this database."""
        self._master = AESGCM(_derive(master_key, b"wrap"))
        self._anchor_key = _derive(master_key, b"anchor")
        self._callback_key = _derive(master_key, b"callback")
        self._form_key = _derive(master_key, b"form")
        self._backup_key = backup_key(master_key)
        self._database = database
        self._keys: dict[str, bytes] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Refuse a master key that does not open the newest data key of this database."""
        with self._database.reading() as session:
            newest = session.execute(
                select(DataKey.id, DataKey.wrapped)
                .where(DataKey.wrapped.is_not(None))
                .order_by(DataKey.created_at.desc())
                .limit(1)
            ).first()
        if newest is not None:
            self._unwrap(newest.id, newest.wrapped)

    def ensure(self, kinds: Iterable[KeyKind], subject: str, now: datetime) -> dict[KeyKind, str]:
        """Return the ids of the subject's data keys, made and committed first where they are missing.

        Runs in a transaction of its own: a key without anything sealed by it is harmless, the reverse is not. So
        call it before a unit of work that may be the first to need the key; later calls only read.
        """
        wanted = tuple(kinds)
        found = {kind: self._ids[kind, subject] for kind in wanted if (kind, subject) in self._ids}
        if len(found) == len(wanted):
            return found
        found |= self._read_ids(wanted, subject)
        if len(found) == len(wanted):
            return found
        try:
            made = self._make(wanted, subject, now)
        except IntegrityError:  # another node made it at the same moment
            made = self._make(wanted, subject, now)
        with self._lock:
            self._ids.update({(kind, subject): key_id for kind, key_id in made.items()})
        return made

    def year(self, now: datetime) -> str:
        """Return the id of this year's key, for whatever belongs to no incident."""
        return self.ensure([KeyKind.YEAR], str(now.year), now)[KeyKind.YEAR]

    def warm(self, key_ids: Iterable[str]) -> None:
        """Unwrap many keys with one query, before many things are sealed or opened."""
        missing = [key_id for key_id in set(key_ids) if key_id not in self._keys]
        if not missing:
            return
        with self._database.reading() as session:
            statement = select(DataKey.id, DataKey.wrapped).where(
                DataKey.id.in_(missing), DataKey.wrapped.is_not(None)
            )
            found = {row.id: self._unwrap(row.id, row.wrapped) for row in session.execute(statement)}
        with self._lock:
            self._keys.update(found)

    def seal(self, key_id: str, place: str, plain: bytes) -> bytes:
        """Return `plain` encrypted under a data key and bound to `place` (`table.column`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _cipher(self._key(key_id)).encrypt(nonce, plain, place.encode())
        return _VERSION + bytes.fromhex(key_id) + nonce + sealed

    def seal_many(self, key_id: str, place: str, plain: Iterable[bytes]) -> list[bytes]:
        """Seal many values of the same place, each on its own."""
        cipher, bound, head = AESGCM(self._key(key_id)), place.encode(), _VERSION + bytes.fromhex(key_id)
        nonces = iter(lambda: secrets.token_bytes(_NONCE_BYTES), b"")
        return [head + nonce + cipher.encrypt(nonce, one, bound) for one, nonce in zip(plain, nonces, strict=False)]

    def open(self, place: str, sealed: bytes) -> bytes:
        """Return what was sealed at `place`, or refuse (`KeyIsGone`) if its key was destroyed."""
        key_id = self.key_of(sealed)
        start = 1 + _ID_BYTES + _NONCE_BYTES
        cipher = _cipher(self._key(key_id))
        return cipher.decrypt(sealed[1 + _ID_BYTES : start], sealed[start:], place.encode())

    def key_of(self, sealed: bytes) -> str:
        """Return the id of the data key that opens something sealed."""
        return sealed[1 : 1 + _ID_BYTES].hex()

    def is_sealed_by(self, key_id: str, sealed: bytes) -> bool:
        """Return whether something names this data key as the one that opens it."""
        return sealed[: 1 + _ID_BYTES] == _VERSION + bytes.fromhex(key_id)

    def seal_text(self, key_id: str, place: str, plain: str) -> bytes:
        """Seal a text."""
        return self.seal(key_id, place, plain.encode())

    def open_text(self, place: str, sealed: bytes) -> str:
        """Open a sealed text."""
        return self.open(place, sealed).decode()

    def fingerprint(self, subject: str, value: str, now: datetime) -> bytes:
        """Return the keyed hash under which a value of `subject` (a controller, the installation) is found again."""
        key_id = self.ensure([KeyKind.LOOK_UP], subject, now)[KeyKind.LOOK_UP]
        return hmac.digest(self._key(key_id), value.encode(), hashlib.sha256)

    def fingerprints(self, subject: str, values: Iterable[str], now: datetime) -> list[bytes]:
        """Return the keyed hashes of many values of a subject, in their order."""
        key = self._key(self.ensure([KeyKind.LOOK_UP], subject, now)[KeyKind.LOOK_UP])
        return [hmac.digest(key, value.encode(), hashlib.sha256) for value in values]

    def anchor_key(self) -> bytes:
        """Return the key that seals the anchors of the journal."""
        return self._anchor_key

    def form_key(self) -> bytes:
        """Return the secret that signs forms and cookies."""
        return self._form_key

    def backup_key(self) -> bytes:
        """Return the key from which the key of each backup comes."""
        return self._backup_key

    def _read_ids(self, kinds: tuple[KeyKind, ...], subject: str) -> dict[KeyKind, str]:
        with self._database.reading() as session:
            statement = select(DataKey.kind, DataKey.id).where(DataKey.kind.in_(kinds), DataKey.subject == subject)
            found = {KeyKind(row.kind): str(row.id) for row in session.execute(statement)}
        with self._lock:
            self._ids.update({(kind, subject): key_id for kind, key_id in found.items()})
        return found

    def _make(self, kinds: tuple[KeyKind, ...], subject: str, now: datetime) -> dict[KeyKind, str]:
        with self._database.writing(urgent=True) as session:
            return {kind: self._find_or_make(session, kind, subject, now) for kind in kinds}

    def _find_or_make(self, session: Session, kind: KeyKind, subject: str, now: datetime) -> str:
        row = session.execute(
            select(DataKey.id, DataKey.wrapped).where(DataKey.kind == kind, DataKey.subject == subject)
        ).first()
        if row is not None:
            return str(row.id)
        key_id = secrets.token_hex(_ID_BYTES)
        wrapped = self._wrap(key_id, secrets.token_bytes(KEY_BYTES))
        session.execute(
            insert(DataKey).values(id=key_id, kind=kind, subject=subject, wrapped=wrapped, created_at=now)
        )
        return key_id

    def _key(self, key_id: str) -> bytes:
        key = self._keys.get(key_id)
        if key is not None:
            return key
        with self._database.reading() as session:
            row = session.execute(select(DataKey.wrapped).where(DataKey.id == key_id)).first()
        if row is None or row.wrapped is None:
            raise KeyIsGone
        key = self._unwrap(key_id, row.wrapped)
        with self._lock:
            self._keys[key_id] = key
        return key

    def _wrap(self, key_id: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, key_id.encode())

    def _unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        try:
            return self._master.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], key_id.encode())
        except InvalidTag:
            raise MasterKeyWrong from None


def backup_key(master_key: bytes) -> bytes:
    """Return the key from which the key of each backup comes; a restore needs it before there is a database."""
    return _derive(master_key, b"backup")


@lru_cache(64)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"incident-tracker " + purpose).derive(master_key)
