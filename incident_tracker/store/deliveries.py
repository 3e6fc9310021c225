"""The rows of the outbox.

Statements say the state as a literal, so that its partial index is used; the plan tests look at it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    exists,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.bulk import Bulk
from incident_tracker.store.ids import new_ids
from incident_tracker.store.tables.incidents import AlertRow, IncidentRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow, AttemptRow, DeliveryRow
from incident_tracker.store.tables.parties import ContactRow

CHUNK = 500


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


class Purpose(StrEnum):
    """What a delivery is for."""

    ALERT = "alert"
    ESCALATION = "escalation"
    NOTICE = "notice"
    PARTNER = "partner"
    QUESTION = "question"
    ACCOUNT = "account"
    TEST = "test"


OPEN = (State.PENDING, State.SENDING, State.IN_DOUBT)
"""While one of these is there, a notice is not finished."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this engine holds until `lease_until`, with the number of its attempt."""

    id: str
    controller_id: int
    contact_id: int | None
    purpose: str
    channel: str
    notifier: str
    local_only: bool
    sealed: bytes
    valid_for: int | None
    rank: int
    not_before: datetime
    number: int
    possible_duplicate: bool
    batch: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a result or a report must know of a row before it changes it."""

    id: str
    state: str
    batch: str | None
    number: int
    contact_id: int | None
    provider_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as the outbox page and `outbox list` show it."""

    id: str
    controller_id: int
    purpose: str
    incident: str | None
    channel: str
    notifier: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    provider_id: str | None
    possible_duplicate: bool
    reason: str
    code: str


def _is(state: State) -> ColumnElement[bool]:
    return _D.c.state == literal_column(f"'{state}'")


_D = cast("SqlTable", DeliveryRow.__table__)
_A = cast("SqlTable", AttemptRow.__table__)
_HELD = (
    _D.c.id,
    _D.c.controller_id,
    _D.c.contact_id,
    _D.c.purpose,
    _D.c.channel,
    _D.c.notifier,
    _D.c.local_only,
    _D.c.sealed,
    _D.c.valid_for,
    _D.c.rank,
    _D.c.not_before,
    _D.c.attempts,
    _D.c.possible_duplicate,
)
_STANDING = (_D.c.id, _D.c.state, _D.c.batch, _D.c.attempts, _D.c.contact_id, _D.c.provider_id, _D.c.reason)


def _taken(condition: Select[Any]) -> ColumnElement[bool]:
    """Return "is one of these rows, which nobody else holds"; PostgreSQL evaluates the locked part once."""
    return _D.c.id.in_(select(condition.with_for_update(skip_locked=True).cte("taken").c.id))


_DUE = (
    select(_D.c.id)
    .where(
        _is(State.PENDING),
        _D.c.notifier == bindparam("b_notifier"),
        _D.c.channel == bindparam("b_channel"),
        _D.c.not_before <= bindparam("b_now", type_=_D.c.not_before.type),
    )
    .order_by(_D.c.rank, _D.c.not_before, _D.c.id)
    .limit(bindparam("b_size"))
)
CLAIM = (
    update(_D)
    .where(_taken(_DUE))
    .values(
        state=literal_column("'sending'"),
        batch=bindparam("b_batch"),
        lease_until=bindparam("b_lease", type_=_D.c.lease_until.type),
        attempts=_D.c.attempts + 1,
    )
    .returning(*_HELD)
)
EXPIRED = (
    select(_D.c.id, _D.c.attempts)
    .where(_is(State.SENDING), _D.c.lease_until <= bindparam("b_now", type_=_D.c.lease_until.type))
    .order_by(_D.c.lease_until)
    .limit(bindparam("b_size"))
    .with_for_update(skip_locked=True)
)
DOUBTFUL = (
    update(_D)
    .where(
        _taken(
            select(_D.c.id)
            .where(_is(State.IN_DOUBT), _D.c.not_before <= bindparam("b_now", type_=_D.c.not_before.type))
            .order_by(_D.c.not_before)
            .limit(bindparam("b_size"))
        )
    )
    .values(not_before=bindparam("b_again", type_=_D.c.not_before.type))
    .returning(*_HELD)
)
LOOK_UP = (
    update(_D)
    .where(
        _taken(
            select(_D.c.id)
            .where(
                _is(State.ACCEPTED),
                _D.c.notifier == bindparam("b_notifier"),
                _D.c.look_up_at <= bindparam("b_now", type_=_D.c.look_up_at.type),
            )
            .order_by(_D.c.look_up_at)
            .limit(bindparam("b_size"))
        )
    )
    .values(look_up_at=bindparam("b_again", type_=_D.c.look_up_at.type))
    .returning(_D.c.id, _D.c.provider_id, _D.c.sent_at)
)
_ANY_DUE = select(literal(1)).select_from(_D).where(*_DUE.whereclause.clauses).limit(1)  # type: ignore[union-attr]
_RESULT_COLUMNS = {
    "id": "text",
    "batch": "text",
    "state": "text",
    "not_before": "timestamptz",
    "notifier": "text",
    "provider_id": "text",
    "sent_at": "timestamptz",
    "finished_at": "timestamptz",
    "look_up_at": "timestamptz",
    "reason": "text",
    "code": "text",
}
_SET_RESULT = """UPDATE deliveries SET state = r.state, not_before = r.not_before, notifier = r.notifier,
    provider_id = r.provider_id, sent_at = r.sent_at, finished_at = r.finished_at, look_up_at = r.look_up_at,
    reason = r.reason, code = r.code, lease_until = NULL
    FROM {rows} AS r WHERE deliveries.id = r.id"""
_RESULT = Bulk(_SET_RESULT, _RESULT_COLUMNS)
_RESULT_IF_MINE = Bulk(
    f"{_SET_RESULT} AND deliveries.state = 'sending' AND deliveries.batch = r.batch", _RESULT_COLUMNS
)
_ANSWERED = Bulk(
    """UPDATE attempts SET finished_at = r.finished_at, outcome = r.outcome, provider_id = r.provider_id,
    reason = r.reason, code = r.code FROM {rows} AS r WHERE attempts.id = r.id""",
    {
        "id": "text",
        "finished_at": "timestamptz",
        "outcome": "text",
        "provider_id": "text",
        "reason": "text",
        "code": "text",
    },
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
_ADD = text(
    """INSERT INTO deliveries (id, controller_id, incident_id, contact_id, purpose, once, channel, notifier,
    local_only, rank, state, sealed, address_hash, valid_for, not_before, created_at)
    VALUES (:id, :controller_id, :incident_id, :contact_id, :purpose, :once, :channel, :notifier,
    :local_only, :rank, 'pending', :sealed, :address_hash, :valid_for, :not_before, :created_at)
    ON CONFLICT (once) DO NOTHING"""
).bindparams(
    *(bindparam(column.name, type_=column.type) for column in (_D.c.not_before, _D.c.created_at, _D.c.local_only))
)
_ADD_ALERTS = text(
    """INSERT INTO alert_deliveries (delivery_id, alert_id, controller_id, step)
    VALUES (:delivery_id, :alert_id, :controller_id, :step) ON CONFLICT (delivery_id, alert_id) DO NOTHING"""
)


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Insert pending rows that are not there yet; return the id of each `once`."""
    if not rows:
        return {}
    session.execute(_ADD, rows)
    ids: dict[str, str] = {}
    names = [row["once"] for row in rows]
    for start in range(0, len(names), CHUNK):
        found = session.execute(select(_D.c.once, _D.c.id).where(_D.c.once.in_(names[start : start + CHUNK])))
        ids.update((row.once, row.id) for row in found)
    return ids


def tell_of(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say which alerts deliveries tell of, and in which step."""
    if rows:
        session.execute(_ADD_ALERTS, rows)


def any_due(session: Session, notifier: str, channel: str, now: datetime) -> bool:
    """Return whether something may go out by this notifier now."""
    found = session.execute(_ANY_DUE, {"b_notifier": notifier, "b_channel": channel, "b_now": now})
    return found.first() is not None


def claim(
    session: Session, notifier: str, channel: str, *, size: int, batch: str, now: datetime, lease_until: datetime
) -> list[Claimed]:
    """Take up to `size` due rows, most urgent first; they are ours until `lease_until`."""
    rows = session.execute(
        CLAIM,
        {
            "b_notifier": notifier,
            "b_channel": channel,
            "b_now": now,
            "b_size": size,
            "b_batch": batch,
            "b_lease": lease_until,
        },
    )
    found = rows.all()
    held = [Claimed(*(*row, batch, attempt)) for row, attempt in zip(found, new_ids(now, len(found)), strict=True)]
    return sorted(held, key=lambda one: (one.rank, one.not_before, one.id))


def open_attempts(session: Session, held: Sequence[Claimed], node: str, now: datetime) -> None:
    """Write down that calls for these rows are about to be made."""
    _TRY.run(
        session,
        [(one.attempt, one.id, one.controller_id, one.number, one.batch, one.notifier, node, now) for one in held],
    )


def standing(session: Session, ids: Collection[str]) -> dict[str, Standing]:
    """Return and lock the rows of these ids."""
    found: dict[str, Standing] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(*_STANDING).where(_D.c.id.in_(wanted[start : start + CHUNK])).order_by(_D.c.id).with_for_update()
        )
        found.update((row.id, Standing(*row)) for row in rows)
    return found


def write_results(session: Session, rows: Sequence[Sequence[Any]], *, if_mine: bool) -> int:
    """Write what became of rows; return how many were written.

    `if_mine` leaves out the rows that are not held by the batch any more. A row is (id, batch, state, not before,
    notifier, provider's id, sent at, finished at, look up at, reason, code).
    """
    return (_RESULT_IF_MINE if if_mine else _RESULT).run(session, rows)


def answer_attempts(session: Session, rows: Sequence[Sequence[Any]]) -> None:
    """Close attempts; a row is (id, finished at, outcome, provider's id, reason, code)."""
    _ANSWERED.run(session, rows)


def expire(session: Session, now: datetime, limit: int) -> tuple[int, int]:
    """End the leases that are over; return how many rows go back to pending and how many are now in doubt.

    A row without an attempt of that number was never called for; one with an attempt may have been sent.
    """
    over = {row.id: row.attempts for row in session.execute(EXPIRED, {"b_now": now, "b_size": limit})}
    if not over:
        return 0, 0
    tries = session.execute(
        select(_A.c.id, _A.c.delivery_id, _A.c.number, _A.c.started_at).where(_A.c.delivery_id.in_(over))
    )
    last = {row.delivery_id: row for row in tries if row.number == over[row.delivery_id]}
    unsent = [one for one in over if one not in last]
    if unsent:
        session.execute(
            update(_D).where(_D.c.id.in_(unsent)).values(state=State.PENDING, batch=None, lease_until=None)
        )
    if last:
        why = "the sender stopped before a result came in"
        session.execute(
            update(_D)
            .where(_D.c.id == bindparam("b_id"))
            .values(
                state=State.IN_DOUBT,
                not_before=now,
                sent_at=bindparam("b_sent", type_=_D.c.sent_at.type),
                lease_until=None,
                reason=why,
            ),
            [{"b_id": one, "b_sent": row.started_at} for one, row in last.items()],
        )
        session.execute(
            update(_A)
            .where(_A.c.id.in_([row.id for row in last.values()]), _A.c.finished_at.is_(None))
            .values(finished_at=now, outcome="unknown", reason=why)
        )
    return len(unsent), len(last)


def take_doubtful(session: Session, now: datetime, again: datetime, limit: int) -> list[Claimed]:
    """Return rows in doubt whose turn it is; nobody else looks at them before `again`."""
    rows = session.execute(DOUBTFUL, {"b_now": now, "b_again": again, "b_size": limit})
    return [Claimed(*row) for row in rows]


def last_attempts(session: Session, ids: Collection[str]) -> dict[str, Any]:
    """Return the newest attempt (id, delivery_id, number, started_at) of each delivery."""
    rows = session.execute(
        select(_A.c.id, _A.c.delivery_id, _A.c.number, _A.c.started_at)
        .where(_A.c.delivery_id.in_(ids))
        .order_by(_A.c.delivery_id, _A.c.number)
    )
    return {row.delivery_id: row for row in rows}


def send_again(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows in doubt back to pending, marked as possible duplicates; keys `b_id`, `b_not_before`, `b_notifier`."""
    if rows:
        session.execute(
            update(_D)
            .where(_D.c.id == bindparam("b_id"), _is(State.IN_DOUBT))
            .values(
                state=State.PENDING,
                possible_duplicate=True,
                batch=None,
                not_before=bindparam("b_not_before", type_=_D.c.not_before.type),
                notifier=bindparam("b_notifier"),
            ),
            rows,
        )


def look_at_later(session: Session, ids: Collection[str], at: datetime) -> None:
    """Leave rows in doubt until then."""
    if ids:
        session.execute(update(_D).where(_D.c.id.in_(ids), _is(State.IN_DOUBT)).values(not_before=at))


def reroute(session: Session, notifier: str, channel: str, other: str, limit: int) -> int:
    """Give waiting rows of a paused notifier to another of the same channel; what is local only stays."""
    moved = (
        select(_D.c.id)
        .where(_is(State.PENDING), _D.c.notifier == notifier, _D.c.channel == channel, _D.c.local_only.is_(False))
        .limit(limit)
    )
    done = session.execute(update(_D).where(_taken(moved)).values(notifier=other).returning(_D.c.id))
    return len(done.all())


def take_for_look_up(
    session: Session, notifier: str, now: datetime, again: datetime, limit: int
) -> list[tuple[str, str, datetime]]:
    """Return (id, provider's id, sent at) of accepted rows whose final state should be asked for."""
    rows = session.execute(LOOK_UP, {"b_notifier": notifier, "b_now": now, "b_again": again, "b_size": limit})
    return [(row.id, row.provider_id, row.sent_at) for row in rows if row.provider_id]


def look_up_later(session: Session, times: Mapping[str, datetime | None]) -> None:
    """Ask for these accepted rows again at these times; None: never again."""
    if times:
        session.execute(
            update(_D)
            .where(_D.c.id == bindparam("b_id"), _is(State.ACCEPTED))
            .values(look_up_at=bindparam("b_at", type_=_D.c.look_up_at.type)),
            [{"b_id": one, "b_at": at} for one, at in times.items()],
        )


def move_alerts_on(session: Session, delivery_ids: Collection[str], now: datetime) -> None:
    """Let the next step of the alerts start now: the message of this one will never arrive."""
    told = (
        select(AlertDeliveryRow.alert_id)
        .where(
            AlertDeliveryRow.delivery_id.in_(delivery_ids),
            AlertDeliveryRow.alert_id == AlertRow.id,
            AlertDeliveryRow.step >= AlertRow.step,
        )
        .correlate(AlertRow)
    )
    session.execute(
        update(AlertRow)
        .where(
            AlertRow.id.in_(select(AlertDeliveryRow.alert_id).where(AlertDeliveryRow.delivery_id.in_(delivery_ids))),
            exists(told),
            AlertRow.state == literal_column("'open'"),
            AlertRow.next_step_at > now,
        )
        .values(next_step_at=now),
        execution_options={"synchronize_session": False},
    )


def mute(session: Session, contact_ids: Collection[int], now: datetime) -> None:
    """Remember that people on call opted out of messages."""
    session.execute(
        update(ContactRow).where(ContactRow.id.in_(contact_ids), ContactRow.muted_at.is_(None)).values(muted_at=now),
        execution_options={"synchronize_session": False},
    )


def cancel_for_alerts(session: Session, alert_ids: Collection[str], now: datetime) -> int:
    """Cancel what still waits to be sent and tells only of alerts that nobody needs any more."""
    still_open = (
        select(AlertDeliveryRow.alert_id)
        .join(AlertRow, AlertRow.id == AlertDeliveryRow.alert_id)
        .where(AlertDeliveryRow.delivery_id == _D.c.id, AlertRow.state == "open", AlertRow.id.not_in(alert_ids))
        .correlate(_D)
    )
    done = session.execute(
        update(_D)
        .where(
            _D.c.id.in_(select(AlertDeliveryRow.delivery_id).where(AlertDeliveryRow.alert_id.in_(alert_ids))),
            _is(State.PENDING),
            ~exists(still_open),
        )
        .values(state=State.CANCELLED, finished_at=now)
        .returning(_D.c.id)
    )
    return len(done.all())


def listed(
    session: Session,
    scope: Scope,
    *,
    states: Collection[State] = (),
    incident_id: int | None = None,
    before: str | None = None,
    limit: int = 100,
) -> list[Listed]:
    """Return deliveries, newest first, a page at a time (`before` is the last id of the page before)."""
    names = [name for name in Listed.__slots__ if name != "incident"]
    statement = select(*(_D.c[name] for name in names), IncidentRow.reference.label("incident")).join(
        IncidentRow, IncidentRow.id == _D.c.incident_id, isouter=True
    )
    if scope is not None:
        statement = statement.where(_D.c.controller_id.in_(scope))
    if states:
        statement = statement.where(_D.c.state.in_(states))
    if incident_id is not None:
        statement = statement.where(_D.c.incident_id == incident_id)
    if before is not None:
        statement = statement.where(_D.c.id < before)
    rows = session.execute(statement.order_by(_D.c.id.desc()).limit(limit)).mappings()
    return [Listed(**row) for row in rows]


def find(session: Session, scope: Scope, delivery_id: str) -> Listed | None:
    """Return one delivery, or None where it is not there for this reader."""
    names = [name for name in Listed.__slots__ if name != "incident"]
    statement = (
        select(*(_D.c[name] for name in names), IncidentRow.reference.label("incident"))
        .join(IncidentRow, IncidentRow.id == _D.c.incident_id, isouter=True)
        .where(_D.c.id == delivery_id)
    )
    if scope is not None:
        statement = statement.where(_D.c.controller_id.in_(scope))
    row = session.execute(statement).mappings().first()
    return None if row is None else Listed(**row)
