"""Who reaches us from outside: reports of a suspected leak, partners, and programs with a token."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import Table


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class SuspicionRow(Table):
    """A suspected leak that somebody outside told us of; a person accepts it as an incident or dismisses it.

    `paged_at` is when somebody on call was told of it, `seen_at` when somebody of staff first looked.
    """

    __tablename__ = "suspicions"
    __table_args__ = (
        _partial("ix_suspicions_open", "controller_id", "id", where="state = 'open'"),
        Index("ix_suspicions_controller", "controller_id", "id"),
        UniqueConstraint("controller_id", "once"),
        CheckConstraint("state IN ('open', 'accepted', 'dismissed')", name="state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    source: Mapped[str]
    partner_id: Mapped[int | None]
    once: Mapped[str]
    state: Mapped[str]
    sealed: Mapped[bytes]
    received_at: Mapped[datetime]
    paged_at: Mapped[datetime | None]
    page_step: Mapped[int] = mapped_column(server_default=text("0"))
    seen_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    reason: Mapped[bytes | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))


class PartnerRow(Table):
    """A processor or partner of a controller. `sealed` holds its contact person; `tip_hash` its link to tell us."""

    __tablename__ = "partners"
    __table_args__ = (
        Index("ix_partners_controller", "controller_id", "id"),
        _partial("uq_partners_tip", "tip_hash", where="tip_hash IS NOT NULL", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    name: Mapped[str]
    cvr: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    what: Mapped[str] = mapped_column(server_default="")
    sealed: Mapped[bytes]
    tip_hash: Mapped[bytes | None]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class AgreementRow(Table):
    """A data-processing agreement with a partner; its bytes lie encrypted beside the attachments."""

    __tablename__ = "agreements"
    __table_args__ = (Index("ix_agreements_partner", "partner_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    key_id: Mapped[str]
    file_name: Mapped[bytes]
    size: Mapped[int]
    sha256: Mapped[str]
    signed_on: Mapped[str] = mapped_column(server_default="")
    added_by: Mapped[str]
    added_at: Mapped[datetime]


class IncidentPartnerRow(Table):
    """A partner that an incident concerns, and who therefore is told of it."""

    __tablename__ = "incident_partners"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"), primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    added_at: Mapped[datetime]


class TokenRow(Table):
    """A token of a program. Only the hash of its secret is kept; it may never do more than its owner."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str]
    scopes: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyRow(Table):
    """The answer to a request that carried an `Idempotency-Key`, kept for a day so that a repeat changes nothing."""

    __tablename__ = "idempotency_keys"

    token_id: Mapped[str] = mapped_column(ForeignKey("tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    status: Mapped[int | None]
    answer: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
