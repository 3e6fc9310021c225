"""Which language the shell speaks, and how sentences are filled in it."""

import re
from collections.abc import Mapping
from datetime import date, datetime

from incident_tracker.domain.errors import Refusal

ZONE = "Europe/Copenhagen"
"""The zone in which the shell shows times; what it reads carries an offset of its own."""
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def language_of(environment: Mapping[str, str]) -> str:
    """Return `da` where the environment asks for Danish, else `en`; the first variable that says anything counts."""
    said = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return "da" if said.casefold().startswith("da") else "en"


def translate(refusal: Refusal, language: str) -> str:
    """Return what a refusal says, on one line."""
    from incident_tracker import rendering  # noqa: PLC0415 - loads Babel, which `--help` does not need

    return plain(rendering.refusal(refusal, language, ZONE))


def text(msgid: str, language: str, params: Mapping[str, object] | None = None, zone: str = ZONE) -> str:
    """Return one of our sentences in a language, with instants and days in the reader's words."""
    from incident_tracker import rendering  # noqa: PLC0415 - loads Babel, which `--help` does not need

    sentence = rendering.translations(language).gettext(msgid)
    return sentence % {name: _said(value, language, zone) for name, value in params.items()} if params else sentence


def moment(at: datetime, language: str, zone: str = ZONE) -> str:
    """Return an instant in words, with its offset."""
    from incident_tracker import rendering  # noqa: PLC0415 - loads Babel, which `--help` does not need

    return f"{rendering.moment(at, zone, language)} ({rendering.offset(at, zone)})"


def plain(line: str) -> str:
    """Return a text on one line without signs that a terminal would act upon."""
    return _UNPRINTABLE.sub(" ", line).strip()


def _said(value: object, language: str, zone: str) -> object:
    if isinstance(value, datetime):
        return moment(value, language, zone)
    return value.isoformat() if isinstance(value, date) else value
