"""The people affected by an incident, sealed under its people key, found again by keyed hash."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, or_, select, text
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.people import Person
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
    """Somebody to be added. `person_hash` is the keyed hash by which she stands in the list once."""

    id: str
    person_hash: bytes
    email_hash: bytes | None
    phone_hash: bytes | None
    language: str
    sealed: bytes


_SEALED = tuple(getattr(PersonRow, name) for name in SealedPerson.__slots__)
_ADD = text(
    """INSERT INTO people (id, controller_id, incident_id, import_id, person_hash, email_hash, phone_hash, language,
    sealed, added_at)
    VALUES (:id, :controller_id, :incident_id, :import_id, :person_hash, :email_hash, :phone_hash, :language,
    :sealed, :added_at)
    ON CONFLICT (incident_id, person_hash) DO NOTHING"""
).bindparams(bindparam("added_at", type_=PersonRow.__table__.c.added_at.type))


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
    controller_id, incident_id, import_id = of
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "controller_id": controller_id,
            "incident_id": incident_id,
            "import_id": import_id,
            "person_hash": one.person_hash,
            "email_hash": one.email_hash,
            "phone_hash": one.phone_hash,
            "language": one.language,
            "sealed": one.sealed,
            "added_at": now,
        }
        for one in people
    ]
    written = session.execute(_ADD, rows).rowcount  # type: ignore[attr-defined] # it is a CursorResult
    ids = {one.id for one in people}
    if written == len(rows):
        return set()
    return ids - set(session.scalars(select(PersonRow.id).where(PersonRow.id.in_(ids))))


def known(session: Session, incident_id: int, hashes: Collection[bytes]) -> dict[bytes, SealedPerson]:
    """Return who of these stands in the list already, by `person_hash`."""
    statement = select(PersonRow.person_hash, *_SEALED).where(
        PersonRow.incident_id == incident_id, PersonRow.person_hash.in_(hashes)
    )
    return {row[0]: SealedPerson(*row[1:]) for row in session.execute(statement)}


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


def any_told(session: Session, import_id: str) -> bool:
    """Return whether a message was ever written for anybody of an import."""
    told = exists().where(DeliveryRow.recipient_id == PersonRow.id)
    statement = select(PersonRow.id).where(PersonRow.import_id == import_id, told)
    return session.execute(statement.limit(1)).first() is not None


def remove(session: Session, import_id: str, limit: int) -> int:
    """Delete people of an import, at most so many; return how many."""
    some = select(PersonRow.id).where(PersonRow.import_id == import_id).order_by(PersonRow.id).limit(limit)
    ids = list(session.scalars(some))
    session.execute(delete(PersonRow).where(PersonRow.id.in_(ids)))
    return len(ids)


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(PersonRow.controller_id.in_(scope))
