"""Whether anybody still waits for a message, and calling it off where nobody does.

Alerts are locked before deliveries, here as where an alert is taken, so that neither waits for the other.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import literal_column, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.deliveries.columns import CHUNK, OUT, TRIES, is_in
from incident_tracker.store.deliveries.words import NOBODY_WAITS, Claimed, State
from incident_tracker.store.tables.incidents import AlertRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow


def unwanted(session: Session, ids: Collection[str]) -> set[str]:
    """Return those of the deliveries that tell of alerts of which none is open any more.

    The alerts stay as they are until the transaction ends. Ask before any delivery is changed or locked.
    """
    told: dict[str, bool] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(AlertDeliveryRow.delivery_id, AlertRow.state)
            .join(AlertRow, AlertRow.id == AlertDeliveryRow.alert_id)
            .where(AlertDeliveryRow.delivery_id.in_(wanted[start : start + CHUNK]))
            .order_by(AlertRow.id)
            .with_for_update(of=AlertRow)
        )
        for row in rows:
            told[row.delivery_id] = told.get(row.delivery_id, False) or row.state == "open"
    return {one for one, is_open in told.items() if not is_open}


def call_off(session: Session, ids: Collection[str], now: datetime) -> None:
    """Cancel rows in doubt that would go again, although nobody waits for them."""
    if ids:
        session.execute(
            update(OUT)
            .where(OUT.c.id.in_(ids), is_in(State.IN_DOUBT))
            .values(state=State.CANCELLED, finished_at=now, batch=None, reason=NOBODY_WAITS)
        )


def give_back(session: Session, held: Collection[Claimed], now: datetime) -> None:
    """Put rows back for which no call was begun, as if they had not been claimed; the open attempt is taken back.

    What nobody waits for any more is cancelled, and what is no longer held is left alone.
    """
    over = unwanted(session, [one.id for one in held])
    for one in sorted(held, key=lambda row: row.id):
        off = one.id in over
        done = session.execute(
            update(OUT)
            .where(OUT.c.id == one.id, OUT.c.state == literal_column("'sending'"), OUT.c.batch == one.batch)
            .values(
                state=State.CANCELLED if off else State.PENDING,
                finished_at=now if off else None,
                reason=NOBODY_WAITS if off else "",
                batch=None,
                lease_until=None,
                attempts=OUT.c.attempts - 1,
            )
            .returning(OUT.c.id)
        )
        if done.first() is not None:
            session.execute(TRIES.delete().where(TRIES.c.id == one.attempt))
