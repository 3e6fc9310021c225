"""Claims: what is due becomes ours for a while, with an attempt written down."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal, literal_column, select, update
from sqlalchemy.orm import Session

from incident_tracker.store.bulk import Bulk
from incident_tracker.store.deliveries.columns import HELD, OUT, is_in, taken
from incident_tracker.store.deliveries.words import Claimed, State
from incident_tracker.store.ids import new_ids

_DUE = (
    select(OUT.c.id)
    .where(
        is_in(State.PENDING),
        OUT.c.notice_id.is_(None),
        OUT.c.notifier == bindparam("b_notifier"),
        OUT.c.channel == bindparam("b_channel"),
        OUT.c.not_before <= bindparam("b_now", type_=OUT.c.not_before.type),
    )
    .order_by(OUT.c.rank, OUT.c.not_before, OUT.c.id)
    .limit(bindparam("b_size"))
)
CLAIM = (
    update(OUT)
    .where(taken(_DUE))
    .values(
        state=literal_column("'sending'"),
        batch=bindparam("b_batch"),
        lease_until=bindparam("b_lease", type_=OUT.c.lease_until.type),
        attempts=OUT.c.attempts + 1,
    )
    .returning(*HELD)
)
_ANY_DUE = select(literal(1)).select_from(OUT).where(*_DUE.whereclause.clauses).limit(1)  # type: ignore[union-attr]
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


def reroute(session: Session, notifier: str, channel: str, other: str, limit: int) -> int:
    """Give waiting rows of a paused notifier to another of the same channel; what is local only stays."""
    moved = (
        select(OUT.c.id)
        .where(
            is_in(State.PENDING),
            OUT.c.notifier == notifier,
            OUT.c.channel == channel,
            OUT.c.local_only.is_(False),
        )
        .limit(limit)
    )
    done = session.execute(update(OUT).where(taken(moved)).values(notifier=other).returning(OUT.c.id))
    return len(done.all())


def waiting_routes(session: Session) -> list[tuple[str, str]]:
    """Return every (notifier, channel) that rows wait for; reads all that waits, so ask rarely."""
    found = session.execute(select(OUT.c.notifier, OUT.c.channel).where(is_in(State.PENDING)).distinct())
    return [(row.notifier, row.channel) for row in found]
