"""The form of the first run: who administers, for which organisation, and who is called."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, RadioField, StringField, TelField
from wtforms.validators import Optional

from incident_tracker.domain.parties import ContactPoint
from incident_tracker.services.controllers import ControllerFacts
from incident_tracker.services.first_run import Administrator
from incident_tracker.services.on_call import ContactFacts
from incident_tracker.web.forms import LANGUAGES, SECTORS, PageForm, filled


class FirstRunForm(PageForm):
    """Everything that is needed before the first incident can be logged."""

    administrator_name = StringField(_l("Your name"), [filled()], render_kw={"autocomplete": "name"})
    administrator_email = EmailField(_l("Your e-mail"), [filled()], render_kw={"autocomplete": "username"})
    administrator_password = PasswordField(
        _l("Choose a password"), [filled()], render_kw={"autocomplete": "new-password"}
    )
    controller_name = StringField(_l("Name of the organisation"), [filled()])
    controller_cvr = StringField(_l("CVR number"), [Optional()], render_kw={"inputmode": "numeric"})
    controller_sector = RadioField(_l("Sector"), choices=SECTORS, default="private")
    controller_language = RadioField(_l("Language of SMS and pages"), choices=LANGUAGES, default="da")
    controller_time_zone = StringField(_l("Time zone"), [filled()], default="Europe/Copenhagen")
    controller_contact_name = StringField(_l("Contact point: name"), [Optional()])
    controller_contact_email = EmailField(_l("Contact point: e-mail"), [Optional()])
    controller_contact_phone = TelField(_l("Contact point: phone"), [Optional()])
    controller_dpo_name = StringField(_l("Data protection officer: name"), [Optional()])
    controller_dpo_email = EmailField(_l("Data protection officer: e-mail"), [Optional()])
    controller_dpo_phone = TelField(_l("Data protection officer: phone"), [Optional()])
    contact_0_name = StringField(_l("Called first: name"), [filled()])
    contact_0_phone = TelField(_l("Called first: mobile phone"), [filled()])
    contact_0_email = EmailField(_l("Called first: e-mail"), [Optional()])
    contact_1_name = StringField(_l("Called next: name"), [Optional()])
    contact_1_phone = TelField(_l("Called next: mobile phone"), [Optional()])
    contact_1_email = EmailField(_l("Called next: e-mail"), [Optional()])

    def administrator(self, language: str) -> Administrator:
        """Return the first account, as typed."""
        return Administrator(
            self._said("administrator_name"),
            self._said("administrator_email"),
            self.administrator_password.data or "",
            language,
        )

    def ask_for_the_password_again(self) -> None:
        """Say that the password must be typed once more: it is never sent back to the page."""
        field = self.administrator_password
        if field.data and not field.errors:
            field.errors = [*field.errors, _("Type the password once more. It is never sent back to the page.")]

    def controller(self) -> ControllerFacts:
        """Return the organisation, as typed."""
        return ControllerFacts(
            name=self._said("controller_name"),
            cvr=self._said("controller_cvr"),
            time_zone=self._said("controller_time_zone"),
            language=self._said("controller_language"),
            sector=self._said("controller_sector"),
            contact=self._point("controller_contact"),
            dpo=self._point("controller_dpo"),
        )

    def contacts(self) -> list[ContactFacts]:
        """Return who is called, as typed; the second may be left out altogether."""
        typed = [[self._said(f"contact_{number}_{part}") for part in ("name", "phone", "email")] for number in (0, 1)]
        language = self._said("controller_language")
        return [ContactFacts(name, phone, email, language) for name, phone, email in typed if name or phone or email]

    @staticmethod
    def begin_with(facts: ControllerFacts) -> dict[str, Any]:
        """Return what the settings file says already, to begin with."""
        plain = {f"controller_{name}": getattr(facts, name) for name in ("cvr", "time_zone", "language", "sector")}
        points = {
            f"controller_{who}_{part}": getattr(getattr(facts, who), part)
            for who in ("contact", "dpo")
            for part in ("name", "email", "phone")
        }
        return {"controller_name": facts.name} | plain | points

    def _point(self, who: str) -> ContactPoint:
        return ContactPoint(*(self._said(f"{who}_{part}") for part in ("name", "email", "phone")))

    def _said(self, name: str) -> str:
        return str(self._fields[name].data or "").strip()


class SheetForm(PageForm):
    """Shows the recovery sheet; nothing is typed."""
