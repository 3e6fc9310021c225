"""The journal: appended to as the last thing in a transaction, read in order, never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain import journal
from incident_tracker.domain.access import Scope
from incident_tracker.domain.events import BackupRestored, Event, event_from
from incident_tracker.store.keys import KeyIsGone, Keyring
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.incidents import JournalHeadRow, JournalRow

PLACE = "journal.payload"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What will become an entry once the head is locked; `payload` is sealed already."""

    actor: str
    controller_id: int | None
    incident_id: int | None
    kind: str
    key_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as people read it: who recorded which event when."""

    seq: int
    recorded_at: datetime
    actor: str
    kind: str
    event: Event


def append(session: Session, entries: Sequence[NewEntry], now: datetime) -> tuple[int, bytes]:
    """Link the entries to the chain and return the new head (seq, hash). The last thing in a transaction."""
    head = session.execute(select(JournalHeadRow.seq, JournalHeadRow.hash).with_for_update()).one()
    seq, previous = head.seq, head.hash
    rows = []
    for entry in entries:
        seq += 1
        incident = None if entry.incident_id is None else str(entry.incident_id)
        linked = journal.link(
            previous_hash=previous,
            seq=seq,
            recorded_at=now,
            actor=entry.actor,
            incident=incident,
            kind=entry.kind,
            key_id=entry.key_id,
            payload=entry.payload,
        )
        rows.append(
            {
                "seq": seq,
                "recorded_at": now,
                "actor": entry.actor,
                "controller_id": entry.controller_id,
                "incident_id": entry.incident_id,
                "kind": entry.kind,
                "key_id": entry.key_id,
                "payload": entry.payload,
                "previous_hash": previous,
                "hash": linked,
            }
        )
        previous = linked
    session.execute(insert(JournalRow), rows)
    session.execute(update(JournalHeadRow).values(seq=seq, hash=previous))
    return seq, previous


def head(session: Session) -> tuple[int, bytes]:
    """Return the head of the chain: the number and the hash of the newest entry."""
    row = session.execute(select(JournalHeadRow.seq, JournalHeadRow.hash)).one()
    return row.seq, row.hash


def entries(session: Session) -> Iterator[journal.Entry]:
    """Yield the whole chain in order."""
    statement = select(JournalRow).order_by(JournalRow.seq).execution_options(yield_per=1000)
    for row in session.scalars(statement):
        yield journal.Entry(
            seq=row.seq,
            recorded_at=row.recorded_at,
            actor=row.actor,
            incident=None if row.incident_id is None else str(row.incident_id),
            kind=row.kind,
            key_id=row.key_id,
            payload=row.payload,
            previous_hash=row.previous_hash,
            hash=row.hash,
        )


def restoration(keyring: Keyring, entry: journal.Entry) -> journal.Restoration | None:
    """Return what an entry says about a restored backup; None where it was not written with the master key."""
    try:
        event = event_from(entry.kind, from_json(keyring.open(PLACE, entry.payload)))
    except (InvalidTag, KeyIsGone, ValueError, KeyError, TypeError):
        return None
    if not isinstance(event, BackupRestored):
        return None
    return journal.Restoration(journal.Head(event.head_seq, bytes.fromhex(event.head_hash)), event.restored_at)


def of_incident(
    session: Session,
    keyring: Keyring,
    incident_id: int,
    scope: Scope,
    *,
    newest_first: bool = False,
    limit: int | None = None,
) -> list[Record]:
    """Return the records of one incident."""
    statement = select(JournalRow).where(JournalRow.incident_id == incident_id)
    if scope is not None:
        statement = statement.where(JournalRow.controller_id.in_(scope))
    statement = statement.order_by(JournalRow.seq.desc() if newest_first else JournalRow.seq)
    if limit is not None:
        statement = statement.limit(limit)
    return [
        Record(
            seq=row.seq,
            recorded_at=row.recorded_at,
            actor=row.actor,
            kind=row.kind,
            event=event_from(row.kind, from_json(keyring.open(PLACE, row.payload))),
        )
        for row in session.scalars(statement)
    ]
