"""Sign-ins: rows on the server, found by the hash of the secret that the cookie holds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.parties import SessionRow


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in of one account on one browser."""

    secret_hash: bytes
    user_id: int
    epoch: int
    signed_in_at: datetime
    seen_at: datetime
    expires_at: datetime


def add(session: Session, new: SignIn) -> None:
    """Begin a sign-in."""
    session.execute(insert(SessionRow).values(**{name: getattr(new, name) for name in SignIn.__slots__}))


def get(session: Session, secret_hash: bytes) -> SignIn | None:
    """Return a sign-in, expired or not."""
    row = session.get(SessionRow, secret_hash)
    return None if row is None else SignIn(*(getattr(row, name) for name in SignIn.__slots__))


def seen(session: Session, secret_hash: bytes, now: datetime) -> None:
    """Remember that it was used."""
    session.execute(update(SessionRow).where(SessionRow.secret_hash == secret_hash).values(seen_at=now))


def end(session: Session, secret_hash: bytes) -> None:
    """End one sign-in; its cookie is worthless from now on."""
    session.execute(delete(SessionRow).where(SessionRow.secret_hash == secret_hash))


def end_all(session: Session, user_id: int) -> None:
    """End every sign-in of an account."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def sweep(session: Session, now: datetime) -> None:
    """Remove what ran out."""
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
