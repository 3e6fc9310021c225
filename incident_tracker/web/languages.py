"""What pages say: refusals, roles and moments in the reader's language and zone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask_babel import lazy_gettext

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


def refusal_text(error: Refusal) -> str:
    """Return why something is refused, in the reader's language."""
    has_times = any(isinstance(value, datetime) for value in error.params.values())
    return rendering.refusal(error, current.language(), current.zone() if has_times else "UTC")


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
