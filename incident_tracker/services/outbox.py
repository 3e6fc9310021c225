"""The outbox as people see it: what left, what waits, what is in doubt, and what they decide about it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from incident_tracker.delivery import settle
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.delivery.parcel import Contents, Parcel, open_content, unseal
from incident_tracker.delivery.routing import LOCAL
from incident_tracker.delivery.settle import Decision
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import DeliverySettled, NotifierOpened
from incident_tracker.domain.facts import to_plain
from incident_tracker.services import alert_texts, replies
from incident_tracker.services.context import Context
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import delivery_contents as contents
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import lanes
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store.deliveries import Listed, Purpose, State, find, listed, sealed_content
from incident_tracker.store.delivery_contents import Sealed
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.lanes import LaneState
from notifiers.protocol import Channel, Content

__all__ = [
    "CannotGoAgain",
    "Decision",
    "Entry",
    "LaneState",
    "NoReplyBox",
    "NobodyWaits",
    "Shown",
    "State",
    "as_json",
    "listing",
    "open_lane",
    "paused_lanes",
    "reply_locally",
    "resend",
    "resolve",
    "show",
    "texts",
]

_log = structlog.get_logger()
REPLY_LIMIT = 1000
ENDED = (State.FAILED, State.SUPPRESSED, State.CANCELLED)
SECRET = frozenset({Purpose.ACCOUNT.value})
"""Purposes whose text holds something that only its receiver and an administrator may read."""


class CannotGoAgain(Refusal):
    """Only a message that never arrived, or may never have left, can be sent again."""

    message = "This message cannot be sent again: it is %(state)s."


class NobodyWaits(Refusal):
    """The alert of the message was taken or has ended."""

    message = "Nobody waits for this message any more: its alert was acknowledged or has ended."


class NoReplyBox(Refusal):
    """Replies are typed here only for messages that stayed on this machine."""

    message = "Only an SMS in the local outbox can be answered here."


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the outbox: the delivery, and the name of whom it is for (empty where there is no contact)."""

    delivery: Listed
    to: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One delivery opened. `text` is None where it is forgotten or not for this reader; `may_reply` opens the box."""

    entry: Entry
    address: str
    subject: str
    text: str | None
    may_reply: bool


def listing(
    context: Context,
    actor: Actor,
    *,
    states: Collection[State] = (),
    incident: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Return deliveries, newest first, by keyset: those before the id `before`."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        incident_id = None
        if incident is not None:
            incident_id = incident_rows.load(session, context.keyring, incident, scope).id
        found = listed(session, scope, states=states, incident_id=incident_id, before=before, limit=limit)
        held = contents.sealed(session, scope, [one.id for one in found])
        ids = {one.contact_id for one in held.values() if one.contact_id is not None}
        people = controller_rows.contacts_by_ids(session, context.keyring, ids, scope)
    names = {one.id: people[one.contact_id].name for one in held.values() if one.contact_id in people}
    return [Entry(one, names.get(one.id, "")) for one in found]


def show(context: Context, actor: Actor, delivery_id: str) -> Shown:
    """Return one delivery with its words, which are shown only while they stay on this machine."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        held = _held(contents.sealed(session, scope, [delivery_id]), delivery_id)
        line = find(session, scope, delivery_id)
        people = controller_rows.contacts_by_ids(
            session, context.keyring, [held.contact_id] if held.contact_id else [], scope
        )
    if line is None:
        raise NotFound(what=delivery_id)
    name = next((one.name for one in people.values()), "")
    entry = Entry(line, name)
    act = Act.ADMINISTER if held.purpose in SECRET else Act.READ
    if held.notifier != LOCAL or not actor.may(act, held.controller_id):
        return Shown(entry, "", "", None, may_reply=False)
    try:
        parcel = Contents(context.database, context.keyring).parcel(held.sealed, held.content_id)
    except KeyIsGone:
        return Shown(entry, "", "", None, may_reply=False)
    message = parcel.message("", held.id, held.valid_for)
    return Shown(entry, parcel.address, message.subject(), message.text(), may_reply=_may_reply(actor, held))


def texts(context: Context, actor: Actor, delivery_ids: Iterable[str]) -> dict[str, Shown]:
    """Return several deliveries opened, by id."""
    return {one: show(context, actor, one) for one in delivery_ids}


def resolve(context: Context, actor: Actor, delivery_id: str, *, decision: Decision, reason: str) -> None:
    """Settle a message in doubt: it counts as sent, or goes again, marked. The reason is journalled."""
    reason = clean(reason, "reason", limit=1000)
    with working(context, actor) as work:
        held = _held(contents.sealed(work.session, actor.scope, [delivery_id]), delivery_id)
        actor.must(Act.DECIDE, held.controller_id)
        settle.decide(work.session, actor.scope, delivery_id, decision, work.now)
        _settled(work, held, DeliverySettled(delivery_id, decision.value, reason))


def resend(context: Context, actor: Actor, delivery_id: str, *, reason: str = "") -> str:
    """Send a message again and return the id under which it goes.

    One in doubt goes again as itself, marked. One that failed becomes a new message with the words of now, so that
    no old time left is told.
    """
    reason = clean(reason, "reason", limit=1000, required=False)
    with working(context, actor) as work:
        held = _held(contents.sealed(work.session, actor.scope, [delivery_id]), delivery_id)
        actor.must(Act.DECIDE, held.controller_id)
        if held.state == State.IN_DOUBT:
            settle.decide(work.session, actor.scope, delivery_id, Decision.AGAIN, work.now)
            new_id = delivery_id
        elif held.state in ENDED:
            new_id = _copy(work, held)
        else:
            raise CannotGoAgain(state=held.state)
        _settled(work, held, DeliverySettled(delivery_id, Decision.AGAIN.value, reason))
    return new_id


def reply_locally(context: Context, actor: Actor, delivery_id: str, text: str) -> None:
    """Do what an answer asks for that was typed into the reply box of the local outbox; it counts as the actor's."""
    text = clean(text, "text", limit=REPLY_LIMIT)
    with context.database.reading() as session:
        held = _held(contents.sealed(session, actor.scope, [delivery_id]), delivery_id)
        actor.must(Act.WORK, held.controller_id)
        if held.contact_id is None or not _may_reply(actor, held):
            raise NoReplyBox
        people = controller_rows.contacts_by_ids(session, context.keyring, [held.contact_id], actor.scope)
    replies.take_typed(context, actor, people[held.contact_id], text)
    _log.info("reply_typed", actor=actor.name, delivery=delivery_id)


def paused_lanes(context: Context) -> list[LaneState]:
    """Return the notifiers that were paused because their set-up is wrong."""
    with context.database.reading() as session:
        return [one for one in lanes.states(session).values() if one.paused_at is not None]


def open_lane(context: Context, actor: Actor, notifier: str) -> bool:
    """Let a paused notifier send again, for all controllers; return whether it was paused.

    Whoever administers any controller may: a notifier that wrongly stays paused keeps the alarms of all from leaving.
    """
    actor.must_anywhere(Act.ADMINISTER)
    with working(context, actor) as work:
        opened = lanes.unpause(work.session, notifier, work.now)
        if opened:
            work.note(NotifierOpened(notifier))
    _log.info("lane_opened", actor=actor.name, notifier=notifier, opened=opened)
    return opened


def as_json(entry: Entry) -> dict[str, Any]:
    """Return what `outbox list --json` prints for a delivery; times are UTC with `Z`."""
    one = entry.delivery
    return {
        "id": one.id,
        "purpose": one.purpose,
        "incident": one.incident,
        "channel": one.channel,
        "notifier": one.notifier,
        "to": entry.to,
        "state": one.state,
        "attempts": one.attempts,
        "created_at": to_plain(one.created_at),
        "sent_at": to_plain(one.sent_at),
        "provider_id": one.provider_id,
        "possible_duplicate": one.possible_duplicate,
        "reason": one.reason,
    }


def _held(found: Mapping[str, Sealed], delivery_id: str) -> Sealed:
    if delivery_id not in found:
        raise NotFound(what=delivery_id)
    return found[delivery_id]


def _may_reply(actor: Actor, held: Sealed) -> bool:
    here = held.notifier == LOCAL and held.channel == Channel.SMS.value and held.contact_id is not None
    return here and held.sent_at is not None and actor.may(Act.WORK, held.controller_id)


def _settled(work: Work, held: Sealed, event: DeliverySettled) -> None:
    if held.incident_id is None:
        work.note(event, held.controller_id)
    else:
        work.note_on(incident_rows.heads(work.session, [held.incident_id])[held.incident_id], event)


def _copy(work: Work, held: Sealed) -> str:
    """Write a new message for the one that ended, in the same transaction."""
    try:
        parcel = _opened(work, held)
    except KeyIsGone:
        raise CannotGoAgain(state=held.state) from None
    alert_ids = contents.alerts_of(work.session, held.id)
    content, step, still = _renewed(work, held, alert_ids) if alert_ids else (parcel.content, 0, [])
    new = NewDelivery(
        controller_id=held.controller_id,
        purpose=Purpose(held.purpose),
        once=f"again:{held.id}:{work.now.isoformat()}",
        channel=Channel(held.channel),
        address=parcel.address,
        address_hash=held.address_hash,
        content=content,
        values=parcel.values,
        incident_id=held.incident_id,
        contact_id=held.contact_id,
        rank=held.rank,
        valid_for=held.valid_for,
        alert_ids=still,
        step=step,
        recipient_id=held.recipient_id,
    )
    key = work.keyring.key_of(held.sealed) if held.recipient_id else work.keyring.year(work.now)
    routing = work.context.routing
    return enqueue(work.session, work.keyring, key, work.now, routing, [new], local_only=held.local_only)[0]


def _opened(work: Work, held: Sealed) -> Parcel:
    """Return what a message says and to whom; its text may be one that many share."""
    if held.content_id is None:
        return unseal(work.keyring, held.sealed)
    shared = sealed_content(work.session, held.content_id)
    if shared is None:
        raise KeyIsGone
    return unseal(work.keyring, held.sealed, open_content(work.keyring, shared))


def _renewed(work: Work, held: Sealed, alert_ids: Collection[str]) -> tuple[Content, int, list[str]]:
    """Return an alert's words as they are now, its step, and which of the alerts still wait."""
    waiting = [one for one in alert_rows.by_ids(work.session, list(alert_ids), None) if one.state == "open"]
    if not waiting or held.contact_id is None:
        raise NobodyWaits
    contact = controller_rows.contacts_by_ids(work.session, work.keyring, [held.contact_id], None)[held.contact_id]
    heads = incident_rows.heads(work.session, [one.incident_id for one in waiting])
    duties = obligation_rows.by_ids(
        work.session, work.keyring, [one.obligation_id for one in waiting if one.obligation_id is not None]
    )
    told = [
        alert_texts.Told(
            one,
            heads[one.incident_id],
            None if one.obligation_id is None else duties.get(one.obligation_id),
        )
        for one in waiting
    ]
    zone = controller_rows.time_zones(work.session)[contact.controller_id]
    content = alert_texts.content(told, contact, zone, work.now)
    return content, max(one.step for one in waiting), [one.id for one in waiting]
