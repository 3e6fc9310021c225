"""What all nodes know of each notifier: closed for a while, paused because its set-up is wrong, polled until."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.store.deliveries.columns import OUT, is_in, taken
from incident_tracker.store.deliveries.words import State
from incident_tracker.store.tables.outbox import LaneRow

_L = cast("SqlTable", LaneRow.__table__)
_ENSURE = text("INSERT INTO lanes (notifier) VALUES (:notifier) ON CONFLICT (notifier) DO NOTHING")
_STATES = select(
    _L.c.notifier, _L.c.blocked_until, _L.c.paused_at, _L.c.reason, _L.c.polled_until, _L.c.notices_blocked_until
)


@dataclass(frozen=True, slots=True)
class LaneState:
    """One notifier as all nodes see it. A paused one is tried again with one message after `blocked_until`."""

    notifier: str
    blocked_until: datetime | None = None
    paused_at: datetime | None = None
    reason: str = ""
    polled_until: datetime | None = None
    notices_blocked_until: datetime | None = None

    def is_closed(self, now: datetime) -> bool:
        """Return whether nothing may be given to it now."""
        return self.blocked_until is not None and self.blocked_until > now

    def holds_notices(self, now: datetime) -> bool:
        """Return whether no message of a notice may be given to it now, though others may."""
        return self.notices_blocked_until is not None and self.notices_blocked_until > now

    def is_probed(self, now: datetime) -> bool:
        """Return whether it is paused and may be tried with one message."""
        return self.paused_at is not None and not self.is_closed(now)


def ensure(session: Session, notifiers: Iterable[str]) -> None:
    """Make the missing rows."""
    session.execute(_ENSURE, [{"notifier": name} for name in sorted(set(notifiers))])


def states(session: Session) -> dict[str, LaneState]:
    """Return every lane by its notifier."""
    return {row.notifier: LaneState(*row) for row in session.execute(_STATES)}


def pause(session: Session, notifier: str, reason: str, now: datetime, probe_at: datetime) -> None:
    """Close a notifier whose set-up is wrong; the first moment of the trouble is kept."""
    session.execute(
        update(_L)
        .where(_L.c.notifier == notifier)
        .values(
            paused_at=func.coalesce(_L.c.paused_at, bindparam("since", now, type_=_L.c.paused_at.type)),
            blocked_until=probe_at,
            reason=reason,
        )
    )


def block(session: Session, notifier: str, until: datetime, *, of_notices: bool = False) -> None:
    """Let nobody use a notifier until then, or no notice only; an earlier end never shortens a later one."""
    end = _L.c.notices_blocked_until if of_notices else _L.c.blocked_until
    session.execute(update(_L).where(_L.c.notifier == notifier, or_(end.is_(None), end < until)).values({end: until}))


def unpause(session: Session, notifier: str, now: datetime, *, tried_below: int | None = None) -> bool:
    """Open a paused notifier again, and let what waits for it go now; return whether it was paused.

    `tried_below` leaves what was tried so often or oftener to its own time: it may be what paused the notifier.
    """
    done = session.execute(
        update(_L)
        .where(_L.c.notifier == notifier, _L.c.paused_at.is_not(None))
        .values(paused_at=None, blocked_until=None, reason="")
        .returning(_L.c.notifier)
    )
    if done.first() is None:
        return False
    for kind in (OUT.c.notice_id.is_(None), OUT.c.notice_id.is_not(None)):  # each has a partial index of its own
        waiting = select(OUT.c.id).where(
            is_in(State.PENDING), kind, OUT.c.notifier == notifier, OUT.c.not_before > now
        )
        if tried_below is not None:
            waiting = waiting.where(OUT.c.attempts < tried_below)
        session.execute(update(OUT).where(taken(waiting)).values(not_before=now))
    return True


def polled(session: Session, notifier: str, until: datetime) -> None:
    """Remember up to when the replies were fetched."""
    session.execute(update(_L).where(_L.c.notifier == notifier).values(polled_until=until))
