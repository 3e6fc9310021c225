"""The people affected by an incident, sealed under its people key, found again by keyed hash."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.people import Person
from incident_tracker.store.bulk import Bulk, Bytes
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import NoticeRow, PersonRow

PLACE = "people.sealed"
_ON_ITS_WAY = ("sending", "paused")


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A row of the list, as it lies in the database."""

    id: str
    language: str
    email_hash: bytes | None
    phone_hash: bytes | None
    sealed: bytes


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to be added. She stands in the list once by the hash of her e-mail address, else of her phone."""

    id: str
    email_hash: bytes | None
    phone_hash: bytes | None
    language: str
    sealed: bytes


_SEALED = tuple(getattr(PersonRow, name) for name in SealedPerson.__slots__)
_HASH = 32
"""Bytes of a keyed hash."""
_ADD = Bulk(
    """INSERT INTO people (id, controller_id, incident_id, import_id, language, added_at, person_hash, email_hash,
    phone_hash, sealed)
    SELECT id, CAST(:controller_id AS bigint), CAST(:incident_id AS bigint), CAST(:import_id AS text), language,
    added_at, substr(:blobs, own_at, 32),
    CASE WHEN email_at > 0 THEN substr(:blobs, email_at, 32) END,
    CASE WHEN phone_at > 0 THEN substr(:blobs, phone_at, 32) END,
    substr(:blobs, sealed_at, sealed_length)
    FROM {rows} AS new WHERE true ON CONFLICT (incident_id, person_hash) DO NOTHING""",
    {
        "id": "text",
        "language": "text",
        "added_at": "timestamptz",
        "own_at": "int",
        "email_at": "int",
        "phone_at": "int",
        "sealed_at": "int",
        "sealed_length": "int",
    },
)


_KNOWN = Bulk(
    """SELECT people.person_hash, people.id, people.language, people.email_hash, people.phone_hash, people.sealed
    FROM {rows} AS asked CROSS JOIN people
    WHERE people.incident_id = :incident_id AND people.person_hash = substr(:blobs, asked.place, 32)""",
    {"place": "int"},
)


def after(session: Session, incident_id: int, after_id: str, limit: int) -> list[SealedPerson]:
    """Return the next people of an incident by id, those after `after_id`; "" begins at the first."""
    statement = select(*_SEALED).where(PersonRow.incident_id == incident_id, PersonRow.id > after_id)
    return [SealedPerson(*row) for row in session.execute(statement.order_by(PersonRow.id).limit(limit))]


def open_person(keyring: Keyring, sealed_person: SealedPerson) -> Person:
    """Return a person in the clear; refuses (`KeyIsGone`) once the people of the incident are forgotten."""
    name, email, phone, fields = from_json(keyring.open(PLACE, sealed_person.sealed))
    return Person(sealed_person.id, name, email, phone, sealed_person.language, fields)


def count(session: Session, incident_id: int) -> int:
    """Return how many people are on an incident's list."""
    statement = select(func.count()).select_from(PersonRow).where(PersonRow.incident_id == incident_id)
    return int(session.execute(statement).scalar_one())


def plain(name: str, email: str, phone: str, fields: Mapping[str, str]) -> bytes:
    """Return what is sealed of a person."""
    return to_json([name, email, phone, fields])


def add(session: Session, of: tuple[int, int, str | None], people: Sequence[NewPerson], now: datetime) -> set[str]:
    """Insert those who are not on the list yet; return the ids of those who were. `of`: controller, incident, import.

    Ask `known` first in the same transaction: then only a race leaves anybody out here.
    """
    if not people:
        return set()
    blobs = Bytes()
    written = _ADD.run(
        session,
        [_row(one, blobs, now) for one in people],
        blobs=blobs.all(),
        **dict(zip(("controller_id", "incident_id", "import_id"), of, strict=True)),
    )
    ids = {one.id for one in people}
    if written == len(people):
        return set()
    return ids - set(session.scalars(select(PersonRow.id).where(PersonRow.id.in_(ids))))


def known(session: Session, incident_id: int, hashes: Collection[bytes]) -> dict[bytes, SealedPerson]:
    """Return who of these stands in the list already, by `person_hash`."""
    places = [(1 + _HASH * number,) for number in range(len(hashes))]
    found = _KNOWN.found(session, places, incident_id=incident_id, blobs=b"".join(hashes))
    return {row[0]: SealedPerson(row[1], row[2], row[3], row[4], row[5]) for row in found}


def page(session: Session, scope: Scope, incident_id: int, after_id: str, limit: int) -> list[SealedPerson]:
    """Return a page of the list, by keyset."""
    statement = _scoped(select(*_SEALED), scope).where(PersonRow.incident_id == incident_id, PersonRow.id > after_id)
    return [SealedPerson(*row) for row in session.execute(statement.order_by(PersonRow.id).limit(limit))]


def found(session: Session, scope: Scope, incident_id: int, hashes: Collection[bytes]) -> list[SealedPerson]:
    """Return those of an incident who have one of these addresses or numbers, given by keyed hash."""
    statement = _scoped(select(*_SEALED), scope).where(
        PersonRow.incident_id == incident_id,
        or_(PersonRow.email_hash.in_(hashes), PersonRow.phone_hash.in_(hashes)),
    )
    return [SealedPerson(*row) for row in session.execute(statement.order_by(PersonRow.id))]


def is_being_told(session: Session, incident_id: int) -> bool:
    """Return whether a notice to the people of an incident is on its way."""
    statement = select(NoticeRow.id).where(
        NoticeRow.incident_id == incident_id, NoticeRow.audience == "people", NoticeRow.state.in_(_ON_ITS_WAY)
    )
    return session.execute(statement.limit(1)).first() is not None


def any_told_of_import(session: Session, import_id: str) -> bool:
    """Return whether a message was ever written for anybody of an import; it looks at each of them."""
    told = exists().where(DeliveryRow.recipient_id == PersonRow.id)
    statement = select(PersonRow.id).where(PersonRow.import_id == import_id, told)
    return session.execute(statement.limit(1)).first() is not None


def any_told(session: Session, ids: Collection[str]) -> bool:
    """Return whether a message was ever written for one of these people."""
    statement = select(DeliveryRow.id).where(DeliveryRow.recipient_id.in_(ids), DeliveryRow.recipient_id.is_not(None))
    return session.execute(statement.limit(1)).first() is not None


def some_of_import(session: Session, scope: Scope, import_id: str, limit: int) -> list[str]:
    """Return the ids of people of an import, at most so many."""
    some = _scoped(select(PersonRow.id).where(PersonRow.import_id == import_id), scope)
    return list(session.scalars(some.order_by(PersonRow.id).limit(limit)))


def left_of_import(session: Session, import_id: str) -> int:
    """Return how many people of an import are on the list."""
    statement = select(func.count()).select_from(PersonRow).where(PersonRow.import_id == import_id)
    return int(session.execute(statement).scalar_one())


def remove(session: Session, ids: Collection[str]) -> None:
    """Delete these people."""
    session.execute(delete(PersonRow).where(PersonRow.id.in_(ids)))


def _row(one: NewPerson, blobs: Bytes, now: datetime) -> tuple[Any, ...]:
    email_at = blobs.add(one.email_hash)[0] if one.email_hash else 0
    phone_at = blobs.add(one.phone_hash)[0] if one.phone_hash else 0
    return (one.id, one.language, now, email_at or phone_at, email_at, phone_at, *blobs.add(one.sealed))


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(PersonRow.controller_id.in_(scope))
