"""Members of staff, their roles for each controller, and their passwords (hashes only)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.parties import Role
from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.parties import GrantRow, UserRow

NAME = "users.name"
EMAIL = "users.email"
LOOK_UP = "installation"
"""Whose key makes the fingerprints by which accounts are found (`Keyring.fingerprint`)."""


@dataclass(frozen=True, slots=True)
class User:
    """An account. `epoch` counts up when all its sign-ins must end."""

    id: int
    name: str
    email: str
    language: str
    theme: str
    epoch: int
    disabled_at: datetime | None = None
    grants: Mapping[int, Role] = field(default_factory=dict)

    @property
    def is_disabled(self) -> bool:
        """Return whether the account is shut."""
        return self.disabled_at is not None


@dataclass(frozen=True, slots=True)
class NewUser:
    """What an account is made of."""

    name: str
    email: str
    email_hash: bytes
    password_hash: str
    language: str


def add(session: Session, keyring: Keyring, key_id: str, new: NewUser, now: datetime) -> int:
    """Insert an account and return its id; a second one with the same e-mail raises IntegrityError."""
    row = {
        "email_hash": new.email_hash,
        "email": keyring.seal_text(key_id, EMAIL, new.email),
        "name": keyring.seal_text(key_id, NAME, new.name),
        "password_hash": new.password_hash,
        "language": new.language,
        "created_at": now,
    }
    return int(session.execute(insert(UserRow).values(**row).returning(UserRow.id)).scalar_one())


def get(session: Session, keyring: Keyring, user_id: int) -> User | None:
    """Return one account."""
    row = session.get(UserRow, user_id)
    return None if row is None else _users(session, keyring, [row])[0]


def by_email(session: Session, keyring: Keyring, email_hash: bytes) -> User | None:
    """Return the account with this e-mail."""
    row = session.scalars(select(UserRow).where(UserRow.email_hash == email_hash)).one_or_none()
    return None if row is None else _users(session, keyring, [row])[0]


def password_of(session: Session, user_id: int) -> str:
    """Return the hash of an account's password."""
    return str(session.execute(select(UserRow.password_hash).where(UserRow.id == user_id)).scalar_one())


def listing(session: Session, keyring: Keyring, scope: Scope) -> list[User]:
    """Return the accounts that serve any controller of the scope (None: all), oldest first, with those grants."""
    statement = select(UserRow).order_by(UserRow.id)
    if scope is not None:
        statement = statement.where(UserRow.id.in_(select(GrantRow.user_id).where(GrantRow.controller_id.in_(scope))))
    return _users(session, keyring, session.scalars(statement), scope)


def exist(session: Session) -> bool:
    """Return whether there is any account at all."""
    return session.execute(select(UserRow.id).limit(1)).first() is not None


def set_password(session: Session, user_id: int, password_hash: str) -> None:
    """Write a new password; every sign-in of the account ends with it."""
    values = {"password_hash": password_hash, "epoch": UserRow.epoch + 1}
    session.execute(update(UserRow).where(UserRow.id == user_id).values(**values))


def rehash(session: Session, user_id: int, before: str, after: str) -> None:
    """Write the same password with the hash of today, unless it was changed meanwhile; sign-ins go on."""
    statement = update(UserRow).where(UserRow.id == user_id, UserRow.password_hash == before)
    session.execute(statement.values(password_hash=after))


def set_disabled(session: Session, user_id: int, disabled_at: datetime | None) -> None:
    """Shut an account, or open it again; every sign-in of it ends."""
    values = {"disabled_at": disabled_at, "epoch": UserRow.epoch + 1}
    session.execute(update(UserRow).where(UserRow.id == user_id).values(**values))


def set_language(session: Session, user_id: int, language: str) -> None:
    """Remember the language someone reads."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(language=language))


def set_theme(session: Session, user_id: int, theme: str) -> None:
    """Remember `light`, `dark` or, empty, what the machine says."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(theme=theme))


def grant(session: Session, user_id: int, controller_id: int, role: Role | None, now: datetime) -> None:
    """Give an account a role for a controller in place of what it had; None takes it away."""
    session.execute(delete(GrantRow).where(GrantRow.user_id == user_id, GrantRow.controller_id == controller_id))
    if role is not None:
        row = {"user_id": user_id, "controller_id": controller_id, "role": role.value, "granted_at": now}
        session.execute(insert(GrantRow).values(**row))


def other_administrators(session: Session, controller_id: int, user_id: int) -> int:
    """Return how many open accounts besides this one administer a controller."""
    statement = (
        select(func.count())
        .select_from(GrantRow)
        .join(UserRow, UserRow.id == GrantRow.user_id)
        .where(
            GrantRow.controller_id == controller_id,
            GrantRow.role == Role.ADMINISTRATOR.value,
            GrantRow.user_id != user_id,
            UserRow.disabled_at.is_(None),
        )
    )
    return int(session.execute(statement).scalar_one())


def _users(session: Session, keyring: Keyring, rows: Iterable[UserRow], scope: Scope = None) -> list[User]:
    found = list(rows)
    grants: dict[int, dict[int, Role]] = {row.id: {} for row in found}
    statement = select(GrantRow).where(GrantRow.user_id.in_(grants)).order_by(GrantRow.controller_id)
    if scope is not None:
        statement = statement.where(GrantRow.controller_id.in_(scope))
    for one in session.scalars(statement):
        grants[one.user_id][one.controller_id] = Role(one.role)
    return [
        User(
            id=row.id,
            name=keyring.open_text(NAME, row.name),
            email=keyring.open_text(EMAIL, row.email),
            language=row.language,
            theme=row.theme,
            epoch=row.epoch,
            disabled_at=row.disabled_at,
            grants=grants[row.id],
        )
        for row in found
    ]
