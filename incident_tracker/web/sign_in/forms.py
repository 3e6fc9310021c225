"""The form for signing in."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField

from incident_tracker.web.forms import PageForm, filled


class SignInForm(PageForm):
    """E-mail and password; every failure has the same answer."""

    email = EmailField(_l("E-mail"), [filled()], render_kw={"autocomplete": "username"})
    password = PasswordField(_l("Password"), [filled()], render_kw={"autocomplete": "current-password"})
