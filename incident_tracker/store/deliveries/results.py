"""What became of rows, and what follows for alerts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import exists, literal_column, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.bulk import Bulk
from incident_tracker.store.deliveries.columns import CHUNK, OUT, STANDING
from incident_tracker.store.deliveries.words import Standing
from incident_tracker.store.tables.incidents import AlertRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow

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


def standing(session: Session, ids: Collection[str]) -> dict[str, Standing]:
    """Return and lock the rows of these ids."""
    found: dict[str, Standing] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(*STANDING).where(OUT.c.id.in_(wanted[start : start + CHUNK])).order_by(OUT.c.id).with_for_update()
        )
        found.update((row.id, Standing(*row)) for row in rows)
    return found


def write_results(session: Session, rows: Sequence[Sequence[Any]], *, if_mine: bool) -> int:
    """Write what became of rows; return how many were written.

    `if_mine` leaves out the rows that are not held by the batch any more. A row is (id, batch, state, not before,
    notifier, provider's id, sent at, finished at, look up at, reason, code).
    """
    in_order = sorted(rows, key=itemgetter(0))  # as `standing` locks them, so that neither waits for the other
    return (_RESULT_IF_MINE if if_mine else _RESULT).run(session, in_order)


def answer_attempts(session: Session, rows: Sequence[Sequence[Any]]) -> None:
    """Close attempts; a row is (id, finished at, outcome, provider's id, reason, code)."""
    _ANSWERED.run(session, rows)


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
