"""A notice as it is read: the mail and the text message of a person on the list, and the places that are filled."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from incident_tracker.domain import sms
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.notices import layout
from incident_tracker.services import notices
from incident_tracker.services.notices import Notice, Preview
from incident_tracker.web import current, words
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.notices import view
from incident_tracker.web.notices.sending import Chip

SAMPLES = 3
_BODY = re.compile(r"<body>(.*)</body>", re.DOTALL)
_STYLE = re.compile(r' style="[^"]*"')


@dataclass(frozen=True, slots=True)
class Reading:
    """What the part »as it is read« shows; `nothing` says why there is no preview."""

    chips: list[Chip]
    samples: list[Chip]
    language: str
    channel: str
    title: str
    preview: Preview | None
    blocks: Markup
    segments: str
    nothing: str


@dataclass(frozen=True, slots=True)
class Place:
    """A placeholder as it is written, and what it becomes."""

    sign: str
    words: str


def reading(notice: Notice, language: str, channel: str, sample: int) -> Reading:
    """Return a notice as one person of the list reads it; what is not there falls back to the first that is."""
    language = language if language in notice.texts else next(iter(notice.texts), "da")
    channel = channel if channel in notice.channels else next(iter(notice.channels), "email")
    preview: Preview | None = None
    nothing = ""
    try:
        preview = notices.preview(
            current.context(), current.actor(), notice.id, language=language, channel=channel, sample=sample
        )
    except Refusal as refusal:
        nothing = refusal_text(refusal)
    here = view.languages_words([language]), words.channel(channel)
    return Reading(
        chips=[
            Chip(
                words.capital(f"{view.languages_words([one])}, {words.channel(way)}"),
                _url(notice, one, way, sample),
                is_here,
            )
            for one in notice.texts
            for way in notice.channels
            for is_here in ((one, way) == (language, channel),)
        ],
        samples=[
            Chip(str(_("Person %(number)s", number=one + 1)), _url(notice, language, channel, one), one == sample)
            for one in range(SAMPLES)
        ],
        language=language,
        channel=channel,
        title=f"{words.capital(here[1])}, {here[0]}",
        preview=preview,
        blocks=letter(preview.html) if preview is not None and preview.html else Markup(),
        segments=segments_said(preview.text) if preview is not None and preview.html is None else "",
        nothing=nothing,
    )


def letter(page: str) -> Markup:
    """Return what stands inside a mail of ours, without its own styles, which the policy of the pages forbids.

    The page is made by `domain.notices.layout`: every text in it is escaped, so that the one attribute it uses cannot
    be written by anybody else.
    """
    found = _BODY.search(page)
    return Markup(_STYLE.sub("", found[1])) if found else Markup.escape(page)  # noqa: S704 - escaped where it is made


def laid_out(body: str) -> Markup:
    """Return a text as it is laid out, with its placeholders standing."""
    return Markup(layout.to_html(body))  # noqa: S704 - every piece of text is escaped there


def segments_said(text: str) -> str:
    """Return how long a text message is: its parts, and why, if a sign makes it longer."""
    found = sms.segments(text)
    said = str(
        ngettext(
            "%(units)s signs: one part.",
            "%(units)s signs: %(num)s parts, each paid for.",
            found.parts,
            units=found.units,
        )
    )
    why = _("A sign that is not in the basic alphabet makes every part shorter.")
    return said if found.encoding == "gsm7" else f"{said} {why}"


def places(columns: Sequence[str]) -> list[Place]:
    """Return the placeholders that a notice may hold."""
    fixed = [
        Place("{{name}}", str(_("the name of the person"))),
        Place("{{reference}}", str(_("the reference of this notice, by which it can be checked"))),
        Place("{{contact}}", str(_("your contact point, with e-mail address and phone number"))),
    ]
    further = [
        Place(f"{{{{field.{column}}}}}", str(_("the column »%(column)s« of the list", column=column)))
        for column in columns
    ]
    return fixed + further


def _url(notice: Notice, language: str, channel: str, sample: int) -> str:
    base = url_for("notices.show", reference=notice.reference, number=notice.number)
    return f"{base}?{urlencode({'text': language, 'by': channel, 'sample': sample})}#preview"
