"""What an assessment says, in the reader's words: labels, codes, counts, times."""

import re
from datetime import datetime

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.scope import KEYS, ScopeAssessment
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.services.scope import Assessed
from incident_tracker.web import current, typed_times
from incident_tracker.web.scope.countries import country


def changes_said(one: Assessed, zone: str) -> list[tuple[str, str, str]]:
    """Return label, before and after of each answer that a version changed."""
    known, language = canonical_fields(), current.language()
    before = one.before or ScopeAssessment()
    values = ((name, getattr(before, name), getattr(one.assessment, name)) for name in KEYS)
    return [
        (known.label(KEYS[name], language), value_said(name, old, zone), value_said(name, new, zone))
        for name, old, new in values
        if old != new
    ]


def value_said(name: str, value: object, zone: str) -> str:  # noqa: PLR0911 - one line a kind of value
    """Return the value of one attribute in words; empty where it says nothing."""
    if value is None or value is False:
        return ""
    if value is True:
        return str(_("Yes"))
    if isinstance(value, CountRange):
        return count_text(value)
    if isinstance(value, tuple):
        return ", ".join(value_said(name, one, zone) for one in value)
    if isinstance(value, datetime):
        return typed_times.said(value, zone)
    if name == "affected_countries":
        return country(str(value), current.language())
    return canonical_fields().word(KEYS[name], str(value), current.language())


def count_text(count: CountRange) -> str:
    """Return a count as a field shows it, with the thousands parted; it reads back as the same count."""
    language = current.language()
    return re.sub(r"\d+", lambda digits: rendering.number(int(digits.group()), language), count.text(language))


def understood_count(text: str, of: str) -> tuple[str, bool]:
    """Return how a count was understood, in words, and whether it was; empty for nothing typed."""
    if not text.strip():
        return "", True
    reading = CountRange.read(text, of).reading(of)
    numbers = {name: rendering.number(value, current.language()) for name, value in reading.params.items()}
    return str(_(reading.message)) % numbers, True
