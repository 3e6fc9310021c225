"""Times as people type them into a form: read, said back in words, asked about where the clocks went back."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Optional

from incident_tracker import rendering
from incident_tracker.domain import periods, spoken_times
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.periods import TimeIsAmbiguous
from incident_tracker.web import current

FOLDS = (("0", _l("The first time")), ("1", _l("The second time")))


def time_field(label: str, *, rules: tuple[object, ...] = (Optional(),)) -> StringField:
    """Return a field for a time in words or figures."""
    return StringField(label, list(rules), render_kw={"autocomplete": "off", "spellcheck": "false"})


def fold_field() -> RadioField:
    """Return the question which of two equal wall-clock times is meant; pages show it only where it arises."""
    return RadioField(_l("Which of the two?"), choices=FOLDS, validate_choice=False)


def read(text: str, zone: str, fold: str | None, field: str) -> datetime:
    """Return the instant that a person typed, as the clocks of `zone` show it; refuse what cannot be told."""
    wall = spoken_times.read(text, current.context().now(), zone, current.language(), field)
    instant = periods.from_wall_clock(wall, zone, int(fold) if fold in ("0", "1") else None, field)
    return periods.require_not_future(instant, current.context().now(), field)


def understood(text: str, zone: str, fold: str | None = None) -> tuple[str, bool]:
    """Return what was understood, in words, and whether it was; empty for nothing typed."""
    if not text.strip():
        return "", True
    try:
        return said(read(text, zone, fold, ""), zone), True
    except Refusal as refusal:
        return rendering.refusal(refusal, current.language(), zone), False


def said(at: datetime, zone: str) -> str:
    """Return an instant with its weekday and offset: `Fredag 20. november 2026 kl. 16.45, UTC+1`."""
    words = rendering.moment(at, zone, current.language(), "long")
    return f"{words[:1].upper()}{words[1:]}, {rendering.offset(at, zone)}"


def typed(at: datetime | None, zone: str) -> str:
    """Return an instant as a field shows it again; `read` reads it back to the minute."""
    return "" if at is None else f"{at.astimezone(periods.zone_of(zone)):%d.%m.%Y %H.%M}"


def fold_of(at: datetime | None, zone: str) -> str | None:
    """Return which of two equal wall-clock times an instant is, None where there is only one."""
    if at is None:
        return None
    local = at.astimezone(periods.zone_of(zone))
    return str(local.fold) if _is_doubled(local, zone) else None


def is_doubled(text: str, zone: str) -> bool:
    """Return whether the clocks went back at the time typed."""
    try:
        read(text, zone, None, "")
    except TimeIsAmbiguous:
        return True
    except Refusal:
        return False
    return False


def _is_doubled(local: datetime, zone: str) -> bool:
    try:
        periods.from_wall_clock(local.replace(tzinfo=None, fold=0), zone)
    except TimeIsAmbiguous:
        return True
    return False
