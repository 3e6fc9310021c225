"""A partner tells us: by a link of its own, or somebody of staff writes down what it said.

Either opens an incident. Whether and since when we are aware of a breach stays to be decided: the clock of the 72
hours starts at our own awareness, not at the partner's (EDPB Guidelines 9/2022, para. 44).
"""

import hashlib
import secrets
from datetime import datetime

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import NoteAdded, PartnerChanged, PartnerConcerned
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.domain.partners import MOST_TIPS, TIPS_WITHIN, Partner, TooManyTips
from incident_tracker.services import incidents
from incident_tracker.services.context import Context
from incident_tracker.services.partners.listing import get, load
from incident_tracker.services.texts import TITLE_LIMIT, clean, clean_line, headline
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import partners as rows
from incident_tracker.store.incidents import Loaded

_SECRET_BYTES = 24
REACH_LIMIT = 200


def new_link(context: Context, actor: Actor, partner_id: int) -> str:
    """Make the secret of a partner's link and return it, this once; the link before it ends."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with working(context, actor) as work:
        partner = load(work, partner_id, Act.WORK)
        if partner.removed:
            raise NotFound(what="partner")
        rows.set_tip(work.session, partner.id, _hash(secret))
        work.note(PartnerChanged(partner.id, partner.controller_id, "linked"), partner.controller_id)
    return secret


def end_link(context: Context, actor: Actor, partner_id: int) -> None:
    """Let a partner's link end."""
    with working(context, actor) as work:
        partner = load(work, partner_id, Act.WORK)
        rows.set_tip(work.session, partner.id, None)
        work.note(PartnerChanged(partner.id, partner.controller_id, "unlinked"), partner.controller_id)


def by_secret(context: Context, secret: str) -> tuple[Partner, Controller] | None:
    """Return whose link this is, and who listens behind it; None where it has ended or never was."""
    with context.database.reading() as session:
        partner = rows.by_tip(session, context.keyring, _hash(secret))
        if partner is None:
            return None
        return partner, controller_rows.get(session, context.keyring, partner.controller_id, None)


def take_tip(context: Context, secret: str, *, what: str, reach: str = "", once: str = "") -> str | None:
    """Open an incident from what a partner wrote behind its link; return the reference, None for a dead link.

    `reach` says how its people are reached and becomes a note in the record. `once` names the form that was sent.
    """
    what = clean(what, "what")
    reach = clean_line(reach, "reach", limit=REACH_LIMIT, required=False)
    found = by_secret(context, secret)
    if found is None:
        return None
    partner, controller = found
    now = context.now()
    with context.database.reading() as session:
        number = rows.tips_since(session, partner.id, now - TIPS_WITHIN)
    if number >= MOST_TIPS:
        contact = controller.contact.phone or controller.contact.email or "-"
        raise TooManyTips(number=number, controller=controller.name, contact=contact)
    actor = Actor(f"partner:{partner.id}", {controller.id: Role.RESPONDER})
    return _open(context, actor, partner, what=what, reach=reach, once=once)


def record_tip(
    context: Context,
    actor: Actor,
    partner_id: int,
    *,
    what: str,
    told_at: datetime | None = None,
    reach: str = "",
    once: str = "",
) -> str:
    """Open an incident from what a partner said by phone, letter or mail; return its reference."""
    partner = get(context, actor, partner_id).partner
    actor.must(Act.WORK, partner.controller_id)
    if partner.removed:
        raise NotFound(what="partner")
    what = clean(what, "what")
    reach = clean_line(reach, "reach", limit=REACH_LIMIT, required=False)
    return _open(context, actor, partner, what=what, reach=reach, once=once, told_at=told_at)


def _open(
    context: Context,
    actor: Actor,
    partner: Partner,
    *,
    what: str,
    reach: str,
    once: str,
    told_at: datetime | None = None,
) -> str:
    def name_partner(work: Work, loaded: Loaded) -> None:
        rows.concern(work.session, loaded.id, partner, work.now)
        work.note_on(loaded.head, PartnerConcerned(partner.id, partner.name))
        if reach:
            work.note_on(loaded.head, NoteAdded(reach))

    return incidents.open_incident(
        context,
        actor,
        title=clean_line(f"{partner.name}: {headline(what)}"[:TITLE_LIMIT], "what"),
        what_happened=what,
        detected_at=told_at,
        place=partner.name,
        controller_id=partner.controller_id,
        once=once,
        also=name_partner,
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
