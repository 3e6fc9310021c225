"""Sentences about what became of an incident, its duties and its alerts."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain import events
from incident_tracker.web import words
from incident_tracker.web.incidents.history.saying import Said, Telling


def _opened(one: events.IncidentOpened, telling: Telling) -> Said:
    del telling
    return Said("plus", _("logged the suspicion"), one.what_happened)


def _aware(one: events.BecameAware, telling: Telling) -> Said:
    at = telling.time(one.at)
    if one.version > 1:
        return Said("circle-check-big", _("moved the time of becoming aware to %(at)s", at=at), one.reason)
    return Said("circle-check-big", _("decided that it is a breach, known since %(at)s", at=at), one.reason)


def _not_a_breach(one: events.FoundNotABreach, telling: Telling) -> Said:
    del telling
    return Said("x", _("decided that it is not a breach"), one.reason)


def _contained(one: events.BreachContained, telling: Telling) -> Said:
    return Said("lock", _("recorded that it was contained %(at)s", at=telling.time(one.at)), one.how)


def _closed(one: events.IncidentClosed, telling: Telling) -> Said:
    del telling
    return Said("check", _("closed the incident"), one.reason)


def _reopened(one: events.IncidentReopened, telling: Telling) -> Said:
    del telling
    return Said("undo-2", _("reopened the incident"), one.reason)


def _owner(one: events.OwnerAssigned, telling: Telling) -> Said:
    del telling
    text = _("gave the lead to %(name)s", name=one.name) if one.user_id is not None else _("gave the lead back")
    return Said("user-check", text)


def _note(one: events.NoteAdded, telling: Telling) -> Said:
    del telling
    return Said("message-square-text", _("wrote a note"), one.text)


def _attachment(one: events.AttachmentAdded, telling: Telling) -> Said:
    text = _("attached »%(name)s«", name=one.file_name)
    return Said("paperclip", text, f"SHA-256 {one.sha256}", f"{telling.url}/evidence")


def _scope(one: events.ScopeAssessed, telling: Telling) -> Said:
    return Said("users", _("saved scope assessment %(version)s", version=one.version), "", f"{telling.url}/scope")


def _answer(one: events.AnswerRevised, telling: Telling) -> Said:
    text = _("rewrote the answer to »%(question)s«", question=telling.asked(one.key))
    return Said("file-pen-line", text, telling.answered(one.key, one.answer), f"{telling.url}/report")


def _tick(one: events.QuestionTicked, telling: Telling) -> Said:
    asked = telling.asked(one.key)
    text = _("ticked »%(question)s« as carried over", question=asked)
    if not one.ticked:
        text = _("took the tick off »%(question)s«", question=asked)
    return Said("check", text, "", f"{telling.url}/report")


def _filed(one: events.ReportFiled, telling: Telling) -> Said:
    at = telling.time(one.filed_at)
    text = _("recorded that notification %(version)s was sent %(at)s", version=one.version, at=at)
    return Said("send", text, one.late_reason or one.reference, f"{telling.url}/report")


def _met(one: events.DutyMet, telling: Telling) -> Said:
    duty, at = words.duty_title(one.duty), telling.time(one.at)
    return Said("circle-check", _("recorded »%(duty)s« as met %(at)s", duty=duty, at=at), one.how)


def _aside(one: events.DutySetAside, telling: Telling) -> Said:
    del telling
    return Said("circle-slash", _("set »%(duty)s« aside", duty=words.duty_title(one.duty)), one.reason)


def _alert(one: events.AlertRaised, telling: Telling) -> Said:
    told = telling.told.get((one.alert_id, one.step), [])
    said = [
        f"{telling.contact(who)} ({words.channel(way)}, {words.delivery_state(state)})" for who, way, state in told
    ]
    known = [telling.names[f"contact:{n}"] for n in one.contact_ids if f"contact:{n}" in telling.names]
    names = ", ".join(said or known)
    what = alert_name(one.kind, one.rung)
    if one.kind in ("reminder", "overdue") and one.duty not in ("", "assess"):
        what = _("%(alert)s (%(duty)s)", alert=what, duty=words.duty_title(one.duty))
    text = f"{what}: {names}" if names else _("%(what)s, and nobody was on call", what=what)
    return Said("bell-ring", text, "", f"/alerts/{one.alert_id}")


def _acknowledged(one: events.AlertAcknowledged, telling: Telling) -> Said:
    del telling
    by = _("acknowledged the alert by SMS") if one.via == "sms" else _("acknowledged the alert")
    return Said("check", by, "", f"/alerts/{one.alert_id}")


def _settled(one: events.DeliverySettled, telling: Telling) -> Said:
    del telling
    text = _("decided that a message in doubt counts as sent")
    if one.decision == "again":
        text = _("let a message be sent again")
    return Said("mail", text, words.reason(one.reason), f"/outbox/{one.delivery_id}")


def _other(one: Any, telling: Telling) -> Said:
    del one, telling
    return Said("history", _("recorded a change"))


def _from_outside(one: events.SuspicionSettled, telling: Telling) -> Said:
    del telling
    text = _("took a report from outside over") if one.accepted else _("dismissed a report from outside")
    return Said("mail", text, one.reason, f"/inbox/{one.suspicion_id}")


Sayer = Callable[[Any, Telling], Said]
_OTHERS: dict[type, Sayer] = dict.fromkeys(
    (
        events.ControllerCreated,
        events.ControllerChanged,
        events.ContactChanged,
        events.UserChanged,
        events.NotifierOpened,
        events.ClockStopped,
        events.PartnerChanged,
        events.AgreementKept,
        events.TokenChanged,
        events.SuspicionReceived,
        events.BackupMade,
        events.BackupRestored,
    ),
    _other,
)
SAY: dict[type, Sayer] = {
    **_OTHERS,
    events.IncidentOpened: _opened,
    events.BecameAware: _aware,
    events.FoundNotABreach: _not_a_breach,
    events.BreachContained: _contained,
    events.IncidentClosed: _closed,
    events.IncidentReopened: _reopened,
    events.OwnerAssigned: _owner,
    events.NoteAdded: _note,
    events.AttachmentAdded: _attachment,
    events.ScopeAssessed: _scope,
    events.AnswerRevised: _answer,
    events.QuestionTicked: _tick,
    events.ReportFiled: _filed,
    events.DutyMet: _met,
    events.DutySetAside: _aside,
    events.AlertRaised: _alert,
    events.AlertAcknowledged: _acknowledged,
    events.DeliverySettled: _settled,
    events.SuspicionSettled: _from_outside,
}


def alert_name(kind: str, rung: str) -> str:
    """Return what an alert is about: `Påmindelse 24 t før fristen`."""
    if kind == "suspicion":
        return str(_("Alert of a new suspicion"))
    if kind == "opened":
        return str(_("Alert of a new breach"))
    if kind == "overdue":
        return str(_("Alert: the deadline has passed"))
    if rung.endswith("h") and rung[:-1].isdigit():
        return str(
            ngettext(
                "Reminder %(num)s h before the deadline", "Reminder %(num)s h before the deadline", int(rung[:-1])
            )
        )
    if rung.startswith("asked"):
        return str(_("Reminder that something waits for an answer"))
    return str(_("Reminder"))
