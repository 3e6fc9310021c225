"""Forms about accounts and controllers."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from wtforms import EmailField, IntegerField, PasswordField, RadioField, SelectField, StringField, TelField
from wtforms.validators import Optional

from incident_tracker.domain.parties import ContactPoint, Controller, Role
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.web.forms import LANGUAGES, SECTORS, PageForm, choices, filled
from incident_tracker.web.languages import ROLES
from incident_tracker.web.scope.forms import MultiCheckboxField

_ROLES = [(role.value, words) for role, words in ROLES.items()]
_THEMES = choices([("", _l("As the machine says")), ("light", _l("Light")), ("dark", _l("Dark"))])
_FOUR_EYES = choices(
    [("colleague", _l("A colleague, or a person outside")), ("alone", _l("Also nobody: alone, with a wait"))]
)
_PLAIN = ("name", "cvr", "sector", "language", "time_zone", "four_eyes", "colour")
_NEW = {"autocomplete": "new-password"}


def _scope_words(scope: str) -> str:
    return f"{gettext(SCOPES[scope])} ({scope})"


class UserForm(PageForm):
    """A new account."""

    name = StringField(_l("Name"), [filled()], render_kw={"autocomplete": "off"})
    email = EmailField(_l("E-mail"), [filled()], render_kw={"autocomplete": "off"})
    role = SelectField(_l("Role"), choices=choices(_ROLES), default=Role.RESPONDER.value)
    language = RadioField(_l("Language"), choices=LANGUAGES, default="da")
    password = PasswordField(_l("First password"), [filled()], render_kw=_NEW)


class TokenForm(PageForm):
    """A new token for a program of one's own."""

    name = StringField(_l("Name"), [filled()], render_kw={"autocomplete": "off"})
    scope = MultiCheckboxField(
        _l("Scopes"),
        [Optional()],
        choices=choices((one, LazyString(_scope_words, one)) for one in SCOPES),
        validate_choice=False,
    )
    expires_days = IntegerField(_l("Days until it ends"), [Optional()], render_kw={"inputmode": "numeric"})


class RoleForm(PageForm):
    """Another role for an account, or none."""

    role = SelectField(_l("Role"), choices=choices([*_ROLES, ("", _l("No role"))]))


class PasswordForm(PageForm):
    """A new password for somebody else."""

    password = PasswordField(_l("New password"), [filled()], render_kw=_NEW)


class DisableForm(PageForm):
    """Shuts an account; the e-mail is typed, so that nobody is shut out by a slip."""

    email = StringField(_l("Type the e-mail to confirm"), [filled()], render_kw={"autocomplete": "off"})


class EnableForm(PageForm):
    """Opens an account again."""


class OwnPasswordForm(PageForm):
    """A new password for oneself."""

    current = PasswordField(_l("Present password"), [filled()], render_kw={"autocomplete": "current-password"})
    password = PasswordField(_l("New password"), [filled()], render_kw=_NEW)


class LookForm(PageForm):
    """How one's own pages look and read."""

    language = RadioField(_l("Language"), choices=LANGUAGES)
    theme = RadioField(_l("Colours"), choices=_THEMES)


class ControllerForm(PageForm):
    """What is known of an organisation."""

    name = StringField(_l("Name of the organisation"), [filled()])
    cvr = StringField(_l("CVR number"), [Optional()], render_kw={"inputmode": "numeric"})
    sector = RadioField(_l("Sector"), choices=SECTORS, default="private")
    language = RadioField(_l("Language of SMS and pages"), choices=LANGUAGES, default="da")
    time_zone = StringField(_l("Time zone"), [filled()], default="Europe/Copenhagen")
    four_eyes = RadioField(_l("Who is the second pair of eyes?"), choices=_FOUR_EYES, default="colleague")
    colour = StringField(_l("Colour of the public pages"), [Optional()], render_kw={"autocomplete": "off"})
    contact_name = StringField(_l("Contact point: name"), [Optional()])
    contact_email = EmailField(_l("Contact point: e-mail"), [Optional()])
    contact_phone = TelField(_l("Contact point: phone"), [Optional()])
    dpo_name = StringField(_l("Data protection officer: name"), [Optional()])
    dpo_email = EmailField(_l("Data protection officer: e-mail"), [Optional()])
    dpo_phone = TelField(_l("Data protection officer: phone"), [Optional()])

    def facts(self) -> ControllerFacts:
        """Return what was typed."""
        said = {name: str(field.data or "").strip() for name, field in self._fields.items()}
        points = {
            who: ContactPoint(*(said[f"{who}_{part}"] for part in ("name", "email", "phone")))
            for who in ("contact", "dpo")
        }
        return ControllerFacts(
            name=said["name"],
            cvr=said["cvr"],
            time_zone=said["time_zone"],
            language=said["language"],
            sector=said["sector"],
            contact=points["contact"],
            dpo=points["dpo"],
            four_eyes=said["four_eyes"],
            colour=said["colour"],
        )

    @staticmethod
    def of(controller: Controller) -> dict[str, str]:
        """Return what is known already, to begin with."""
        plain = {name: getattr(controller, name) for name in _PLAIN}
        points = {
            f"{who}_{part}": getattr(getattr(controller, who), part)
            for who in ("contact", "dpo")
            for part in ("name", "email", "phone")
        }
        return plain | points


class NewControllerForm(ControllerForm):
    """Another organisation."""

    slug = StringField(_l("Short name"), [Optional()])
    reference_prefix = StringField(_l("Prefix of the references"), [filled()])
