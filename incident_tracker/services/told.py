"""What one person was told: every message to her with what came back, for her page and for her own questions."""

from dataclasses import dataclass

from incident_tracker.delivery.parcel import UNREADABLE
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.partners import partner_id_of
from incident_tracker.domain.people import Person
from incident_tracker.services.context import Context
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as notice_rows
from incident_tracker.store import partners as partner_rows
from incident_tracker.store import people as people_rows
from incident_tracker.store.deliveries import LedgerRow, of_notices, told


@dataclass(frozen=True, slots=True)
class Told:
    """Who was told what. `person` is None once the people are forgotten, and for a partner, who has a name alone.

    Each line comes with the number of its notice.
    """

    name: str
    person: Person | None
    lines: tuple[tuple[int, LedgerRow], ...]


def told_to(context: Context, actor: Actor, reference: str, recipient_id: str) -> Told:
    """Return everything that notices of an incident sent to one recipient, the oldest first."""
    scope = actor.scope_for(Act.READ)
    if not recipient_id.isprintable():
        raise NotFound(what="recipient")
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        sealed = notice_rows.people_by_ids(session, loaded.id, [recipient_id])
        found = of_notices.of_recipient(session, scope, recipient_id)
        notices = told.notices_of(session, scope, loaded.id, [one.id for one in found])
        numbers = {one.id: one.number for one in notice_rows.of_incident(session, context.keyring, loaded.id, scope)}
        partner_id = partner_id_of(recipient_id) if notices else None
        partner = "" if partner_id is None else partner_rows.names(session, [partner_id], scope).get(partner_id, "")
    if not sealed and not notices:
        raise NotFound(what=recipient_id[:40])
    person = None
    if sealed:
        try:
            person = people_rows.open_person(context.keyring, sealed[0])
        except UNREADABLE:
            person = None
    name = partner if person is None else person.name
    lines = tuple((numbers[notices[one.id]], one) for one in found if one.id in notices)
    return Told(name, person, lines)
