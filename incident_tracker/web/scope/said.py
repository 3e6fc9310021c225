"""What an assessment says, in the reader's words: labels, codes, counts, times."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain.canonical import CanonicalFields, Change
from incident_tracker.domain.counts import CountKind, CountRange
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.web import current
from incident_tracker.web import typed_times as times
from incident_tracker.web.scope.countries import country

_COUNTRIES = "cross_border.affected_countries"


def changes_said(changes: Sequence[Change], zone: str) -> list[tuple[str, str, str]]:
    """Return label, before and after of each change; a count is told once, not its kind and its numbers."""
    language = current.language()
    known = canonical_fields()
    changed = {one.key for one in changes}
    return [
        (
            known.label(one.key, language),
            value_said(known, one.key, one.before, zone),
            value_said(known, one.key, one.after, zone),
        )
        for one in changes
        if not (one.key.endswith("_kind") and one.key.removesuffix("_kind") in changed)
    ]


def value_said(known: CanonicalFields, key: str, value: object, zone: str) -> str:  # noqa: PLR0911 - one line a kind
    """Return one value of a record in words; empty where it says nothing."""
    language = current.language()
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, Mapping):
        return _count(value)
    if isinstance(value, list):
        return ", ".join(value_said(known, key, one, zone) for one in value)
    if key == _COUNTRIES:
        return country(str(value), language)
    if key in known.fields and known.fields[key].kind == "datetime":
        return times.said(datetime.fromisoformat(str(value)), zone)
    return known.word(key, str(value), language)


def _count(value: Mapping[str, int | None]) -> str:
    low, high = value.get("low"), value.get("high")
    return (
        CountRange(CountKind.APPROXIMATE, low, high).text(current.language())
        if low != high
        else (rendering.number(low or 0, current.language()))
    )


def understood_count(text: str, of: str) -> tuple[str, bool]:
    """Return how a count was understood, in words, and whether it was; empty for nothing typed."""
    if not text.strip():
        return "", True
    reading = CountRange.read(text, of).reading(of)
    numbers = {name: rendering.number(value, current.language()) for name, value in reading.params.items()}
    return str(_(reading.message)) % numbers, True
