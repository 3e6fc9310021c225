"""What an alert says: reference, time, how to acknowledge; no facts, no persons; one GSM-7 segment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_tracker import rendering
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.domain.sms import fits_one_segment
from incident_tracker.store.alerts import Alert
from incident_tracker.store.incidents import Head
from incident_tracker.store.obligations import Kept
from notifiers.protocol import Content

_HALF_MINUTE = timedelta(seconds=30)
_DEADLINE = {
    ("da", "notify_authority"): "anmeldelsesfristen",
    ("en", "notify_authority"): "the deadline to notify",
    ("da", "inform_parties"): "jeres frist for at informere alle",
    ("en", "inform_parties"): "your own deadline to inform all",
}
_ACT = {
    ("da", "notify_authority"): "Anmeld nu og begrund forsinkelsen.",
    ("en", "notify_authority"): "Notify now and give the reasons.",
    ("da", "inform_parties"): "Informer alle parter nu.",
    ("en", "inform_parties"): "Inform all parties now.",
}
_DUTY = {
    ("da", "notify_people"): "underretning af de berørte",
    ("en", "notify_people"): "telling the people affected",
    ("da", "notify_controller"): "besked til den dataansvarlige",
    ("en", "notify_controller"): "telling the controller",
    ("da", "complete_report"): "resten af anmeldelsen",
    ("en", "complete_report"): "the rest of the report",
}
_ANY_DEADLINE = {"da": "en frist", "en": "a deadline"}
_ANY_ACT = {"da": "Se, hvad der mangler.", "en": "See what is missing."}
_ANY_DUTY = {"da": "en pligt", "en": "a duty"}
"""What a duty is called that the administrator has put into `config/regimes` and we know nothing of."""
_WEIGHT = ("notify_authority", "notify_people", "notify_controller", "inform_parties", "complete_report", "assess")
"""Which duty speaks for the incident when several are as urgent: telling people before a report's missing rest."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert with the incident and the duty it is about."""

    alert: Alert
    head: Head
    kept: Kept | None


def at_step(alert: Alert, step: int) -> Alert:
    """Return the alert as it stands after moving on to a step."""
    return replace(alert, step=step)


def content(items: Sequence[Told], contact: OnCallContact, zone: str, now: datetime) -> Content:
    """Return what one person is told of one or several alerts; times are shown in the controller's zone."""
    references = list(dict.fromkeys(one.head.reference for one in items))
    if len(references) > 1:
        text = fitting("bundle", references, contact.language, count=len(references))
    else:
        text = single(_most_urgent(items), contact, zone, now)
    subject = rendering.message("alert/alert", "subject", contact.language, reference=", ".join(references[:3]))
    return Content(text=text, subject=subject, language=contact.language)


def fitting(name: str, references: Sequence[str], language: str, **values: object) -> str:
    """Return a text that names references, as many of them as fit one segment: `2026-0001, 2026-0002 +7`."""
    text = ""
    for shown in range(len(references), 0, -1):
        rest = len(references) - shown
        named = ", ".join(references[:shown]) + (f" +{rest}" if rest else "")
        text = rendering.message(f"alert/{name}", "sms", language, references=named, **values)
        if fits_one_segment(text):
            return text
    return text


def single(told: Told, contact: OnCallContact, zone: str, now: datetime) -> str:
    """Return the text of one alert."""
    language, reference = contact.language, told.head.reference
    obligation = None if told.kept is None else told.kept.obligation
    duty = "assess" if obligation is None else obligation.duty
    anchor = told.alert.raised_at if obligation is None else (obligation.anchor_at or told.alert.raised_at)
    since = rendering.hours_only(now - anchor, language)
    if told.alert.kind == "suspicion":
        return rendering.message("alert/suspicion", "sms", language, reference=reference, since=since)
    if duty == "assess":
        return rendering.message("alert/assess", "sms", language, reference=reference, since=since)
    if obligation is None or obligation.due_at is None:
        named = _DUTY.get((language, duty), _ANY_DUTY[language])
        return rendering.message("alert/open_duty", "sms", language, reference=reference, duty=named, since=since)
    return _dated(reference, obligation.due_at, duty, language, zone, now)


def _dated(reference: str, due_at: datetime, duty: str, language: str, zone: str, now: datetime) -> str:
    if now >= due_at:
        over = rendering.hours_only(now - due_at, language)
        act = _ACT.get((language, duty), _ANY_ACT[language])
        return rendering.message("alert/overdue", "sms", language, reference=reference, over=over, act=act)
    return rendering.message(
        "alert/rung",
        "sms",
        language,
        reference=reference,
        left=rendering.duration(_rounded(due_at - now), language),
        deadline=_DEADLINE.get((language, duty), _ANY_DEADLINE[language]),
        due=rendering.moment(due_at, zone, language, "tiny"),
    )


def _most_urgent(items: Sequence[Told]) -> Told:
    """Return the alert that speaks for the incident: the nearest deadline, then the weightiest duty.

    A deadline that has passed is said again every hour; where it falls together with something that is asked once a
    day, the rarer one speaks, unless the deadline is the authority's.
    """

    def urgency(one: Told) -> tuple[bool, bool, datetime, int]:
        due = one.alert.due_at
        duty = "assess" if one.kept is None else one.kept.obligation.duty
        repeated = one.alert.kind == "overdue" and duty != "notify_authority"
        weight = _WEIGHT.index(duty) if duty in _WEIGHT else len(_WEIGHT)
        return repeated, due is None, due or one.alert.raised_at, weight

    return min(items, key=urgency)


def _rounded(length: timedelta) -> timedelta:
    """Return a length to the nearest minute, so that a tick's delay does not show as a lost minute."""
    return max(timedelta(0), length) + _HALF_MINUTE
