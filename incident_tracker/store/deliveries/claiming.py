"""Claims: what is due becomes ours for a while, with an attempt written down."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, bindparam, literal, literal_column, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from incident_tracker.store.bulk import Bulk
from incident_tracker.store.deliveries.columns import HELD, OUT, is_in, taken
from incident_tracker.store.deliveries.words import Claimed, State, Term
from incident_tracker.store.ids import new_ids
from incident_tracker.store.tables.telling import NoticeRow

NOTICE = cast("SqlTable", NoticeRow.__table__)
_SENDING_NOTICES = select(NOTICE.c.id).where(NOTICE.c.state == literal_column("'sending'"))
_LIVE_NOTICES = select(NOTICE.c.id).where(NOTICE.c.state.in_([literal("sending"), literal("paused")]))
_ROUTE = (OUT.c.notifier == bindparam("b_notifier"), OUT.c.channel == bindparam("b_channel"))
_NOW = (OUT.c.not_before <= bindparam("b_now", type_=OUT.c.not_before.type),)
_URGENT = (is_in(State.PENDING), OUT.c.notice_id.is_(None), *_ROUTE)
_OF_NOTICE = (is_in(State.PENDING), OUT.c.notice_id.is_not(None), *_ROUTE)
_DUE = (
    select(OUT.c.id)
    .where(*_URGENT, *_NOW)
    .order_by(OUT.c.rank, OUT.c.not_before, OUT.c.id)
    .limit(bindparam("b_size"))
)
_DUE_OF_NOTICE = (
    select(OUT.c.id)
    .where(*_OF_NOTICE, *_NOW, OUT.c.notice_id == bindparam("b_notice"))
    .order_by(OUT.c.not_before, OUT.c.id)
    .limit(bindparam("b_size"))
)


def _taking(due: Select[Any]) -> ReturningUpdate[Any]:
    return (
        update(OUT)
        .where(taken(due))
        .values(
            state=literal_column("'sending'"),
            batch=bindparam("b_batch"),
            lease_until=bindparam("b_lease", type_=OUT.c.lease_until.type),
            attempts=OUT.c.attempts + 1,
        )
        .returning(*HELD)
    )


CLAIM = _taking(_DUE)
CLAIM_OF_NOTICE = _taking(_DUE_OF_NOTICE)
_ANY_DUE = select(literal(1)).select_from(OUT).where(*_URGENT, *_NOW).limit(1)
_ANY_DUE_OF_NOTICES = (
    select(literal(1))
    .select_from(NOTICE)
    .where(
        NOTICE.c.state == literal_column("'sending'"),
        select(literal(1)).where(*_OF_NOTICE, *_NOW, OUT.c.notice_id == NOTICE.c.id).correlate(NOTICE).exists(),
    )
    .limit(1)
)
_TRY = Bulk(
    """INSERT INTO attempts (id, delivery_id, controller_id, number, batch, notifier, node, started_at)
    SELECT id, delivery_id, controller_id, number, batch, notifier, node, started_at FROM {rows} AS r""",
    {
        "id": "text",
        "delivery_id": "text",
        "controller_id": "bigint",
        "number": "bigint",
        "batch": "text",
        "notifier": "text",
        "node": "text",
        "started_at": "timestamptz",
    },
)


def any_due(session: Session, notifier: str, channel: str, now: datetime) -> bool:
    """Return whether something that is not of a notice may go out by this notifier now."""
    found = session.execute(_ANY_DUE, {"b_notifier": notifier, "b_channel": channel, "b_now": now})
    return found.first() is not None


def any_due_of_notices(session: Session, notifier: str, channel: str, now: datetime) -> bool:
    """Return whether something of a notice that is sending may go out by this notifier now."""
    found = session.execute(_ANY_DUE_OF_NOTICES, {"b_notifier": notifier, "b_channel": channel, "b_now": now})
    return found.first() is not None


def sending_notices(session: Session) -> list[int]:
    """Return the notices whose messages may go out: begun, neither paused nor stopped nor finished."""
    return list(session.scalars(_SENDING_NOTICES.order_by(NOTICE.c.id)))


def claim(session: Session, notifier: str, channel: str, *, size: int, term: Term) -> list[Claimed]:
    """Take up to `size` due rows that are not of a notice, most urgent first; they are ours for the term."""
    held = _take(session, CLAIM, term, {"b_notifier": notifier, "b_channel": channel, "b_size": size})
    return sorted(held, key=lambda one: (one.rank, one.not_before, one.id))


def claim_of_notice(
    session: Session, notifier: str, channel: str, notice_id: int, *, size: int, term: Term
) -> list[Claimed]:
    """Take up to `size` due rows of one notice, those of one text together; they are ours for the term."""
    named = {"b_notifier": notifier, "b_channel": channel, "b_size": size, "b_notice": notice_id}
    held = _take(session, CLAIM_OF_NOTICE, term, named)
    return sorted(held, key=lambda one: one.content_id or "")


def _take(session: Session, statement: ReturningUpdate[Any], term: Term, named: Mapping[str, Any]) -> list[Claimed]:
    terms = {"b_now": term.now, "b_batch": term.batch, "b_lease": term.lease_until}
    found: Sequence[Any] = session.execute(statement, {**named, **terms}).all()
    attempts = sorted(new_ids(term.now, len(found)))
    return [Claimed(*(*row, term.batch, attempt)) for row, attempt in zip(found, attempts, strict=True)]


def open_attempts(session: Session, held: Sequence[Claimed], node: str, now: datetime) -> None:
    """Write down that calls for these rows are about to be made."""
    _TRY.run(
        session,
        [(one.attempt, one.id, one.controller_id, one.number, one.batch, one.notifier, node, now) for one in held],
    )


def reroute(session: Session, notifier: str, channel: str, other: str, limit: int) -> int:
    """Give waiting rows of a paused notifier to another of the same channel; return how many were moved.

    What is local only stays; what is of a notice is moved after the rest, and only where the notice goes on.
    """
    named = {"b_notifier": notifier, "b_channel": channel}
    done = 0
    for waiting in (_URGENT, (*_OF_NOTICE, OUT.c.notice_id.in_(_LIVE_NOTICES))):
        moved = select(OUT.c.id).where(*waiting, OUT.c.local_only.is_(False)).limit(limit - done)
        moving = update(OUT).where(taken(moved)).values(notifier=other).returning(OUT.c.id)
        done += len(session.execute(moving, named).all())
        if done == limit:
            break
    return done


def waiting_routes(session: Session) -> list[tuple[str, str]]:
    """Return every (notifier, channel) that rows wait for; reads all that waits, so ask rarely."""
    found: set[tuple[str, str]] = set()
    for kind in (OUT.c.notice_id.is_(None), OUT.c.notice_id.is_not(None)):
        routes = session.execute(select(OUT.c.notifier, OUT.c.channel).where(is_in(State.PENDING), kind).distinct())
        found |= {(row.notifier, row.channel) for row in routes}
    return sorted(found)
