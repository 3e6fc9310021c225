"""Suspected leaks that somebody outside told us of: received, told to who is on call, settled by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.deliveries import LOCAL
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow, DeliveryRow
from incident_tracker.store.tables.outside import SuspicionRow

PLACE = "suspicions.sealed"
REASON = "suspicions.reason"
PAGE = "page:"
"""How the key begins under which the outbox knows a message that tells of reports from outside."""
_RANDOM_FROM, _RECEIPT_DIGITS = 13, 10
_OPEN = SuspicionRow.state == text("'open'")
"""Said as a literal, so that the partial index is used."""
_WAITS = (_OPEN, SuspicionRow.seen_at.is_(None))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A report from outside. `sealed` holds what was said; `state` is `open`, `accepted` or `dismissed`."""

    id: str
    controller_id: int
    source: str
    partner_id: int | None
    once: str
    state: str
    sealed: bytes
    received_at: datetime
    paged_at: datetime | None = None
    page_step: int = 0
    seen_at: datetime | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    reason: bytes | None = None
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reports to one controller that nobody has looked at: how many, how many of them somebody was told of.

    `step` and `stepped_at` are those of the newest message about them; `oldest` is the id of the first of them.
    """

    controller_id: int
    count: int
    told: int
    step: int
    stepped_at: datetime | None
    oldest: str
    last_paged_at: datetime | None


_COLUMNS = tuple(getattr(SuspicionRow, name) for name in Suspicion.__slots__)


def receipt_of(suspicion_id: str) -> str:
    """Return the forty random bits of an id by which its sender speaks of it, as hexadecimal digits."""
    return suspicion_id[_RANDOM_FROM - 1 : _RANDOM_FROM - 1 + _RECEIPT_DIGITS]


def add(session: Session, new: Suspicion) -> str:
    """Insert a report and return its id; one that was sent already (`once`) keeps its row and its id."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {name: getattr(new, name) for name in Suspicion.__slots__}
    added = insert(SuspicionRow).values(**values).on_conflict_do_nothing(index_elements=["controller_id", "once"])
    session.execute(added)
    same = select(SuspicionRow.id).where(
        SuspicionRow.controller_id == new.controller_id, SuspicionRow.once == new.once
    )
    return str(session.execute(same).scalar_one())


def get(session: Session, suspicion_id: str, scope: Scope) -> Suspicion:
    """Return a report, or refuse alike whether it is missing or somebody else's."""
    found = session.execute(select(*_COLUMNS).where(SuspicionRow.id == suspicion_id, *_scoped(scope))).first()
    if found is None:
        raise NotFound(what=suspicion_id)
    return Suspicion(*found)


def listing(
    session: Session, scope: Scope, *, settled: bool, receipt: str = "", before: str | None = None, limit: int = 50
) -> list[Suspicion]:
    """Return open or settled reports, newest first, by keyset: those before the id `before`.

    `receipt` (as `receipt_of` gives it) finds the one that its sender speaks of, open or settled.
    """
    statement = select(*_COLUMNS).where(*_scoped(scope)).order_by(SuspicionRow.id.desc()).limit(limit)
    if receipt:
        statement = statement.where(func.substr(SuspicionRow.id, _RANDOM_FROM, _RECEIPT_DIGITS) == receipt)
    else:
        statement = statement.where(SuspicionRow.state != text("'open'") if settled else _OPEN)
    if before is not None:
        statement = statement.where(SuspicionRow.id < before)
    return [Suspicion(*row) for row in session.execute(statement)]


def references(session: Session, found: Sequence[Suspicion], scope: Scope) -> dict[int, str]:
    """Return the references of the incidents that reports went into, by incident."""
    wanted = {one.incident_id for one in found if one.incident_id is not None}
    statement = select(IncidentRow.id, IncidentRow.reference).where(IncidentRow.id.in_(wanted))
    if scope is not None:
        statement = statement.where(IncidentRow.controller_id.in_(scope))
    return {row.id: row.reference for row in session.execute(statement)}


def count_open(session: Session, scope: Scope) -> int:
    """Return how many reports nobody has settled."""
    statement = select(func.count()).select_from(SuspicionRow).where(_OPEN, *_scoped(scope))
    return int(session.execute(statement).scalar_one())


def mark_seen(session: Session, suspicion_id: str, now: datetime) -> None:
    """Note that somebody of staff looked, unless somebody did before."""
    session.execute(update(SuspicionRow).where(SuspicionRow.id == suspicion_id, *_WAITS).values(seen_at=now))


def settle(
    session: Session,
    suspicion_id: str,
    *,
    state: str,
    by: str,
    now: datetime,
    reason: bytes | None = None,
    incident_id: int | None = None,
    sealed: bytes | None = None,
) -> bool:
    """Settle a report that is still open; return False where somebody else was faster.

    `sealed` replaces what the row holds: the words of an accepted report belong to its incident.
    """
    values = {"state": state, "settled_by": by, "settled_at": now, "reason": reason, "incident_id": incident_id}
    if sealed is not None:
        values["sealed"] = sealed
    seen = func.coalesce(SuspicionRow.seen_at, now)
    statement = update(SuspicionRow).where(SuspicionRow.id == suspicion_id, _OPEN).values(seen_at=seen, **values)
    return session.execute(statement.returning(SuspicionRow.id)).first() is not None


def waiting(session: Session, controller_id: int | None = None) -> list[Waiting]:
    """Return what nobody has looked at, by controller; only that of one controller if it is named."""
    statement = (
        select(
            SuspicionRow.controller_id,
            func.count(),
            func.count(SuspicionRow.paged_at),
            func.max(SuspicionRow.page_step),
            func.max(SuspicionRow.paged_at),
            func.min(SuspicionRow.id),
        )
        .where(*_WAITS)
        .group_by(SuspicionRow.controller_id)
        .order_by(SuspicionRow.controller_id)
    )
    if controller_id is not None:
        statement = statement.where(SuspicionRow.controller_id == controller_id)
    rows = session.execute(statement).all()
    return [Waiting(*row, last_paged_at=_last_paged(session, row[0])) for row in rows]


def mark_paged(session: Session, controller_id: int, step: int, now: datetime) -> None:
    """Note that somebody on call was told, in this step, of all that nobody has looked at."""
    statement = update(SuspicionRow).where(SuspicionRow.controller_id == controller_id, *_WAITS)
    session.execute(statement.values(paged_at=now, page_step=step))


def take_paged(session: Session, controller_id: int, before: datetime, now: datetime) -> int:
    """Mark as seen what somebody was told of and what came before an instant; return how many there were."""
    statement = (
        update(SuspicionRow)
        .where(
            SuspicionRow.controller_id == controller_id,
            *_WAITS,
            SuspicionRow.paged_at.is_not(None),
            SuspicionRow.received_at <= before,
        )
        .values(seen_at=now)
        .returning(SuspicionRow.id)
    )
    return len(session.execute(statement).all())


def any_paged(session: Session) -> bool:
    """Return whether somebody was told of a report and has not answered yet."""
    told = select(SuspicionRow.id).where(*_WAITS, SuspicionRow.paged_at.is_not(None))
    return session.execute(told.limit(1)).first() is not None


def paged_controllers(session: Session, contact_ids: Sequence[int], before: datetime, *, local: bool) -> list[int]:
    """Return the controllers of whose reports these contacts were told by SMS before an instant.

    `local`: the reply was written in the reply box of the local outbox, so it answers what lies there.
    """
    statement = (
        select(DeliveryRow.controller_id)
        .where(
            DeliveryRow.contact_id.in_(contact_ids),
            DeliveryRow.channel == "sms",
            DeliveryRow.once.startswith(PAGE),
            DeliveryRow.sent_at.is_not(None),
            DeliveryRow.sent_at <= before,
            DeliveryRow.notifier == LOCAL if local else DeliveryRow.notifier != LOCAL,
        )
        .distinct()
    )
    return list(session.scalars(statement))


def newest_is_page(session: Session, contact_ids: Sequence[int], before: datetime, *, local: bool) -> bool:
    """Return whether the newest SMS that asked these contacts for an answer was about reports, not about an alert."""
    told = select(AlertDeliveryRow.delivery_id).where(AlertDeliveryRow.delivery_id == DeliveryRow.id)
    statement = (
        select(DeliveryRow.once)
        .where(
            DeliveryRow.contact_id.in_(contact_ids),
            DeliveryRow.channel == "sms",
            DeliveryRow.sent_at.is_not(None),
            DeliveryRow.sent_at <= before,
            DeliveryRow.notifier == LOCAL if local else DeliveryRow.notifier != LOCAL,
            or_(DeliveryRow.once.startswith(PAGE), told.exists()),
        )
        .order_by(DeliveryRow.sent_at.desc(), DeliveryRow.id.desc())
        .limit(1)
    )
    return (session.execute(statement).scalar_one_or_none() or "").startswith(PAGE)


def cancel_pages(session: Session, controller_id: int, now: datetime, *, contact_id: int | None = None) -> None:
    """Cancel what still waits to be sent about a controller's reports, only that to one contact if she is named."""
    statement = update(DeliveryRow).where(
        DeliveryRow.controller_id == controller_id,
        DeliveryRow.state == text("'pending'"),
        DeliveryRow.once.startswith(PAGE),
    )
    if contact_id is not None:
        statement = statement.where(DeliveryRow.contact_id == contact_id)
    session.execute(
        statement.values(state="cancelled", finished_at=now), execution_options={"synchronize_session": False}
    )


def any_unsent(session: Session, before: datetime) -> bool:
    """Return whether a message about reports should have been sent before an instant and is still waiting."""
    waits = text("deliveries.state = 'pending' AND deliveries.notice_id IS NULL")
    statement = select(DeliveryRow.id).where(
        waits, DeliveryRow.once.startswith(PAGE), DeliveryRow.created_at <= before
    )
    return session.execute(statement.limit(1)).first() is not None


def _last_paged(session: Session, controller_id: int) -> datetime | None:
    """Return when somebody was told of the newest report that anybody was told of."""
    statement = (
        select(SuspicionRow.paged_at)
        .where(SuspicionRow.controller_id == controller_id, SuspicionRow.paged_at.is_not(None))
        .order_by(SuspicionRow.id.desc())
        .limit(1)
    )
    return session.execute(statement).scalar_one_or_none()


def _scoped(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope is None else [SuspicionRow.controller_id.in_(scope)]
