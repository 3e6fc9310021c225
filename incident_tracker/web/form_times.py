"""A form's time: read where it was typed, said back under the field, asked about where the clock shows it twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain import periods
from incident_tracker.domain.errors import Refusal
from incident_tracker.web import current, typed_times, words
from incident_tracker.web.forms import PageForm, choices


@dataclass(frozen=True, slots=True)
class Understood:
    """How a typed time was read: the instant, or why not, in a sentence; `twice` asks which of two passings."""

    at: datetime | None
    said: str
    ok: bool
    twice: tuple[datetime, datetime] | None = None


def understand(text: str, zone: str, fold: str | None = None, *, field: str = "at") -> Understood:
    """Read a typed time; an empty one is not wrong, only not there."""
    if not text.strip():
        return Understood(None, "", ok=True)
    try:
        at = typed_times.read(text, zone, fold, field)
    except periods.TimeIsAmbiguous as twice:
        said = _("The clock shows this time twice that night. Choose which one.")
        return Understood(None, said, ok=False, twice=twice.choices)
    except periods.TimeIsInFuture as ahead:
        return Understood(None, _ahead(ahead.params["value"], zone), ok=False)
    except periods.TimeInClockChangeGap:
        said = _("The clocks went forward that night, so this time does not exist. Write one before or after.")
        return Understood(None, said, ok=False)
    except Refusal as refusal:
        return Understood(None, rendering.refusal(refusal, current.language(), zone), ok=False)
    return Understood(at, typed_times.said(at, zone), ok=True)


def zone_name(zone: str) -> str:
    """Return whose time is meant, for the hint of a field."""
    if zone == "Europe/Copenhagen":
        return str(_("Danish time."))
    return str(_("Time in %(place)s.", place=zone.rpartition("/")[2].replace("_", " ")))


def with_deadline(at: datetime, zone: str, hours: int = 72) -> str:
    """Return an instant and the deadline that it starts."""
    due = words.moment(at + timedelta(hours=hours), zone, "full")
    return str(_("%(at)s. The deadline will be %(due)s.", at=typed_times.said(at, zone), due=due))


def take(form: PageForm, name: str, zone: str) -> datetime | None:
    """Return the instant typed into `form.<name>`, or put beside the field why there is none.

    `form.<name>_fold` is the question which of two passings is meant; it is asked only where there are two.
    """
    field: Any = form[name]
    fold: Any = form[f"{name}_fold"]
    found = understand(field.data or "", zone, fold.data, field=name)
    if found.twice is not None:
        ask_which(form, name, zone, found.twice)
        fold.errors = [found.said]
    elif found.at is None:
        field.errors = [found.said or _("Write a time, for example »yesterday 14:30«.")]
    else:
        field.said = found.said
    if found.at is not None and fold.data in ("0", "1"):
        twice = understand(field.data or "", zone, field=name).twice
        if twice is not None:
            ask_which(form, name, zone, twice)
    return found.at


def ask_which(form: PageForm, name: str, zone: str, twice: tuple[datetime, datetime]) -> None:
    """Let the two passings of a doubled hour be chosen from."""
    field: Any = form[f"{name}_fold"]
    field.choices = choices(
        [
            ("0", _("The first: %(when)s", when=typed_times.said(twice[0], zone))),
            ("1", _("The second: %(when)s", when=typed_times.said(twice[1], zone))),
        ]
    )
    field.asked = True


def _ahead(later: object, zone: str) -> str:
    now = words.moment(current.context().now(), zone, "time")
    when = words.capital(words.moment(later, zone, "full")) if isinstance(later, datetime) else str(later)
    return str(_("%(when)s has not come yet. It is %(now)s now.", when=when, now=now))
