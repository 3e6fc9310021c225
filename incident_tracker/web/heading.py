"""The head of every page of an incident: trail, title, badges, the deadline on one line, the tabs."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker import rendering
from incident_tracker.domain.deadlines import Obligation, Standing, is_settled
from incident_tracker.domain.incident import Incident, Status
from incident_tracker.services import questions
from incident_tracker.services.register import Overview
from incident_tracker.web import current as current_request
from incident_tracker.web import words
from incident_tracker.web.current import language as current_language
from incident_tracker.web.drawing.dial import Dial, dial
from incident_tracker.web.drawing.ring import Ring, ring

FIRST = ("notify_authority", "notify_controller", "assess", "inform_parties", "notify_people", "complete_report")
"""Which duty speaks for an incident, the first that is there."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The deadline of the incident on one line, for the pages below the first."""

    state: str
    ring: Ring
    dial: Dial
    text: str
    due_text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """What `web/incident/_head.html` prints."""

    reference: str
    title: str
    url: str
    version: int
    zone: str
    exercise: bool
    current: str
    badges: list[tuple[str, str]]
    bar: Bar | None
    tabs: list[dict[str, Any]] = field(default_factory=list)


def heading(
    overview: Overview,
    current: str,
    *,
    missing: int | None = None,
    files: int | None = None,
    people: int | None = None,
    told: str = "",
) -> Heading:
    """Return the head of an incident's page.

    `current`: `overview`, `scope`, `deadlines`, `report`, `people`, `notices`, `evidence`, `journal`, or another
    page's name (then no tab is marked). `missing` is the number of answers the report still lacks, None where it was
    not counted; `told` how far a sending is (`75 %`).
    """
    one = overview.incident
    url = f"/incidents/{one.reference}"
    return Heading(
        reference=one.reference,
        title=one.title,
        url=url,
        version=overview.version,
        zone=overview.controller.time_zone,
        exercise=one.exercise,
        current=current,
        badges=_badges(one, overview.controller.time_zone),
        bar=_bar(overview),
        tabs=_tabs(overview, url, current, missing, files, people, told),
    )


def speaking(overview: Overview) -> tuple[Obligation, Standing] | None:
    """Return the duty whose dial the incident shows: the nearest running deadline, else the first duty by weight."""
    duties = list(overview.obligations)
    running = [(one, stands) for one, stands in duties if one.due_at is not None and not is_settled(one)]
    by_weight = sorted(duties, key=lambda pair: weight(pair[0].duty))
    if running:
        return min(running, key=lambda pair: (pair[0].due_at or overview.now, weight(pair[0].duty)))
    return next(iter(by_weight), None)


def drawing_facts(one: Obligation, stands: Standing, now: datetime) -> dict[str, Any]:
    """Return what dial, ring and strip need of a duty; the domain decided the standing."""
    return {
        "state": duty_state(one, stands),
        "now": now,
        "start": one.anchor_at,
        "due": one.due_at,
        "settled": one.met_at,
    }


def duty_state(one: Obligation, stands: Standing) -> str:
    """Return the state that drawings and words show for a duty: its standing, `suspected`, or `none`."""
    if is_settled(one) or one.due_at is not None:
        return stands.value
    return "suspected" if one.duty == "assess" else "none"


def weight(duty: str) -> int:
    """Return where a duty stands among those that may speak for an incident, the first first."""
    return FIRST.index(duty) if duty in FIRST else len(FIRST)


def _badges(one: Incident, zone: str) -> list[tuple[str, str]]:
    badges = [(one.status.value, "")]
    if one.contained_at is not None:
        badges.append(("contained", _("Contained %(when)s", when=words.moment(one.contained_at, zone, "tiny"))))
    return badges + ([("exercise", "")] if one.exercise else [])


def _bar(overview: Overview) -> Bar | None:
    found = speaking(overview)
    if found is None or overview.incident.not_a_breach_at is not None:
        return None
    one, stands = found
    facts = drawing_facts(one, stands, overview.now)
    zone = overview.controller.time_zone
    if facts["state"] in ("suspected", "none"):
        text = _("since it was detected; nobody has decided yet whether it is a breach")
        if facts["state"] == "none":
            text = _("since it began: %(duty)s", duty=words.duty_title(one.duty))
        return Bar(facts["state"], ring(**facts), dial(**facts), text, "")
    due = "" if one.due_at is None else words.moment(one.due_at, zone, "full")
    text = words.overdue_sentence(one.duty) if stands is Standing.OVERDUE else words.due_sentence(one.duty)
    if is_settled(one):
        text = words.duty_title(one.duty)
    return Bar(facts["state"], ring(**facts), dial(**facts), text, due)


def _questions(overview: Overview, url: str, shown: str) -> list[dict[str, Any]]:
    """Return the tab of the questions, where anybody has asked."""
    number, waiting = questions.count(current_request.context(), current_request.actor(), overview.id)
    if not number and shown != "questions":
        return []
    tab = {"key": "questions", "label": _("Questions"), "url": f"{url}/questions", "icon": "message-square-text"}
    return [tab | {"done": number > 0 and not waiting, "note": str(waiting) if waiting else ""}]


def _all_told(overview: Overview) -> bool:
    """Return whether the duty to tell the people affected is met."""
    met = (Standing.MET, Standing.MET_LATE)
    return any(one.duty == "notify_people" and stands in met for one, stands in overview.obligations)


def _tabs(
    overview: Overview, url: str, current: str, missing: int | None, files: int | None, people: int | None, told: str
) -> list[dict[str, Any]]:
    one = overview.incident
    approaching = sum(stands is Standing.APPROACHING for _one, stands in overview.obligations)
    overdue = sum(stands is Standing.OVERDUE for _one, stands in overview.obligations)
    version = one.assessment_version
    filed = bool(one.filings)
    lacks = ngettext("%(num)s missing", "%(num)s missing", missing) if missing and not filed else ""
    due_note = ""
    if overdue:
        due_note = ngettext("%(num)s overdue", "%(num)s overdue", overdue)
    elif approaching:
        due_note = ngettext("%(num)s approaching", "%(num)s approaching", approaching)
    tabs = [
        {"key": "overview", "label": _("Overview"), "url": url, "icon": "list-tree"},
        {
            "key": "scope",
            "label": _("Scope"),
            "url": f"{url}/scope",
            "icon": "users",
            "done": version > 0,
            "more": _("assessment %(version)s", version=version) if version else "",
        },
        {"key": "deadlines", "label": _("Deadlines"), "url": f"{url}/deadlines", "icon": "timer", "more": due_note},
        {
            "key": "report",
            "label": _("Notification"),
            "url": f"{url}/report",
            "icon": "file-text",
            "done": filed,
            "missing": lacks if one.status is Status.AWARE else "",
            "more": _("sent") if filed else "",
        },
        {
            "key": "people",
            "label": _("People"),
            "url": f"{url}/people",
            "icon": "users",
            "note": rendering.number(people, current_language()) if people else "",
        },
        {
            "key": "notices",
            "label": _("Notices"),
            "url": f"{url}/notices",
            "icon": "send",
            "done": not told and _all_told(overview),
            "note": told,
        },
        *_questions(overview, url, current),
        {
            "key": "evidence",
            "label": _("Attachments"),
            "url": f"{url}/evidence",
            "icon": "paperclip",
            "note": str(files) if files else "",
        },
        {"key": "partners", "label": _("Partners"), "url": f"{url}/partners", "icon": "handshake"},
        {"key": "journal", "label": _("Journal"), "url": f"{url}/journal", "icon": "history"},
    ]
    return [{**tab, "current": tab["key"] == current} for tab in tabs]
