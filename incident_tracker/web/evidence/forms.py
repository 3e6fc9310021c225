"""The form that takes files."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from werkzeug.datastructures import FileStorage

from incident_tracker.web.forms import PageForm


class UploadForm(PageForm):
    """Takes one file or several."""

    file = MultipleFileField(_l("Files"))

    def files(self) -> list[FileStorage]:
        """Return the files that were chosen."""
        return [one for one in self.file.data or [] if isinstance(one, FileStorage) and one.filename]
