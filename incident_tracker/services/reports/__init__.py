"""The report to an authority: its draft, the answers in own words, filing, and its frozen versions."""

from incident_tracker.domain.filings import Phase
from incident_tracker.services.reports.answers import AnswerIsAFact, AnswerIsNotAChoice, revise_answer, tick
from incident_tracker.services.reports.filing import (
    AnswerChange,
    ReportIsAltered,
    VersionIsNotNext,
    changes_between,
    check_before_receipt,
    file_report,
    filed,
    frozen_of,
    identifier_warnings,
)
from incident_tracker.services.reports.printing import html, json, pdf
from incident_tracker.services.reports.sheet import Sheet, draft, draft_of, sheet
from incident_tracker.store.reports import Frozen

__all__ = [
    "AnswerChange",
    "AnswerIsAFact",
    "AnswerIsNotAChoice",
    "Frozen",
    "Phase",
    "ReportIsAltered",
    "Sheet",
    "VersionIsNotNext",
    "changes_between",
    "check_before_receipt",
    "draft",
    "draft_of",
    "file_report",
    "filed",
    "frozen_of",
    "html",
    "identifier_warnings",
    "json",
    "pdf",
    "revise_answer",
    "sheet",
    "tick",
]
