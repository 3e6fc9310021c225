"""Decisions that need a second pair of eyes. Reasons, and who was invited from outside, lie sealed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.keys import KeyIsGone, Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.telling import ApprovalRow

PLACE = "approvals.sealed"
_OPEN = (State.WAITING, State.APPROVED)
_LATELY = 20
"""So many of one subject are looked at for the newest."""
_AT_ONCE = 50
_SEALED = ("reason", "why", "outsider", "outsider_email")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that is not done yet, with the reference of its incident."""

    reference: str
    title: str
    approval: Approval


def add(session: Session, keyring: Keyring, key_id: str, approval: Approval) -> None:
    """Insert one; `key_id` is the record key of its incident."""
    session.execute(insert(ApprovalRow).values(id=approval.id, **_row(keyring, key_id, approval)))


def save(
    session: Session,
    keyring: Keyring,
    key_id: str,
    approval: Approval,
    *,
    was: State,
    invite_hash: bytes | None = None,
) -> bool:
    """Write one anew if it still is in the state it `was` in; return whether it was.

    The hash of the one-time link goes with every change that does not give a new one.
    """
    values = _row(keyring, key_id, approval) | {"invite_hash": invite_hash}
    changed = session.execute(
        update(ApprovalRow)
        .where(ApprovalRow.id == approval.id, ApprovalRow.state == was.value)
        .values(**values)
        .returning(ApprovalRow.id)
    )
    return changed.first() is not None


def get(session: Session, keyring: Keyring, approval_id: str, scope: Scope) -> tuple[str, Approval]:
    """Return the reference of its incident and the approval; refuse alike whether missing or somebody else's."""
    statement = (
        select(IncidentRow.reference, ApprovalRow)
        .join(IncidentRow, IncidentRow.id == ApprovalRow.incident_id)
        .where(ApprovalRow.id == approval_id)
    )
    if scope is not None:
        statement = statement.where(ApprovalRow.controller_id.in_(scope))
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(what="approval")
    return found.reference, _approval(keyring, found.ApprovalRow)


def by_invitation(session: Session, keyring: Keyring, invite_hash: bytes) -> tuple[str, Approval] | None:
    """Return what a one-time link is about, with the reference of its incident."""
    statement = (
        select(IncidentRow.reference, ApprovalRow)
        .join(IncidentRow, IncidentRow.id == ApprovalRow.incident_id)
        .where(ApprovalRow.invite_hash == invite_hash)
    )
    found = session.execute(statement).one_or_none()
    return None if found is None else (found.reference, _approval(keyring, found.ApprovalRow))


def of_subject(session: Session, keyring: Keyring, incident_id: int, subject: str) -> Approval | None:
    """Return the newest approval of a subject; the caller has found the incident in its scope."""
    statement = (
        select(ApprovalRow)
        .where(ApprovalRow.incident_id == incident_id, ApprovalRow.subject == subject)
        .order_by(ApprovalRow.id.desc())
        .limit(_LATELY)
    )
    row = max(session.scalars(statement), key=_newness, default=None)
    return None if row is None else _approval(keyring, row)


def of_incident(session: Session, keyring: Keyring, incident_id: int, scope: Scope) -> list[Approval]:
    """Return the newest approval of each subject of an incident, by subject."""
    statement = select(ApprovalRow).where(ApprovalRow.incident_id == incident_id).order_by(ApprovalRow.id)
    if scope is not None:
        statement = statement.where(ApprovalRow.controller_id.in_(scope))
    newest = {row.subject: row for row in sorted(session.scalars(statement), key=_newness)}
    return [_approval(keyring, newest[subject]) for subject in sorted(newest)]


def waiting(session: Session, keyring: Keyring, scope: Scope) -> Iterator[Waiting]:
    """Yield what waits for a decision, the oldest first, some read at a time; what is forgotten is passed over."""
    statement = (
        select(IncidentRow.reference, IncidentRow.title, ApprovalRow)
        .join(IncidentRow, IncidentRow.id == ApprovalRow.incident_id)
        .where(ApprovalRow.state == State.WAITING.value, IncidentRow.is_open.is_(True))
        .order_by(ApprovalRow.id)
        .limit(_AT_ONCE)
    )
    if scope is not None:
        statement = statement.where(ApprovalRow.controller_id.in_(scope))
    found = session.execute(statement).all()
    while found:
        for one in found:
            with suppress(KeyIsGone):
                yield Waiting(one.reference, one.title, _approval(keyring, one.ApprovalRow))
        if len(found) < _AT_ONCE:
            return
        found = session.execute(statement.where(ApprovalRow.id > found[-1].ApprovalRow.id)).all()


def _newness(row: ApprovalRow) -> tuple[bool, datetime, bool, str]:
    """Return by what the newest is found: of one subject one at most is open; ids of one moment are in no order."""
    return row.state in _OPEN, row.asked_at, row.decided_at is not None, row.id


def _row(keyring: Keyring, key_id: str, approval: Approval) -> dict[str, Any]:
    sealed = {name: getattr(approval, name) for name in _SEALED} | {"not_by": list(approval.not_by)}
    return {
        "controller_id": approval.controller_id,
        "incident_id": approval.incident_id,
        "subject": approval.subject,
        "digest": approval.digest,
        "state": str(approval.state),
        "asked_by": approval.asked_by,
        "asked_at": approval.asked_at,
        "way": approval.way,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
        "not_before": approval.not_before,
        "invite_until": approval.invited_until,
        "sealed": keyring.seal(key_id, PLACE, to_json(sealed)),
    }


def _approval(keyring: Keyring, row: ApprovalRow) -> Approval:
    sealed = from_json(keyring.open(PLACE, row.sealed))
    return Approval(
        id=row.id,
        controller_id=row.controller_id,
        incident_id=row.incident_id,
        subject=row.subject,
        digest=row.digest,
        state=row.state,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        way=row.way,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        not_before=row.not_before,
        invited_until=row.invite_until,
        not_by=tuple(sealed["not_by"]),
        **{name: sealed[name] for name in _SEALED},
    )
