"""The forms of an incident."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length
from wtforms.widgets import HiddenInput

from incident_tracker import rendering
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.errors import Refusal
from incident_tracker.services.texts import TEXT_LIMIT
from incident_tracker.web.current import language
from incident_tracker.web.forms import PageForm, choices, filled


class SpokenTime(StringField):  # type: ignore[misc] # WTForms is untyped
    """A time typed in words; `said` is how it was understood."""

    said = ""


class WhichOfTwo(RadioField):  # type: ignore[misc] # as above
    """The question which passing of a doubled hour is meant; shown only once it is asked."""

    asked = False

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, **kwargs)


class Count(StringField):  # type: ignore[misc] # as above
    """A number of people in words; `said` is how it was understood."""

    said = ""

    def take(self) -> CountRange | None:
        """Return the count, or put beside the field why there is none."""
        if not (self.data or "").strip():
            self.errors = [_("Write a number, or that you do not know: »unknown«.")]
            return None
        try:
            found = CountRange.read(self.data, self.short_name)
        except Refusal as refusal:
            self.errors = [rendering.refusal(refusal, language(), "UTC")]
            return None
        self.said = count_said(found)
        return found


def count_said(found: CountRange) -> str:
    """Return how a count was understood, in words."""
    reading = found.reading()
    numbers = {name: rendering.number(value, language()) for name, value in reading.params.items()}
    return str(_(reading.message) % numbers if numbers else _(reading.message))


class LogForm(PageForm):
    """A suspicion in five fields. `once` names this form, so that a second press of the button logs nothing twice."""

    once = HiddenField(default=lambda: secrets.token_hex(16), validators=[Length(max=64)])
    what_happened = TextAreaField(
        _l("What has happened?"), [filled()], render_kw={"rows": 3, "maxlength": TEXT_LIMIT}
    )
    detected_at = SpokenTime(_l("When did you notice it?"))
    detected_at_fold = WhichOfTwo(_l("Which of the two?"))
    where = StringField(_l("Where did it happen?"), [filled()], render_kw={"maxlength": 500})
    ongoing = RadioField(
        _l("Is it still going on?"),
        choices=choices([("yes", _l("Yes")), ("no", _l("No")), ("unknown", _l("Do not know"))]),
        default="unknown",
    )
    people = Count(_l("How many may be affected?"))
    role = RadioField(
        _l("In which role do you meet it?"),
        choices=choices(
            [
                ("controller", _l("Controller: the data are ours")),
                ("processor", _l("Processor: we hold them for somebody else")),
                ("joint_controller", _l("Joint controller: ours together with others")),
            ]
        ),
        default="controller",
    )
    controller = SelectField(_l("Which organisation does it concern?"), coerce=int, validate_choice=False)
    _asked_as: ClassVar[Mapping[str, str]] = {"place": "where", "title": "what_happened", "people_estimate": "people"}

    def place(self, refusal: Refusal) -> None:
        """Show a refusal at the field that this form asks it by."""
        refusal.field = self._asked_as.get(refusal.field or "", refusal.field)
        super().place(refusal)


class VersionedForm(PageForm):
    """A form that was made from one version of an incident."""

    version = IntegerField(widget=HiddenInput())


class DecideForm(VersionedForm):
    """Is it a breach? The time counts only where it is."""

    decision = RadioField(
        _l("Is it a breach of personal data security?"),
        choices=choices([("aware", _l("Yes, it is a breach")), ("not_a_breach", _l("No, it is not"))]),
        validate_choice=False,
    )
    at = SpokenTime(_l("When did you become aware of the breach?"))
    at_fold = WhichOfTwo(_l("Which of the two?"))
    reason = TextAreaField(_l("Reason"), render_kw={"rows": 3})


class ContainForm(VersionedForm):
    """Since when the damage no longer grows, and how that was done."""

    at = SpokenTime(_l("When was it contained?"))
    at_fold = WhichOfTwo(_l("Which of the two?"))
    how = TextAreaField(_l("What was done?"), render_kw={"rows": 3})


class CloseForm(VersionedForm):
    """Closing: the reason, and the reference typed."""

    reason = TextAreaField(_l("Reason"), render_kw={"rows": 3})
    reference = StringField(_l("Write the reference to confirm"), render_kw={"autocomplete": "off"})


class ReopenForm(VersionedForm):
    """Taking it up again, with the reason."""

    reason = TextAreaField(_l("Reason"), render_kw={"rows": 3})


class MetForm(VersionedForm):
    """A duty that was met elsewhere."""

    at = SpokenTime(_l("When was it met?"))
    at_fold = WhichOfTwo(_l("Which of the two?"))
    how = TextAreaField(_l("How, and where is the proof?"), render_kw={"rows": 2})


class AsideForm(VersionedForm):
    """A duty that does not bind here."""

    reason = TextAreaField(_l("Why does the duty not bind here?"), render_kw={"rows": 2})
    reference = StringField(_l("Write the reference to confirm"), render_kw={"autocomplete": "off"})


class NoteForm(PageForm):
    """Something worth remembering."""

    text = TextAreaField(_l("Note"), [filled()], render_kw={"rows": 2, "maxlength": TEXT_LIMIT})


class OwnerForm(VersionedForm):
    """Who leads the work; empty hands it back."""

    owner = SelectField(_l("Who leads the work?"), validate_choice=False)
    take = HiddenField()
