"""When a notice is told: no message of it is open any more.

That is written into the journal with counts and a digest of every outcome, and it meets the duties to tell people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from incident_tracker import rendering
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.deadlines import is_settled
from incident_tracker.domain.events import DutyMet, Event, NoticeFinished
from incident_tracker.domain.notices import PARTNERS, PEOPLE, Notice, State
from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.partners import PartnerKind, recipient_id
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store import partners
from incident_tracker.store.deliveries import of_notices
from incident_tracker.store.incidents import Loaded

_TAKEN = frozenset({"accepted", "delivered"})
_DUTIES: Mapping[str, frozenset[tuple[str, str]]] = {
    PEOPLE: frozenset({("gdpr", "notify_people"), ("promise", "inform_parties")}),
    PARTNERS: frozenset({("gdpr", "notify_controller")}),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all messages of a notice at one moment."""

    counts: Mapping[str, int]
    reached: int
    digest: str


def finish(context: Context, notice: Notice) -> None:
    """Write down that no message is open any more, and what that proves.

    The digest over many messages is made before the transaction, so that nobody waits for it. States only move
    forward: if the counts are still the same inside it, so is every outcome. Otherwise the next round tries again.
    """
    with context.database.reading() as session:
        outcome = _outcome(session, notice)
    with working(context, CLOCK) as work:
        loaded = incident_rows.load(work.session, work.keyring, notice.reference, None, lock=True)
        held = rows.get(work.session, work.keyring, notice.id, None, lock=True)
        if held.state is not State.SENDING or not held.all_told or of_notices.any_open(work.session, notice.id):
            return
        if of_notices.counts(work.session, None, [held.id])[held.id] != outcome.counts:
            return
        rows.move(work.session, notice.id, was=(State.SENDING,), state=State.FINISHED, finished_at=work.now)
        finished = NoticeFinished(
            notice_id=held.id,
            number=held.number,
            audience=held.audience,
            begun_at=held.begun_at or work.now,
            at=work.now,
            recipients=held.recipients,
            reached=outcome.reached,
            unreachable=held.unreachable,
            counts=dict(outcome.counts),
            digest=outcome.digest,
        )
        work.record(loaded, finished, *_duties_met(work, loaded, held, finished))


def _outcome(session: Session, notice: Notice) -> Outcome:
    """Return what became of it; what lies in the outbox of this machine has reached nobody, except in an exercise."""
    counts = of_notices.counts(session, None, [notice.id])[notice.id]
    reached = of_notices.reached(session, notice.id, outside=not notice.exercise)
    return Outcome(counts, reached, of_notices.outcome_digest(session, notice.id))


def _duties_met(work: Work, loaded: Loaded, notice: Notice, finished: NoticeFinished) -> list[Event]:
    """Return the duties that a finished notice meets, each with its proof in words."""
    if not finished.reached or not loaded.incident.is_open:
        return []
    if notice.audience == PARTNERS and not _controllers_are_told(work, loaded, notice):
        return []
    kept = obligation_rows.of_incidents(work.session, work.keyring, [loaded.id], None)[loaded.id]
    controller = controller_rows.get(work.session, work.keyring, notice.controller_id, None)
    how = _proof(notice, finished, controller.language)
    return [
        DutyMet(one.obligation.regime, one.obligation.duty, work.now, how)
        for one in kept
        if (one.obligation.regime, one.obligation.duty) in _DUTIES[notice.audience] and not is_settled(one.obligation)
    ]


def _controllers_are_told(work: Work, loaded: Loaded, notice: Notice) -> bool:
    """Return whether this processor has told every controller that the incident concerns (GDPR Art. 33(2))."""
    if loaded.incident.role is not PartyRole.PROCESSOR:
        return False
    concerned = partners.of_incident(work.session, work.keyring, loaded.id, None)
    ids = [recipient_id(loaded.id, one.id) for one in concerned if one.kind is PartnerKind.CONTROLLER]
    states = rows.states_of_recipients(work.session, notice.id, ids)
    return bool(ids) and all(states.get(one, set()) & _TAKEN for one in ids)


def _proof(notice: Notice, finished: NoticeFinished, language: str) -> str:
    counts = finished.counts
    return rendering.message(
        "notice/proof",
        "body",
        language,
        number=notice.number,
        reference=notice.public_reference,
        reached=finished.reached,
        recipients=finished.recipients,
        delivered=counts["delivered"],
        accepted=counts["accepted"],
        failed=counts["failed"],
        unreachable=finished.unreachable,
        digest=finished.digest,
    )
