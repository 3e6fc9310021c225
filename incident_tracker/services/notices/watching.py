"""How a sending stands: counts, rate, the time that is left, what holds it up; and the ledger of each person."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from incident_tracker.delivery.parcel import UNREADABLE
from incident_tracker.delivery.routing import LOCAL
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.notices import PEOPLE, Notice, State
from incident_tracker.domain.partners import partner_id_of
from incident_tracker.services.context import Context
from incident_tracker.services.notices import feeding, telling
from incident_tracker.store import notices as rows
from incident_tracker.store import partners, people
from incident_tracker.store.deliveries import LedgerRow, of_notices

WINDOW = timedelta(seconds=60)
"""Over which the rate is counted."""
_MOST_STANDING = 20
IN_DOUBT = phrase("messages in doubt wait for a decision")


@dataclass(frozen=True, slots=True)
class Status:
    """How a sending stands. `unwritten` recipients have no message yet; `held_up` says what it waits for, if it does.

    `came_later` are on the list now, but came after it was gone through, so that nothing tells them. `kept_here` are
    messages that lie in the outbox of this machine although this is no exercise: they have reached nobody.
    `remaining_seconds` is None where nothing was sent in the last minute, so that nothing can be said.
    """

    notice: Notice
    state: State
    recipients: int
    counts: Mapping[str, int]
    rate_per_second: float
    remaining_seconds: float | None
    unreachable: int
    reached: int
    held_up: str = ""
    unwritten: int = 0
    came_later: int = 0
    kept_here: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger with the name of whom it is about; the name is empty once the people are forgotten."""

    delivery: LedgerRow
    name: str


def status(context: Context, actor: Actor, notice_id: int) -> Status:
    """Return how a sending stands now; rate and rest are counted, not guessed."""
    now = context.now()
    with context.database.reading() as session:
        notice = rows.get(session, context.keyring, notice_id, actor.scope_for(Act.READ))
        counts = of_notices.counts(session, None, [notice.id])[notice.id]
        listed = feeding.size(session, context.keyring, notice)
        untold = max(0, listed - notice.recipients - notice.unreachable) if notice.has_begun else 0
        unwritten = 0 if notice.all_told else untold
        kept_here = of_notices.kept_here(session, notice.id) if _may_stay_here(context, notice) else 0
        rate = 0.0
        if notice.state is State.SENDING and notice.begun_at is not None:
            since = max(now - WINDOW, notice.begun_at)
            seconds = max(1.0, (now - since).total_seconds())
            rate = rows.sent_since(session, notice.id, since) / seconds
        reached = _reached(session, notice, counts, kept_here)
        held_up = _held_up(context, session, notice, counts)
    waiting = counts["pending"] + counts["sending"] + unwritten
    remaining = waiting / rate if rate else None
    if not waiting:
        remaining = 0.0
    return Status(
        notice=notice,
        state=notice.state,
        recipients=(listed if notice.state in _BEFORE else notice.recipients + unwritten),
        counts=counts,
        rate_per_second=round(rate, 2),
        remaining_seconds=remaining if notice.state is State.SENDING else None,
        unreachable=notice.unreachable,
        reached=reached,
        held_up=held_up,
        unwritten=unwritten,
        came_later=untold - unwritten,
        kept_here=kept_here,
    )


def _may_stay_here(context: Context, notice: Notice) -> bool:
    """Return whether messages of it may lie in the outbox of this machine, where they reach nobody."""
    ways = [context.routing.order.get(one.partition(".")[2], (LOCAL,)) for one in notice.contents]
    return not notice.exercise and any(LOCAL in one for one in ways)


def _reached(session: Session, notice: Notice, counts: Mapping[str, int], kept_here: int) -> int:
    """Return how many people have a message that was taken; in the first round everybody has one message only."""
    if notice.round == 1:
        return counts["accepted"] + counts["delivered"] - kept_here
    return of_notices.reached(session, notice.id, outside=kept_here > 0)


_BEFORE = frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})


def _held_up(context: Context, session: Session, notice: Notice, counts: Mapping[str, int]) -> str:
    if notice.state is State.PAUSED or notice.state in _BEFORE:
        return notice.pause_reason
    if notice.state is not State.SENDING:
        return ""
    waits = counts["pending"] + counts["sending"]
    if counts["in_doubt"] and not waits and notice.all_told:
        return IN_DOUBT
    return telling.trouble(context, session, notice)


def standing(context: Context, actor: Actor) -> list[tuple[str, int]]:
    """Return (reference of the incident, number) of the sendings that only a person can move on."""
    with context.database.reading() as session:
        return rows.standing(session, actor.scope_for(Act.READ), _MOST_STANDING)


def as_json(status: Status) -> dict[str, Any]:
    """Return what `notice status --json` prints."""
    remaining = status.remaining_seconds
    return {
        "notice": status.notice.id,
        "number": status.notice.number,
        "incident": status.notice.reference,
        "reference": status.notice.public_reference,
        "state": status.state.value,
        "recipients": status.recipients,
        "counts": dict(status.counts),
        "rate_per_second": status.rate_per_second,
        "remaining_seconds": None if remaining is None else round(remaining),
        "unreachable": status.unreachable,
        "reached": status.reached,
        "came_later": status.came_later,
        "kept_here": status.kept_here,
        "held_up": status.held_up,
    }


def ledger(
    context: Context,
    actor: Actor,
    notice_id: int,
    *,
    after: str = "",
    states: Collection[str] = (),
    limit: int = 50,
) -> tuple[Entry, ...]:
    """Return a page of a notice's messages, those after the id `after`, each with the name of whom it is for."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        notice = rows.get(session, context.keyring, notice_id, scope)
        found = of_notices.ledger(session, scope, notice_id, after=after, states=states, limit=limit)
        names = _names(context, session, notice, {one.recipient_id for one in found if one.recipient_id})
    return tuple(Entry(one, names.get(one.recipient_id or "", "")) for one in found)


def _names(context: Context, session: Session, notice: Notice, ids: Collection[str]) -> dict[str, str]:
    if notice.audience != PEOPLE:
        by_id = {number: one for one in ids if (number := partner_id_of(one)) is not None}
        return {by_id[number]: name for number, name in partners.names(session, list(by_id), None).items()}
    try:
        return {
            one.id: people.open_person(context.keyring, one).name
            for one in rows.people_by_ids(session, notice.incident_id, ids)
        }
    except UNREADABLE:
        return {}
