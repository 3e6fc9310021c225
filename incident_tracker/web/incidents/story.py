"""The story of an incident for its time line and the table behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain.deadlines import Obligation, Standing
from incident_tracker.domain.periods import zone_of
from incident_tracker.services.obligations import rule_of
from incident_tracker.services.register import Overview
from incident_tracker.web import words
from incident_tracker.web.current import context, language
from incident_tracker.web.drawing.timeline import Happening, Timeline, Words, timeline, timelines
from incident_tracker.web.heading import drawing_facts, speaking

PHONE = 326


@dataclass(frozen=True, slots=True)
class Story:
    """The drawings for each width, one for phones, and the same facts as rows of a table."""

    drawings: tuple[Timeline, ...]
    phone: Timeline
    rows: list[tuple[str, str]]
    now_text: str
    latest: str


def story(overview: Overview, names: Mapping[str, str]) -> Story:
    """Draw the story of an incident; `names` are those of the people behind `user:3` and `contact:7`."""
    zone = overview.controller.time_zone
    found = _speaking_duty(overview)
    happenings = _happenings(overview, names)
    facts = _facts(overview, found, happenings, zone)
    last = max((one for one in happenings if one.at <= overview.now), key=lambda one: one.at, default=None)
    latest = "" if last is None else _("Latest: %(what)s %(when)s", what=_lower(last.name), when=last.when)
    return Story(
        drawings=timelines(**facts),
        phone=timeline(width=PHONE, phone=True, **facts),
        rows=_rows(overview, found, happenings, zone),
        now_text=_("now %(time)s", time=words.moment(overview.now, zone, "time")),
        latest=latest,
    )


def _speaking_duty(overview: Overview) -> tuple[Obligation, Standing] | None:
    """Return the deadline that the line leads to: that of Art. 33(1), else the one that speaks for the incident."""
    first = [pair for pair in overview.obligations if pair[0].duty == "notify_authority"]
    return first[0] if first else speaking(overview)


def _facts(
    overview: Overview, found: tuple[Obligation, Standing] | None, happenings: list[Happening], zone: str
) -> dict[str, Any]:
    one = overview.incident
    facts: dict[str, Any] = {"state": "suspected", "now": overview.now}
    if found is not None:
        facts = drawing_facts(found[0], found[1], overview.now)
        facts.pop("start")
    rule = rule_of(context(), found[0]) if found is not None else None
    due = facts.pop("due", None)
    settled = facts.pop("settled", None)
    aware = one.became_aware_at if due is not None else None
    if aware is None and one.became_aware_at is not None:
        happenings.append(_fact(_("Became aware"), one.became_aware_at, zone))
    return facts | {
        "happenings": happenings,
        "aware": aware,
        "due": due if aware is not None else None,
        "settled": settled if aware is not None else None,
        "zone": zone_of(zone),
        "words": _words(aware, due, zone),
        "ladder_hours": rule.ladder_hours if rule is not None else (),
    }


def _words(aware: datetime | None, due: datetime | None, zone: str) -> Words:
    locale = {"da": "da_DK", "en": "en_GB"}[language()]

    def day(one: date, short: bool) -> str:  # noqa: FBT001 - as the drawing asks
        name = str(format_date(one, "EEE" if short else "EEEE d.", locale=locale))
        return name[:3] if short else (name if locale == "da_DK" else name.rstrip("."))

    def merged(count: int, first: Happening, last: Happening) -> str:
        marks = ngettext("%(num)s mark", "%(num)s marks", count)
        return f"{marks}\n{first.when}" if first.when == last.when else f"{marks}\n{first.when}-{last.when}"

    return Words(
        aware=_("Became aware"),
        aware_when="" if aware is None else words.moment(aware, zone, "tiny"),
        due=_("Deadline"),
        due_when="" if due is None else words.moment(due, zone, "tiny"),
        reminders=_("Reminders"),
        day=day,
        merged=merged,
    )


def _happenings(overview: Overview, names: Mapping[str, str]) -> list[Happening]:
    one, zone = overview.incident, overview.controller.time_zone
    told = [_fact(_("Detected"), one.detected_at, zone)]
    begin = one.assessment.begin if one.assessment is not None else None
    if begin is not None:
        day = words.moment(begin, zone, "short").partition(" ")[2]
        estimated = one.assessment is not None and one.assessment.dates_estimated
        shown = _("about %(when)s", when=day) if estimated else day
        told.append(Happening(_("Happened"), shown, begin, "fact", estimated))
    if overview.alerts:
        first = overview.alerts[0]
        told.append(Happening(_("Alert"), _short(first.raised_at, one.detected_at, zone), first.raised_at, "alarm"))
        taken = next((alert for alert in overview.alerts if alert.acknowledged_at is not None), None)
        if taken is not None and taken.acknowledged_at is not None:
            who = names.get(taken.acknowledged_by or "", "")
            when = _short(taken.acknowledged_at, one.detected_at, zone)
            shown = f"{when}, {who.split()[0]}" if who else when
            told.append(Happening(_("Acknowledged"), shown, taken.acknowledged_at, "alarm"))
    if one.contained_at is not None:
        told.append(_fact(_("Contained"), one.contained_at, zone))
    for filing in one.filings:
        name = _("Notified") if filing.version == 1 else _("Follow-up")
        told.append(_fact(name, filing.filed_at, zone, "report"))
    for key, settled in one.met.items():
        if key.endswith((".notify_people", ".inform_parties")):
            told.append(_fact(_("People told"), settled.at, zone, "notice"))
    if one.not_a_breach_at is not None:
        told.append(_fact(_("Not a breach"), one.not_a_breach_at, zone))
    if one.closed_at is not None:
        told.append(_fact(_("Closed"), one.closed_at, zone))
    return sorted(told, key=lambda fact: fact.at)


def _fact(name: str, at: datetime, zone: str, kind: str = "fact") -> Happening:
    return Happening(name, words.moment(at, zone, "tiny"), at, kind)


def _short(at: datetime, before: datetime, zone: str) -> str:
    """Return only the time of day on the day of the detection, else the weekday with it."""
    same = words.moment(at, zone, "date") == words.moment(before, zone, "date")
    return words.moment(at, zone, "time" if same else "tiny")


def _rows(
    overview: Overview, found: tuple[Obligation, Standing] | None, happenings: list[Happening], zone: str
) -> list[tuple[str, str]]:
    rows = [(one.at, one.name, one.kind) for one in happenings]
    aware = overview.incident.became_aware_at
    if aware is not None and all(at != aware or kind != "fact" for at, _name, kind in rows):
        rows.append((aware, _("Became aware"), "aware"))
    rows.append((overview.now, _("Now"), "now"))
    if found is not None and found[0].due_at is not None:
        rows.append((found[0].due_at, _("Deadline"), "due"))
    rows.sort(key=lambda row: row[0])
    return [(name, words.moment(at, zone)) for at, name, _kind in rows]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
