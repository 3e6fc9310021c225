"""The list of partners: added, changed, taken off."""

from dataclasses import dataclass, replace

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.events import PartnerChanged
from incident_tracker.domain.parties import LANGUAGES, ContactPoint
from incident_tracker.domain.partners import Partner, PartnerHasNoAddress, PartnerKind
from incident_tracker.services import accounts, controllers, emails, phones, texts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import partners as rows
from incident_tracker.store.partners import Agreement

NAME_LIMIT = 120
WHAT_LIMIT = 300
NO_POINT = ContactPoint()


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """What is known of a partner, as typed. One of e-mail and mobile is demanded."""

    name: str
    kind: str = PartnerKind.PROCESSOR.value
    cvr: str = ""
    what: str = ""
    contact: ContactPoint = NO_POINT
    language: str = "da"


@dataclass(frozen=True, slots=True)
class Kept:
    """A partner as its page shows it, with the agreements, the newest first."""

    partner: Partner
    agreements: tuple[Agreement, ...]


def listing(context: Context, actor: Actor, controller_id: int) -> tuple[Kept, ...]:
    """Return a controller's partners by name."""
    actor.must(Act.READ, controller_id)
    with context.database.reading() as session:
        found = rows.listing(session, context.keyring, controller_id, actor.scope)
        agreements = rows.agreements(session, context.keyring, [one.id for one in found], actor.scope)
    return tuple(Kept(one, tuple(agreements[one.id])) for one in found)


def get(context: Context, actor: Actor, partner_id: int) -> Kept:
    """Return one partner; one that was taken off the list can still be read."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        partner = rows.get(session, context.keyring, partner_id, scope)
        agreements = rows.agreements(session, context.keyring, [partner.id], scope)
    return Kept(partner, tuple(agreements[partner.id]))


def add(context: Context, actor: Actor, controller_id: int, facts: PartnerFacts) -> int:
    """Keep another partner and return its id."""
    actor.must(Act.WORK, controller_id)
    partner = replace(_checked(facts), controller_id=controller_id)
    with working(context, actor) as work:
        new_id = rows.add(work.session, work.keyring, work.keyring.year(work.now), partner, work.now)
        work.note(PartnerChanged(new_id, controller_id, "added"), controller_id)
    return new_id


def change(context: Context, actor: Actor, partner_id: int, facts: PartnerFacts) -> None:
    """Write what is known of a partner anew."""
    checked = _checked(facts)
    with working(context, actor) as work:
        before = load(work, partner_id, Act.WORK)
        after = replace(
            checked,
            id=before.id,
            controller_id=before.controller_id,
            removed=before.removed,
            has_link=before.has_link,
        )
        if after != before:
            rows.save(work.session, work.keyring, work.keyring.year(work.now), after)
            work.note(PartnerChanged(before.id, before.controller_id, "changed"), before.controller_id)


def remove(context: Context, actor: Actor, partner_id: int) -> None:
    """Take a partner off the list. Agreements and what it was told are kept; its link ends."""
    with working(context, actor) as work:
        partner = load(work, partner_id, Act.DECIDE)
        rows.remove(work.session, partner.id, work.now)
        work.note(PartnerChanged(partner.id, partner.controller_id, "removed"), partner.controller_id)


def load(work: Work, partner_id: int, act: Act) -> Partner:
    """Return a partner, locked, if the actor may do `act` for its controller."""
    partner = rows.get(work.session, work.keyring, partner_id, work.actor.scope, lock=True)
    work.actor.must(act, partner.controller_id)
    return partner


def _checked(facts: PartnerFacts) -> Partner:
    accounts.one_of(facts.kind, tuple(one.value for one in PartnerKind), "kind")
    accounts.one_of(facts.language, LANGUAGES, "language")
    point = facts.contact
    email = emails.read(point.email, "contact_email", required=False)
    phone = phones.to_e164(point.phone, "contact_phone") if point.phone.strip() else ""
    if not email and not phone:
        raise PartnerHasNoAddress(field="contact_email")
    return Partner(
        id=0,
        controller_id=0,
        name=texts.clean_line(facts.name, "name", limit=NAME_LIMIT),
        kind=PartnerKind(facts.kind),
        cvr=controllers.cvr(facts.cvr),
        what=texts.clean_line(facts.what, "what", limit=WHAT_LIMIT, required=False),
        contact=ContactPoint(
            texts.clean_line(point.name, "contact_name", limit=NAME_LIMIT, required=False), email, phone
        ),
        language=facts.language,
    )
