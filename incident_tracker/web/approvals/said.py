"""What a decision is about, in the reader's words: one way of saying it for each kind of subject."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from incident_tracker.domain.access import Actor
from incident_tracker.domain.approvals import ALONE, OUTSIDE, Approval, State
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.notices import PEOPLE
from incident_tracker.domain.scope import KEYS, ScopeAssessment
from incident_tracker.services import approvals, notices
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.web import current, words
from incident_tracker.web.notices import view
from incident_tracker.web.scope.said import value_said

_JUDGED_BY = (
    "description",
    "people_count",
    "people_categories",
    "data_types",
    "confidentiality",
    "unintelligible",
    "recipients",
    "consequences",
    "measures_taken",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A text of what is asked for: in which language, by which way, with which subject line."""

    title: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody is asked to approve."""

    question: str
    lead: str
    yes: str
    url: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def matter(reader: Actor, incident: Incident, approval: Approval, zone: str) -> Matter:
    """Return what an approval is about; `reader` decides what may be shown."""
    return _SAID[approvals.kind_of(approval)](reader, incident, approval, zone)


def is_yes() -> bool:
    """Return which of the two buttons was pressed; a form that says neither is none of ours."""
    pressed = request.form.get("decision", "")
    if pressed not in ("approve", "reject"):
        raise BadRequest
    return pressed == "approve"


def question(approval: Approval) -> str:
    """Return what is asked, on one line."""
    if approval.duty is None:
        return str(_("May this notice be sent?"))
    return str(_("May »%(duty)s« be set aside?", duty=words.duty_title(approval.duty[1])))


def standing(approval: Approval, names: Mapping[str, str], zone: str) -> str:
    """Return how a decision stands, in a sentence; empty while nobody has decided."""
    at = words.moment(approval.decided_at, zone) if approval.decided_at is not None else ""
    who = approval.outsider if approval.way == OUTSIDE else names.get(approval.decided_by or "", "")
    if approval.state == State.REJECTED:
        return str(_("%(who)s rejected this %(at)s.", who=who or _("Somebody"), at=at))
    if approval.state == State.WITHDRAWN:
        return str(_("This was taken back, or something else was asked for since."))
    if approval.state == State.WAITING:
        return ""
    if approval.way == ALONE:
        return str(_("%(who)s decided this alone %(at)s.", who=who or _("Somebody"), at=at))
    if approval.way == OUTSIDE:
        return str(_("%(who)s, from outside, approved this %(at)s.", who=who, at=at))
    return str(_("%(who)s approved this %(at)s.", who=who or _("Somebody"), at=at))


def _aside(reader: Actor, incident: Incident, approval: Approval, zone: str) -> Matter:
    del reader
    known = incident.assessment or ScopeAssessment()
    labels, language = canonical_fields(), current.language()
    said = ((name, value_said(name, getattr(known, name), zone)) for name in _JUDGED_BY)
    return Matter(
        question=question(approval),
        lead=str(_("Nobody is told, and the clock no longer reminds of it. The reason stays in the register.")),
        yes=str(_("Approve: set the duty aside")),
        url=f"/incidents/{incident.reference}/scope",
        facts=[(labels.label(KEYS[name], language), text) for name, text in said if text],
    )


def _notice(reader: Actor, incident: Incident, approval: Approval, zone: str) -> Matter:
    context, notice_id = current.context(), approval.notice_id or 0
    notice = notices.show(context, reader, notice_id)
    heard = notices.audience(context, reader, notice_id)
    to = _("the people affected") if notice.audience == PEOPLE else _("partners")
    parts, names = [], {"da": _("Danish"), "en": _("English")}
    for language, text in notice.texts.items():
        name = names[language]
        if "email" in notice.channels:
            parts.append(Part(f"{words.channel('email')}, {name}", text.subject, text.body))
        if "sms" in notice.channels and text.sms:
            parts.append(Part(f"{words.channel('sms')}, {name}", "", text.sms))
    lead = _("It goes to %(count)s: %(whom)s. What was sent cannot be taken back.", count=heard.recipients, whom=to)
    return Matter(
        question=question(approval),
        lead=f"{lead} {view.restored_words(notice, zone)}".strip(),
        yes=str(_("Approve: this may be sent")),
        url=f"/incidents/{incident.reference}/notices/{notice.number}",
        parts=parts,
    )


_SAID: Mapping[str, Callable[[Actor, Incident, Approval, str], Matter]] = {"set_aside": _aside, "notice": _notice}
