"""Words that several pages share: duties, statuses, deliveries, channels, times as this reader reads them."""

from datetime import datetime, timedelta

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain.deadlines import Obligation, Standing
from incident_tracker.web.current import language


def moment(at: datetime, zone: str, style: str = "long") -> str:
    """Return an instant in the reader's words."""
    return rendering.moment(at, zone, language(), style)


def span(length: timedelta) -> str:
    """Return a length of time in the reader's words: `21 t 14 min`."""
    return rendering.duration(length, language())


def capital(text: str) -> str:
    """Return a sentence's first word with a capital letter."""
    return text[:1].upper() + text[1:]


def duty_title(duty: str) -> str:
    """Return a duty as something to do: `Anmeld til Datatilsynet`."""
    return str(
        {
            "notify_authority": _("Notify Datatilsynet"),
            "complete_report": _("Complete the notification"),
            "notify_people": _("Tell the people affected"),
            "notify_controller": _("Tell the controller"),
            "inform_parties": _("Inform all parties"),
            "assess": _("Decide whether it is a breach"),
        }.get(duty, duty)
    )


def duty_source(one: Obligation) -> str:
    """Return where a duty comes from, in few words: `art. 33, stk. 1`."""
    return str(
        {
            "notify_authority": _("Art. 33(1), 72 hours"),
            "complete_report": _("Art. 33(4), in phases"),
            "notify_people": _("Art. 34, without undue delay"),
            "notify_controller": _("Art. 33(2), without undue delay"),
            "inform_parties": _("your own promise, 72 hours"),
            "assess": _("until it is decided, the tracker keeps asking"),
        }.get(one.duty, one.article)
    )


def due_sentence(duty: str) -> str:
    """Return the sentence before a deadline's date; it holds one place, `%(due)s`."""
    return str(
        {
            "notify_authority": _("The notification to Datatilsynet must be sent by"),
            "inform_parties": _("You have promised to inform all parties by"),
        }.get(duty, _("The deadline is"))
    )


def overdue_sentence(duty: str) -> str:
    """Return the sentence before the date of a deadline that has passed."""
    return str(
        {
            "notify_authority": _("The notification to Datatilsynet should have been sent by"),
            "inform_parties": _("You had promised to inform all parties by"),
        }.get(duty, _("The deadline was"))
    )


def standing_note(standing: Standing) -> str:
    """Return the standing of the incident's deadline as its badge says it; empty: the plain word."""
    return str(
        {
            Standing.OPEN: _("The deadline is running"),
            Standing.APPROACHING: _("The deadline is approaching"),
            Standing.OVERDUE: _("The deadline has passed"),
        }.get(standing, "")
    )


def delivery_state(state: str) -> str:
    """Return where a delivery stands."""
    return str(
        {
            "pending": _("waiting"),
            "sending": _("being sent"),
            "accepted": _("handed to the provider"),
            "delivered": _("delivered"),
            "failed": _("failed"),
            "in_doubt": _("in doubt"),
            "suppressed": _("suppressed"),
            "cancelled": _("cancelled"),
        }.get(state, state)
    )


def reason(text: str) -> str:
    """Return why a message did not arrive; a provider's own words stay as they are."""
    return str(_(text)) if text else ""


def purpose(name: str) -> str:
    """Return what a delivery is for."""
    return str(
        {
            "alert": _("Alert"),
            "escalation": _("Alert, next step"),
            "notice": _("Notice"),
            "partner": _("Partner"),
            "question": _("Answer to a question"),
            "account": _("Account"),
            "test": _("Test message"),
        }.get(name, name)
    )


def channel(name: str) -> str:
    """Return the way a message goes."""
    return str(
        {"sms": _("text message"), "email": _("e-mail"), "voice": _("call"), "chat": _("chat")}.get(name, name)
    )


def ongoing(code: str) -> str:
    """Return whether it still goes on."""
    return str({"yes": _("Yes"), "no": _("No")}.get(code, _("Not known")))


def role(code: str) -> str:
    """Return the role in which the organisation meets the incident."""
    return str(
        {
            "controller": _("controller"),
            "processor": _("processor"),
            "joint_controller": _("joint controller"),
        }.get(code, code)
    )


def standing_word(state: str) -> str:
    """Return the word of a standing, as its badge says it."""
    return str(
        {
            "open": _("Open"),
            "approaching": _("Approaching"),
            "overdue": _("Overdue"),
            "met": _("Met"),
            "met_late": _("Met late"),
            "set_aside": _("Set aside"),
            "suspected": _("Suspected"),
        }.get(state, _("No fixed period"))
    )


def status_word(state: str) -> str:
    """Return the word of an incident's status."""
    return str(
        {
            "suspected": _("Suspected"),
            "aware": _("Confirmed breach"),
            "closed": _("Closed"),
            "not_a_breach": _("Not a breach"),
        }.get(state, state)
    )
