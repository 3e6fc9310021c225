"""The journal in words: who recorded what when, one sentence an event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from incident_tracker.domain import events
from incident_tracker.domain.access import Actor
from incident_tracker.services import calling, colleagues, reports
from incident_tracker.services.context import Context
from incident_tracker.services.next_step import AUTHORITY
from incident_tracker.services.register import Overview
from incident_tracker.web import words
from incident_tracker.web.current import language
from incident_tracker.web.incidents.history import of_incidents, of_telling
from incident_tracker.web.incidents.history.of_incidents import alert_name
from incident_tracker.web.incidents.history.saying import Telling
from notifiers.protocol import Question

__all__ = ["Line", "alert_name", "lines", "name_of"]

SAY = {**of_incidents.SAY, **of_telling.SAY}


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


def lines(context: Context, actor: Actor, overview: Overview, records: Iterable[Any]) -> list[Line]:
    """Return journal records in words, in the order given."""
    kept = list(records)
    zone = overview.controller.time_zone
    alert_ids = {one.event.alert_id for one in kept if isinstance(one.event, events.AlertRaised)}
    told = calling.told_of(context, actor, alert_ids) if alert_ids else {}
    names = colleagues.names(context, actor, _everybody(kept))
    questions = _questions(context, actor, overview, kept)
    telling = Telling(zone, f"/incidents/{overview.incident.reference}", names, told, questions)
    return [_line(one, telling, overview.now) for one in kept]


def name_of(actor: str, names: Mapping[str, str]) -> str:
    """Return who acted, as a sentence begins."""
    if actor in names:
        return names[actor]
    others = {
        "clock": _("The clock"),
        "shell": _("The shell"),
        "outside": _("The outside approver"),
        "public": _("Somebody outside"),
    }
    return str(others.get(actor, actor))


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


def _line(record: Any, telling: Telling, now: datetime) -> Line:
    said = SAY[type(record.event)](record.event, telling)
    if isinstance(record.event, events.OwnerAssigned) and record.actor == f"user:{record.event.user_id}":
        said = said._replace(text=_("took the lead"))
    who = name_of(record.actor, telling.names)
    if isinstance(record.event, events.AlertRaised | events.QuestionReceived):
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
