"""A sending as people steer it: begin, pause, resume, stop, tell the unreached anew, settle what is in doubt."""

from dataclasses import replace

from incident_tracker.domain import incident as incident_rules
from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import about_notice
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import DoubtsSettled, NoticeBegun, NoticeHalted
from incident_tracker.domain.notices import Notice, State
from incident_tracker.services import approvals, people
from incident_tracker.services.context import Context
from incident_tracker.services.notices import checking, composing, feeding, telling
from incident_tracker.services.notices import reach as reckoning
from incident_tracker.services.notices.writing import held, show
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import notices as rows
from incident_tracker.store import people_imports
from incident_tracker.store.deliveries import Decision, of_notices
from incident_tracker.store.people_imports import READING

REASON_LIMIT = 1000
CHUNK = 500


class StoppedForGood(Refusal):
    """A stopped sending does not go on, so nothing of it can be sent again."""

    message = (
        "Notice %(number)s was stopped: nothing of it is sent any more. What is in doubt can only count as sent."
    )


def begin(context: Context, actor: Actor, notice_id: int) -> None:
    """Begin to send what was approved: exactly that, and once. The first messages are written at once."""
    before = show(context, actor, notice_id)
    with context.database.reading() as session:  # the whole list is counted, so nobody waits for it
        reach = reckoning.count(session, context.keyring, before)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, State.SUBMITTED, State.APPROVED)
        approval = approvals.require(work, loaded, about_notice(notice.id), notice.digest)
        house = composing.house_of(context, work.session, work.keyring, notice)
        checking.must_name_a_contact(notice, house.contact)
        _must_be_read_to_the_end(work, notice)
        if not reach.recipients:
            raise rules.NobodyToTell
        approvals.use(work, approval)
        begun = replace(notice, contents=feeding.share(work, loaded, notice, house, composing.columns_used(notice)))
        rows.move(
            work.session,
            notice.id,
            was=(State.SUBMITTED, State.APPROVED),
            state=State.SENDING,
            begun_at=work.now,
            pause_reason=None,
        )
        rows.keep_sending(work.session, begun)
        begins = NoticeBegun(notice.id, notice.number, notice.digest, reach.recipients, reach.unreachable)
        work.record(loaded, begins)
    feeding.feed(context, notice_id, most=1)


def _must_be_read_to_the_end(work: Work, notice: Notice) -> None:
    """Refuse to begin while a list of people is still being read: the rest of it would not be told."""
    readings = people_imports.of_incident(work.session, work.keyring, work.actor.scope, notice.incident_id)
    if notice.audience == rules.PEOPLE and any(one.state == READING for one in readings):
        raise people.ListIsBeingRead(reference=notice.reference)


def pause(context: Context, actor: Actor, notice_id: int, *, reason: str = "") -> None:
    """Let nothing more of a notice go, until somebody resumes it; what is at the provider already stays there."""
    reason = clean(reason, "reason", limit=REASON_LIMIT, required=False)
    before = show(context, actor, notice_id)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        rules.must_be(notice, State.SENDING)
        telling.halt(work, loaded, notice, reason)


def resume(context: Context, actor: Actor, notice_id: int, *, reason: str = "") -> None:
    """Let a paused notice go on."""
    reason = clean(reason, "reason", limit=REASON_LIMIT, required=False)
    before = show(context, actor, notice_id)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, State.PAUSED)
        rows.move(
            work.session, notice.id, was=(State.PAUSED,), state=State.SENDING, paused_at=None, pause_reason=None
        )
        # What failed before does not count against what is tried now.
        seen = telling.ended(of_notices.counts(work.session, None, [notice.id])[notice.id])
        rows.keep_sending(work.session, replace(notice, seen=seen))
        work.record(loaded, NoticeHalted(notice.id, notice.number, "resumed", reason))


def stop(context: Context, actor: Actor, notice_id: int, *, reason: str) -> None:
    """End a sending for good: what waits is cancelled, what was sent is kept with its outcome."""
    reason = clean(reason, "reason", limit=REASON_LIMIT)
    before = show(context, actor, notice_id)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.DECIDE)
        rules.must_be(notice, State.SENDING, State.PAUSED, State.STOPPED)
        if notice.state is not State.STOPPED:
            rows.move(
                work.session,
                notice.id,
                was=(State.SENDING, State.PAUSED),
                state=State.STOPPED,
                finished_at=work.now,
                pause_reason=rows.seal_reason(work.keyring, loaded.record_key, reason),
            )
            work.record(loaded, NoticeHalted(notice.id, notice.number, "stopped", reason))
    telling.cancel_waiting(context, notice_id)


def settle_doubts(context: Context, actor: Actor, notice_id: int, *, decision: Decision, reason: str) -> int:
    """Decide what all messages of a notice in doubt count as, and return how many there were."""
    reason = clean(reason, "reason", limit=REASON_LIMIT)
    before = show(context, actor, notice_id)
    total = 0
    done = CHUNK
    while done == CHUNK:
        with working(context, actor) as work:
            loaded, notice = held(work, before, Act.DECIDE)
            if notice.state is State.STOPPED and decision is Decision.AGAIN:
                raise StoppedForGood(number=notice.number)
            done = of_notices.settle_doubts(work.session, notice.id, decision, work.now, CHUNK)
            if done:
                work.record(loaded, DoubtsSettled(notice.id, decision.value, done, reason))
        total += done
    return total
