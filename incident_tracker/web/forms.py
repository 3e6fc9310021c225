"""The form that every noun's forms are made from."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web.languages import refusal_text

_NOT_OF_A_FIELD = (NotSaved, NotFound, NotAllowed)


def choices(pairs: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return the choices of a field from pairs of value and words."""
    return [SelectChoice(value=value, label=words) for value, words in pairs]


LANGUAGES = choices([("da", lazy_gettext("Danish")), ("en", lazy_gettext("English"))])
SECTORS = choices([("private", lazy_gettext("Private")), ("public", lazy_gettext("Public"))])


def filled() -> Any:
    """Return the rule that a field must say something, in the house's own words."""
    return InputRequired(lazy_gettext("Write something here. It cannot be empty."))


class PageForm(FlaskForm):  # type: ignore[misc] # flask-wtf is untyped
    """A form with its token. Services decide what is right; what they refuse is put beside the field."""

    def place(self, refusal: Refusal) -> None:
        """Show a refusal at its field, or on top; what is not about the form is raised again."""
        if isinstance(refusal, _NOT_OF_A_FIELD):
            raise refusal
        text = refusal_text(refusal)
        field = self._fields.get(refusal.field or "")
        if field is None:
            self.form_errors.append(text)
        else:
            field.errors = [*field.errors, text]
