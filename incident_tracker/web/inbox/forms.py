"""The forms with which staff settles what came from outside."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField

from incident_tracker.services.texts import TITLE_LIMIT
from incident_tracker.web.forms import PageForm, filled


class AcceptForm(PageForm):
    """An incident made from a report."""

    title = StringField(_l("Title of the incident"), [filled()], render_kw={"maxlength": TITLE_LIMIT})


class AddForm(PageForm):
    """A report that belongs to an incident that is open already."""

    to = StringField(_l("Reference of the incident"), [filled()], render_kw={"maxlength": 40, "autocomplete": "off"})


class DismissForm(PageForm):
    """A report that is no leak."""

    reason = TextAreaField(_l("Reason"), [filled()], render_kw={"rows": 2})


class AnswerForm(PageForm):
    """The answer to a question."""

    text = TextAreaField(_l("Your answer"), [filled()], render_kw={"rows": 8})


class CloseQuestionForm(PageForm):
    """A question that is not answered."""

    reason = TextAreaField(_l("Reason"), [filled()], render_kw={"rows": 2})
