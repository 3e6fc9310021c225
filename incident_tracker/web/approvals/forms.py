"""Forms for a second pair of eyes."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, StringField, TextAreaField

from incident_tracker.web.forms import PageForm, filled
from incident_tracker.web.public.forms import PublicForm


class DecisionForm(PageForm):
    """Yes or no; a no needs words."""

    reason = TextAreaField(_l("Your words"), render_kw={"rows": 3})


class AloneForm(PageForm):
    """Yes, alone: the reason, and the password once more."""

    reason = TextAreaField(_l("Why nobody else can look at it, and why it is right"), render_kw={"rows": 3})
    password = PasswordField(_l("Your password"), [filled()], render_kw={"autocomplete": "current-password"})


class InviteForm(PageForm):
    """Somebody outside who gets a one-time link."""

    name = StringField(_l("Name"), [filled()], render_kw={"autocomplete": "off"})
    email = EmailField(_l("E-mail"), [filled()], render_kw={"autocomplete": "off"})


class PlainForm(PageForm):
    """A button that needs no words."""


class OutsideForm(PublicForm):
    """What somebody outside types: a form without a cookie."""

    reason = TextAreaField(_l("Your words"))
