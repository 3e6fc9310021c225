"""Leases that are over, rows in doubt, and accepted rows whose end is not known yet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from incident_tracker.domain.errors import phrase
from incident_tracker.store.deliveries.columns import HELD, OUT, TRIES, is_in, taken
from incident_tracker.store.deliveries.wanted import unwanted
from incident_tracker.store.deliveries.words import NOBODY_WAITS, Claimed, State
from incident_tracker.store.ids import earliest_id

_LONGEST_WAIT = timedelta(days=3)
"""How long a message may have waited before it was tried."""
LIKELY = (
    select(OUT.c.id, OUT.c.attempts)
    .where(is_in(State.SENDING), OUT.c.lease_until <= bindparam("b_now", type_=OUT.c.lease_until.type))
    .order_by(OUT.c.lease_until)
    .limit(bindparam("b_size"))
)
EXPIRED = LIKELY.with_for_update(skip_locked=True)


def _doubtful(kind: ColumnElement[bool]) -> ReturningUpdate[Any]:
    due = (
        select(OUT.c.id)
        .where(is_in(State.IN_DOUBT), kind, OUT.c.not_before <= bindparam("b_now", type_=OUT.c.not_before.type))
        .order_by(OUT.c.not_before)
        .limit(bindparam("b_size"))
    )
    again = bindparam("b_again", type_=OUT.c.not_before.type)
    return update(OUT).where(taken(due)).values(not_before=again).returning(*HELD)


DOUBTFUL = {False: _doubtful(OUT.c.notice_id.is_(None)), True: _doubtful(OUT.c.notice_id.is_not(None))}
"""By whether it is of notices."""


def _unfinished(kind: ColumnElement[bool]) -> ReturningUpdate[Any]:
    due = (
        select(OUT.c.id)
        .where(
            is_in(State.ACCEPTED),
            kind,
            OUT.c.notifier == bindparam("b_notifier"),
            OUT.c.look_up_at <= bindparam("b_now", type_=OUT.c.look_up_at.type),
        )
        .order_by(OUT.c.look_up_at)
        .limit(bindparam("b_size"))
    )
    again = bindparam("b_again", type_=OUT.c.look_up_at.type)
    return (
        update(OUT).where(taken(due)).values(look_up_at=again).returning(OUT.c.id, OUT.c.provider_id, OUT.c.sent_at)
    )


LOOK_UP = {False: _unfinished(OUT.c.notice_id.is_(None)), True: _unfinished(OUT.c.notice_id.is_not(None))}
"""By whether it is of notices."""


def expire(session: Session, now: datetime, limit: int) -> tuple[int, int]:
    """End the leases that are over; return how many rows go back to pending and how many are now in doubt.

    A row without an attempt of that number was never called for; one with an attempt may have been sent. What
    nobody waits for any more is cancelled instead of going back.
    """
    named = {"b_now": now, "b_size": limit}
    likely = [row.id for row in session.execute(LIKELY, named)]
    unwaited = unwanted(session, likely) if likely else set()
    over = {row.id: row.attempts for row in session.execute(EXPIRED, named) if row.id in likely} if likely else {}
    if not over:
        return 0, 0
    tries = session.execute(
        select(TRIES.c.id, TRIES.c.delivery_id, TRIES.c.number, TRIES.c.started_at).where(
            TRIES.c.delivery_id.in_(over)
        )
    )
    last = {row.delivery_id: row for row in tries if row.number == over[row.delivery_id]}
    unsent = [one for one in over if one not in last]
    free = {"batch": None, "lease_until": None}
    if again := [one for one in unsent if one not in unwaited]:
        session.execute(update(OUT).where(OUT.c.id.in_(again)).values(state=State.PENDING, **free))
    if off := [one for one in unsent if one in unwaited]:
        ended = {"state": State.CANCELLED, "finished_at": now, "reason": NOBODY_WAITS}
        session.execute(update(OUT).where(OUT.c.id.in_(off)).values(**ended, **free))
    if last:
        why = phrase("the sender stopped before a result came in")
        session.execute(
            update(OUT)
            .where(OUT.c.id == bindparam("b_id"))
            .values(
                state=State.IN_DOUBT,
                not_before=now,
                sent_at=bindparam("b_sent", type_=OUT.c.sent_at.type),
                lease_until=None,
                reason=why,
            ),
            [{"b_id": one, "b_sent": row.started_at} for one, row in last.items()],
        )
        session.execute(
            update(TRIES)
            .where(TRIES.c.id.in_([row.id for row in last.values()]), TRIES.c.finished_at.is_(None))
            .values(finished_at=now, outcome="unknown", reason=why)
        )
    return len(unsent), len(last)


def take_doubtful(session: Session, now: datetime, again: datetime, limit: int, *, of_notices: bool) -> list[Claimed]:
    """Return rows in doubt whose turn it is, of notices or all others; nobody else looks at them before `again`."""
    rows = session.execute(DOUBTFUL[of_notices], {"b_now": now, "b_again": again, "b_size": limit})
    return [Claimed(*row) for row in rows]


def last_attempts(session: Session, ids: Collection[str]) -> dict[str, Any]:
    """Return the newest attempt (id, delivery_id, number, started_at) of each delivery."""
    rows = session.execute(
        select(TRIES.c.id, TRIES.c.delivery_id, TRIES.c.number, TRIES.c.started_at)
        .where(TRIES.c.delivery_id.in_(ids))
        .order_by(TRIES.c.delivery_id, TRIES.c.number)
    )
    return {row.delivery_id: row for row in rows}


def send_again(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows in doubt back to pending, marked as possible duplicates; keys `b_id`, `b_not_before`, `b_notifier`."""
    if rows:
        session.execute(
            update(OUT)
            .where(OUT.c.id == bindparam("b_id"), is_in(State.IN_DOUBT))
            .values(
                state=State.PENDING,
                possible_duplicate=True,
                batch=None,
                not_before=bindparam("b_not_before", type_=OUT.c.not_before.type),
                notifier=bindparam("b_notifier"),
            ),
            rows,
        )


def look_at_later(session: Session, ids: Collection[str], at: datetime) -> None:
    """Leave rows in doubt until then."""
    if ids:
        session.execute(update(OUT).where(OUT.c.id.in_(ids), is_in(State.IN_DOUBT)).values(not_before=at))


def take_for_look_up(
    session: Session, notifier: str, now: datetime, again: datetime, limit: int, *, of_notices: bool
) -> list[tuple[str, str, datetime]]:
    """Return (id, provider's id, sent at) of accepted rows whose final state should be asked for."""
    named = {"b_notifier": notifier, "b_now": now, "b_again": again, "b_size": limit}
    rows = session.execute(LOOK_UP[of_notices], named)
    return [(row.id, row.provider_id, row.sent_at) for row in rows if row.provider_id]


def look_up_later(session: Session, times: Mapping[str, datetime | None]) -> None:
    """Ask for these accepted rows again at these times; None: never again."""
    if times:
        session.execute(
            update(OUT)
            .where(OUT.c.id == bindparam("b_id"), is_in(State.ACCEPTED))
            .values(look_up_at=bindparam("b_at", type_=OUT.c.look_up_at.type)),
            [{"b_id": one, "b_at": at} for one, at in times.items()],
        )


def known_to_provider(session: Session, ids: Collection[str], since: datetime) -> frozenset[str]:
    """Return the provider's ids of what went to the same addresses since then and is accounted for."""
    addresses = session.scalars(select(OUT.c.address_hash).where(OUT.c.id.in_(ids))).all()
    found = session.scalars(
        select(TRIES.c.provider_id)
        .join(OUT, OUT.c.id == TRIES.c.delivery_id)
        .where(
            OUT.c.address_hash.in_(set(addresses)),
            OUT.c.id >= earliest_id(since - _LONGEST_WAIT),
            TRIES.c.started_at >= since,
            TRIES.c.provider_id.is_not(None),
        )
    )
    return frozenset(one for one in found if one)
