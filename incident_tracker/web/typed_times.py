"""Times as people type them into a form: read, said back in words, shown again."""

from datetime import datetime

from incident_tracker import rendering
from incident_tracker.domain import periods, spoken_times
from incident_tracker.domain.periods import TimeIsAmbiguous
from incident_tracker.web import current


def read(text: str, zone: str, fold: str | None, field: str) -> datetime:
    """Return the instant that a person typed, as the clocks of `zone` show it; refuse what cannot be told."""
    wall = spoken_times.read(text, current.context().now(), zone, current.language(), field)
    instant = periods.from_wall_clock(wall, zone, int(fold) if fold in ("0", "1") else None, field)
    return periods.require_not_future(instant, current.context().now(), field)


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


def _is_doubled(local: datetime, zone: str) -> bool:
    try:
        periods.from_wall_clock(local.replace(tzinfo=None, fold=0), zone)
    except TimeIsAmbiguous:
        return True
    return False
