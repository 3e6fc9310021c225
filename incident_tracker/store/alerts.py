"""Alerts: alarms that went off, until someone takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.tables.incidents import AlertRow, IncidentRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow, DeliveryRow


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `step` counts from 0; `rung` is empty for a new suspicion."""

    id: str
    controller_id: int
    incident_id: int
    obligation_id: int | None
    alarm_id: int | None
    kind: str
    rung: str
    raised_at: datetime
    due_at: datetime | None
    state: str
    step: int
    stepped_at: datetime
    next_step_at: datetime | None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_via: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A message that told of an alert: to whom, how, in which state."""

    delivery_id: str
    contact_id: int | None
    step: int
    channel: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    possible_duplicate: bool


_COLUMNS = tuple(getattr(AlertRow, name) for name in Alert.__slots__)


def add(session: Session, alerts: Sequence[Alert]) -> None:
    """Insert alerts that were just raised."""
    if alerts:
        rows: list[dict[str, Any]] = [{name: getattr(one, name) for name in Alert.__slots__} for one in alerts]
        session.execute(insert(AlertRow), rows)


def supersede(session: Session, obligation_ids: Sequence[int]) -> None:
    """End the steps of older open alerts of the same obligations: a newer rung says it all again."""
    if obligation_ids:
        session.execute(
            update(AlertRow)
            .where(AlertRow.obligation_id.in_(obligation_ids), AlertRow.state == "open")
            .values(state="superseded", next_step_at=None)
        )


def end_for(session: Session, incident_id: int, *, obligation_ids: Sequence[int] | None = None) -> None:
    """End the open alerts of an incident (or of some of its obligations): there is nothing left to alert of."""
    statement = update(AlertRow).where(AlertRow.incident_id == incident_id, AlertRow.state == "open")
    if obligation_ids is not None:
        statement = statement.where(AlertRow.obligation_id.in_(obligation_ids))
    session.execute(statement.values(state="ended", next_step_at=None))


def claim_steps(session: Session, now: datetime, limit: int) -> list[Alert]:
    """Return open alerts whose next step is due, locked, longest waiting first."""
    statement = (
        select(*_COLUMNS)
        .where(AlertRow.state == text("'open'"), AlertRow.next_step_at <= now)
        .order_by(AlertRow.next_step_at, AlertRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Alert(*row) for row in session.execute(statement)]


def advance(session: Session, alert_id: str, step: int, now: datetime, next_step_at: datetime) -> None:
    """Move an alert to a step; the one after it comes at `next_step_at`."""
    session.execute(
        update(AlertRow).where(AlertRow.id == alert_id).values(step=step, stepped_at=now, next_step_at=next_step_at)
    )


def postpone(session: Session, alert_id: str, next_step_at: datetime) -> None:
    """Let an alert wait longer for its next step."""
    session.execute(update(AlertRow).where(AlertRow.id == alert_id).values(next_step_at=next_step_at))


def end(session: Session, alert_id: str) -> None:
    """End an alert whose duty was settled at the moment in which it was raised."""
    session.execute(update(AlertRow).where(AlertRow.id == alert_id).values(state="ended", next_step_at=None))


def acknowledge(session: Session, alert_ids: Sequence[str], by: str, via: str, now: datetime) -> list[str]:
    """Acknowledge those of the alerts that are still open, and return their ids."""
    statement = (
        update(AlertRow)
        .where(AlertRow.id.in_(alert_ids), AlertRow.state == "open")
        .values(
            state="acknowledged", acknowledged_at=now, acknowledged_by=by, acknowledged_via=via, next_step_at=None
        )
        .returning(AlertRow.id)
    )
    return list(session.scalars(statement))


def by_ids(session: Session, alert_ids: Sequence[str], scope: Scope) -> list[Alert]:
    """Return alerts by id."""
    return _listed(session, scope, AlertRow.id.in_(alert_ids))


def of_incident(session: Session, incident_id: int, scope: Scope) -> list[Alert]:
    """Return all alerts of an incident, oldest first."""
    return _listed(session, scope, AlertRow.incident_id == incident_id)


def open_alerts(session: Session, scope: Scope) -> list[Alert]:
    """Return the alerts that nobody has taken."""
    return _listed(session, scope, AlertRow.state == text("'open'"))


def any_open(session: Session) -> bool:
    """Return whether any alert of the installation waits for an answer."""
    return session.execute(select(AlertRow.id).where(AlertRow.state == text("'open'")).limit(1)).first() is not None


def references(session: Session, alerts: Sequence[Alert]) -> dict[str, str]:
    """Return the incident's reference for each alert id."""
    wanted = {one.incident_id for one in alerts}
    rows = session.execute(select(IncidentRow.id, IncidentRow.reference).where(IncidentRow.id.in_(wanted)))
    names = {row.id: row.reference for row in rows}
    return {one.id: names[one.incident_id] for one in alerts}


def newest_told(session: Session, contact_ids: Sequence[int], before: datetime) -> list[str]:
    """Return the alerts of the newest message that went to these contacts before an instant.

    A bundle counts as one message, so all its alerts are returned.
    """
    newest = (
        select(DeliveryRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.delivery_id == DeliveryRow.id)
        .where(
            DeliveryRow.contact_id.in_(contact_ids),
            DeliveryRow.sent_at.is_not(None),
            DeliveryRow.sent_at <= before,
        )
        .order_by(DeliveryRow.sent_at.desc(), DeliveryRow.id.desc())
        .limit(1)
    )
    statement = select(AlertDeliveryRow.alert_id).where(AlertDeliveryRow.delivery_id.in_(newest.scalar_subquery()))
    return list(session.scalars(statement))


def open_told(session: Session, contact_ids: Sequence[int]) -> list[str]:
    """Return the open alerts that these contacts were told of."""
    statement = (
        select(AlertRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
        .join(DeliveryRow, DeliveryRow.id == AlertDeliveryRow.delivery_id)
        .where(DeliveryRow.contact_id.in_(contact_ids), AlertRow.state == "open")
        .distinct()
    )
    return list(session.scalars(statement))


def count_answers(session: Session, contact_id: int, since: datetime) -> int:
    """Return how many replies of a contact were answered since an instant."""
    statement = select(DeliveryRow.id).where(
        DeliveryRow.contact_id == contact_id,
        DeliveryRow.created_at >= since,
        DeliveryRow.once.startswith("answer:"),
    )
    return len(session.execute(statement.limit(100)).all())


def any_unsent(session: Session, before: datetime) -> bool:
    """Return whether a message of an open alert should have been sent before an instant and is still waiting."""
    statement = (
        select(AlertRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
        .join(DeliveryRow, DeliveryRow.id == AlertDeliveryRow.delivery_id)
        .where(
            AlertRow.state == text("'open'"),
            DeliveryRow.state.in_(("pending", "in_doubt")),
            DeliveryRow.created_at <= before,
        )
        .limit(1)
    )
    return session.execute(statement).first() is not None


def told(session: Session, alert_id: str, scope: Scope) -> list[Told]:
    """Return the messages that told of an alert, in order."""
    statement = (
        select(
            DeliveryRow.id,
            DeliveryRow.contact_id,
            AlertDeliveryRow.step,
            DeliveryRow.channel,
            DeliveryRow.state,
            DeliveryRow.created_at,
            DeliveryRow.sent_at,
            DeliveryRow.possible_duplicate,
        )
        .join(AlertDeliveryRow, AlertDeliveryRow.delivery_id == DeliveryRow.id)
        .where(AlertDeliveryRow.alert_id == alert_id)
        .order_by(DeliveryRow.created_at, DeliveryRow.id)
    )
    if scope is not None:
        statement = statement.where(DeliveryRow.controller_id.in_(scope))
    return [Told(*row) for row in session.execute(statement)]


def _listed(session: Session, scope: Scope, *conditions: Any) -> list[Alert]:
    statement = select(*_COLUMNS).where(*conditions).order_by(AlertRow.raised_at, AlertRow.id)
    if scope is not None:
        statement = statement.where(AlertRow.controller_id.in_(scope))
    return [Alert(*row) for row in session.execute(statement)]
