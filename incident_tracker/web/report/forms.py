"""The forms of the report: one answer, one tick, and the receipt of a filing."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from incident_tracker.services.reports import Phase, Sheet
from incident_tracker.web.forms import PageForm, choices, filled
from incident_tracker.web.incidents.forms import SpokenTime, WhichOfTwo


class AnswerForm(PageForm):
    """An answer in own words."""

    answer = TextAreaField(_l("Answer"), [Optional()])


class TickForm(PageForm):
    """Whether an answer was carried over; `1` or empty."""

    ticked = HiddenField()


class FilingForm(PageForm):
    """What came of filing on the authority's page."""

    version = HiddenField()
    kept_receipt = HiddenField()
    looked_at = HiddenField()
    filed_at = SpokenTime(_l("When was it sent?"), [filled()])
    filed_at_fold = WhichOfTwo(_l("Which of the two?"))
    reference = StringField(_l("Reference number of the submission"), [filled()], render_kw={"autocomplete": "off"})
    journal_number = StringField(_l("Journal number"), [Optional()], render_kw={"autocomplete": "off"})
    phase = RadioField(_l("Which kind of notification was it?"), choices=[], validate_choice=False)
    receipt = FileField(_l("Receipt"))
    no_receipt_reason = StringField(_l("Why is there no receipt?"), [Optional()])
    late_reason = TextAreaField(_l("Reasons for the delay"), render_kw={"rows": 3})

    def offer(self, sheet: Sheet) -> None:
        """Offer the kinds of notification that may come next."""
        words = {
            Phase.INITIAL: _("Preliminary: more will follow"),
            Phase.FOLLOW_UP: _("Preliminary: more will follow"),
            Phase.FINAL: _("Complete: nothing more will follow"),
            Phase.WITHDRAWN: _("Withdrawn"),
        }
        self.phase.choices = choices((one.value, words[one]) for one in sheet.possible)
        if self.phase.data not in {one.value for one in sheet.possible}:
            self.phase.data = sheet.phase.value

    def file(self) -> FileStorage | None:
        """Return the receipt that was chosen, if any."""
        found: Any = self.receipt.data
        return found if isinstance(found, FileStorage) and found.filename else None

    def numbers(self) -> str:
        """Return both numbers as one text, to see whether they were changed since the last look."""
        return f"{(self.reference.data or '').strip()} {(self.journal_number.data or '').strip()}"
