"""What a decision is about, in the reader's words: one way of saying it for each kind of subject."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from incident_tracker.domain.access import Actor
from incident_tracker.domain.approvals import ALONE, OUTSIDE, Approval, State
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.notices import PEOPLE
from incident_tracker.domain.scope import KEYS, ScopeAssessment
from incident_tracker.services import approvals, notices
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.services.notices import Audience, Notice
from incident_tracker.web import current, words
from incident_tracker.web.notices import view
from incident_tracker.web.notices.reading import letter
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
    """A text of what is asked for, as it is read: `blocks` is a mail laid out, `text` a text message."""

    title: str
    language: str
    subject: str
    text: str
    blocks: Markup


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody is asked to approve.

    `told` says how many are told, `vouched` what whoever asked answers for, `weighed` (what a check asks for, why it
    was set aside). `onward` is what the way to `url` is called.
    """

    question: str
    lead: str
    yes: str
    url: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    vouched: list[str] = field(default_factory=list)
    weighed: list[tuple[str, str]] = field(default_factory=list)
    onward: str = ""


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


def decided(approval: Approval) -> str:
    """Return what became of what was asked, on one line; the question itself while nobody has decided."""
    said: dict[str, str] = {
        State.APPROVED: _("This notice is approved"),
        State.USED: _("This notice is approved, and its sending has begun"),
        State.REJECTED: _("This notice was rejected"),
        State.WITHDRAWN: _("This request does not hold any more"),
    }
    if approval.duty is not None:
        duty = words.duty_title(approval.duty[1])
        said |= {
            State.APPROVED: _("»%(duty)s« may be set aside", duty=duty),
            State.USED: _("»%(duty)s« is set aside", duty=duty),
            State.REJECTED: _("»%(duty)s« was not set aside", duty=duty),
        }
    return str(said.get(approval.state, question(approval)))


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
    lead = _("It goes to %(count)s: %(whom)s. What was sent cannot be taken back.", count=heard.recipients, whom=to)
    onward = _("Go to the notice, where it is sent") if approval.state == State.APPROVED else _("Go to the notice")
    # What was ticked belongs to what was asked for; a later version has answers of its own.
    checks = (
        notices.checks(context, reader, notice_id, language=current.language())
        if notice.digest == approval.digest
        else ()
    )
    return Matter(
        question=question(approval),
        lead=f"{lead} {view.restored_words(notice, zone)}".strip(),
        yes=str(_("Approve: this may be sent")),
        url=f"/incidents/{incident.reference}/notices/{notice.number}",
        parts=_parts(reader, notice),
        told=_told(heard) if approval.state in (State.WAITING, State.APPROVED) else [],
        vouched=[one.rule for one in checks if one.id in notice.ticked],
        weighed=[(one.rule, notice.dismissed[one.id]) for one in checks if one.id in notice.dismissed],
        onward=str(onward),
    )


def _parts(reader: Actor, notice: Notice) -> list[Part]:
    """Return a notice as it is read, by language and way, for somebody invented."""
    return [
        Part(
            title=words.capital(f"{words.channel(way)}, {view.languages_words([language])}"),
            language=language,
            subject=one.subject,
            text=one.text,
            blocks=letter(one.html) if one.html else Markup(),
        )
        for (language, way), one in notices.specimens(current.context(), reader, notice.id).items()
    ]


def _told(heard: Audience) -> list[tuple[str, str]]:
    """Return how many are told, and how many nobody can tell."""
    rows = [(str(_("Will be told")), view.people(heard.recipients)), *view.who_of(heard)]
    lost = ngettext(
        "%(count)s person: there is no address for the ways of this notice",
        "%(count)s people: there is no address for the ways of this notice",
        heard.unreachable,
        count=view.number(heard.unreachable),
    )
    return [*rows, (str(_("Cannot be told")), str(lost))] if heard.unreachable else rows


_SAID: Mapping[str, Callable[[Actor, Incident, Approval, str], Matter]] = {"set_aside": _aside, "notice": _notice}
