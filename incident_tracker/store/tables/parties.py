"""Controllers, staff, their grants and sessions, and the people on call."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import Table


class ControllerRow(Table):
    """An organisation. `details` holds the contact points, encrypted."""

    __tablename__ = "controllers"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    cvr: Mapped[str]
    time_zone: Mapped[str]
    language: Mapped[str]
    sector: Mapped[str]
    reference_prefix: Mapped[str] = mapped_column(unique=True)
    details: Mapped[bytes]
    four_eyes: Mapped[str] = mapped_column(server_default="colleague")
    colour: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]


class UserRow(Table):
    """A member of staff. Name and e-mail are encrypted; `email_hash` finds the account at sign-in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_hash: Mapped[bytes] = mapped_column(unique=True)
    email: Mapped[bytes]
    name: Mapped[bytes]
    password_hash: Mapped[str]
    language: Mapped[str]
    theme: Mapped[str] = mapped_column(server_default="")
    epoch: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class GrantRow(Table):
    """A role of a member of staff for one controller."""

    __tablename__ = "grants"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"), primary_key=True, index=True)
    role: Mapped[str]
    granted_at: Mapped[datetime]


class SessionRow(Table):
    """A sign-in. The cookie holds a random secret, the row only its hash; deleting the row ends it."""

    __tablename__ = "sessions"

    secret_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    epoch: Mapped[int]
    signed_in_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SlowdownRow(Table):
    """Failures at a door (sign-in), counted by a keyed hash of who knocked and from where."""

    __tablename__ = "slowdowns"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    open_at: Mapped[datetime]


class InstallationRow(Table):
    """Facts about the installation itself, one row a fact."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    recorded_at: Mapped[datetime]


class ContactRow(Table):
    """Someone on call. Name, phone and e-mail are encrypted; `phone_hash` finds her when she replies."""

    __tablename__ = "contacts"
    __table_args__ = (
        Index(
            "ix_contacts_on_call",
            "controller_id",
            "position",
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index(
            "uq_contacts_phone",
            "controller_id",
            "phone_hash",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    position: Mapped[int]
    name: Mapped[bytes]
    phone: Mapped[bytes]
    phone_hash: Mapped[bytes] = mapped_column(index=True)
    email: Mapped[bytes | None]
    language: Mapped[str]
    verified_at: Mapped[datetime | None]
    verified_how: Mapped[str] = mapped_column(server_default="")
    muted_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
