"""Four eyes inside a transaction that is under way: asked for, demanded, withdrawn, used.

What a decision is about has a digest: whatever is changed afterwards is no longer what was approved.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.orm import Session

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain import approvals as rules
from incident_tracker.domain.access import ALLOWED, Act
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.events import ApprovalAsked
from incident_tracker.domain.regimes import duty_name
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work
from incident_tracker.store import approvals as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import users
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel, Content

RANK = 50
"""Goes out after alarms, before notices."""
_LIVE = (State.WAITING, State.APPROVED)


def ask(
    work: Work, loaded: Loaded, *, subject: str, digest: str, reason: str = "", not_by: Collection[str] = ()
) -> str:
    """Ask for a second pair of eyes on exactly what `digest` covers; return the id of the approval.

    The same asked twice is one; something else about the same subject ends what was asked or approved before. Nobody
    named in `not_by` (who wrote it last) may approve. Whoever may is told by e-mail.
    """
    before = of_subject(work.session, work.keyring, loaded.id, subject)
    if before is not None and before.state in _LIVE and before.digest == digest:
        return before.id
    withdraw(work, loaded, subject)
    approval = Approval(
        id=new_id(work.now),
        controller_id=loaded.incident.controller_id,
        incident_id=loaded.id,
        subject=subject,
        digest=digest,
        state=State.WAITING,
        asked_by=work.actor.name,
        asked_at=work.now,
        reason=reason,
        not_by=tuple(sorted(set(not_by) - {work.actor.name})),
    )
    rows.add(work.session, work.keyring, loaded.record_key, approval)
    work.note_on(loaded.head, ApprovalAsked(approval.id, subject, digest, reason))
    _tell_colleagues(work, loaded, approval)
    return approval.id


def require(work: Work, loaded: Loaded, subject: str, digest: str) -> Approval:
    """Return the approval of exactly this, if it may be carried out now; refuse otherwise."""
    return rules.require(of_subject(work.session, work.keyring, loaded.id, subject), digest, work.now)


def withdraw(work: Work, loaded: Loaded, subject: str) -> None:
    """End what was asked or approved about a subject; nothing happens where there is nothing."""
    approval = of_subject(work.session, work.keyring, loaded.id, subject)
    if approval is None or approval.state not in _LIVE:
        return
    ended = replace(approval, state=State.WITHDRAWN, invited_until=None)
    rows.save(work.session, work.keyring, loaded.record_key, ended, was=State(approval.state))


def use(work: Work, approval: Approval) -> None:
    """Count an approval as used; once only."""
    used = replace(approval, state=State.USED, invited_until=None)
    head = incident_rows.heads(work.session, [approval.incident_id])[approval.incident_id]
    if not rows.save(work.session, work.keyring, head.record_key, used, was=State.APPROVED):
        raise rules.NotApproved


def of_subject(session: Session, keyring: Keyring, incident_id: int, subject: str) -> Approval | None:
    """Return the newest approval of a subject on an incident found before."""
    return rows.of_subject(session, keyring, incident_id, subject)


def _tell_colleagues(work: Work, loaded: Loaded, approval: Approval) -> None:
    """Write an e-mail to each colleague who may be the second pair of eyes."""
    controller_id = approval.controller_id
    staff = users.listing(work.session, work.keyring, frozenset({controller_id}))
    address = address_of(work.context, loaded, approval)
    subject_key = controller_rows.look_up_subject(controller_id)
    mails = [
        NewDelivery(
            controller_id=controller_id,
            purpose=Purpose.ACCOUNT,
            once=f"approval:{approval.id}:{user.id}",
            channel=Channel.EMAIL,
            address=user.email,
            address_hash=work.keyring.fingerprint(subject_key, user.email, work.now),
            content=_asked(loaded, approval, user.language, address),
            incident_id=loaded.id,
            rank=RANK,
        )
        for user in staff
        if not user.is_disabled
        and user.grants.get(controller_id) in ALLOWED[Act.DECIDE]
        and rules.is_second_pair(approval, f"user:{user.id}")
    ]
    enqueue(
        work.session,
        work.keyring,
        loaded.record_key,
        work.now,
        work.context.routing,
        mails,
        local_only=loaded.incident.exercise,
    )


def _asked(loaded: Loaded, approval: Approval, language: str, address: str) -> Content:
    values = {
        "reference": loaded.incident.reference,
        "exercise": loaded.incident.exercise,
        "kind": kind_of(approval),
        "duty": duty_words(approval, language),
        "address": address,
    }
    return Content(
        text=rendering.message("approval/asked", "body", language, **values),
        subject=rendering.message("approval/asked", "subject", language, **values),
        language=language,
    )


def address_of(context: Context, loaded: Loaded, approval: Approval) -> str:
    """Return the address of the page where it is decided."""
    return f"{context.settings.public_url}/incidents/{loaded.incident.reference}/approvals/{approval.id}"


def kind_of(approval: Approval) -> str:
    """Return `set_aside` or `notice`: what kind of decision it is about."""
    return approval.subject.partition(":")[0]


def duty_words(approval: Approval, language: str) -> str:
    """Return what the duty is called that would be set aside; empty where it is about something else."""
    if approval.duty is None:
        return ""
    return rendering.translations(language).gettext(duty_name(approval.duty[1]))
