"""Forms about partners."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import EmailField, HiddenField, RadioField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import Optional

from incident_tracker.domain.parties import ContactPoint
from incident_tracker.domain.partners import Partner
from incident_tracker.services.partners import PartnerFacts
from incident_tracker.web.forms import LANGUAGES, PageForm, choices, filled

KINDS = choices(
    [
        ("processor", _l("Processes data for us")),
        ("controller", _l("We process data for it")),
        ("partner", _l("Neither")),
    ]
)
_OFF = {"autocomplete": "off"}


class PartnerForm(PageForm):
    """A partner and whom to reach there."""

    name = StringField(_l("Name"), [filled()], render_kw=_OFF)
    kind = RadioField(_l("What it is to you"), choices=KINDS, default="processor")
    what = StringField(_l("What it does"), [Optional()], render_kw=_OFF)
    cvr = StringField(_l("CVR number"), [Optional()], render_kw=_OFF)
    contact_name = StringField(_l("Contact person"), [Optional()], render_kw=_OFF)
    contact_email = EmailField(_l("E-mail"), [Optional()], render_kw=_OFF)
    contact_phone = TelField(_l("Mobile phone"), [Optional()], render_kw=_OFF)
    language = RadioField(_l("Language"), choices=LANGUAGES, default="da")

    def show(self, partner: Partner) -> None:
        """Fill the form with what is known."""
        self.name.data = partner.name
        self.kind.data = partner.kind.value
        self.what.data = partner.what
        self.cvr.data = partner.cvr
        self.contact_name.data = partner.contact.name
        self.contact_email.data = partner.contact.email
        self.contact_phone.data = partner.contact.phone
        self.language.data = partner.language

    def facts(self) -> PartnerFacts:
        """Return what was typed."""
        return PartnerFacts(
            name=self.name.data or "",
            kind=self.kind.data or "",
            cvr=self.cvr.data or "",
            what=self.what.data or "",
            contact=ContactPoint(
                self.contact_name.data or "", self.contact_email.data or "", self.contact_phone.data or ""
            ),
            language=self.language.data or "",
        )


class AgreementForm(PageForm):
    """Files an agreement."""

    file = FileField(_l("File"))
    signed_on = StringField(_l("Signed on"), [Optional()], render_kw=_OFF)


class ToldForm(PageForm):
    """Writes down what a partner said."""

    what = TextAreaField(_l("What the partner said"), [filled()], render_kw={"rows": 5})
    reach = StringField(_l("How its people are reached"), [Optional()], render_kw=_OFF)
    once = HiddenField()


class RemoveForm(PageForm):
    """Takes a partner off the list; the name is typed, so that none goes by a slip."""

    name = StringField(_l("Type the name to confirm"), [filled()], render_kw=_OFF)


class ConcernForm(PageForm):
    """Names a partner on an incident."""

    partner = SelectField(_l("Partner"), [filled()])
