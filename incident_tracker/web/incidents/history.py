"""The journal in words: who recorded what when, one sentence an event."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain import events
from incident_tracker.domain.access import Actor
from incident_tracker.services import calling, colleagues, reports
from incident_tracker.services.context import Context
from incident_tracker.services.next_step import AUTHORITY
from incident_tracker.services.register import Overview
from incident_tracker.web import words
from incident_tracker.web.current import language
from notifiers.protocol import Question

Told = Mapping[tuple[str, int], list[tuple[int, str, str]]]


class Said(NamedTuple):
    """A sentence after the name, the words that were written then, and where to read on."""

    icon: str
    text: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the journal as people read it. `who` is empty where the sentence names nobody."""

    seq: int
    at: datetime
    when: str
    who: str
    icon: str
    text: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class _Telling:
    zone: str
    url: str
    names: Mapping[str, str]
    told: Told = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)

    def asked(self, key: str) -> str:
        """Return what a question of the report asks."""
        return self.questions[key].label if key in self.questions else key

    def answered(self, key: str, answer: str) -> str:
        """Return an answer as people read it: the word of a choice, not its code."""
        choices = dict(self.questions[key].choices) if key in self.questions else {}
        return choices.get(answer, answer)

    def time(self, at: datetime) -> str:
        return words.moment(at, self.zone)

    def contact(self, number: int) -> str:
        return self.names.get(f"contact:{number}") or str(_("somebody"))


def lines(context: Context, actor: Actor, overview: Overview, records: Iterable[Any]) -> list[Line]:
    """Return journal records in words, in the order given."""
    kept = list(records)
    zone = overview.controller.time_zone
    alert_ids = {one.event.alert_id for one in kept if isinstance(one.event, events.AlertRaised)}
    told = calling.told_of(context, actor, alert_ids) if alert_ids else {}
    names = colleagues.names(context, actor, _everybody(kept))
    questions = _questions(context, actor, overview, kept)
    telling = _Telling(zone, f"/incidents/{overview.incident.reference}", names, told, questions)
    return [_line(one, telling, overview.now) for one in kept]


def name_of(actor: str, names: Mapping[str, str]) -> str:
    """Return who acted, as a sentence begins."""
    if actor in names:
        return names[actor]
    if actor == "clock":
        return str(_("The clock"))
    return str(_("The shell")) if actor == "shell" else actor


def _questions(context: Context, actor: Actor, overview: Overview, records: Iterable[Any]) -> dict[str, Question]:
    """Return the questions of the report, where the journal speaks of any."""
    spoken_of = (events.AnswerRevised, events.QuestionTicked)
    if not any(isinstance(one.event, spoken_of) for one in records) or AUTHORITY not in context.reports:
        return {}
    draft = reports.draft(context, actor, overview.incident.reference, AUTHORITY, language())
    return {question.key: question for question in draft.questions}


def _everybody(records: Iterable[Any]) -> set[str]:
    wanted: set[str] = set()
    for one in records:
        wanted.add(one.actor)
        if isinstance(one.event, events.AlertRaised):
            wanted |= {f"contact:{number}" for number in one.event.contact_ids}
    return wanted


def _line(record: Any, telling: _Telling, now: datetime) -> Line:
    said = _SAY[type(record.event)](record.event, telling)
    if isinstance(record.event, events.OwnerAssigned) and record.actor == f"user:{record.event.user_id}":
        said = said._replace(text=_("took the lead"))
    who = name_of(record.actor, telling.names)
    if isinstance(record.event, events.AlertRaised):
        who = ""
    return Line(record.seq, record.recorded_at, _when(record.recorded_at, now, telling.zone), who, *said)


def _when(at: datetime, now: datetime, zone: str) -> str:
    """Return the time of day today, with the weekday this week, else the date."""
    if words.moment(at, zone, "date") == words.moment(now, zone, "date"):
        return words.moment(at, zone, "time")
    week = 6
    if (now - at).days < week:
        return words.moment(at, zone, "tiny")
    day = words.moment(at, zone, "short").partition(" ")[2]
    return day.replace(" kl. ", " ").replace(" at ", " ")


def _opened(one: events.IncidentOpened, telling: _Telling) -> Said:
    del telling
    return Said("plus", _("logged the suspicion"), one.what_happened)


def _aware(one: events.BecameAware, telling: _Telling) -> Said:
    at = telling.time(one.at)
    if one.version > 1:
        return Said("circle-check-big", _("moved the time of becoming aware to %(at)s", at=at), one.reason)
    return Said("circle-check-big", _("decided that it is a breach, known since %(at)s", at=at), one.reason)


def _not_a_breach(one: events.FoundNotABreach, telling: _Telling) -> Said:
    del telling
    return Said("x", _("decided that it is not a breach"), one.reason)


def _contained(one: events.BreachContained, telling: _Telling) -> Said:
    return Said("lock", _("recorded that it was contained %(at)s", at=telling.time(one.at)), one.how)


def _closed(one: events.IncidentClosed, telling: _Telling) -> Said:
    del telling
    return Said("check", _("closed the incident"), one.reason)


def _reopened(one: events.IncidentReopened, telling: _Telling) -> Said:
    del telling
    return Said("undo-2", _("reopened the incident"), one.reason)


def _owner(one: events.OwnerAssigned, telling: _Telling) -> Said:
    del telling
    text = _("gave the lead to %(name)s", name=one.name) if one.user_id is not None else _("gave the lead back")
    return Said("user-check", text)


def _note(one: events.NoteAdded, telling: _Telling) -> Said:
    del telling
    return Said("message-square-text", _("wrote a note"), one.text)


def _attachment(one: events.AttachmentAdded, telling: _Telling) -> Said:
    text = _("attached »%(name)s«", name=one.file_name)
    return Said("paperclip", text, f"SHA-256 {one.sha256}", f"{telling.url}/evidence")


def _scope(one: events.ScopeAssessed, telling: _Telling) -> Said:
    return Said("users", _("saved scope assessment %(version)s", version=one.version), "", f"{telling.url}/scope")


def _answer(one: events.AnswerRevised, telling: _Telling) -> Said:
    text = _("rewrote the answer to »%(question)s«", question=telling.asked(one.key))
    return Said("file-pen-line", text, telling.answered(one.key, one.answer), f"{telling.url}/report")


def _tick(one: events.QuestionTicked, telling: _Telling) -> Said:
    asked = telling.asked(one.key)
    text = _("ticked »%(question)s« as carried over", question=asked)
    if not one.ticked:
        text = _("took the tick off »%(question)s«", question=asked)
    return Said("check", text, "", f"{telling.url}/report")


def _filed(one: events.ReportFiled, telling: _Telling) -> Said:
    at = telling.time(one.filed_at)
    text = _("recorded that notification %(version)s was sent %(at)s", version=one.version, at=at)
    return Said("send", text, one.late_reason or one.reference, f"{telling.url}/report")


def _met(one: events.DutyMet, telling: _Telling) -> Said:
    duty, at = words.duty_title(one.duty), telling.time(one.at)
    return Said("circle-check", _("recorded »%(duty)s« as met %(at)s", duty=duty, at=at), one.how)


def _aside(one: events.DutySetAside, telling: _Telling) -> Said:
    del telling
    return Said("circle-slash", _("set »%(duty)s« aside", duty=words.duty_title(one.duty)), one.reason)


def _alert(one: events.AlertRaised, telling: _Telling) -> Said:
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


def _acknowledged(one: events.AlertAcknowledged, telling: _Telling) -> Said:
    del telling
    by = _("acknowledged the alert by SMS") if one.via == "sms" else _("acknowledged the alert")
    return Said("check", by, "", f"/alerts/{one.alert_id}")


def _settled(one: events.DeliverySettled, telling: _Telling) -> Said:
    del telling
    text = _("decided that a message in doubt counts as sent")
    if one.decision == "again":
        text = _("let a message be sent again")
    return Said("mail", text, words.reason(one.reason), f"/outbox/{one.delivery_id}")


def _other(one: Any, telling: _Telling) -> Said:
    del one, telling
    return Said("history", _("recorded a change"))


_Sayer = Callable[[Any, _Telling], Said]
_OTHERS: dict[type, _Sayer] = dict.fromkeys(
    (
        events.ControllerCreated,
        events.ControllerChanged,
        events.ContactChanged,
        events.UserChanged,
        events.NotifierOpened,
        events.ClockStopped,
    ),
    _other,
)
_SAY: dict[type, _Sayer] = {
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
