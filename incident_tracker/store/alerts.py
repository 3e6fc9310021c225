"""Alerts: alarms that went off, until someone takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, insert, or_, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.store.deliveries.words import LOCAL, Purpose
from incident_tracker.store.ids import earliest_id
from incident_tracker.store.tables.incidents import AlertRow, IncidentRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow, DeliveryRow

UNTOLD = -1
"""The step of an alert that was raised while nobody was on call."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `step` counts from 0 (`UNTOLD` before anybody could be told); `rung` is empty for a new suspicion."""

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
_OPEN = AlertRow.state == text("'open'")
"""Said as a literal, so that the partial indexes are used."""


def add(session: Session, alerts: Sequence[Alert]) -> None:
    """Insert alerts that were just raised."""
    if alerts:
        rows: list[dict[str, Any]] = [{name: getattr(one, name) for name in Alert.__slots__} for one in alerts]
        session.execute(insert(AlertRow), rows)


def supersede(session: Session, obligation_ids: Sequence[int], now: datetime) -> None:
    """End the steps of older open alerts of the same obligations: a newer rung says it all again."""
    if obligation_ids:
        older = update(AlertRow).where(AlertRow.obligation_id.in_(obligation_ids), _OPEN)
        _stop(session, older.values(state="superseded", next_step_at=None), now)


def end_for(
    session: Session, incident_id: int, now: datetime, *, obligation_ids: Sequence[int] | None = None
) -> None:
    """End the open alerts of an incident (or of some of its obligations): there is nothing left to alert of."""
    statement = update(AlertRow).where(AlertRow.incident_id == incident_id, _OPEN)
    if obligation_ids is not None:
        statement = statement.where(AlertRow.obligation_id.in_(obligation_ids))
    _stop(session, statement.values(state="ended", next_step_at=None), now)


def _stop(session: Session, statement: Update, now: datetime) -> None:
    stopped = list(session.scalars(statement.returning(AlertRow.id)))
    if stopped:
        cancel_messages(session, stopped, now)


def claim_steps(session: Session, now: datetime, limit: int, only: str | None = None) -> list[Alert]:
    """Return open alerts whose next step is due, locked, longest waiting first; `only` this one if it is named."""
    statement = (
        select(*_COLUMNS)
        .where(_OPEN, AlertRow.next_step_at <= now)
        .order_by(AlertRow.next_step_at, AlertRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        statement = statement.where(AlertRow.id == only)
    return [Alert(*row) for row in session.execute(statement)]


def due_steps(session: Session, now: datetime) -> list[str]:
    """Return the ids of open alerts whose next step is due, longest waiting first."""
    statement = select(AlertRow.id).where(_OPEN, AlertRow.next_step_at <= now)
    return list(session.scalars(statement.order_by(AlertRow.next_step_at, AlertRow.id)))


def bring_forward(session: Session, latest: datetime) -> None:
    """Let no open alert wait beyond `latest` for its next step: the machine's clock was once ahead."""
    session.execute(update(AlertRow).where(_OPEN, AlertRow.next_step_at > latest).values(next_step_at=latest))


def hurry_untold(session: Session, controller_id: int, now: datetime) -> None:
    """Let the alerts that were raised while nobody was on call be told now."""
    untold = (_OPEN, AlertRow.controller_id == controller_id, AlertRow.step == UNTOLD)
    session.execute(update(AlertRow).where(*untold).values(next_step_at=now))


def cancel_messages(
    session: Session, alert_ids: Sequence[str], now: datetime, *, to: tuple[int, int] | None = None
) -> None:
    """Cancel what still waits to be sent about these alerts, unless it also tells of another one that is open.

    `to` is (contact, step): only what waits for that contact from earlier steps.
    """
    others = (
        select(AlertDeliveryRow.alert_id)
        .join(AlertRow, AlertRow.id == AlertDeliveryRow.alert_id)
        .where(AlertDeliveryRow.delivery_id == DeliveryRow.id, _OPEN, AlertRow.id.not_in(alert_ids))
        .correlate(DeliveryRow)
    )
    told = select(AlertDeliveryRow.delivery_id).where(AlertDeliveryRow.alert_id.in_(alert_ids))
    wanted = [DeliveryRow.state == text("'pending'"), ~others.exists()]
    if to is not None:
        contact_id, step = to
        told = told.where(AlertDeliveryRow.step < step)
        wanted.append(DeliveryRow.contact_id == contact_id)
    values = {"state": "cancelled", "finished_at": now}
    session.execute(
        update(DeliveryRow).where(DeliveryRow.id.in_(told), *wanted).values(**values),
        execution_options={"synchronize_session": False},
    )


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
        .where(AlertRow.id.in_(alert_ids), _OPEN)
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
    return _listed(session, scope, _OPEN)


def any_open(session: Session) -> bool:
    """Return whether any alert of the installation waits for an answer."""
    return session.execute(select(AlertRow.id).where(_OPEN).limit(1)).first() is not None


def any_test_since(session: Session, since: datetime) -> bool:
    """Return whether a test SMS was asked for since an instant."""
    tests = select(DeliveryRow.id).where(
        DeliveryRow.id >= earliest_id(since), DeliveryRow.purpose == Purpose.TEST.value
    )
    return session.execute(tests.limit(1)).first() is not None


def references(session: Session, alerts: Sequence[Alert]) -> dict[str, str]:
    """Return the incident's reference for each alert id."""
    wanted = {one.incident_id for one in alerts}
    rows = session.execute(select(IncidentRow.id, IncidentRow.reference).where(IncidentRow.id.in_(wanted)))
    names = {row.id: row.reference for row in rows}
    return {one.id: names[one.incident_id] for one in alerts}


def newest_told(session: Session, contact_ids: Sequence[int], before: datetime, *, local: bool) -> list[str]:
    """Return the alerts of the newest SMS that went to these contacts before an instant.

    A bundle counts as one message, so all its alerts are returned. `local`: the reply was written in the reply box of
    the local outbox, so it answers what lies there; a reply from a phone never does.
    """
    newest = (
        select(DeliveryRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.delivery_id == DeliveryRow.id)
        .where(
            DeliveryRow.contact_id.in_(contact_ids),
            DeliveryRow.channel == "sms",
            _came_by(local=local),
            DeliveryRow.sent_at.is_not(None),
            DeliveryRow.sent_at <= before,
        )
        .order_by(DeliveryRow.sent_at.desc(), DeliveryRow.id.desc())
        .limit(1)
    )
    statement = select(AlertDeliveryRow.alert_id).where(AlertDeliveryRow.delivery_id.in_(newest.scalar_subquery()))
    return list(session.scalars(statement))


def open_told(session: Session, contact_ids: Sequence[int], *, local: bool) -> list[str]:
    """Return the open alerts that these contacts were told of; `local` as for `newest_told`."""
    statement = (
        select(AlertRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
        .join(DeliveryRow, DeliveryRow.id == AlertDeliveryRow.delivery_id)
        .where(DeliveryRow.contact_id.in_(contact_ids), _OPEN, _came_by(local=local))
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


def count_overdue_steps(session: Session, before: datetime, limit: int = 1000) -> int:
    """Return how many open alerts should have moved on before an instant and did not (at most `limit`)."""
    return len(session.execute(select(AlertRow.id).where(_OPEN, AlertRow.next_step_at <= before).limit(limit)).all())


def any_untold(session: Session, before: datetime) -> bool:
    """Return whether an alert was raised before an instant and there is still nobody on call who could be told."""
    untold = select(AlertRow.id).where(_OPEN, AlertRow.step == UNTOLD, AlertRow.raised_at <= before)
    return session.execute(untold.limit(1)).first() is not None


def any_unsent(session: Session, before: datetime) -> bool:
    """Return whether a message of an open alert should have been sent before an instant and is still waiting."""
    statement = (
        select(AlertRow.id)
        .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
        .join(DeliveryRow, DeliveryRow.id == AlertDeliveryRow.delivery_id)
        .where(
            _OPEN,
            or_(
                DeliveryRow.state.in_(("pending", "in_doubt")),
                and_(DeliveryRow.state == "sending", DeliveryRow.lease_until <= before),
            ),
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


def _came_by(*, local: bool) -> ColumnElement[bool]:
    return DeliveryRow.notifier == LOCAL if local else DeliveryRow.notifier != LOCAL


def _listed(session: Session, scope: Scope, *conditions: Any) -> list[Alert]:
    statement = select(*_COLUMNS).where(*conditions).order_by(AlertRow.raised_at, AlertRow.id)
    if scope is not None:
        statement = statement.where(AlertRow.controller_id.in_(scope))
    return [Alert(*row) for row in session.execute(statement)]
