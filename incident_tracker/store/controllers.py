"""Controllers and the people on call for them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.parties import ContactPoint, Controller, OnCallContact
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.parties import ContactRow, ControllerRow

DETAILS = "controllers.details"


def look_up_subject(controller_id: int) -> str:
    """Return whose key makes the fingerprints (`Keyring.fingerprint`) by which a controller's people are found."""
    return f"controller:{controller_id}"


def add(session: Session, keyring: Keyring, key_id: str, controller: Controller, now: datetime) -> Controller:
    """Insert a controller and return it with its id; one that was reserved is kept."""
    row = _row(keyring, key_id, controller) | {"created_at": now}
    if controller.id:
        row["id"] = controller.id
    new_id = session.execute(insert(ControllerRow).values(**row).returning(ControllerRow.id)).scalar_one()
    return _with_id(controller, new_id)


def reserve_id(session: Session) -> int:
    """Return the id for a controller that is about to be added, so that its keys can be made before it."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.execute(text("SELECT nextval(pg_get_serial_sequence('controllers', 'id'))")).scalar_one())
    return int(session.execute(select(func.coalesce(func.max(ControllerRow.id), 0) + 1)).scalar_one())


def save(session: Session, keyring: Keyring, key_id: str, controller: Controller) -> None:
    """Write a controller anew."""
    session.execute(
        update(ControllerRow).where(ControllerRow.id == controller.id).values(**_row(keyring, key_id, controller))
    )


def listing(session: Session, keyring: Keyring, scope: Scope) -> list[Controller]:
    """Return the controllers, oldest first."""
    statement = select(ControllerRow).order_by(ControllerRow.id)
    if scope is not None:
        statement = statement.where(ControllerRow.id.in_(scope))
    return [_controller(keyring, row) for row in session.scalars(statement)]


def time_zones(session: Session) -> dict[int, str]:
    """Return the zone of each controller, for the clock, which serves all of them."""
    return {row.id: row.time_zone for row in session.execute(select(ControllerRow.id, ControllerRow.time_zone))}


def lock(session: Session, controller_ids: Iterable[int]) -> None:
    """Let nobody else lock these controllers before the transaction ends."""
    statement = select(ControllerRow.id).where(ControllerRow.id.in_(set(controller_ids))).order_by(ControllerRow.id)
    session.execute(statement.with_for_update(key_share=True)).all()


def get(session: Session, keyring: Keyring, controller_id: int, scope: Scope) -> Controller:
    """Return one controller, or refuse alike whether it is missing or somebody else's."""
    row = session.get(ControllerRow, controller_id)
    if row is None or (scope is not None and row.id not in scope):
        raise NotFound(what="controller")
    return _controller(keyring, row)


def by_slug(session: Session, keyring: Keyring, slug: str, scope: Scope) -> Controller:
    """Return one controller by its slug."""
    row = session.scalars(select(ControllerRow).where(ControllerRow.slug == slug)).one_or_none()
    if row is None or (scope is not None and row.id not in scope):
        raise NotFound(what=slug)
    return _controller(keyring, row)


def add_contact(
    session: Session, keyring: Keyring, key_id: str, contact: OnCallContact, phone_hash: bytes, now: datetime
) -> int:
    """Put someone on call and return the contact's id."""
    row = {
        "controller_id": contact.controller_id,
        "user_id": contact.user_id,
        "position": contact.position,
        "name": keyring.seal_text(key_id, "contacts.name", contact.name),
        "phone": keyring.seal_text(key_id, "contacts.phone", contact.phone),
        "phone_hash": phone_hash,
        "email": keyring.seal_text(key_id, "contacts.email", contact.email) if contact.email else None,
        "language": contact.language,
        "verified_at": now if contact.verified else None,
        "created_at": now,
    }
    return int(session.execute(insert(ContactRow).values(**row).returning(ContactRow.id)).scalar_one())


def contacts(session: Session, keyring: Keyring, scope: Scope) -> dict[int, list[OnCallContact]]:
    """Return who is on call for each controller, in the order of calling."""
    statement = (
        select(ContactRow)
        .where(ContactRow.removed_at.is_(None))
        .order_by(ContactRow.controller_id, ContactRow.position)
    )
    if scope is not None:
        statement = statement.where(ContactRow.controller_id.in_(scope))
    found: dict[int, list[OnCallContact]] = {}
    for row in session.scalars(statement):
        found.setdefault(row.controller_id, []).append(_contact(keyring, row))
    return found


def contacts_by_ids(session: Session, keyring: Keyring, ids: Iterable[int], scope: Scope) -> dict[int, OnCallContact]:
    """Return contacts by id, those taken off call included: the journal still names them."""
    statement = select(ContactRow).where(ContactRow.id.in_(set(ids)))
    if scope is not None:
        statement = statement.where(ContactRow.controller_id.in_(scope))
    return {row.id: _contact(keyring, row) for row in session.scalars(statement)}


def contact_ids_by_phone(session: Session, phone_hashes: Iterable[bytes]) -> list[int]:
    """Return the contacts that have one of these phone fingerprints (each controller has its own key)."""
    statement = select(ContactRow.id).where(
        ContactRow.phone_hash.in_(set(phone_hashes)), ContactRow.removed_at.is_(None)
    )
    return list(session.scalars(statement))


def next_position(session: Session, controller_id: int) -> int:
    """Return the place after the last contact."""
    statement = select(func.coalesce(func.max(ContactRow.position), 0)).where(
        ContactRow.controller_id == controller_id, ContactRow.removed_at.is_(None)
    )
    return int(session.execute(statement).scalar_one()) + 1


def move_contact(session: Session, contact_id: int, position: int) -> None:
    """Give a contact another place in the order of calling."""
    session.execute(update(ContactRow).where(ContactRow.id == contact_id).values(position=position))


def remove_contact(session: Session, contact_id: int, now: datetime) -> None:
    """Take someone off call; messages already sent keep pointing to her."""
    session.execute(update(ContactRow).where(ContactRow.id == contact_id).values(removed_at=now))


def verify_contact(session: Session, contact_id: int, how: str, now: datetime) -> bool:
    """Record that the number was shown to reach her, unless it was already; return whether it was news."""
    statement = update(ContactRow).where(ContactRow.id == contact_id, ContactRow.verified_how == text("''"))
    changed = session.execute(statement.values(verified_at=now, verified_how=how).returning(ContactRow.id))
    return changed.first() is not None


def mute_contacts(session: Session, contact_ids: Iterable[int], muted_at: datetime | None) -> None:
    """Record that she wrote STOP (or took it back)."""
    session.execute(update(ContactRow).where(ContactRow.id.in_(set(contact_ids))).values(muted_at=muted_at))


def any_muted(session: Session) -> bool:
    """Return whether anybody on call has muted the SMS."""
    muted = select(ContactRow.id).where(ContactRow.muted_at.is_not(None), ContactRow.removed_at.is_(None))
    return session.execute(muted.limit(1)).first() is not None


def _with_id(controller: Controller, new_id: int) -> Controller:
    return from_plain(Controller, to_plain(controller) | {"id": new_id})


def _row(keyring: Keyring, key_id: str, controller: Controller) -> dict[str, object]:
    details = {"contact": to_plain(controller.contact), "dpo": to_plain(controller.dpo)}
    return {
        "slug": controller.slug,
        "name": controller.name,
        "cvr": controller.cvr,
        "time_zone": controller.time_zone,
        "language": controller.language,
        "sector": controller.sector,
        "reference_prefix": controller.reference_prefix,
        "details": keyring.seal(key_id, DETAILS, to_json(details)),
        "four_eyes": controller.four_eyes,
        "colour": controller.colour,
    }


def _controller(keyring: Keyring, row: ControllerRow) -> Controller:
    details = from_json(keyring.open(DETAILS, row.details))
    return Controller(
        id=row.id,
        slug=row.slug,
        name=row.name,
        cvr=row.cvr,
        time_zone=row.time_zone,
        language=row.language,
        sector=row.sector,
        reference_prefix=row.reference_prefix,
        contact=from_plain(ContactPoint, details["contact"]),
        dpo=from_plain(ContactPoint, details["dpo"]),
        four_eyes=row.four_eyes,
        colour=row.colour,
    )


def _contact(keyring: Keyring, row: ContactRow) -> OnCallContact:
    return OnCallContact(
        id=row.id,
        controller_id=row.controller_id,
        position=row.position,
        name=keyring.open_text("contacts.name", row.name),
        phone=keyring.open_text("contacts.phone", row.phone),
        email=keyring.open_text("contacts.email", row.email) if row.email else "",
        language=row.language,
        verified=row.verified_at is not None,
        muted=row.muted_at is not None,
        user_id=row.user_id,
    )
