"""What pages say: refusals, roles and moments in the reader's language and zone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask_babel import gettext, lazy_gettext

from incident_tracker import rendering
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import Role
from incident_tracker.web import current

ROLES = {
    Role.REPORTER: lazy_gettext("Reporter"),
    Role.RESPONDER: lazy_gettext("Responder"),
    Role.DECISION_MAKER: lazy_gettext("Decision-maker"),
    Role.AUDITOR: lazy_gettext("Auditor"),
    Role.ADMINISTRATOR: lazy_gettext("Administrator"),
}
_TRANSLATED = frozenset({"who", "why", "what"})
"""Parameters of refusals that are English words of ours, not what somebody typed."""


def refusal_text(error: Refusal) -> str:
    """Return why something is refused, in the reader's language."""
    params = {name: _param(name, value) for name, value in error.params.items()}
    text = str(gettext(error.message))
    return text % params if params else text


def when(at: datetime, style: str = "long") -> str:
    """Return an instant in the reader's words and zone."""
    return rendering.moment(at, current.zone(), current.language(), style)


def how_long(length: timedelta) -> str:
    """Return a length of time in the reader's words; seconds below a minute."""
    seconds = max(0, int(length.total_seconds()))
    return f"{seconds} s" if seconds < 60 else rendering.duration(length, current.language())  # noqa: PLR2004


def globals_of_pages() -> Mapping[str, object]:
    """Return what every template may call."""
    return {"when": when, "how_long": how_long, "role_words": ROLES}


def _param(name: str, value: object) -> object:
    return str(gettext(value)) if name in _TRANSLATED and isinstance(value, str) and value else value
