"""What the page of the people shows: the list, and each reading with how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker import rendering
from incident_tracker.services.people import SILENT, Reading, Reason
from incident_tracker.web import current, words

_DELIMITERS = {"\t": "tab"}
_HURRY = timedelta(seconds=10)
"""A reading younger than this has no rate worth telling."""


@dataclass(frozen=True, slots=True)
class Underway:
    """A reading under way: how far it is in per cent of the file, at which rate, and how long it still takes."""

    id: str
    percent: int
    sentence: str
    pace: str
    counts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """A reading that is over."""

    id: str
    file_name: str
    state: str
    state_icon: str
    when: str
    understood: str
    counts: list[tuple[str, str]]
    trouble: str
    has_listed: bool
    can_be_removed: bool


def underway(found: Reading, now: datetime) -> Underway:
    """Return how far a reading is. The remaining time follows from the bytes read so far, nothing else."""
    percent = min(99, found.read_bytes * 100 // max(1, found.total_bytes))
    sentence = _("%(name)s: %(percent)s %% read", name=found.file_name, percent=percent)
    return Underway(found.id, percent, sentence, _pace(found, now), _counts(found))


def done(found: Reading, names: Mapping[str, str], zone: str, now: datetime, *, has_listed: bool) -> Done:
    """Return a reading as its line in the table shows it; `has_listed`: it has rows to look at."""
    state, icon = _state(found, now)
    who = names.get(found.imported_by, found.imported_by)
    return Done(
        id=found.id,
        file_name=found.file_name,
        state=state,
        state_icon=icon,
        when=f"{words.moment(found.started_at, zone, 'short')}, {who}",
        understood=_understood(found),
        counts=_counts(found),
        trouble=Reason.say(found.trouble, _catalogue) if found.trouble else "",
        has_listed=has_listed,
        can_be_removed=found.removed_at is None and found.accepted > 0 and not is_underway(found, now),
    )


def is_underway(found: Reading, now: datetime) -> bool:
    """Return whether somebody still reads that list."""
    return found.state == "reading" and now - found.beat_at <= SILENT


def _state(found: Reading, now: datetime) -> tuple[str, str]:
    if found.removed_at is not None:
        return _("Taken off again"), "undo-2"
    if found.state == "finished":
        return _("Read to the end"), "check"
    if found.state == "stopped":
        return _("Stopped"), "circle-slash"
    if is_underway(found, now):
        return _("Being read"), "timer"
    return _("Broken off: read the file again, nobody is added twice"), "triangle-alert"


def _understood(found: Reading) -> str:
    shape = found.shape
    delimiter = _DELIMITERS.get(shape.get("delimiter", ""), shape.get("delimiter", ""))
    said = _(
        "Read as %(encoding)s, columns divided by »%(delimiter)s«.", encoding=shape["encoding"], delimiter=delimiter
    )
    if shape["left_out"]:
        names = ", ".join(f"»{one}«" for one in shape["left_out"])
        said += " " + _("Not kept: the columns %(columns)s.", columns=names)
    return str(said)


def _counts(found: Reading) -> list[tuple[str, str]]:
    counts = [
        (found.read, ngettext("row read", "rows read", found.read)),
        (found.accepted, _("added")),
        (found.duplicates, _("on the list already")),
        (found.refused, _("refused")),
    ]
    if found.warned:
        counts.append((found.warned, _("added with something left out")))
    return [(number(count), str(label)) for count, label in counts]


def _pace(found: Reading, now: datetime) -> str:
    length = now - found.started_at
    if length < _HURRY or not found.read_bytes:
        return str(_("Under way"))
    rate = number(round(found.read / length.total_seconds()))
    left = length * ((found.total_bytes - found.read_bytes) / found.read_bytes)
    if left < timedelta(minutes=1):
        return str(_("%(rate)s rows a second, less than a minute left", rate=rate))
    said = rendering.duration(left, current.language())
    return str(_("%(rate)s rows a second, about %(length)s left", rate=rate, length=said))


def number(count: int) -> str:
    """Return a number as the reader writes it."""
    return rendering.number(count, current.language())


def _catalogue(message: str) -> str:
    return rendering.translations(current.language()).gettext(message)
