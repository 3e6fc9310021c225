"""Obligations and their alarms, as the rules and the facts plan them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.deadlines import Obligation
from incident_tracker.domain.escalation import PlannedAlarm
from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.incidents import AlarmRow, AlertRow, ObligationRow

PLACE = "obligations.set_aside_reason"
_COLUMNS = tuple(ObligationRow.__table__.c)
"""Rows without an identity: the board reads very many."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An obligation as the database keeps it. `plan` counts how often its alarms were planned."""

    id: int
    incident_id: int
    controller_id: int
    plan: int
    obligation: Obligation


@dataclass(frozen=True, slots=True)
class DueAlarm:
    """An alarm whose time has come."""

    id: int
    incident_id: int
    obligation_id: int
    plan: int
    alarm: PlannedAlarm


def of_incidents(
    session: Session, keyring: Keyring, incident_ids: Iterable[int], scope: Scope
) -> dict[int, list[Kept]]:
    """Return the obligations of some incidents, in the order in which the rules name them."""
    wanted = set(incident_ids)
    statement = select(*_COLUMNS).where(ObligationRow.incident_id.in_(wanted)).order_by(ObligationRow.id)
    if scope is not None:
        statement = statement.where(ObligationRow.controller_id.in_(scope))
    found: dict[int, list[Kept]] = {incident_id: [] for incident_id in wanted}
    for row in session.execute(statement):
        found[row.incident_id].append(_kept(keyring, row))
    return found


def by_ids(session: Session, keyring: Keyring, ids: Iterable[int]) -> dict[int, Kept]:
    """Return obligations by id, for the clock, which serves all controllers."""
    rows = session.execute(select(*_COLUMNS).where(ObligationRow.id.in_(set(ids))))
    return {row.id: _kept(keyring, row) for row in rows}


def add(session: Session, keyring: Keyring, key_id: str, kept: Kept) -> int:
    """Insert an obligation and return its id."""
    row = _row(keyring, key_id, kept) | {"controller_id": kept.controller_id, "incident_id": kept.incident_id}
    return int(session.execute(insert(ObligationRow).values(**row).returning(ObligationRow.id)).scalar_one())


def save(session: Session, keyring: Keyring, key_id: str, kept: Kept) -> None:
    """Write an obligation anew."""
    session.execute(update(ObligationRow).where(ObligationRow.id == kept.id).values(**_row(keyring, key_id, kept)))


def plan_alarms(session: Session, kept: Kept, alarms: Sequence[PlannedAlarm]) -> None:
    """Insert planned alarms."""
    if alarms:
        session.execute(
            insert(AlarmRow),
            [
                {
                    "controller_id": kept.controller_id,
                    "incident_id": kept.incident_id,
                    "obligation_id": kept.id,
                    "rung": alarm.rung,
                    "anchor_version": kept.plan,
                    "occurrence": alarm.occurrence,
                    "fire_at": alarm.fire_at,
                    "state": "planned",
                }
                for alarm in alarms
            ],
        )


def cancel_alarms(session: Session, obligation_ids: Sequence[int]) -> None:
    """Cancel what is planned; it will not go off."""
    session.execute(
        update(AlarmRow)
        .where(AlarmRow.obligation_id.in_(obligation_ids), AlarmRow.state == "planned")
        .values(state="cancelled")
    )


def any_due(session: Session, now: datetime) -> bool:
    """Return whether any alarm or any alert's next step is due; two index look-ups, no lock."""
    alarm = select(AlarmRow.id).where(AlarmRow.state == text("'planned'"), AlarmRow.fire_at <= now).limit(1)
    step = select(AlertRow.id).where(AlertRow.state == text("'open'"), AlertRow.next_step_at <= now).limit(1)
    return session.execute(alarm).first() is not None or session.execute(step).first() is not None


def claim_due(session: Session, now: datetime, limit: int, only: int | None = None) -> list[DueAlarm]:
    """Mark alarms whose time has come as fired and return them, the longest due first.

    At most `limit` are looked up, of the obligation `only` if it is named; whatever else is due for the same
    obligations comes along, so that no rung is left behind for the next batch. On PostgreSQL the obligations are
    locked and those of another node skipped; on SQLite the write lock is held.
    """
    due = (
        select(AlarmRow.obligation_id)
        .join(ObligationRow, ObligationRow.id == AlarmRow.obligation_id)
        .where(AlarmRow.state == text("'planned'"), AlarmRow.fire_at <= now)
        .order_by(AlarmRow.fire_at, AlarmRow.id)
        .limit(limit)
        .with_for_update(of=ObligationRow, skip_locked=True, key_share=True)
    )
    if only is not None:
        due = due.where(AlarmRow.obligation_id == only)
    duties = set(session.scalars(due))
    if not duties:
        return []
    return sorted(_fire(session, duties, now), key=lambda one: (one.alarm.fire_at, one.id))


def due_obligations(session: Session, now: datetime) -> list[int]:
    """Return the ids of the obligations that have alarms due, the longest due first."""
    statement = select(AlarmRow.obligation_id).where(AlarmRow.state == text("'planned'"), AlarmRow.fire_at <= now)
    return list(dict.fromkeys(session.scalars(statement.order_by(AlarmRow.fire_at, AlarmRow.id))))


def take_due(session: Session, obligation_id: int, now: datetime) -> list[DueAlarm]:
    """Mark what is due for one obligation as fired and return it, the longest due first."""
    due = _fire(session, [obligation_id], now)
    return sorted(due, key=lambda one: (one.alarm.fire_at, one.id))


def _fire(session: Session, duties: Collection[int], now: datetime) -> list[DueAlarm]:
    statement = (
        update(AlarmRow)
        .where(AlarmRow.obligation_id.in_(duties), AlarmRow.state == "planned", AlarmRow.fire_at <= now)
        .values(state="fired")
        .returning(
            AlarmRow.id,
            AlarmRow.incident_id,
            AlarmRow.obligation_id,
            AlarmRow.anchor_version,
            AlarmRow.fire_at,
            AlarmRow.rung,
            AlarmRow.occurrence,
        )
    )
    return [
        DueAlarm(row[0], row[1], row[2], row[3], PlannedAlarm(row[4], row[5], row[6]))
        for row in session.execute(statement)
    ]


def mark(session: Session, alarm_ids: Sequence[int], state: str) -> None:
    """Give claimed alarms another end: `merged` into a more urgent one, or `cancelled`."""
    if alarm_ids:
        session.execute(update(AlarmRow).where(AlarmRow.id.in_(alarm_ids)).values(state=state))


def planned_alarms(session: Session, incident_id: int, scope: Scope) -> list[tuple[int, PlannedAlarm]]:
    """Return what is still planned for an incident, soonest first, each with its obligation's id."""
    statement = (
        select(AlarmRow.obligation_id, AlarmRow.fire_at, AlarmRow.rung, AlarmRow.occurrence)
        .where(AlarmRow.incident_id == incident_id, AlarmRow.state == "planned")
        .order_by(AlarmRow.fire_at)
    )
    if scope is not None:
        statement = statement.where(AlarmRow.controller_id.in_(scope))
    return [(row[0], PlannedAlarm(row[1], row[2], row[3])) for row in session.execute(statement)]


def count_overdue_unsent(session: Session, before: datetime, limit: int = 1000) -> int:
    """Return how many alarms should have gone off before an instant and did not (at most `limit`)."""
    statement = (
        select(AlarmRow.id).where(AlarmRow.state == text("'planned'"), AlarmRow.fire_at <= before).limit(limit)
    )
    return len(session.execute(statement).all())


def _kept(keyring: Keyring, row: Row[Any]) -> Kept:
    reason = None if row.set_aside_reason is None else keyring.open_text(PLACE, row.set_aside_reason)
    return Kept(
        row.id,
        row.incident_id,
        row.controller_id,
        row.anchor_version,
        Obligation(
            rule_id=row.rule_id,
            regime=row.regime,
            duty=row.duty,
            article=row.article,
            addressee=row.addressee,
            anchor_at=row.anchor_at,
            due_at=row.due_at,
            outer_reading_at=row.outer_reading_at,
            met_at=row.met_at,
            set_aside_at=row.set_aside_at,
            set_aside_reason=reason,
        ),
    )


def _row(keyring: Keyring, key_id: str, kept: Kept) -> dict[str, Any]:
    one = kept.obligation
    reason = one.set_aside_reason
    return {
        "rule_id": one.rule_id,
        "regime": one.regime,
        "duty": one.duty,
        "addressee": one.addressee,
        "article": one.article,
        "anchor_at": one.anchor_at,
        "anchor_version": kept.plan,
        "due_at": one.due_at,
        "outer_reading_at": one.outer_reading_at,
        "met_at": one.met_at,
        "set_aside_at": one.set_aside_at,
        "set_aside_reason": None if reason is None else keyring.seal_text(key_id, PLACE, reason),
    }
