"""Answers kept for a day under the key that a program chose, so that a repeated request changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.outside import IdempotencyRow

PLACE = "idempotency_keys.answer"
_CLAIM = text(
    "INSERT INTO idempotency_keys (token_id, key, request_digest, created_at) "
    "VALUES (:token_id, :key, :request_digest, :now) ON CONFLICT (token_id, key) DO NOTHING RETURNING key"
).bindparams(bindparam("now", type_=IdempotencyRow.created_at.type))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept under a key. Without `answer` the first request is under way, or ended without one."""

    request_digest: str
    status: int | None
    answer: bytes | None
    created_at: datetime


def claim(session: Session, token_id: str, key: str, request_digest: str, now: datetime) -> bool:
    """Take a key for this request; return False where it is taken already. Of two at once, one gets it."""
    row = {"token_id": token_id, "key": key, "request_digest": request_digest, "now": now}
    return bool(session.execute(_CLAIM, row).all())


def find(session: Session, token_id: str, key: str) -> Kept | None:
    """Return what is kept under a key."""
    row = session.get(IdempotencyRow, (token_id, key))
    return None if row is None else Kept(*(getattr(row, name) for name in Kept.__slots__))


def keep(
    session: Session, keyring: Keyring, key_id: str, token_id: str, key: str, status: int, answer: bytes
) -> None:
    """Keep the answer, sealed."""
    values = {"status": status, "answer": keyring.seal(key_id, PLACE, answer)}
    session.execute(update(IdempotencyRow).where(*_at(token_id, key)).values(**values))


def release(session: Session, token_id: str, key: str) -> None:
    """Give a key free again: its request changed nothing."""
    session.execute(delete(IdempotencyRow).where(*_at(token_id, key), IdempotencyRow.status.is_(None)))


def sweep(session: Session, before: datetime) -> None:
    """Forget keys that were taken before an instant."""
    taken = select(IdempotencyRow.key).where(IdempotencyRow.created_at < before).limit(1)
    if session.scalar(taken) is not None:
        session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before))


def _at(token_id: str, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return IdempotencyRow.token_id == token_id, IdempotencyRow.key == key
