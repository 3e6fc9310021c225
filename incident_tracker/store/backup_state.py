"""What decides about a backup, and what is held when one comes back."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.approvals import about_notice
from incident_tracker.domain.errors import phrase
from incident_tracker.store import installation
from incident_tracker.store.deliveries.columns import CHUNK, OUT, TRIES, is_in
from incident_tracker.store.deliveries.words import State
from incident_tracker.store.tables.incidents import AlertRow, IncidentRow
from incident_tracker.store.tables.parties import ControllerRow, SessionRow, SlowdownRow
from incident_tracker.store.tables.telling import ApprovalRow, NoticeRow

HELD = phrase("held after a restore: it may have been sent after the backup was made")
"""Why a message that was open at the moment of the backup is not sent by itself."""
RESTORED = phrase("a backup was restored, and what was sent after it was made is not known here")
"""Why the sending of a notice was paused, or why one that was not begun must be decided anew."""
_UNTIL_SOMEBODY_DECIDES = timedelta(days=3650)
_ONE_TIME = ("first_run_token",)


def first_controller_at(session: Session) -> datetime | None:
    """Return since when anybody works here."""
    return session.scalar(select(func.min(ControllerRow.created_at)))


def only_exercises(session: Session) -> bool:
    """Return whether there are incidents, and each is an exercise."""
    kinds = set(session.scalars(select(IncidentRow.exercise).distinct()))
    return kinds == {True}


def hold(session: Session, now: datetime) -> int:
    """Keep everything that was open from being sent by itself; return how many messages are held.

    What waited is called off, and a person can send it again. What was on its way or in doubt stays in doubt until a
    person decides. Messages of a notice stay where they are: their notice is paused.
    """
    doubtful = now + _UNTIL_SOMEBODY_DECIDES
    waiting = update(OUT).where(is_in(State.PENDING), OUT.c.notice_id.is_(None))
    held = session.execute(
        waiting.values(state=State.CANCELLED, finished_at=now, reason=HELD).returning(OUT.c.id)
    ).all()
    sending = (
        update(OUT)
        .where(is_in(State.SENDING))
        .values(state=State.IN_DOUBT, sent_at=func.coalesce(OUT.c.sent_at, now), lease_until=None, reason=HELD)
    )
    session.execute(sending)
    doubts = update(OUT).where(is_in(State.IN_DOUBT)).values(not_before=doubtful, reason=HELD)
    in_doubt = session.execute(doubts.returning(OUT.c.id)).all()
    session.execute(
        update(TRIES).where(TRIES.c.finished_at.is_(None)).values(finished_at=now, outcome="unknown", reason=HELD)
    )
    of_notices = select(func.count()).select_from(OUT).where(is_in(State.PENDING), OUT.c.notice_id.is_not(None))
    return len(held) + len(in_doubt) + (session.scalar(of_notices) or 0)


def take_back(session: Session) -> tuple[list[int], int]:
    """Let every notice that was not begun be decided anew: it may have been sent since.

    Return their ids, and how many of them were handed over or approved before.
    """
    states = select(NoticeRow.id, NoticeRow.state).where(NoticeRow.state.in_(("draft", "submitted", "approved")))
    found = session.execute(states.order_by(NoticeRow.id)).all()
    ids = [row.id for row in found]
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        session.execute(update(NoticeRow).where(NoticeRow.id.in_(some)).values(state="draft"))
        session.execute(
            update(ApprovalRow)
            .where(
                ApprovalRow.state.in_(("waiting", "approved")),
                ApprovalRow.subject.in_([about_notice(one) for one in some]),
            )
            .values(state="withdrawn")
        )
    return ids, sum(row.state != "draft" for row in found)


def hurry_alerts(session: Session, now: datetime) -> None:
    """Let every open alert go to its next step now: whether it was told of, nobody knows."""
    session.execute(
        update(AlertRow).where(AlertRow.state == "open", AlertRow.next_step_at > now).values(next_step_at=now)
    )


def end_sign_ins(session: Session) -> None:
    """End everything that somebody holds in hand: sign-ins, one-time links."""
    session.execute(delete(SessionRow))
    session.execute(delete(SlowdownRow))
    session.execute(update(ApprovalRow).values(invite_hash=None, invite_until=None))
    for name in _ONE_TIME:
        value = installation.get(session, name)
        if value is not None:
            installation.take(session, name, value)


def forget_titles(session: Session, keys: Collection[str]) -> None:
    """Blank the titles of incidents whose record key was destroyed after the backup was made."""
    named = sorted(keys)
    for start in range(0, len(named), CHUNK):
        some = named[start : start + CHUNK]
        session.execute(update(IncidentRow).where(IncidentRow.record_key.in_(some)).values(title=""))


def open_references(session: Session) -> list[str]:
    """Return the references of all open incidents, to plan their alarms anew."""
    return list(session.scalars(select(IncidentRow.reference).where(IncidentRow.is_open).order_by(IncidentRow.id)))
