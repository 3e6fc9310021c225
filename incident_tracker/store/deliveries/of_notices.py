"""The deliveries of a notice: what became of them, who was reached, who was not."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, literal_column, or_, select, union_all, update
from sqlalchemy.orm import Session, aliased

from incident_tracker.domain.access import Scope
from incident_tracker.store.deliveries.columns import OUT, is_in, taken
from incident_tracker.store.deliveries.words import BY_DECISION, LOCAL, STOPPED, Decision, LedgerRow, State
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import NoticeRow

__all__ = [
    "Decision",
    "LedgerRow",
    "any_open",
    "cancel_pending",
    "counts",
    "kept_here",
    "ledger",
    "of_recipient",
    "outcome_digest",
    "reached",
    "settle_doubts",
    "unreached",
]

OPEN = (State.PENDING, State.SENDING, State.IN_DOUBT)
REACHED = (State.ACCEPTED, State.DELIVERED)
IN_VAIN = (State.FAILED, State.SUPPRESSED, State.CANCELLED)
_READ_AT_ONCE = 2000
_LEDGER = tuple(OUT.c[name] for name in LedgerRow.__slots__)


def counts(session: Session, scope: Scope, notice_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return how many deliveries of each notice are in each of the eight states, zeros included.

    A notice that the reader may not see is left out. It counts index entries, so ask for a page, not for each send.
    """
    seen: list[int] = list(session.scalars(_visible(scope, notice_ids)))
    found = {one: dict.fromkeys((state.value for state in State), 0) for one in seen}
    rows = session.execute(
        select(OUT.c.notice_id, OUT.c.state, func.count())
        .where(OUT.c.notice_id.in_(seen), OUT.c.notice_id.is_not(None))
        .group_by(OUT.c.notice_id, OUT.c.state)
    )
    for notice_id, state, number in rows:
        found[notice_id][state] = number
    return found


def any_open(session: Session, notice_id: int) -> bool:
    """Return whether a delivery of the notice has no end yet: it waits, is being sent, or is in doubt."""
    found = session.execute(select(literal(1)).where(*_of(notice_id), _in(OPEN)).limit(1))
    return found.first() is not None


def cancel_pending(session: Session, notice_id: int, now: datetime, limit: int) -> int:
    """Cancel up to `limit` deliveries that still wait; return how many. Call it until it returns less than that."""
    waiting = select(OUT.c.id).where(*_of(notice_id), is_in(State.PENDING)).limit(limit)
    done = session.execute(
        update(OUT)
        .where(taken(waiting))
        .values(state=literal_column(f"'{State.CANCELLED}'"), finished_at=now, batch=None, reason=STOPPED)
        .returning(OUT.c.id)
    )
    return len(done.all())


def outcome_digest(session: Session, notice_id: int) -> str:
    """Return the SHA-256, in hex, over what became of every message, ordered by recipient and by what it tells.

    Each line is recipient, `once`, state and the provider's id, with tabs between and a line feed at the end.
    """
    digest = hashlib.sha256()
    rows = session.execute(
        select(OUT.c.recipient_id, OUT.c.once, OUT.c.state, OUT.c.provider_id)
        .where(*_of(notice_id))
        .order_by(OUT.c.recipient_id, OUT.c.once),
        execution_options={"yield_per": _READ_AT_ONCE},
    )
    for row in rows:
        digest.update(("\t".join(part or "" for part in row) + "\n").encode())
    return digest.hexdigest()


def reached(session: Session, notice_id: int, *, outside: bool = False) -> int:
    """Return how many recipients have a message that was accepted or delivered; `outside`: that left the house."""
    statement = select(func.count(func.distinct(OUT.c.recipient_id))).where(*_of(notice_id), _in(REACHED))
    if outside:
        statement = statement.where(OUT.c.notifier != LOCAL)
    return session.execute(statement).scalar_one()


def kept_here(session: Session, notice_id: int) -> int:
    """Return how many messages were taken by the outbox of this machine, so that they reached nobody."""
    statement = select(func.count()).where(*_of(notice_id), _in(REACHED), OUT.c.notifier == LOCAL)
    return session.execute(statement).scalar_one()


def unreached(session: Session, scope: Scope, notice_id: int, *, after: str = "", limit: int) -> list[str]:
    """Return the recipients for whom every message ended in vain, by id, those after `after`.

    In vain is failed, suppressed or cancelled; whoever still has an open message is not among them.
    """
    other = aliased(DeliveryRow)
    hope = select(literal(1)).where(
        other.recipient_id == OUT.c.recipient_id,
        other.recipient_id.is_not(None),
        other.notice_id == notice_id,
        other.state.not_in(IN_VAIN),
    )
    statement = (
        select(OUT.c.recipient_id)
        .distinct()
        .where(*_of(notice_id), _in(IN_VAIN), OUT.c.recipient_id > after, ~hope.correlate(OUT).exists())
        .order_by(OUT.c.recipient_id)
        .limit(limit)
    )
    return [one for one in session.scalars(_scoped(statement, scope)) if one is not None]


def ledger(
    session: Session,
    scope: Scope,
    notice_id: int,
    *,
    after: str = "",
    states: Collection[str] = (),
    limit: int = 50,
) -> list[LedgerRow]:
    """Return a page of the notice's deliveries by id, those after `after`; `states` chooses among them."""
    pages = [
        _scoped(select(OUT.c.id).where(*_of(notice_id), is_in(state), OUT.c.id > bindparam("b_after")), scope)
        .order_by(OUT.c.id)
        .limit(limit)
        .subquery()
        for state in (State(one) for one in states or State)
    ]
    ids = union_all(*(select(page.c.id) for page in pages)).subquery()
    statement = select(*_LEDGER).where(OUT.c.id.in_(select(ids.c.id))).order_by(OUT.c.id).limit(limit)
    return [LedgerRow(*row) for row in session.execute(statement, {"b_after": after})]


def of_recipient(session: Session, scope: Scope, recipient_id: str) -> list[LedgerRow]:
    """Return everything that was sent to one recipient, oldest first."""
    statement = select(*_LEDGER).where(OUT.c.recipient_id == recipient_id, OUT.c.recipient_id.is_not(None))
    return [LedgerRow(*row) for row in session.execute(_scoped(statement, scope).order_by(OUT.c.id))]


def settle_doubts(session: Session, notice_id: int, decision: Decision, now: datetime, limit: int) -> int:
    """Settle up to `limit` deliveries in doubt as a person decided; return how many were.

    `again` puts them back, marked as possible duplicates: they go while the notice is sending. `sent` takes them for
    accepted. The caller journals who decided and why, and calls it until it returns less than `limit`.
    """
    doubtful = select(OUT.c.id).where(*_of(notice_id), is_in(State.IN_DOUBT)).limit(limit)
    settled = update(OUT).where(taken(doubtful))
    if decision is Decision.AGAIN:
        settled = settled.values(
            state=literal_column(f"'{State.PENDING}'"), possible_duplicate=True, batch=None, not_before=now
        )
    else:
        settled = settled.values(
            state=literal_column(f"'{State.ACCEPTED}'"),
            sent_at=func.coalesce(OUT.c.sent_at, bindparam("b_now", now, type_=OUT.c.sent_at.type)),
            look_up_at=None,
            reason=BY_DECISION,
            code="",
        )
    return len(session.execute(settled.returning(OUT.c.id)).all())


def _of(notice_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return "belongs to this notice", as the partial indexes have it."""
    return OUT.c.notice_id == notice_id, OUT.c.notice_id.is_not(None)


def _in(states: Sequence[State]) -> ColumnElement[bool]:
    return or_(*(is_in(state) for state in states))


def _visible(scope: Scope, notice_ids: Collection[int]) -> Select[Any]:
    statement = select(NoticeRow.id).where(NoticeRow.id.in_(notice_ids))
    return statement if scope is None else statement.where(NoticeRow.controller_id.in_(scope))


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(OUT.c.controller_id.in_(scope))
