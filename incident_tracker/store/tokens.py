"""Tokens of programs, found by id; of the secret only its hash is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.tables.outside import TokenRow


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner sees it; the secret itself is nowhere."""

    id: str
    user_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Return whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def add(session: Session, token: Token, secret_hash: bytes) -> None:
    """Keep a new token."""
    row = {name: getattr(token, name) for name in Token.__slots__}
    session.execute(insert(TokenRow).values(**row | {"scopes": " ".join(token.scopes), "secret_hash": secret_hash}))


def find(session: Session, token_id: str) -> tuple[Token, bytes] | None:
    """Return a token and the hash of its secret."""
    row = session.get(TokenRow, token_id)
    return None if row is None else (_token(row), row.secret_hash)


def of_users(session: Session, user_ids: Collection[int]) -> list[Token]:
    """Return the tokens of some accounts, the newest first."""
    statement = select(TokenRow).where(TokenRow.user_id.in_(user_ids))
    return [_token(row) for row in session.scalars(statement.order_by(TokenRow.id.desc()))]


def revoke(session: Session, token_id: str, now: datetime) -> bool:
    """Let a token open nothing any more; return whether it did until now."""
    statement = update(TokenRow).where(TokenRow.id == token_id, TokenRow.revoked_at.is_(None))
    return bool(session.execute(statement.values(revoked_at=now).returning(TokenRow.id)).all())


def used(session: Session, token_id: str, now: datetime, before: datetime) -> None:
    """Remember that a token was used, where that was last noted before `before`."""
    stale = or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at < before)
    session.execute(update(TokenRow).where(TokenRow.id == token_id, stale).values(last_used_at=now))


def _token(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
