"""Incidents: the projection of their events, found by reference, listed by time left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.incident import Incident, Status
from incident_tracker.domain.parties import Controller
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import AccessRow, IncidentRow

PLACE = "incidents.facts"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An incident with what the database adds: its id, its version and its keys."""

    id: int
    version: int
    record_key: str
    people_key: str
    incident: Incident

    @property
    def head(self) -> "Head":
        """Return what the clock needs of it."""
        one = self.incident
        return Head(self.id, one.controller_id, one.reference, one.exercise, self.record_key)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list: only what is kept in the clear."""

    id: int
    controller_id: int
    reference: str
    title: str
    role: str
    status: str
    exercise: bool
    detected_at: datetime
    became_aware_at: datetime | None
    contained_at: datetime | None
    closed_at: datetime | None
    owner_id: int | None
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many incidents are open; of those, how many are overdue, due today, due tomorrow, not decided yet."""

    open: int
    overdue: int
    today: int
    tomorrow: int
    suspected: int


@dataclass(frozen=True, slots=True)
class Head:
    """What the clock needs of an incident, without opening its facts."""

    id: int
    controller_id: int
    reference: str
    exercise: bool
    record_key: str


_IS_OPEN = text("incidents.is_open")
"""Said as the partial index of the board has it; `is_open = 1` would not be answered from it."""
_LISTED = tuple(getattr(IncidentRow, name) for name in Listed.__slots__)


_COUNT = text(
    "INSERT INTO reference_numbers (controller_id, series, last) VALUES (:controller, :series, 1) "
    "ON CONFLICT (controller_id, series) DO UPDATE SET last = reference_numbers.last + 1 RETURNING last"
)


def next_reference(session: Session, controller: Controller, year: int, *, exercise: bool) -> str:
    """Return the next reference of a controller: `2026-0001`, with its prefix; exercises count on their own."""
    series = f"{'X' if exercise else ''}{year}"
    last = session.execute(_COUNT, {"controller": controller.id, "series": series}).scalar_one()
    return f"{controller.reference_prefix}{series}-{last:04d}"


def add(session: Session, keyring: Keyring, incident: Incident, keys: tuple[str, str], now: datetime) -> Loaded:
    """Insert the row of a new incident; `keys` are the ids of its record and people keys."""
    record_key, people_key = keys
    row = _row(keyring, incident, record_key) | {
        "record_key": record_key,
        "people_key": people_key,
        "created_at": now,
        "version": 1,
    }
    new_id = session.execute(insert(IncidentRow).values(**row).returning(IncidentRow.id)).scalar_one()
    return Loaded(new_id, 1, record_key, people_key, incident)


def by_record_key(session: Session, record_key: str, scope: Scope) -> str | None:
    """Return the reference of the incident that has this record key, if it was logged already."""
    statement = _scoped(select(IncidentRow.reference).where(IncidentRow.record_key == record_key), scope)
    return session.execute(statement).scalar_one_or_none()


def save(session: Session, keyring: Keyring, loaded: Loaded, incident: Incident) -> Loaded:
    """Write the row anew from the incident."""
    version = loaded.version + 1
    row = _row(keyring, incident, loaded.record_key) | {"version": version}
    session.execute(update(IncidentRow).where(IncidentRow.id == loaded.id).values(**row))
    return Loaded(loaded.id, version, loaded.record_key, loaded.people_key, incident)


def set_next_due(session: Session, incident_id: int, due_at: datetime | None) -> None:
    """Keep the nearest deadline beside the incident, so that the board reads one index."""
    session.execute(update(IncidentRow).where(IncidentRow.id == incident_id).values(next_due_at=due_at))


def load(session: Session, keyring: Keyring, reference: str, scope: Scope, *, lock: bool = False) -> Loaded:
    """Return an incident, or refuse alike whether it is missing or belongs to somebody else."""
    statement = _scoped(select(IncidentRow).where(IncidentRow.reference == reference), scope)
    row = session.scalars(statement.with_for_update(key_share=True) if lock else statement).one_or_none()
    if row is None:
        raise NotFound(what=reference)
    return _loaded(keyring, row)


def heads(session: Session, ids: Iterable[int]) -> dict[int, Head]:
    """Return what the clock needs of some incidents; it serves all controllers."""
    columns = (getattr(IncidentRow, name) for name in Head.__slots__)
    rows = session.execute(select(*columns).where(IncidentRow.id.in_(set(ids))))
    return {row.id: Head(*row) for row in rows}


def board(session: Session, scope: Scope, limit: int) -> list[Listed]:
    """Return the open incidents by the nearest deadline, then those without one, the oldest first.

    At most `limit` of either kind; `tally` says how many there are.
    """
    undated = _scoped(select(*_LISTED), scope).where(_IS_OPEN, IncidentRow.next_due_at.is_(None))
    dated = _scoped(select(*_LISTED), scope).where(_IS_OPEN, IncidentRow.next_due_at.is_not(None))
    first = session.execute(dated.order_by(IncidentRow.next_due_at, IncidentRow.id).limit(limit)).all()
    others = session.execute(undated.order_by(IncidentRow.detected_at, IncidentRow.id).limit(limit)).all()
    return [Listed(*row) for row in (*first, *others)]


def tally(session: Session, scope: Scope, now: datetime, ends: tuple[datetime, datetime]) -> Tally:
    """Count the open incidents; `ends` are when today and tomorrow end where the reader is."""
    due, (today, tomorrow) = IncidentRow.next_due_at, ends
    counts: tuple[Any, ...] = (
        func.count(),
        func.count().filter(due < now),
        func.count().filter(due >= now, due < today),
        func.count().filter(due >= today, due < tomorrow),
        func.count().filter(IncidentRow.status == Status.SUSPECTED.value),
    )
    statement = select(*counts).select_from(IncidentRow)
    return Tally(*map(int, session.execute(_scoped(statement, scope).where(_IS_OPEN)).one()))


def listing(
    session: Session,
    scope: Scope,
    *,
    status: str | None = None,
    search: str = "",
    after_id: int | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Return a page of incidents, newest first, by keyset: those before `after_id`."""
    statement = _scoped(select(*_LISTED), scope)
    if status == "open":
        statement = statement.where(_IS_OPEN)
    elif status:
        statement = statement.where(IncidentRow.status == status)
    if search:
        pattern = f"%{search.replace('/', '//').replace('%', '/%').replace('_', '/_')}%"
        statement = statement.where(
            or_(
                IncidentRow.title.ilike(pattern, escape="/"),
                IncidentRow.reference.ilike(pattern, escape="/"),
            )
        )
    if after_id is not None:
        statement = statement.where(IncidentRow.id < after_id)
    return [Listed(*row) for row in session.execute(statement.order_by(IncidentRow.id.desc()).limit(limit))]


def log_access(session: Session, actor: str, loaded: Loaded, what: str, now: datetime) -> None:
    """Note who looked at what."""
    session.execute(
        insert(AccessRow).values(
            at=now, actor=actor, controller_id=loaded.incident.controller_id, incident_id=loaded.id, what=what
        )
    )


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(IncidentRow.controller_id.in_(scope))


def _loaded(keyring: Keyring, row: IncidentRow) -> Loaded:
    incident = from_plain(Incident, from_json(keyring.open(PLACE, row.facts)))
    return Loaded(row.id, row.version, row.record_key, row.people_key, incident)


def _row(keyring: Keyring, incident: Incident, key_id: str) -> dict[str, Any]:
    return {
        "controller_id": incident.controller_id,
        "reference": incident.reference,
        "title": incident.title,
        "role": incident.role.value,
        "status": incident.status.value,
        "is_open": incident.is_open,
        "exercise": incident.exercise,
        "detected_at": incident.detected_at,
        "became_aware_at": incident.became_aware_at,
        "awareness_version": incident.awareness_version,
        "contained_at": incident.contained_at,
        "closed_at": incident.closed_at,
        "not_a_breach_at": incident.not_a_breach_at,
        "owner_id": incident.owner_id,
        "facts": keyring.seal(key_id, PLACE, to_json(to_plain(incident))),
    }
