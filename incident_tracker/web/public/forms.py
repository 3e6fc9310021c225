"""The forms of the public pages. Their proof is the signed token and where they came from, not a cookie."""

import hashlib
import json

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, StringField, TelField, TextAreaField
from wtforms.validators import Optional

from incident_tracker.domain.errors import Refusal
from incident_tracker.services import emails, questions
from incident_tracker.services.questions import Asked
from incident_tracker.services.suspicions import LINE_LIMIT, PHONE_LIMIT, WHAT_LIMIT, Told
from incident_tracker.web import current, public_forms
from incident_tracker.web.forms import PageForm, choices, filled

LEAST_SECONDS = 3
"""Nobody reads, writes and sends in less."""


class TooQuick(Refusal):
    """The form came back sooner than a person can write."""

    message = "That was very quick. If you are a person, press the button once more."


class PublicForm(PageForm):
    """A form without a cookie. `once` names the form that was sent and what was typed."""

    class Meta:
        """Without a cookie there is nothing that a token could be compared with."""

        csrf = False

    def once(self) -> str:
        """Return the same for the same form sent twice with the same words."""
        typed = {name: str(field.data or "") for name, field in self._fields.items()}
        said = json.dumps([request.form.get(public_forms.TOKEN, ""), typed], sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


class ReportForm(PublicForm):
    """What somebody outside has seen."""

    what = TextAreaField(_l("What have you seen?"), [filled()], render_kw={"rows": 6, "maxlength": WHAT_LIMIT})
    where = StringField(_l("Where?"), [Optional()], render_kw={"maxlength": LINE_LIMIT})
    when = StringField(_l("When?"), [Optional()], render_kw={"maxlength": LINE_LIMIT})
    email = EmailField(
        _l("Your e-mail"), [Optional()], render_kw={"maxlength": emails.LIMIT, "autocomplete": "email"}
    )
    phone = TelField(_l("Your phone"), [Optional()], render_kw={"maxlength": PHONE_LIMIT, "autocomplete": "tel"})

    def told(self) -> Told:
        """Return what was typed."""
        said = {name: str(self[name].data or "") for name in ("what", "where", "when", "email", "phone")}
        return Told(**said, language=current.language())


class QuestionForm(PublicForm):
    """What a reader of a notice asks."""

    kind = RadioField(
        _l("What is it about?"),
        choices=choices([("question", _l("I have a question")), ("not_me", _l("It is not meant for me"))]),
        default="question",
        validate_choice=False,
    )
    text = TextAreaField(_l("Your question"), [Optional()], render_kw={"rows": 4, "maxlength": questions.TEXT_LIMIT})
    email = EmailField(
        _l("Your e-mail, so that we can answer"),
        [Optional()],
        render_kw={"maxlength": emails.LIMIT, "autocomplete": "email"},
    )

    def asked(self) -> Asked:
        """Return what was typed."""
        kind = self.kind.data if self.kind.data in questions.KINDS else questions.QUESTION
        return Asked(self.text.data or "", self.email.data or "", kind, current.language())


def check(purpose: str) -> None:
    """Refuse a form that is not ours, or that came back sooner than anybody can write."""
    public_forms.check(purpose)
    if public_forms.age().total_seconds() < LEAST_SECONDS:
        raise TooQuick
