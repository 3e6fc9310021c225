"""A sending as people steer it: begin, pause, resume, stop, tell the unreached anew, settle what is in doubt."""

from dataclasses import replace

from sqlalchemy.orm import Session

from incident_tracker.domain import incident as incident_rules
from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import about_notice
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import DoubtsSettled, NoticeBegun, NoticeHalted, NoticeRetried
from incident_tracker.domain.notices import Notice, State
from incident_tracker.services import approvals
from incident_tracker.services.context import Context
from incident_tracker.services.notices import checking, composing, feeding, telling
from incident_tracker.services.notices import reach as reckoning
from incident_tracker.services.notices.recipients import Recipient, recipients_after, recipients_named
from incident_tracker.services.notices.writing import held, show
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import notices as rows
from incident_tracker.store.deliveries import Decision, of_notices
from notifiers.protocol import Channel

REASON_LIMIT = 1000
CHUNK = 500
_IN_VAIN = frozenset({"failed", "suppressed", "cancelled"})


class NobodyUnreached(Refusal):
    """There is nobody left to whom another channel would help."""

    message = "There is nobody who was not reached and has an address for this channel."


class StoppedForGood(Refusal):
    """A stopped sending does not go on, so nothing of it can be sent again."""

    message = (
        "Notice %(number)s was stopped: nothing of it is sent any more. What is in doubt can only count as sent."
    )


def begin(context: Context, actor: Actor, notice_id: int) -> None:
    """Begin to send what was approved: exactly that, and once. The first messages are written at once."""
    before = show(context, actor, notice_id)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, State.SUBMITTED, State.APPROVED)
        approval = approvals.require(work, loaded, about_notice(notice.id), notice.digest)
        house = composing.house_of(context, work.session, work.keyring, notice)
        checking.must_name_a_contact(notice, house.contact)
        reach = reckoning.count(work.session, work.keyring, notice)
        if not reach.recipients:
            raise rules.NobodyToTell
        approvals.use(work, approval)
        begun = replace(notice, contents=feeding.share(work, loaded, notice, house))
        rows.move(
            work.session,
            notice.id,
            was=(State.SUBMITTED, State.APPROVED),
            state=State.SENDING,
            begun_at=work.now,
        )
        rows.keep_sending(work.session, begun)
        begins = NoticeBegun(notice.id, notice.number, notice.digest, reach.recipients, reach.unreachable)
        work.record(loaded, begins)
    feeding.feed(context, notice_id, most=1)


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
    cancel_waiting(context, notice_id)


def cancel_waiting(context: Context, notice_id: int) -> None:
    """Cancel what still waits of a stopped notice, some at a time."""
    done = CHUNK
    while done == CHUNK:
        with context.database.writing() as session:
            done = of_notices.cancel_pending(session, notice_id, context.now(), CHUNK)


def retry(context: Context, actor: Actor, notice_id: int, *, channel: str, reason: str = "") -> int:
    """Tell those whom nothing has reached over another channel, and return how many; the sending goes on by itself.

    Whoever had no address for the notice's own channels is told now where she has one for this.
    """
    reason = clean(reason, "reason", limit=REASON_LIMIT, required=False)
    if channel not in rules.CHANNELS:
        raise rules.ChannelUnknown(field="channel")
    way = Channel(channel)
    before = show(context, actor, notice_id)
    _open_round(context, actor, before, way)
    after, total, size = "", 0, CHUNK
    while size == CHUNK:
        after, told, size = _retry_some(context, actor, before, way, after)
        total += told
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        if total == 0 and not of_notices.any_open(work.session, notice.id):
            raise NobodyUnreached(field="channel")
        rows.move(work.session, notice.id, was=(State.FINISHED,), state=State.SENDING, finished_at=None)
        work.record(loaded, NoticeRetried(notice.id, notice.number, channel, total, reason))
    return total


def _open_round(context: Context, actor: Actor, before: Notice, channel: Channel) -> None:
    """Count the round that begins, and keep the texts for a channel that the notice did not have."""
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, State.SENDING, State.PAUSED, State.FINISHED)
        if not notice.all_told:
            raise rules.NoticeIsNot(number=notice.number, state=rules.SAID[State.SENDING])
        wider = replace(notice, channels=(channel.value,))
        house = composing.house_of(context, work.session, work.keyring, notice)
        missing = replace(
            wider,
            texts={name: one for name, one in notice.texts.items() if f"{name}.{channel}" not in notice.contents},
        )
        added = feeding.share(work, loaded, missing, house) if missing.texts else {}
        rows.keep_sending(
            work.session, replace(notice, contents={**notice.contents, **added}, round=notice.round + 1)
        )


def _retry_some(context: Context, actor: Actor, before: Notice, channel: Channel, after: str) -> tuple[str, int, int]:
    """Write messages for the unreached among the next recipients; return (last id, written, how many were seen)."""
    with context.database.writing() as session:
        work = Work(context, actor, session, context.now())
        loaded, notice = held(work, before, Act.WORK)
        found = _next(session, work, notice, after)
        if not found:
            return after, 0, 0
        states = rows.states_of_recipients(session, notice.id, [one.id for one in found])
        chosen = [one for one in found if one.address(channel)[0] and states.get(one.id, _IN_VAIN) <= _IN_VAIN]
        told = feeding.enqueue(work, loaded, notice, [(one, channel) for one in chosen])
        first_time = sum(1 for one in chosen if one.id not in states)
        rows.keep_sending(
            session,
            replace(
                notice,
                recipients=notice.recipients + first_time,
                unreachable=max(0, notice.unreachable - first_time),
            ),
        )
    return found[-1].id, told, len(found)


def _next(session: Session, work: Work, notice: Notice, after: str) -> list[Recipient]:
    """Return the next recipients among whom are unreached ones; where everybody has a message, only those."""
    if notice.audience != rules.PEOPLE or notice.unreachable:
        return recipients_after(session, work.keyring, notice, after, CHUNK)
    ids = of_notices.unreached(session, None, notice.id, after=after, limit=CHUNK)
    return recipients_named(session, work.keyring, notice, ids)


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
