"""The forms of a notice: its text in each language, the brakes, what messages in doubt count as."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from incident_tracker.domain.notices import PEOPLE, NoticeText
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.web.forms import PageForm, choices
from incident_tracker.web.notices.outlines import outline
from incident_tracker.web.scope.forms import MultiCheckboxField

PARTS = ("subject", "body", "sms")


def _subject() -> StringField:
    return StringField(_l("Subject"), [Optional()], render_kw={"autocomplete": "off"})


def _body() -> TextAreaField:
    return TextAreaField(_l("Text"), [Optional()], render_kw={"rows": 26})


def _sms() -> TextAreaField:
    return TextAreaField(_l("Text message"), [Optional()], render_kw={"rows": 4})


class NoticeForm(PageForm):
    """A notice in two languages; a language that is left empty is not part of it."""

    after_version = HiddenField()
    corrects = HiddenField()
    subject_da = _subject()
    body_da = _body()
    sms_da = _sms()
    subject_en = _subject()
    body_en = _body()
    sms_en = _sms()
    channels = MultiCheckboxField(
        _l("How is it sent?"),
        choices=choices([("email", _l("E-mail")), ("sms", _l("Text message"))]),
        default=["email"],
        validate_choice=False,
    )
    audience = RadioField(
        _l("Who is told?"),
        choices=choices([("people", _l("The people affected")), ("partners", _l("Partners named here"))]),
        default="people",
        validate_choice=False,
    )

    @classmethod
    def outlined(cls, controller: str, audience: str = PEOPLE, corrects: int | None = None) -> "NoticeForm":
        """Return the form with the structure that every notice to this audience needs."""
        found = {language: outline(language, controller, audience) for language in LANGUAGES}
        shown: dict[str, Any] = {
            f"{part}_{language}": getattr(text, part, "") for language, text in found.items() for part in PARTS
        }
        shown["audience"] = audience
        return cls(formdata=None, data=shown | {"corrects": "" if corrects is None else str(corrects)})

    @classmethod
    def beginning(cls, notice: Any) -> "NoticeForm":
        """Return the form filled with a notice as it stands."""
        shown: dict[str, Any] = {"after_version": str(notice.version)}
        for language, text in notice.texts.items():
            shown |= {f"{part}_{language}": getattr(text, part) for part in PARTS}
        return cls(formdata=None, data=shown | {"channels": list(notice.channels), "audience": notice.audience})

    def texts(self) -> Mapping[str, NoticeText]:
        """Return what was typed, by language; a language without a word is left out."""
        found = {
            language: NoticeText(*(self._typed(f"{part}_{language}") for part in PARTS)) for language in LANGUAGES
        }
        return {language: text for language, text in found.items() if text.subject or text.body or text.sms}

    def after(self) -> int:
        """Return the version that the form was made from; 0 where it was tampered with."""
        return _number(self.after_version.data) or 0

    def corrected(self) -> int | None:
        """Return the number of the notice that this one corrects."""
        return _number(self.corrects.data)

    def of(self, language: str) -> list[Any]:
        """Return the fields of one language: subject, text, text message."""
        return [self._fields[f"{part}_{language}"] for part in PARTS]

    def _typed(self, name: str) -> str:
        return str(self._fields[name].data or "").replace("\r\n", "\n").strip()


class StopForm(PageForm):
    """Stopping for good: the reason, and the reference typed."""

    reason = TextAreaField(_l("Reason"), render_kw={"rows": 2})
    reference = StringField(_l("Write the reference to confirm"), render_kw={"autocomplete": "off"})


class DoubtsForm(PageForm):
    """What the messages of a notice that are in doubt count as."""

    decision = RadioField(
        _l("What shall they count as?"),
        choices=choices([("sent", _l("As sent: do nothing more")), ("again", _l("As not sent: send them again"))]),
        validate_choice=False,
    )
    reason = TextAreaField(_l("Reason"), render_kw={"rows": 2})


class RetryForm(PageForm):
    """Telling those whom a notice did not reach over another channel."""

    channel = StringField(_l("Way"))
    """Said by the button that is pressed."""
    reason = StringField(_l("Reason"), [Optional()], render_kw={"maxlength": 500, "autocomplete": "off"})


class SubmitForm(PageForm):
    """Handing a notice over to a second pair of eyes: what a person vouches for, what she sets aside and why."""

    ticked = MultiCheckboxField("", [Optional()], choices=[], validate_choice=False)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004 - no notice is that far
