"""Partners, their agreements, and the incidents that concern them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.parties import ContactPoint
from incident_tracker.domain.partners import Partner, PartnerKind
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import JournalRow
from incident_tracker.store.tables.outside import AgreementRow, IncidentPartnerRow, PartnerRow

_PLACE = "partners.sealed"
_NAME = "agreements.file_name"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A data-processing agreement as a file. `signed_on` is a day as `2026-11-22`, or empty."""

    id: str
    controller_id: int
    partner_id: int
    key_id: str
    file_name: str
    size: int
    sha256: str
    signed_on: str
    added_by: str
    added_at: datetime


def add(session: Session, keyring: Keyring, key_id: str, partner: Partner, now: datetime) -> int:
    """Insert a partner and return its id."""
    row = _row(keyring, key_id, partner) | {"controller_id": partner.controller_id, "created_at": now}
    return int(session.execute(insert(PartnerRow).values(**row).returning(PartnerRow.id)).scalar_one())


def save(session: Session, keyring: Keyring, key_id: str, partner: Partner) -> None:
    """Write a partner anew."""
    session.execute(update(PartnerRow).where(PartnerRow.id == partner.id).values(**_row(keyring, key_id, partner)))


def remove(session: Session, partner_id: int, now: datetime) -> None:
    """Take a partner off the list; what it was told stays, and its link ends."""
    session.execute(update(PartnerRow).where(PartnerRow.id == partner_id).values(removed_at=now, tip_hash=None))


def set_tip(session: Session, partner_id: int, tip_hash: bytes | None) -> None:
    """Give a partner another link, or none; the one before ends."""
    session.execute(update(PartnerRow).where(PartnerRow.id == partner_id).values(tip_hash=tip_hash))


def get(session: Session, keyring: Keyring, partner_id: int, scope: Scope, *, lock: bool = False) -> Partner:
    """Return one partner, or refuse alike whether it is missing or somebody else's."""
    statement = _scoped(select(PartnerRow).where(PartnerRow.id == partner_id), scope)
    row = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound(what="partner")
    return _partner(keyring, row)


def by_tip(session: Session, keyring: Keyring, tip_hash: bytes) -> Partner | None:
    """Return whose link this is."""
    row = session.scalars(select(PartnerRow).where(PartnerRow.tip_hash == tip_hash)).one_or_none()
    return None if row is None else _partner(keyring, row)


def listing(session: Session, keyring: Keyring, controller_id: int, scope: Scope) -> list[Partner]:
    """Return a controller's partners that were not taken off the list, by name."""
    statement = select(PartnerRow).where(PartnerRow.controller_id == controller_id, PartnerRow.removed_at.is_(None))
    found = [_partner(keyring, row) for row in session.scalars(_scoped(statement, scope))]
    return sorted(found, key=lambda one: one.name.casefold())


def names(session: Session, partner_ids: Collection[int], scope: Scope) -> dict[int, str]:
    """Return the names of partners by id, those taken off the list included: the journal still names them."""
    if not partner_ids:
        return {}
    columns: tuple[Any, ...] = (PartnerRow.id, PartnerRow.name)
    statement = select(*columns).where(PartnerRow.id.in_(partner_ids))
    return {row.id: row.name for row in session.execute(_scoped(statement, scope))}


def concern(session: Session, incident_id: int, partner: Partner, now: datetime) -> bool:
    """Name a partner on an incident; return whether that was news."""
    there = session.get(IncidentPartnerRow, (incident_id, partner.id))
    if there is not None:
        return False
    session.execute(
        insert(IncidentPartnerRow).values(
            incident_id=incident_id, partner_id=partner.id, controller_id=partner.controller_id, added_at=now
        )
    )
    return True


def leave_out(session: Session, incident_id: int, partner_id: int) -> bool:
    """Take a partner off an incident; return whether it was on it."""
    gone = delete(IncidentPartnerRow).where(
        IncidentPartnerRow.incident_id == incident_id, IncidentPartnerRow.partner_id == partner_id
    )
    return session.execute(gone.returning(IncidentPartnerRow.partner_id)).first() is not None


def of_incident(
    session: Session, keyring: Keyring, incident_id: int, scope: Scope, *, after: int = 0, limit: int | None = None
) -> list[Partner]:
    """Return the partners that an incident concerns, by id, those with a higher id than `after`."""
    statement = (
        select(PartnerRow)
        .join(IncidentPartnerRow, IncidentPartnerRow.partner_id == PartnerRow.id)
        .where(IncidentPartnerRow.incident_id == incident_id, PartnerRow.id > after)
        .order_by(PartnerRow.id)
        .limit(limit)
    )
    return [_partner(keyring, row) for row in session.scalars(_scoped(statement, scope))]


def incidents_of(session: Session, partner_id: int, scope: Scope) -> list[int]:
    """Return the ids of the incidents that concern a partner, the newest first."""
    statement = select(IncidentPartnerRow.incident_id).where(IncidentPartnerRow.partner_id == partner_id)
    if scope is not None:
        statement = statement.where(IncidentPartnerRow.controller_id.in_(scope))
    return list(session.scalars(statement.order_by(IncidentPartnerRow.incident_id.desc())))


def tips_since(session: Session, partner_id: int, since: datetime) -> int:
    """Count the incidents that a partner itself opened since then."""
    statement = (
        select(func.count())
        .select_from(IncidentPartnerRow)
        .join(JournalRow, JournalRow.incident_id == IncidentPartnerRow.incident_id)
        .where(
            IncidentPartnerRow.partner_id == partner_id,
            IncidentPartnerRow.added_at >= since,
            JournalRow.kind == "incident_opened",
            JournalRow.actor == f"partner:{partner_id}",
        )
    )
    return int(session.execute(statement).scalar_one())


def add_agreement(session: Session, keyring: Keyring, new: Agreement) -> None:
    """Insert the row of an agreement whose file lies on the disk already."""
    row = {name: getattr(new, name) for name in Agreement.__slots__}
    row["file_name"] = keyring.seal_text(new.key_id, _NAME, new.file_name)
    session.execute(insert(AgreementRow).values(**row))


def agreements(
    session: Session, keyring: Keyring, partner_ids: Collection[int], scope: Scope
) -> dict[int, list[Agreement]]:
    """Return the agreements with partners, the newest first."""
    statement = select(AgreementRow).where(AgreementRow.partner_id.in_(partner_ids))
    if scope is not None:
        statement = statement.where(AgreementRow.controller_id.in_(scope))
    found: dict[int, list[Agreement]] = {one: [] for one in partner_ids}
    for row in session.scalars(statement.order_by(AgreementRow.id.desc())):
        facts = {name: getattr(row, name) for name in Agreement.__slots__}
        facts["file_name"] = keyring.open_text(_NAME, row.file_name)
        found[row.partner_id].append(Agreement(**facts))
    return found


def agreement_exists(session: Session, agreement_id: str) -> bool:
    """Return whether a file is an agreement's."""
    return session.execute(select(AgreementRow.id).where(AgreementRow.id == agreement_id)).first() is not None


def agreement_sizes(session: Session) -> dict[str, int]:
    """Return id and plain size of every agreement, of all controllers."""
    return {row.id: row.size for row in session.execute(select(AgreementRow.id, AgreementRow.size))}


def _scoped(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement if scope is None else statement.where(PartnerRow.controller_id.in_(scope))


def _row(keyring: Keyring, key_id: str, partner: Partner) -> dict[str, object]:
    sealed = {"contact": to_plain(partner.contact), "language": partner.language}
    return {
        "name": partner.name,
        "cvr": partner.cvr,
        "kind": partner.kind.value,
        "what": partner.what,
        "sealed": keyring.seal(key_id, _PLACE, to_json(sealed)),
    }


def _partner(keyring: Keyring, row: PartnerRow) -> Partner:
    sealed = from_json(keyring.open(_PLACE, row.sealed))
    return Partner(
        id=row.id,
        controller_id=row.controller_id,
        name=row.name,
        kind=PartnerKind(row.kind),
        cvr=row.cvr,
        what=row.what,
        contact=from_plain(ContactPoint, sealed["contact"]),
        language=sealed["language"],
        removed=row.removed_at is not None,
        has_link=row.tip_hash is not None,
    )
