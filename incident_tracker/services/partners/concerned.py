"""Which partners an incident concerns, and what each was told: a line of the ledger of its own."""

from dataclasses import dataclass

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import PartnerConcerned
from incident_tracker.domain.incident import must_be_open
from incident_tracker.domain.partners import Partner, recipient_id
from incident_tracker.services.context import Context
from incident_tracker.services.partners.listing import load
from incident_tracker.services.work import working
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import partners as rows
from incident_tracker.store.deliveries import of_notices
from incident_tracker.store.deliveries.of_notices import LedgerRow


@dataclass(frozen=True, slots=True)
class Concerned:
    """A partner on an incident with everything that was sent to it about this incident, oldest first."""

    partner: Partner
    told: tuple[LedgerRow, ...]


def concern(context: Context, actor: Actor, reference: str, partner_id: int) -> None:
    """Name a partner on an incident, so that it is among those who are told; twice changes nothing."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        must_be_open(loaded.incident)
        partner = load(work, partner_id, Act.WORK)
        if partner.controller_id != loaded.incident.controller_id or partner.removed:
            raise NotFound(what="partner")
        if rows.concern(work.session, loaded.id, partner, work.now):
            work.note_on(loaded.head, PartnerConcerned(partner.id, partner.name))


def leave_out(context: Context, actor: Actor, reference: str, partner_id: int) -> None:
    """Take a partner off an incident; what it was told stays in the ledger."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        must_be_open(loaded.incident)
        partner = load(work, partner_id, Act.WORK)
        if not rows.leave_out(work.session, loaded.id, partner.id):
            raise NotFound(what="partner")
        work.note_on(loaded.head, PartnerConcerned(partner.id, partner.name, concerned=False))


def of_incident(context: Context, actor: Actor, reference: str) -> tuple[Concerned, ...]:
    """Return the partners that an incident concerns."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        found = rows.of_incident(session, context.keyring, loaded.id, scope)
        return tuple(
            Concerned(one, tuple(of_notices.of_recipient(session, scope, recipient_id(loaded.id, one.id))))
            for one in found
        )
