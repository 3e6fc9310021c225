"""Seeing a notice before anybody gets it: filled for somebody on the list, and as a real mail to oneself."""

from dataclasses import dataclass

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain import sms
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.notices import PEOPLE, ChannelUnknown, Notice
from incident_tracker.services import people
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.services.notices.composing import House
from incident_tracker.services.notices.recipients import Recipient, recipients_after
from incident_tracker.services.notices.writing import held, show
from incident_tracker.services.work import working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import users
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from notifiers.protocol import Channel, Content, Message

SAMPLES = 3
_INVENTED = {
    "da": Recipient("", "Anna Eksempel", "anna@example.dk", "+4534412345", "da"),
    "en": Recipient("", "Anna Example", "anna@example.org", "+4534412345", "en"),
}
"""Nobody; the address and the number lead nowhere."""
_SAMPLE_VALUE = {"da": "(eksempel)", "en": "(example)"}


class NobodyToTestOn(Refusal):
    """A test goes to the e-mail of whoever asks for it, and the shell has none."""

    message = "A test goes to your own e-mail. Say who you are with --as EMAIL."


@dataclass(frozen=True, slots=True)
class Preview:
    """A notice as one person gets it. `html` is None for an SMS; parts and alphabet are 0 and empty for a mail."""

    to: str
    subject: str
    text: str
    html: str | None
    segments: int
    encoding: str


def preview(
    context: Context, actor: Actor, notice_id: int, *, language: str, channel: str, sample: int = 0
) -> Preview:
    """Return a notice filled for a person on the list (`sample` counts from 0), or for an invented one."""
    notice = show(context, actor, notice_id)
    if language not in notice.texts:
        raise NotFound(what=language, field="language")
    if channel not in ("email", "sms"):
        raise ChannelUnknown(field="channel")
    person = _sample(context, actor, notice, language, sample)
    with context.database.reading() as session:
        house = composing.house_of(context, session, context.keyring, notice)
    return _filled(notice, house, person, language, Channel(channel))


def specimens(context: Context, actor: Actor, notice_id: int) -> dict[tuple[str, str], Preview]:
    """Return a notice as it is read, by language and channel, filled for an invented person: with nobody's data."""
    notice = show(context, actor, notice_id)
    with context.database.reading() as session:
        house = composing.house_of(context, session, context.keyring, notice)
    return {
        (language, channel): _filled(notice, house, _invented(notice, language), language, Channel(channel))
        for language in notice.texts
        for channel in notice.channels
    }


def _filled(notice: Notice, house: House, person: Recipient, language: str, channel: Channel) -> Preview:
    columns = composing.columns_used(notice)
    content = composing.content(notice, house, columns, language, channel)
    values = composing.values_of(person.name, person.values, columns)
    address = person.phone if channel is Channel.SMS else person.email
    message = Message("", "", address, content, values)
    if channel is Channel.SMS:
        length = sms.segments(message.text())
        return Preview(address, "", message.text(), None, length.parts, length.encoding)
    return Preview(address, message.subject(), message.text(), message.html(), 0, "")


def send_test(context: Context, actor: Actor, notice_id: int) -> list[str]:
    """Send a notice in each of its languages to the actor's own e-mail, and return the ids of the deliveries.

    The name in it is the actor's own, and what further columns would say is invented: nobody's data are in a test.
    """
    if actor.user_id is None:
        raise NobodyToTestOn
    before = show(context, actor, notice_id)
    columns = composing.columns_used(before)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        user = users.get(work.session, work.keyring, actor.user_id)
        if user is None:
            raise NotFound(what="account")
        house = composing.house_of(context, work.session, work.keyring, notice)
        subject_key = controller_rows.look_up_subject(notice.controller_id)
        mails = [
            NewDelivery(
                controller_id=notice.controller_id,
                incident_id=notice.incident_id,
                purpose=Purpose.TEST,
                once=f"notice_test:{new_id(work.now)}",
                channel=Channel.EMAIL,
                address=user.email,
                address_hash=work.keyring.fingerprint(subject_key, user.email, work.now),
                content=_marked(composing.content(notice, house, columns, language, Channel.EMAIL)),
                values=composing.values_of(user.name, dict.fromkeys(columns, _SAMPLE_VALUE[language]), columns),
                rank=50,
            )
            for language in notice.texts
        ]
        return enqueue(
            work.session,
            work.keyring,
            loaded.record_key,
            work.now,
            context.routing,
            mails,
            local_only=notice.exercise,
        )


def _marked(content: Content) -> Content:
    """Return a text whose subject says that it is a test."""
    mark = rendering.message("notice/test", "subject", content.language)
    return Content(
        text=content.text,
        subject=f"{mark} {content.subject}",
        html=content.html,
        language=content.language,
        sender_name=content.sender_name,
        reply_to=content.reply_to,
    )


def _sample(context: Context, actor: Actor, notice: Notice, language: str, sample: int) -> Recipient:
    """Return somebody on the list who reads this language, else anybody on it, else an invented person."""
    found = _samples(context, actor, notice)
    fitting = [one for one in found if notice.language_for(one.language) == language] or found
    if fitting:
        return fitting[sample % len(fitting)]
    return _invented(notice, language)


def _invented(notice: Notice, language: str) -> Recipient:
    invented = _INVENTED[language]
    values = dict.fromkeys(composing.columns_used(notice), _SAMPLE_VALUE[language])
    return Recipient(invented.id, invented.name, invented.email, invented.phone, language, values)


def _samples(context: Context, actor: Actor, notice: Notice) -> list[Recipient]:
    if notice.audience == PEOPLE:
        return [
            Recipient(one.id, one.name, one.email, one.phone, one.language, one.fields)
            for one in people.sample(context, actor, notice.reference, SAMPLES)
        ]
    with context.database.reading() as session:
        return recipients_after(session, context.keyring, notice, "", SAMPLES)
