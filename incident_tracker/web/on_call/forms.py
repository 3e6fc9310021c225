"""Forms about who is called."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, RadioField, StringField, TelField
from wtforms.validators import Optional

from incident_tracker.services.on_call import ContactFacts
from incident_tracker.web.forms import LANGUAGES, PageForm, filled


class ContactForm(PageForm):
    """Someone to be put on call."""

    name = StringField(_l("Name"), [filled()], render_kw={"autocomplete": "off"})
    phone = TelField(_l("Mobile phone"), [filled()], render_kw={"autocomplete": "off"})
    email = EmailField(_l("E-mail"), [Optional()], render_kw={"autocomplete": "off"})
    language = RadioField(_l("Language of the SMS"), choices=LANGUAGES, default="da")
    verified = BooleanField(_l("I vouch that this number reaches her or him"))

    def facts(self) -> ContactFacts:
        """Return what was typed."""
        return ContactFacts(
            name=self.name.data or "",
            phone=self.phone.data or "",
            email=self.email.data or "",
            language=self.language.data or "",
            verified=bool(self.verified.data),
        )


class RemoveForm(PageForm):
    """Takes someone off call; the name is typed, so that nobody is taken off by a slip."""

    name = StringField(_l("Type the name to confirm"), [filled()], render_kw={"autocomplete": "off"})
