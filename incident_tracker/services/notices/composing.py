"""What leaves the house for a notice: its text in each language for each channel, with what we add to it.

The words of people are laid out and filled by `domain.notices`; only the footer, the SMS that we make and the frame
of the mail come from files that we ship.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from incident_tracker import rendering
from incident_tracker.domain.notices import Notice, layout, placeholders
from incident_tracker.domain.parties import ContactPoint, Controller
from incident_tracker.services.context import Context
from incident_tracker.services.phones import spoken
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import notices as rows
from incident_tracker.store.keys import Keyring
from notifiers.protocol import Channel, Content

_ABSENT = "(...)"
"""What stands on the public page where a person reads a further column of hers."""


@dataclass(frozen=True, slots=True)
class House:
    """Who sends: the controller, how it is reached, and where its pages are. `corrected` is a public reference."""

    controller: Controller
    contact: str
    reply_to: str | None
    path: str
    host: str
    corrected: str = ""


def house_of(context: Context, session: Session, keyring: Keyring, notice: Notice) -> House:
    """Return what every text of a notice needs of its controller; the caller has found the notice in its scope."""
    every = controller_rows.listing(session, keyring, None)
    controller = next(one for one in every if one.id == notice.controller_id)
    corrected = ""
    if notice.corrects is not None:
        corrected = rows.public_reference_of(session, notice.incident_id, notice.corrects, None)
    place = "" if len(every) == 1 else f"/c/{controller.slug}"
    public_url = context.settings.server.public_url
    return House(
        controller=controller,
        contact=contact_of(controller),
        reply_to=reply_to_of(controller),
        path=f"{place}/notice/{notice.public_reference}" if public_url else "",
        host=urlsplit(public_url).netloc if public_url else "",
        corrected=corrected,
    )


def contact_of(controller: Controller) -> str:
    """Return the data protection officer or else the contact point, with how she is reached; "" where nobody is."""
    for point in (controller.dpo, controller.contact):
        said = _reached(point)
        if said:
            return said
    return ""


def reply_to_of(controller: Controller) -> str | None:
    """Return the address to which whoever answers a mail writes."""
    return controller.dpo.email or controller.contact.email or None


def _reached(point: ContactPoint) -> str:
    ways = [way for way in (point.email, spoken(point.phone) if point.phone else "") if way]
    return ", ".join([name for name in (point.name,) if name] + ways) if ways else ""


def contents(notice: Notice, house: House, columns: Sequence[str]) -> dict[tuple[str, Channel], Content]:
    """Return the text of each language for each channel of a notice."""
    return {
        (language, Channel(channel)): content(notice, house, columns, language, Channel(channel))
        for language in notice.texts
        for channel in notice.channels
    }


def content(notice: Notice, house: House, columns: Sequence[str], language: str, channel: Channel) -> Content:
    """Return the text of one language for one channel, with the placeholders that differ from person to person."""
    text = notice.texts[language]
    fixed = _fixed(notice, house)
    if channel is Channel.SMS:
        written = (
            placeholders.compiled(text.sms, fixed, columns) if text.sms else sms_of_ours(notice, house, language)
        )
        return Content(text=written, language=language, sender_name=house.controller.name)
    subject = placeholders.compiled(text.subject, fixed, columns)
    body = placeholders.compiled(text.body, fixed, columns)
    foot = footer(notice, house, language)
    return Content(
        text=layout.plain_page(body, foot),
        subject=subject,
        html=layout.page(subject, body, foot, language),
        language=language,
        sender_name=house.controller.name,
        reply_to=house.reply_to,
    )


def footer(notice: Notice, house: House, language: str) -> str:
    """Return what stands under every notice: who sends, the reference, how to see that it is real."""
    return rendering.message("notice/footer", "body", language, **_values(notice, house))


def sms_of_ours(notice: Notice, house: House, language: str) -> str:
    """Return the SMS for a notice without one of its own: whose, about what, where to read it, the reference."""
    return rendering.message("notice/notice", "sms", language, **_values(notice, house))


def _values(notice: Notice, house: House) -> dict[str, object]:
    return {
        "controller": house.controller.name,
        "cvr": house.controller.cvr,
        "reference": notice.public_reference,
        "corrects": house.corrected,
        "path": house.path,
        "host": house.host,
    }


def _fixed(notice: Notice, house: House) -> dict[str, str]:
    return {placeholders.REFERENCE: notice.public_reference, placeholders.CONTACT: house.contact}


def columns_used(notice: Notice) -> tuple[str, ...]:
    """Return the further columns that any text of a notice calls for."""
    return placeholders.columns_used(
        part for text in notice.texts.values() for part in (text.subject, text.body, text.sms)
    )


@dataclass(frozen=True, slots=True)
class Neutral:
    """A text as everybody may read it: without anybody's name or further columns."""

    language: str
    subject: str
    body: str
    html: str


def neutral(notice: Notice, house: House) -> tuple[Neutral, ...]:
    """Return the texts of a notice for its public page, in the order in which they were written."""
    columns = columns_used(notice)
    found = []
    for language, text in notice.texts.items():
        values = placeholders.values("", dict.fromkeys(columns, _ABSENT), columns)
        subject, body = (
            placeholders.fill(placeholders.compiled(part, _fixed(notice, house), columns), values)
            for part in (text.subject, text.body)
        )
        found.append(Neutral(language, subject, layout.to_plain(body), layout.to_html(body)))
    return tuple(found)


def values_of(name: str, fields: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return one person's values for the texts of a notice."""
    return placeholders.values(name, fields, columns)
