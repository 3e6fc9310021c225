"""The forms of the list of people."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from incident_tracker.web.forms import LANGUAGES, PageForm, filled


class UploadForm(PageForm):
    """Takes a list."""

    file = FileField(_l("CSV file"))

    def chosen(self) -> FileStorage | None:
        """Return the file that was chosen."""
        return self.file.data if isinstance(self.file.data, FileStorage) and self.file.data.filename else None


class PersonForm(PageForm):
    """Takes one person."""

    name = StringField(_l("Name"), [Optional()])
    email = StringField(_l("E-mail"), [Optional()])
    phone = StringField(_l("Mobile phone"), [Optional()])
    language = SelectField(_l("Language"), choices=LANGUAGES, validate_choice=False)


class FindForm(PageForm):
    """Takes an address. It is sent in the body, never in the address of the page."""

    search = StringField(_l("Whole e-mail address or phone number"), [filled()])


class RemoveForm(PageForm):
    """Takes the reason for taking people off the list."""

    reason = TextAreaField(_l("Reason"), [filled()], render_kw={"rows": 2})
