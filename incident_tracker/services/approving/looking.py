"""What waits for a second pair of eyes, and one decision with what this person may do about it."""

from dataclasses import dataclass
from itertools import islice

from incident_tracker.domain import approvals as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import Approval, State
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.parties import Controller
from incident_tracker.services import colleagues
from incident_tracker.services.approving.deciding import current_digest
from incident_tracker.services.context import Context
from incident_tracker.store import approvals as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store.approvals import Waiting

__all__ = ["Shown", "Waiting", "newest", "show", "waiting"]
_MOST = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """One decision: what was asked for, by whom, how it stands, and what this person may do.

    `changed` says that it is no longer what was asked for. `names` are those of who asked and decided.
    """

    incident: Incident
    controller: Controller
    approval: Approval
    names: dict[str, str]
    changed: bool
    may_decide: bool
    may_invite: bool
    may_alone: bool
    may_carry_out: bool
    may_take_back: bool


def show(context: Context, actor: Actor, approval_id: str) -> Shown:
    """Return one decision."""
    with context.database.reading() as session:
        reference, approval = rows.get(session, context.keyring, approval_id, actor.scope)
        actor.must(Act.READ, approval.controller_id)
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        controller = controller_rows.get(session, context.keyring, approval.controller_id, actor.scope)
    names = colleagues.names(context, actor, [approval.asked_by, approval.decided_by or ""])
    changed = current_digest(loaded, approval) != approval.digest
    decides = actor.user_id is not None and actor.may(Act.DECIDE, approval.controller_id)
    open_to = decides and approval.is_waiting and loaded.incident.is_open
    second = rules.is_second_pair(approval, actor.name)
    done = approval.may_be_done(context.now()) and approval.duty is not None
    return Shown(
        incident=loaded.incident,
        controller=controller,
        approval=approval,
        names=names,
        changed=changed,
        may_decide=open_to and second and not changed,
        may_invite=open_to and not changed,
        may_alone=open_to and not second and not changed and controller.four_eyes == rules.ALONE,
        may_carry_out=decides and done and not changed,
        may_take_back=decides and approval.state in (State.WAITING, State.APPROVED),
    )


def waiting(context: Context, actor: Actor) -> tuple[Waiting, ...]:
    """Return what waits for this person's eyes, the oldest first, 50 at most."""
    scope = actor.scope_for(Act.DECIDE)
    if scope is not None and not scope:
        return ()
    with context.database.reading() as session:
        found = (
            one
            for one in rows.waiting(session, context.keyring, scope)
            if actor.grants is None or rules.is_second_pair(one.approval, actor.name)
        )
        return tuple(islice(found, _MOST))


def newest(context: Context, actor: Actor, reference: str) -> dict[str, tuple[Approval, bool]]:
    """Return the newest approval of each subject of an incident, and whether the facts have changed since."""
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        actor.must(Act.READ, loaded.incident.controller_id)
        found = rows.of_incident(session, context.keyring, loaded.id, actor.scope)
    return {one.subject: (one, current_digest(loaded, one) != one.digest) for one in found}
