"""Putting messages into the outbox, in the transaction of what they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from incident_tracker.delivery.parcel import Parcel, seal_all_shared, seal_content
from incident_tracker.delivery.routing import Routing
from incident_tracker.store import deliveries as rows
from incident_tracker.store.deliveries import Purpose, SharedRow
from incident_tracker.store.ids import new_id, new_ids
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel, Content

_RANK_OF_MANY = 900
"""Messages of a notice come after everything else anyway; the rank says so where rows are looked at."""


@dataclass(frozen=True, slots=True)
class ToRecipient:
    """One person of a notice. `once` names notice, person and channel; `values` fill the placeholders of the text."""

    recipient_id: str
    once: str
    address: str
    address_hash: bytes
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message to one recipient. `once` names what is told to whom in which step: the same twice makes one row.

    `rank` orders the sending, lower first. `valid_for` is in seconds. `address_hash` is the controller's keyed
    fingerprint of the address. `alert_ids` are the alerts it tells of, in step `step`.
    """

    controller_id: int
    purpose: Purpose
    once: str
    channel: Channel
    address: str
    address_hash: bytes
    content: Content
    values: Mapping[str, str] = field(default_factory=dict)
    incident_id: int | None = None
    contact_id: int | None = None
    rank: int = 100
    valid_for: int | None = None
    not_before: datetime | None = None
    alert_ids: Sequence[str] = ()
    step: int = 0
    recipient_id: str | None = None
    """The person or partner it tells, where it is a message to somebody affected."""

    def parcel(self) -> Parcel:
        """Return what is sealed; raise KeyError where a placeholder has no value."""
        parcel = Parcel(self.address, self.content, self.values)
        filled = parcel.message("", "", None)
        filled.text()
        filled.subject()
        filled.html()
        return parcel


def enqueue(
    session: Session,
    keyring: Keyring,
    key_id: str,
    now: datetime,
    routing: Routing,
    deliveries: Sequence[NewDelivery],
    *,
    local_only: bool,
) -> list[str]:
    """Write pending rows and return their ids in order; what is there already keeps its row and its id.

    `key_id` seals what is personal. `local_only` (an exercise) ties the rows to the outbox of this machine.
    Nothing is sent before the caller commits; wake the engine afterwards.
    """
    new = [
        {
            "id": new_id(now),
            "controller_id": one.controller_id,
            "incident_id": one.incident_id,
            "contact_id": one.contact_id,
            "purpose": one.purpose.value,
            "once": one.once,
            "channel": one.channel.value,
            "notifier": routing.first(one.channel, local_only=local_only),
            "local_only": local_only,
            "rank": one.rank,
            "sealed": one.parcel().seal(keyring, key_id),
            "address_hash": one.address_hash,
            "valid_for": one.valid_for,
            "not_before": one.not_before or now,
            "created_at": now,
            "recipient_id": one.recipient_id,
        }
        for one in deliveries
    ]
    ids = rows.add(session, new)
    told = [
        {"delivery_id": ids[one.once], "alert_id": alert, "controller_id": one.controller_id, "step": one.step}
        for one in deliveries
        for alert in one.alert_ids
    ]
    rows.tell_of(session, told)
    return [ids[one.once] for one in deliveries]


def share(
    session: Session, keyring: Keyring, key_id: str, now: datetime, controller_id: int, content: Content
) -> str:
    """Keep a text that many deliveries share, sealed with `key_id` (the incident's record key); return its id."""
    content_id = new_id(now)
    rows.add_content(session, content_id, controller_id, seal_content(keyring, key_id, content), now)
    return content_id


def enqueue_shared(
    session: Session,
    keyring: Keyring,
    key_id: str,
    now: datetime,
    routing: Routing,
    to: Sequence[ToRecipient],
    *,
    controller_id: int,
    incident_id: int,
    notice_id: int,
    purpose: Purpose,
    channel: Channel,
    content_id: str,
    local_only: bool,
) -> int:
    """Write pending rows of a notice that share a text; return how many are new, for the same `once` makes one row.

    `key_id` (the incident's people key) seals addresses and values; the caller has checked that the values fill the
    text. They are sent after everything else, and only while the notice is sending.
    """
    if not to:
        return 0
    ids = sorted(new_ids(now, len(to)))  # they are claimed in this order, so they lie together on the disk
    parcels = seal_all_shared(keyring, key_id, [(one.address, one.values) for one in to])
    new = [
        SharedRow(row_id, one.recipient_id, one.once, sealed, one.address_hash)
        for row_id, one, sealed in zip(ids, to, parcels, strict=True)
    ]
    return rows.add_shared(
        session,
        new,
        now,
        controller_id=controller_id,
        incident_id=incident_id,
        notice_id=notice_id,
        content_id=content_id,
        purpose=purpose.value,
        channel=channel.value,
        notifier=routing.first(channel, local_only=local_only),
        local_only=local_only,
        rank=_RANK_OF_MANY,
    )
