"""Writing the messages of a notice into the outbox, some recipients at a time, so that nothing is held up by it.

How far it has come is written in the same transaction as the messages: broken off anywhere, it goes on from there,
and nobody is written twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from incident_tracker.delivery.enqueue import ToRecipient, enqueue_shared
from incident_tracker.delivery.enqueue import share as share_content
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.notices import PEOPLE, Notice, State
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.services.notices.composing import House
from incident_tracker.services.notices.recipients import Recipient, recipients_after
from incident_tracker.services.work import Work
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as rows
from incident_tracker.store import people
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel

CHUNK = 1000
"""Recipients in one transaction: about 100 ms of work."""
Messages = Mapping[tuple[str, Channel], Sequence[ToRecipient]]
"""What is written for whom, by the text in the outbox and the channel."""
_MOST_PARTNERS = 10_000
MOST_CHUNKS = 20
"""In one go; then everything else has its turn."""


def share(work: Work, loaded: Loaded, notice: Notice, house: House, columns: Sequence[str]) -> Mapping[str, str]:
    """Keep the texts of a notice in the outbox and return their ids by `language.channel`."""
    return {
        f"{language}.{channel}": share_content(
            work.session, work.keyring, loaded.record_key, work.now, notice.controller_id, content
        )
        for (language, channel), content in composing.contents(notice, house, columns).items()
    }


def feed(context: Context, notice_id: int, most: int = MOST_CHUNKS) -> None:
    """Write the next messages of a notice that is being sent."""
    for _ in range(most):
        if not _feed_some(context, notice_id):
            break
    context.wake()


def _feed_some(context: Context, notice_id: int) -> bool:
    """Write the messages of the next recipients; return whether there may be more.

    The recipients are read and their messages made first, so that the transaction is short. If somebody else wrote
    them meanwhile, nothing is written.
    """
    with context.database.reading() as session:
        seen = rows.get(session, context.keyring, notice_id, None)
        if seen.state is not State.SENDING or seen.all_told:
            return False
        found = recipients_after(session, context.keyring, seen, seen.told_up_to, CHUNK)
        loaded = incident_rows.load(session, context.keyring, seen.reference, None)
    channels = [Channel(one) for one in seen.channels]
    chosen = [(one, channel) for one in found if (channel := one.first_of(channels)) is not None]
    messages = addressed(context, seen, chosen)
    with context.database.writing() as session:
        work = Work(context, CLOCK, session, context.now())
        notice = rows.get(session, work.keyring, notice_id, None, lock=True)
        if notice.state is not State.SENDING or notice.all_told or notice.told_up_to != seen.told_up_to:
            return notice.state is State.SENDING
        enqueue(work, loaded, notice, messages)
        further = replace(
            notice,
            told_up_to=found[-1].id if found else notice.told_up_to,
            all_told=len(found) < CHUNK,
            recipients=notice.recipients + len(chosen),
            unreachable=notice.unreachable + len(found) - len(chosen),
        )
        rows.keep_sending(session, further)
    return not further.all_told


def addressed(context: Context, notice: Notice, to: Iterable[tuple[Recipient, Channel]]) -> Messages:
    """Return the message of each recipient over her channel, by text; nothing is written yet."""
    columns = composing.columns_used(notice)
    made: dict[tuple[str, Channel], list[ToRecipient]] = {}
    for one, channel in to:
        text = notice.contents[f"{notice.language_for(one.language)}.{channel.value}"]
        made.setdefault((text, channel), []).append(_addressed(context, notice, one, channel, columns))
    return made


def enqueue(work: Work, loaded: Loaded, notice: Notice, messages: Messages) -> int:
    """Write messages into the outbox; return how many are new."""
    return sum(
        enqueue_shared(
            work.session,
            work.keyring,
            loaded.people_key,
            work.now,
            work.context.routing,
            to,
            controller_id=notice.controller_id,
            incident_id=notice.incident_id,
            notice_id=notice.id,
            purpose=Purpose.NOTICE if notice.audience == PEOPLE else Purpose.PARTNER,
            channel=channel,
            content_id=content_id,
            local_only=notice.exercise,
        )
        for (content_id, channel), to in messages.items()
    )


def _addressed(
    context: Context, notice: Notice, one: Recipient, channel: Channel, columns: tuple[str, ...]
) -> ToRecipient:
    address, address_hash = one.address(channel)
    if address_hash is None:
        subject = controller_rows.look_up_subject(notice.controller_id)
        address_hash = context.keyring.fingerprint(subject, address, context.now())
    return ToRecipient(
        recipient_id=one.id,
        once=f"notice:{notice.id}:{one.id}:{channel.value}:{notice.round}",
        address=address,
        address_hash=address_hash,
        values=composing.values_of(one.name, one.values, columns),
    )


def size(session: Session, keyring: Keyring, notice: Notice) -> int:
    """Return how many are on the list that a notice goes to."""
    if notice.audience == PEOPLE:
        return people.count(session, notice.incident_id)
    return len(recipients_after(session, keyring, notice, "", _MOST_PARTNERS))
