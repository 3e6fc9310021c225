"""The form of a scope assessment: one field for each attribute, in the order of the EDPB's template."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.scope import KEYS, ScopeAssessment
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.web import current, form_times, typed_times
from incident_tracker.web.forms import PageForm
from incident_tracker.web.forms import choices as as_choices
from incident_tracker.web.incidents.forms import SpokenTime, WhichOfTwo
from incident_tracker.web.scope import countries
from incident_tracker.web.scope.said import count_text


class MultiCheckboxField(SelectMultipleField):  # type: ignore[misc] # wtforms is untyped
    """Several choices, each a check box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _many() -> MultiCheckboxField:
    return MultiCheckboxField("", [Optional()], choices=[], validate_choice=False)


def _one() -> SelectField:
    return SelectField("", [Optional()], choices=[], validate_choice=False)


def _text(rows: int = 3) -> TextAreaField:
    return TextAreaField("", [Optional()], render_kw={"rows": rows})


def _count() -> StringField:
    return StringField("", [Optional()], render_kw={"autocomplete": "off"})


TIMES = ("begin", "end", "told_by_other_at")
COUNTS = {"people_count": "people", "records_count": "records"}
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "3.1",
        (
            "occurrence", "begin", "end", "dates_estimated", "discovered_by", "discovery_detail",
            "told_by_other_at", "timeline_comments",
        ),
    ),
    (
        "3.2",
        (
            "breach_types", "confidentiality", "unintelligible", "integrity", "availability",
            "incident_types", "cause", "description", "systems", "recipients",
        ),
    ),
    ("3.3", ("people_categories", "people_count")),
    ("3.4", ("data_types", "records_count")),
    ("3.5", ("measures_before_kinds", "measures_before")),
    (
        "4.1",
        (
            "consequences_confidentiality", "consequences_integrity", "consequences_availability",
            "impacts", "severity", "consequences",
        ),
    ),
    ("4.3", ("measures_taken",)),
    ("4.4", ("prevention_kinds", "measures_planned")),
    ("6.2", ("cross_border", "affected_countries")),
)  # fmt: skip
"""Section of the template -> attributes of the assessment."""


class ScopeForm(PageForm):
    """Everything may be left out; services say what cannot stand."""

    after_version = HiddenField()
    occurrence = _one()
    begin = SpokenTime("", [Optional()])
    begin_fold = WhichOfTwo(_l("Which of the two?"))
    end = SpokenTime("", [Optional()])
    end_fold = WhichOfTwo(_l("Which of the two?"))
    dates_estimated = BooleanField("")
    discovered_by = _one()
    discovery_detail = _text()
    told_by_other_at = SpokenTime("", [Optional()])
    told_by_other_at_fold = WhichOfTwo(_l("Which of the two?"))
    timeline_comments = _text()
    breach_types = _many()
    confidentiality = _one()
    unintelligible = _one()
    integrity = _one()
    availability = _one()
    incident_types = _many()
    cause = _one()
    description = _text(5)
    systems = _text(2)
    recipients = _text(2)
    people_categories = _many()
    people_count = _count()
    data_types = _many()
    records_count = _count()
    measures_before_kinds = _many()
    measures_before = _text()
    consequences_confidentiality = _many()
    consequences_integrity = _many()
    consequences_availability = _many()
    impacts = _many()
    severity = _one()
    consequences = _text()
    measures_taken = _text(4)
    prevention_kinds = _many()
    measures_planned = _text()
    cross_border = _one()
    affected_countries = _many()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known, language = canonical_fields(), current.language()
        for name, key in KEYS.items():
            field = self._fields[name]
            field.label.text = known.label(key, language)
            choices = known.choices(key, language)
            if name == "affected_countries":
                choices = countries.choices(language)
            if isinstance(field, SelectField) and not isinstance(field, SelectMultipleField):
                choices = (("", _l("Not said")), *choices)
            if choices:
                field.choices = as_choices(choices)

    @classmethod
    def beginning(cls, known: ScopeAssessment, version: int, zone: str) -> "ScopeForm":
        """Return the form filled with what is known."""
        shown: dict[str, Any] = {"after_version": str(version)}
        for part in fields(ScopeAssessment):
            value = getattr(known, part.name)
            if isinstance(value, CountRange):
                value = count_text(value)
            elif isinstance(value, datetime):
                shown[f"{part.name}_fold"] = typed_times.fold_of(value, zone)
                value = typed_times.typed(value, zone)
            elif isinstance(value, tuple):
                value = list(value)
            shown[part.name] = value if value is not None else ""
        return cls(formdata=None, data=shown)

    def assessment(self, zone: str) -> ScopeAssessment | None:
        """Return what was typed, or None after placing what could not be read beside its field."""
        said: dict[str, Any] = {}
        wrong = False
        for name in KEYS:
            try:
                said[name] = self._said(name, zone)
            except Refusal as refusal:
                self.place(refusal)
                wrong = True
        return None if wrong else ScopeAssessment(**said)

    def times_said(self, zone: str) -> dict[str, str]:
        """Return how each time was understood; where the clock shows one twice, ask which is meant."""
        said = {}
        for name in TIMES:
            field, fold = self._fields[name], self._fields[f"{name}_fold"]
            found = form_times.understand(field.data or "", zone, fold.data, field=name)
            twice = found.twice or form_times.understand(field.data or "", zone, field=name).twice
            if twice is not None:
                form_times.ask_which(self, name, zone, twice)
            said[name] = found.said if found.ok else ""
        return said

    def after(self) -> int | None:
        """Return the version that the form was made from."""
        said = self.after_version.data or ""
        return int(said) if said.isdecimal() else None

    def _said(self, name: str, zone: str) -> Any:
        field = self._fields[name]
        data = field.data
        if isinstance(field, MultiCheckboxField):
            return tuple(data or ())
        if isinstance(field, BooleanField):
            return bool(data)
        text = str(data or "").replace("\r\n", "\n").strip()
        if name in TIMES:
            return typed_times.read(text, zone, self._fields[f"{name}_fold"].data, name) if text else None
        if name in COUNTS:
            return CountRange.read(text, name) if text else None
        return (text or None) if isinstance(field, SelectField) else text


def sections(language: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return number, title and attributes of each section of the form."""
    known = canonical_fields()
    return [(number, known.sections[number][language], names) for number, names in SECTIONS]
