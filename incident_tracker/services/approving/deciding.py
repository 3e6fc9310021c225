"""A second pair of eyes decides; what was asked for is done in the same transaction where nothing must be waited for.

The row of the incident is locked first: of two who decide at once, one wins and the other is told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain import approvals as rules
from incident_tracker.domain import incident as incident_rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import ApprovalDecided, DutySetAside
from incident_tracker.services import approvals, incidents, notices, sign_in
from incident_tracker.services.accounts import PasswordIsNotRight
from incident_tracker.services.context import Context
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import approvals as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import users
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.incidents import Loaded
from notifiers.protocol import Channel, Content

TAKEN_BACK = "taken_back"


def approve(context: Context, actor: Actor, approval_id: str, *, reason: str = "") -> None:
    """Say yes as a colleague who neither asked nor wrote; a duty is set aside, a notice may be sent, at once."""
    reason = clean(reason, "reason", required=False)
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        rules.must_be_second_pair(approval, actor)
        settle(work, loaded, approval, approved=True, way=rules.COLLEAGUE, why=reason)


def reject(context: Context, actor: Actor, approval_id: str, *, reason: str) -> None:
    """Say no as a colleague, with the reason."""
    reason = clean(reason, "reason", required=False)
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        rules.must_be_second_pair(approval, actor)
        rules.must_be_reasoned(reason)
        settle(work, loaded, approval, approved=False, way=rules.COLLEAGUE, why=reason)


def approve_alone(
    context: Context, actor: Actor, approval_id: str, *, reason: str, password: str, address: str = ""
) -> None:
    """Say yes alone, where the controller allows it: a reason, the password again, and 15 minutes before it is done.

    `address` is where the request came from: wrong passwords are slowed down as at signing in.
    """
    reason = clean(reason, "reason", required=False)
    rules.must_be_a_person(actor)
    with context.database.reading() as session:
        _, approval = rows.get(session, context.keyring, approval_id, actor.scope)
        actor.must(Act.DECIDE, approval.controller_id)
        controller = controller_rows.get(session, context.keyring, approval.controller_id, actor.scope)
    rules.may_be_alone(controller.four_eyes)
    rules.must_be_waiting(approval)
    rules.must_be_reasoned(reason)
    _sign_in_again(context, actor, password, address)
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        controller = controller_rows.get(work.session, work.keyring, approval.controller_id, actor.scope)
        rules.may_be_alone(controller.four_eyes)
        until = work.now + rules.WAIT_ALONE
        settle(work, loaded, approval, approved=True, way=rules.ALONE, why=reason, not_before=until)


def carry_out(context: Context, actor: Actor, approval_id: str) -> None:
    """Set the duty aside that somebody alone decided on, once the wait is over."""
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        if approval.duty is None:
            raise NotFound(what="approval")
        rules.require(approval, current_digest(loaded, approval), work.now)
        _set_aside(work, loaded, approval)


def take_back(context: Context, actor: Actor, approval_id: str) -> None:
    """End what was asked for or decided, before it is done; it can be asked for anew."""
    with deciding(context, actor, approval_id) as (work, loaded, approval):
        if approval.state not in (State.WAITING, State.APPROVED):
            raise rules.AlreadyDecided
        approvals.withdraw(work, loaded, approval.subject)
        if approval.notice_id is not None:
            notices.rejected(work, loaded, approval.notice_id)
        _note(work, loaded, approval, approved=False, way=TAKEN_BACK)


@contextmanager
def deciding(context: Context, actor: Actor, approval_id: str) -> Iterator[tuple[Work, Loaded, Approval]]:
    """Give a unit of work that holds the incident, and the approval as it is now."""
    with context.database.reading() as session:
        reference, _ = rows.get(session, context.keyring, approval_id, actor.scope)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.DECIDE)
        _, approval = rows.get(work.session, work.keyring, approval_id, actor.scope)
        yield work, loaded, approval


def settle(
    work: Work,
    loaded: Loaded,
    approval: Approval,
    *,
    approved: bool,
    way: str,
    why: str,
    not_before: datetime | None = None,
) -> None:
    """Write down the decision, and do what was asked for where nothing must be waited for."""
    rules.must_be_waiting(approval)
    if approved:
        must_be_unchanged(work, loaded, approval)
    decided = replace(
        approval,
        state=State.APPROVED if approved else State.REJECTED,
        way=way,
        why=why,
        decided_by=work.actor.name,
        decided_at=work.now,
        not_before=not_before,
        invited_until=None,
    )
    if not rows.save(work.session, work.keyring, loaded.record_key, decided, was=State.WAITING):
        raise rules.AlreadyDecided
    _note(work, loaded, decided, approved=approved, way=way)
    if decided.notice_id is not None:
        (notices.approved if approved else notices.rejected)(work, loaded, decided.notice_id)
    elif approved and not_before is None:
        _set_aside(work, loaded, decided)
    _tell_asker(work, loaded, decided)


def must_be_unchanged(work: Work, loaded: Loaded, approval: Approval) -> None:
    """Refuse to approve what would no longer be done as it was asked for."""
    if approval.duty is not None:
        incidents.running_duty(work, loaded, *approval.duty)
    if current_digest(loaded, approval) != approval.digest:
        raise rules.ChangedSinceApproval


def current_digest(loaded: Loaded, approval: Approval) -> str:
    """Return the digest of what would be done now."""
    if approval.duty is None:
        return approval.digest
    return rules.digest_of_setting_aside(*approval.duty, approval.reason, loaded.incident.assessment_version)


def _set_aside(work: Work, loaded: Loaded, approval: Approval) -> None:
    regime, duty = approval.duty or ("", "")
    incidents.running_duty(work, loaded, regime, duty)
    incident_rules.may_be_set_aside(loaded.incident, duty, reason=approval.reason)
    by = approval.outsider if approval.way == rules.OUTSIDE else approval.decided_by or ""
    aside = DutySetAside(regime, duty, work.now, approval.reason, approval.asked_by, by, approval.way)
    work.record(loaded, aside)
    approvals.use(work, approval)


def _note(work: Work, loaded: Loaded, approval: Approval, *, approved: bool, way: str) -> None:
    outsider = approval.outsider if way == rules.OUTSIDE else ""
    decided = ApprovalDecided(
        approval_id=approval.id,
        subject=approval.subject,
        digest=approval.digest,
        approved=approved,
        way=way,
        reason=approval.why,
        outsider=outsider,
        not_before=approval.not_before,
    )
    work.note_on(loaded.head, decided)


def _sign_in_again(context: Context, actor: Actor, password: str, address: str) -> None:
    with context.database.reading() as session:
        user = users.get(session, context.keyring, actor.user_id or 0)
    if user is None:
        raise PasswordIsNotRight(field="password")
    try:
        sign_in.prove(context, email=user.email, password=password, address=address)
    except sign_in.SignInRefused:
        raise PasswordIsNotRight(field="password") from None


def _tell_asker(work: Work, loaded: Loaded, approval: Approval) -> None:
    """Write to whoever asked, where somebody else decided."""
    name = approval.asked_by
    if name == work.actor.name or not name.startswith("user:"):
        return
    user = users.get(work.session, work.keyring, int(name[5:]))
    if user is None or user.is_disabled:
        return
    values = {
        "reference": loaded.incident.reference,
        "exercise": loaded.incident.exercise,
        "kind": approvals.kind_of(approval),
        "approved": approval.state == State.APPROVED,
        "address": approvals.address_of(work.context, loaded, approval),
    }
    mail = NewDelivery(
        controller_id=approval.controller_id,
        purpose=Purpose.ACCOUNT,
        once=f"approval-decided:{approval.id}",
        channel=Channel.EMAIL,
        address=user.email,
        address_hash=work.keyring.fingerprint(
            controller_rows.look_up_subject(approval.controller_id), user.email, work.now
        ),
        content=Content(
            text=rendering.message("approval/decided", "body", user.language, **values),
            subject=rendering.message("approval/decided", "subject", user.language, **values),
            language=user.language,
        ),
        incident_id=loaded.id,
        rank=approvals.RANK,
    )
    local = loaded.incident.exercise
    enqueue(work.session, work.keyring, loaded.record_key, work.now, work.context.routing, [mail], local_only=local)
