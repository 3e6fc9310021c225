"""What the page of the report shows: sections with their counts, questions with their numbers."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.scope import KEYS
from incident_tracker.services.reports import Phase, Sheet
from incident_tracker.web import current
from notifiers.protocol import Question, ReportDraft

_ATTRIBUTES = {key: name for name, key in KEYS.items()}


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as its row shows it. `elsewhere` is where its fact is corrected; `typed` what was not taken."""

    id: str
    number: str
    question: Question
    ticked: bool
    changed: bool
    elsewhere: tuple[str, str] | None
    typed: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section: how many of its questions count, how many are answered, how many are missing."""

    id: str
    title: str
    shown: tuple[Shown, ...]
    asked: int
    ready: int
    missing: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that was not taken: what was typed, and why not."""

    key: str = ""
    typed: str = ""
    wrong: str = ""


NOTHING_REFUSED = Refused()


def sections_of(sheet: Sheet, refused: Refused = NOTHING_REFUSED) -> list[Section]:
    """Return the sections of a draft with their questions."""
    found = []
    for place, (key, title) in enumerate(sheet.draft.sections, start=1):
        questions = [one for one in sheet.draft.questions if one.section == key]
        shown = tuple(
            _shown(sheet, one, f"{place}.{number}", refused) for number, one in enumerate(questions, start=1)
        )
        missing = sum(one.missing for one in questions)
        ready = sum(bool(one.answer) for one in questions)
        found.append(Section(f"s-{key}", title, shown, ready + missing, ready, missing))
    return found


def frozen_sections(draft: ReportDraft) -> list[tuple[str, list[Question]]]:
    """Return titles and questions of a frozen draft."""
    return [(title, [one for one in draft.questions if one.section == key]) for key, title in draft.sections]


def moved(before: list[Section], after: list[Section], key: str) -> list[Shown]:
    """Return the questions besides `key` that look different after a change."""
    old = {one.id: one for section in before for one in section.shown}
    return [
        one
        for section in after
        for one in section.shown
        if one.question.key != key and old.get(one.id) is not None and old[one.id] != one
    ]


def phase_words(phase: str) -> str:
    """Return which of the reports on one breach this is."""
    return str(
        {
            Phase.INITIAL: _("first notification"),
            Phase.FOLLOW_UP: _("follow-up notification"),
            Phase.FINAL: _("final notification"),
            Phase.WITHDRAWN: _("withdrawn notification"),
        }[Phase(phase)]
    )


def point_words(point: str) -> str:
    """Return what a final report still lacks, in words; keys of provisional answers by their label."""
    said = {
        "nature": _("what happened"),
        "people": _("who is affected, and how many"),
        "records": _("which kinds of data, and how many records"),
        "contact": _("a contact point"),
        "consequences": _("the likely consequences"),
        "measures": _("the measures"),
    }
    return str(said.get(point, point))


def question_id(key: str) -> str:
    """Return the id of a question's row."""
    return "q-" + key.replace(".", "-")


def first_missing(sections: list[Section]) -> Shown | None:
    """Return the first question that still lacks an answer."""
    return next((one for section in sections for one in section.shown if one.question.missing), None)


def _shown(sheet: Sheet, question: Question, number: str, refused: Refused) -> Shown:
    is_refused = refused.key == question.key
    return Shown(
        id=question_id(question.key),
        number=number,
        question=question,
        ticked=question.key in sheet.ticked,
        changed=question.key in sheet.changed,
        elsewhere=None if question.own_words else _elsewhere(sheet, question),
        typed=refused.typed if is_refused else question.written,
        wrong=refused.wrong if is_refused else "",
    )


def _elsewhere(sheet: Sheet, question: Question) -> tuple[str, str] | None:
    """Return words and address of the page where the fact behind an answer is corrected."""
    reference = sheet.incident.reference
    key = question.canonical or ""
    if key in _ATTRIBUTES:
        return _("Correct it under Scope"), url_for("scope.form", reference=reference) + f"#{_ATTRIBUTES[key]}"
    if key.startswith("records.") or question.key.endswith(".cpr"):
        return _("Correct it under Scope"), url_for("scope.form", reference=reference) + "#data_types"
    if key.startswith("controller.") and current.actor().may(Act.ADMINISTER, sheet.controller.id):
        return _("Correct it in the settings"), "/settings"
    if key.startswith("timeline."):
        return _("Correct it on the overview"), f"/incidents/{reference}"
    return None
