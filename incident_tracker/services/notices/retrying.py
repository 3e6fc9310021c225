"""Telling those anew whom nothing has reached: over the other channel, or who came to the list since."""

from collections.abc import Mapping
from dataclasses import replace

from incident_tracker.domain import incident as incident_rules
from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import NoticeRetried
from incident_tracker.domain.notices import Notice, State
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing, feeding
from incident_tracker.services.notices import reach as reckoning
from incident_tracker.services.notices.recipients import Recipient, recipients_after, recipients_named
from incident_tracker.services.notices.writing import held, show
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import notices as rows
from incident_tracker.store.deliveries import of_notices
from notifiers.protocol import Channel

REASON_LIMIT = 1000
CHUNK = 500
_IN_VAIN = frozenset({"failed", "suppressed", "cancelled"})
_OPEN_TO_MORE = (State.SENDING, State.PAUSED, State.FINISHED)


class NobodyUnreached(Refusal):
    """There is nobody left to whom another channel would help."""

    message = "There is nobody who was not reached and has an address for this channel."


def retry(context: Context, actor: Actor, notice_id: int, *, channel: str, reason: str = "") -> int:
    """Tell those whom nothing has reached over another channel, and return how many; the sending goes on by itself.

    Whoever has no message yet is told too: she had no address for the notice's channels, or came to the list since.
    """
    reason = clean(reason, "reason", limit=REASON_LIMIT, required=False)
    if channel not in rules.CHANNELS:
        raise rules.ChannelUnknown(field="channel")
    way = Channel(channel)
    before = show(context, actor, notice_id)
    can_be_told = _open_round(context, actor, before, way)
    after, total, size = "", 0, CHUNK
    while size == CHUNK:
        after, told, size = _retry_some(context, actor, before, way, after, can_be_told)
        total += told
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        if total == 0 and not of_notices.any_open(work.session, notice.id):
            raise NobodyUnreached(field="channel")
        rows.move(work.session, notice.id, was=(State.FINISHED,), state=State.SENDING, finished_at=None)
        work.record(loaded, NoticeRetried(notice.id, notice.number, channel, total, reason))
    return total


def _open_round(context: Context, actor: Actor, before: Notice, channel: Channel) -> int:
    """Count the round that begins and keep the texts for a channel that the notice did not have.

    Return how many on the list have an address for any channel over which the notice went; the others are its
    unreachable ones from now on.
    """
    used = tuple(dict.fromkeys(one.partition(".")[2] for one in (*before.contents, f".{channel.value}")))
    with context.database.reading() as session:
        reach = reckoning.count(session, context.keyring, replace(before, channels=used))
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        if not notice.all_told:
            raise rules.NoticeIsNot(reference=notice.reference, number=notice.number, state=rules.SAID[State.SENDING])
        rules.must_be(notice, *_OPEN_TO_MORE)
        unwritten = {
            name: text for name, text in notice.texts.items() if f"{name}.{channel.value}" not in notice.contents
        }
        added: Mapping[str, str] = {}
        if unwritten:
            house = composing.house_of(context, work.session, work.keyring, notice)
            wider = replace(notice, channels=(channel.value,), texts=unwritten)
            added = feeding.share(work, loaded, wider, house, composing.columns_used(notice))
        contents = {**notice.contents, **added}
        opened = replace(notice, contents=contents, round=notice.round + 1, unreachable=reach.unreachable)
        rows.keep_sending(work.session, opened)
    return reach.recipients


def _retry_some(
    context: Context, actor: Actor, before: Notice, channel: Channel, after: str, can_be_told: int
) -> tuple[str, int, int]:
    """Write messages for the unreached among the next recipients; return (last id, written, how many were seen).

    A finished notice goes on in the transaction that writes the first of them: broken off here, the clock ends it.
    """
    with context.database.writing() as session:
        work = Work(context, actor, session, context.now())
        loaded, notice = held(work, before, Act.WORK)
        rules.must_be(notice, *_OPEN_TO_MORE)
        found = _next(work, notice, after, can_be_told)
        if not found:
            return after, 0, 0
        states = rows.states_of_recipients(session, notice.id, [one.id for one in found])
        chosen = [one for one in found if one.address(channel)[0] and states.get(one.id, _IN_VAIN) <= _IN_VAIN]
        messages = feeding.addressed(context, notice, [(one, channel) for one in chosen])
        told = feeding.enqueue(work, loaded, notice, messages)
        written = notice.recipients + sum(1 for one in chosen if one.id not in states)
        rows.keep_sending(session, replace(notice, recipients=written))
        if told:
            rows.move(session, notice.id, was=(State.FINISHED,), state=State.SENDING, finished_at=None)
    return found[-1].id, told, len(found)


def _next(work: Work, notice: Notice, after: str, can_be_told: int) -> list[Recipient]:
    """Return the next recipients among whom are unreached ones; where everybody has a message, only those."""
    if notice.audience != rules.PEOPLE or can_be_told > notice.recipients:
        return recipients_after(work.session, work.keyring, notice, after, CHUNK)
    ids = of_notices.unreached(work.session, None, notice.id, after=after, limit=CHUNK)
    return recipients_named(work.session, work.keyring, notice, ids)
