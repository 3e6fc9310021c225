"""Whom a notice reaches, counted before it goes: by language, by channel, and in how many parts as SMS."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from incident_tracker.domain import sms
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.notices import PEOPLE, Notice
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.services.notices.recipients import Recipient, recipients_after
from incident_tracker.store import notices as rows
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel, Message

_CHUNK = 500
_MEASURED = 1000
"""Recipients whose SMS is measured where it differs from one to the next."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The fewest and the most parts of an SMS in one language, and its alphabet: `gsm7` or `ucs2`."""

    fewest: int
    most: int
    encoding: str


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a notice reaches. `recipients` can be told over its channels, `unreachable` cannot."""

    recipients: int = 0
    unreachable: int = 0
    by_language: Mapping[str, int] = field(default_factory=dict)
    by_channel: Mapping[str, int] = field(default_factory=dict)
    segments: Mapping[str, Segments] = field(default_factory=dict)


def audience(context: Context, actor: Actor, notice_id: int) -> Audience:
    """Return whom a notice would reach as the list is now."""
    with context.database.reading() as session:
        notice = rows.get(session, context.keyring, notice_id, actor.scope_for(Act.READ))
        counted = count(session, context.keyring, notice)
        if "sms" not in notice.channels:
            return counted
        measured = _segments(context, session, notice)
    return Audience(counted.recipients, counted.unreachable, counted.by_language, counted.by_channel, measured)


def count(session: Session, keyring: Keyring, notice: Notice) -> Audience:
    """Return whom a notice found before would reach, without measuring its SMS."""
    languages: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    unreachable = 0
    for language, ways, number in _groups(session, keyring, notice):
        first = next((channel for channel in notice.channels if channel in ways), None)
        if first is None:
            unreachable += number
        else:
            languages[notice.language_for(language)] += number
            channels[first] += number
    return Audience(sum(channels.values()), unreachable, dict(languages), dict(channels))


def _groups(session: Session, keyring: Keyring, notice: Notice) -> Iterator[tuple[str, frozenset[str], int]]:
    """Yield (language, channels by which they can be told, how many)."""
    if notice.audience == PEOPLE:
        for language, email, phone, number in rows.people_by_address(session, notice.incident_id):
            ways = {"email"} if email else set()
            yield language, frozenset(ways | ({"sms"} if phone else set())), number
        return
    for one in _everybody(session, keyring, notice):
        ways = {channel.value for channel in (Channel.EMAIL, Channel.SMS) if one.address(channel)[0]}
        yield one.language, frozenset(ways), 1


def _everybody(session: Session, keyring: Keyring, notice: Notice) -> Iterator[Recipient]:
    after = ""
    while found := recipients_after(session, keyring, notice, after, _CHUNK):
        yield from found
        after = found[-1].id


def _segments(context: Context, session: Session, notice: Notice) -> dict[str, Segments]:
    """Return how long the SMS is in each language, for those who would get one."""
    house = composing.house_of(context, session, context.keyring, notice)
    columns = composing.columns_used(notice)
    contents = {
        language: composing.content(notice, house, columns, language, Channel.SMS) for language in notice.texts
    }
    channels = [Channel(one) for one in notice.channels]
    lengths: dict[str, list[sms.Segments]] = {language: [] for language in contents}
    for number, one in enumerate(_everybody(session, context.keyring, notice)):
        if number >= _MEASURED:
            break
        if one.first_of(channels) is Channel.SMS:
            language = notice.language_for(one.language)
            values = composing.values_of(one.name, one.values, columns)
            lengths[language].append(sms.segments(Message("", "", "", contents[language], values).text()))
    empty = composing.values_of("", {}, columns)
    return {
        language: _range(found or [sms.segments(Message("", "", "", contents[language], empty).text())])
        for language, found in lengths.items()
    }


def _range(found: list[sms.Segments]) -> Segments:
    parts = [one.parts for one in found]
    encoding = "ucs2" if any(one.encoding == "ucs2" for one in found) else "gsm7"
    return Segments(min(parts), max(parts), encoding)
