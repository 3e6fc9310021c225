"""One strict Jinja environment for our own templates, and how times, durations and numbers are said.

Jinja renders only files that we ship; text that people write never becomes a template.
"""

import gettext
import re
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from incident_tracker import paths
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.facts import instant_text
from incident_tracker.domain.periods import offset_name

_LOCALE = {"da": "da_DK", "en": "en_GB"}
_PATTERNS = {
    "da": {
        "long": "EEEE d. MMMM y 'kl.' HH.mm",
        "full": "EEEE d. MMMM 'kl.' HH.mm",
        "short": "EEE d. MMM 'kl.' HH.mm",
        "tiny": "EEE HH.mm",
        "date": "EEEE d. MMMM y",
        "day": "EEE d.",
        "time": "HH.mm",
        "stamp": "d. MMM y HH.mm.ss",
    },
    "en": {
        "long": "EEEE d MMMM y 'at' HH:mm",
        "full": "EEEE d MMMM 'at' HH:mm",
        "short": "EEE d MMM 'at' HH:mm",
        "tiny": "EEE HH:mm",
        "date": "EEEE d MMMM y",
        "day": "EEE d",
        "time": "HH:mm",
        "stamp": "d MMM y HH:mm:ss",
    },
}
_DANISH_DAY = re.compile(r"^(man|tir|ons|tor|fre|lør|søn)s?\.")
"""Short days are written without a dot."""
_UNITS = {"da": ("d", "t", "min"), "en": ("d", "h", "min")}


def moment(at: datetime, zone: str, language: str, style: str = "long") -> str:
    """Return an instant in the reader's words and zone: `mandag 23. november 2026 kl. 16.45`.

    Styles: long (with year), full (without), short, tiny (`man 16.45`), date, day, time, stamp (with seconds).
    """
    local = at.astimezone(ZoneInfo(zone))
    said = format_datetime(local, _PATTERNS[language][style], locale=_LOCALE[language])
    return _DANISH_DAY.sub(r"\1", said) if language == "da" else said


def offset(at: datetime, zone: str) -> str:
    """Return the offset that holds in the zone at that instant: `UTC+1`."""
    return offset_name(at.astimezone(ZoneInfo(zone)))


def duration(length: timedelta, language: str) -> str:
    """Return a length of time in two units at most: `2 d 23 t`, `3 t 12 min`, `42 min`. Below a minute: `0 min`."""
    days, hours, minutes = duration_parts(length)
    day, hour, minute = _UNITS[language]
    if days:
        return f"{days} {day} {hours} {hour}"
    return f"{hours} {hour} {minutes} {minute}" if hours else f"{minutes} {minute}"


def hours_only(length: timedelta, language: str) -> str:
    """Return a length in whole hours, with minutes where there are any: `1 t`, `1 t 5 min`, `0 t`."""
    minutes = max(0, int(length.total_seconds())) // 60
    _, hour, minute = _UNITS[language]
    hours, rest = divmod(minutes, 60)
    return f"{hours} {hour} {rest} {minute}" if rest else f"{hours} {hour}"


def duration_parts(length: timedelta) -> tuple[int, int, int]:
    """Return days, hours and minutes of a length; never negative."""
    minutes = max(0, int(length.total_seconds())) // 60
    days, rest = divmod(minutes, 24 * 60)
    return days, rest // 60, rest % 60


def number(value: float, language: str) -> str:
    """Return a number as the language writes it: `12.400`."""
    return str(format_decimal(value, locale=_LOCALE[language]))


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English is the language of the sentences themselves."""
    return gettext.translation("messages", paths.translations(), languages=[language], fallback=True)


def refusal(error: Refusal, language: str, zone: str) -> str:
    """Return a refusal in the reader's language, with its times in the reader's words."""
    catalogue = translations(language)

    def say(value: object) -> object:
        if isinstance(value, datetime):
            return moment(value, zone, language) if value.tzinfo else value.strftime("%d.%m.%Y %H.%M")
        if isinstance(value, tuple):
            return ", ".join(str(say(one)) for one in value)
        return catalogue.gettext(value) if isinstance(value, str) and value else value

    sentence = catalogue.gettext(error.message)
    return sentence % {name: say(value) for name, value in error.params.items()} if error.params else sentence


def configure(environment: Environment) -> None:
    """Make an environment strict and give it our filters; pages and messages share them."""
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.filters.update(
        moment=moment, duration=duration, hours_only=hours_only, number=number, offset=offset, instant=instant_text
    )


def message(name: str, part: str, language: str, **values: object) -> str:
    """Return a message of ours: `name` is its folder and stem (`alert/rung`), `part` `sms`, `subject` or `body`."""
    return _messages().get_template(f"{name}.{part}.{language}.txt").render(values)


@cache
def _messages() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(paths.templates() / "messages"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        keep_trailing_newline=False,
        finalize=_without_braces,
    )
    configure(environment)
    return environment


def _without_braces(value: object) -> object:
    """Return a value as it may stand in a message: braces would be taken for a placeholder of the outbox."""
    return value.replace("{", "(").replace("}", ")") if isinstance(value, str) else value
