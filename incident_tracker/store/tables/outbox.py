"""Everything that leaves the house: deliveries, the attempts to send them, what providers called back, the clock."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import Table


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


_URGENT = "state = 'pending' AND notice_id IS NULL"
_MANY = "state = 'pending' AND notice_id IS NOT NULL"


class DeliveryRow(Table):
    """One message to one recipient over one channel.

    `once` names what is told to whom in which step, so that enqueueing twice makes one row. `sealed` holds address,
    content and values, encrypted. `rank` orders the claim: lower goes first. What is `local_only` (an exercise) can
    never be given to a notifier that leaves the house. Deliveries of one notice (`notice_id`) share a text
    (`content_id`) and name their recipient in the register; the engine claims them after everything else, and only
    while the notice is sending. `not_before` is when a pending row may go, and when one in
    doubt is looked at again.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        _partial("ix_deliveries_pending", "notifier", "channel", "rank", "not_before", "id", where=_URGENT),
        _partial("ix_deliveries_notice_pending", "notice_id", "notifier", "channel", "not_before", "id", where=_MANY),
        _partial("ix_deliveries_notice", "notice_id", "state", "id", where="notice_id IS NOT NULL"),
        _partial("ix_deliveries_recipient", "recipient_id", "id", where="recipient_id IS NOT NULL"),
        _partial("ix_deliveries_sending", "lease_until", where="state = 'sending'"),
        _partial("ix_deliveries_in_doubt", "not_before", where="state = 'in_doubt'"),
        _partial("ix_deliveries_accepted", "notifier", "look_up_at", where="state = 'accepted'"),
        Index("ix_deliveries_address", "address_hash", "id"),
        Index("ix_deliveries_incident", "incident_id", "id"),
        Index("ix_deliveries_controller", "controller_id", "id"),
        _partial("ix_deliveries_contact", "contact_id", "sent_at", where="contact_id IS NOT NULL"),
        _partial("ix_deliveries_provider", "notifier", "provider_id", where="provider_id IS NOT NULL"),
        CheckConstraint("NOT local_only OR notifier = 'outbox'", name="exercise_stays_here"),
        CheckConstraint(
            "state IN ('pending', 'sending', 'accepted', 'delivered',"
            " 'failed', 'in_doubt', 'suppressed', 'cancelled')",
            name="state",
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    purpose: Mapped[str]
    once: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    notifier: Mapped[str]
    local_only: Mapped[bool] = mapped_column(server_default=text("false"))
    rank: Mapped[int]
    state: Mapped[str]
    sealed: Mapped[bytes]
    address_hash: Mapped[bytes]
    valid_for: Mapped[int | None]
    not_before: Mapped[datetime]
    created_at: Mapped[datetime]
    batch: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    look_up_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    possible_duplicate: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[str] = mapped_column(server_default="")
    code: Mapped[str] = mapped_column(server_default="")
    notice_id: Mapped[int | None]
    recipient_id: Mapped[str | None]
    content_id: Mapped[str | None]


class AttemptRow(Table):
    """One try to send a delivery, committed before the call. An open one after a crash means: in doubt."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_delivery", "delivery_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"))
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    number: Mapped[int]
    batch: Mapped[str]
    notifier: Mapped[str]
    node: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    provider_id: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")
    code: Mapped[str] = mapped_column(server_default="")


class AlertDeliveryRow(Table):
    """Which alerts a delivery told of; a bundle tells of several."""

    __tablename__ = "alert_deliveries"

    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True, index=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    step: Mapped[int]


class CallbackRow(Table):
    """What a provider told us, kept before it is applied. `unique` is the same for the same event told twice."""

    __tablename__ = "callbacks"
    __table_args__ = (
        UniqueConstraint("notifier", "unique_key"),
        _partial("ix_callbacks_waiting", "kind", "id", where="applied_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    notifier: Mapped[str]
    kind: Mapped[str]
    unique_key: Mapped[str]
    received_at: Mapped[datetime]
    sealed: Mapped[bytes]
    applied_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(server_default="")


class LaneRow(Table):
    """What all nodes know of one notifier: blocked until (429), paused because its set-up is wrong.

    A paused lane is tried again with one message when `blocked_until` has passed. `notices_blocked_until` holds back
    notices alone: where they were too many for the provider, an alert still goes at once.
    """

    __tablename__ = "lanes"

    notifier: Mapped[str] = mapped_column(primary_key=True)
    blocked_until: Mapped[datetime | None]
    notices_blocked_until: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
    polled_until: Mapped[datetime | None]


class HeartbeatRow(Table):
    """The last sign of life of one node's clock."""

    __tablename__ = "heartbeats"

    node: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    version: Mapped[str]
