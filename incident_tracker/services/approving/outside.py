"""Somebody outside as the second pair of eyes: a one-time link, without an account.

Only the hash of the link's secret is kept. Opening the link changes nothing (mail scanners open links); sending the
form decides, once. A new invitation ends the one before.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain import approvals as rules
from incident_tracker.domain.access import Actor
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.events import ApprovalAsked
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import approvals, colleagues, emails
from incident_tracker.services.approving.deciding import deciding, must_be_unchanged, settle
from incident_tracker.services.context import Context
from incident_tracker.services.texts import clean, clean_line
from incident_tracker.services.work import Work
from incident_tracker.store import approvals as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import users
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.incidents import Loaded
from notifiers.protocol import Channel, Content

NAME_LIMIT = 120
OUTSIDE = "outside"
"""What the journal calls somebody outside; her name stands in the decision."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What somebody outside is shown: whose decision it is, who asked, and about which incident.

    `reader` may read what the decision is about, and nothing else is asked with it.
    """

    controller: Controller
    incident: Incident
    approval: Approval
    asked_by: str
    reader: Actor


def invite(context: Context, actor: Actor, approval_id: str, *, name: str, email: str) -> None:
    """Send a one-time link to somebody outside, who may decide within 72 hours; an earlier link ends."""
    name = clean_line(name, "name", limit=NAME_LIMIT)
    email = emails.read(email)
    secret = secrets.token_urlsafe(32)
    rules.must_be_a_person(actor)
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        rules.must_be_waiting(approval)
        must_be_unchanged(work, loaded, approval)
        _must_be_another(work, approval, email)
        invited = replace(approval, outsider=name, outsider_email=email, invited_until=work.now + rules.INVITED_FOR)
        if not rows.save(
            work.session, work.keyring, loaded.record_key, invited, was=State.WAITING, invite_hash=_hash(secret)
        ):
            raise rules.AlreadyDecided
        asked = ApprovalAsked(approval.id, approval.subject, approval.digest, approval.reason, invited=True)
        work.note_on(loaded.head, asked)
        _send(work, loaded, invited, secret)


def by_secret(context: Context, secret: str) -> Invitation:
    """Return what a one-time link is about; refuse alike whether it was used, replaced, is too old, or never was."""
    now = context.now()
    with context.database.reading() as session:
        found = rows.by_invitation(session, context.keyring, _hash(secret))
        if found is None or not rules.is_invited(found[1], now):
            raise rules.InvitationIsDead
        reference, approval = found
        scope = frozenset({approval.controller_id})
        controller = controller_rows.get(session, context.keyring, approval.controller_id, scope)
        incident = incident_rows.load(session, context.keyring, reference, scope).incident
    reader = Actor(OUTSIDE, {approval.controller_id: Role.AUDITOR})
    names = colleagues.names(context, reader, [approval.asked_by])
    return Invitation(controller, incident, approval, names.get(approval.asked_by, controller.name), reader)


def decide_outside(context: Context, secret: str, *, approve: bool, reason: str = "") -> None:
    """Decide by a one-time link; the link ends with it. A no needs a reason."""
    reason = clean(reason, "reason", required=False)
    found = by_secret(context, secret)
    actor = Actor(OUTSIDE, {found.controller.id: Role.DECISION_MAKER})
    with deciding(context, actor, found.approval.id) as (work, loaded, _):
        held = rows.by_invitation(work.session, work.keyring, _hash(secret))
        if held is None or not rules.is_invited(held[1], work.now):
            raise rules.InvitationIsDead
        if not approve:
            rules.must_be_reasoned(reason)
        settle(work, loaded, held[1], approved=approve, way=rules.OUTSIDE, why=reason)


def _must_be_another(work: Work, approval: Approval, email: str) -> None:
    """Refuse the address of whoever invites, asked, or wrote."""
    for name in {work.actor.name, approval.asked_by, *approval.not_by}:
        user = users.get(work.session, work.keyring, int(name[5:])) if name.startswith("user:") else None
        if user is not None and emails.key_of(user.email) == emails.key_of(email):
            raise rules.OutsiderIsYourself(field="email")


def _send(work: Work, loaded: Loaded, approval: Approval, secret: str) -> None:
    controller = controller_rows.get(work.session, work.keyring, approval.controller_id, work.actor.scope)
    language, until = controller.language, approval.invited_until or work.now
    user = users.get(work.session, work.keyring, work.actor.user_id or 0)
    values = {
        "outsider": approval.outsider,
        "asker": user.name if user is not None else controller.name,
        "controller": controller.name,
        "exercise": loaded.incident.exercise,
        "address": f"{work.context.settings.public_url}/approve/{secret}",
        "until": rendering.moment(until, controller.time_zone, language),
    }
    mail = NewDelivery(
        controller_id=controller.id,
        purpose=Purpose.ACCOUNT,
        once=f"approval-invited:{approval.id}:{_hash(secret).hex()[:16]}",
        channel=Channel.EMAIL,
        address=approval.outsider_email,
        address_hash=work.keyring.fingerprint(
            controller_rows.look_up_subject(controller.id), approval.outsider_email, work.now
        ),
        content=Content(
            text=rendering.message("approval/invited", "body", language, **values),
            subject=rendering.message("approval/invited", "subject", language, **values),
            language=language,
            sender_name=controller.name,
            reply_to=controller.contact.email,
        ),
        incident_id=loaded.id,
        rank=approvals.RANK,
    )
    local = loaded.incident.exercise
    enqueue(work.session, work.keyring, loaded.record_key, work.now, work.context.routing, [mail], local_only=local)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
