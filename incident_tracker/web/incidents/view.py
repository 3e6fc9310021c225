"""What the first page of an incident shows, put into words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain.access import Actor
from incident_tracker.domain.deadlines import Obligation, Standing, is_settled
from incident_tracker.domain.incident import Status
from incident_tracker.services import colleagues, next_step, register
from incident_tracker.services.context import Context
from incident_tracker.services.next_step import NextStep
from incident_tracker.services.register import Overview
from incident_tracker.web import words
from incident_tracker.web.current import language
from incident_tracker.web.drawing.dial import Dial, dial
from incident_tracker.web.drawing.ring import Ring, ring
from incident_tracker.web.heading import Heading, drawing_facts, duty_state, heading, speaking
from incident_tracker.web.incidents.history import Line, lines
from incident_tracker.web.incidents.story import Story, story
from incident_tracker.web.steps import StepWords, step_words

LATEST = 7


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty in the list: ring, name, where it comes from, what is left."""

    key: str
    state: str
    ring: Ring
    title: str
    source: str
    dial: Dial
    note: str


@dataclass(frozen=True, slots=True)
class Speaking:
    """The duty that speaks for the incident: dial, its sentence, the date in words and where it comes from."""

    state: str
    dial: Dial
    sentence: str
    badge: str
    date: str
    from_words: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """The whole of the first page."""

    heading: Heading
    speaking: Speaking | None
    step: NextStep
    words: StepWords
    may_step: bool
    duties: list[Duty]
    story: Story
    facts: list[tuple[str, str]]
    latest: list[Line]
    owner_id: int | None
    owner: str
    overview: Overview


def incident_view(context: Context, actor: Actor, overview: Overview) -> IncidentView:
    """Return everything the first page of an incident shows."""
    missing = next_step.missing_answers(context, actor, overview)
    step = next_step.next_step(overview.incident, overview.obligations, missing)
    said = step_words(step, overview.incident.reference)
    records = register.history(context, actor, overview.incident.reference, newest_first=True, limit=LATEST)
    names = colleagues.names(context, actor, _acknowledgers(overview))
    return IncidentView(
        heading=heading(overview, "overview", missing=missing),
        speaking=speaking_of(overview),
        step=step,
        words=said,
        may_step=actor.may(said.act, overview.controller.id),
        duties=[duty(one, stands, overview) for one, stands in ordered(overview)],
        story=story(overview, names),
        facts=_facts(overview),
        latest=lines(context, actor, overview, records),
        owner_id=overview.incident.owner_id,
        owner=_owner(context, actor, overview),
        overview=overview,
    )


def speaking_of(overview: Overview) -> Speaking | None:
    """Return the duty that speaks for the incident, in words."""
    found = speaking(overview)
    if found is None:
        return None
    one, stands = found
    zone = overview.controller.time_zone
    if overview.incident.not_a_breach_at is not None:
        return _no_breach(overview.incident.not_a_breach_at, overview.now, zone)
    facts = drawing_facts(one, stands, overview.now)
    drawn = dial(**facts)
    date = "" if one.due_at is None else words.capital(words.moment(one.due_at, zone, "full"))
    return Speaking(
        state=facts["state"],
        dial=drawn,
        sentence=_sentence(one, drawn),
        badge=words.standing_note(stands) if one.due_at is not None else "",
        date=date or _undated(one, stands),
        from_words=_from_words(one, zone),
    )


def _no_breach(decided_at: datetime, now: datetime, zone: str) -> Speaking:
    """Return what stands where the deadline would: nothing runs, and since when."""
    title = words.status_word("not_a_breach")
    decided = _("Decided %(time)s.", time=words.moment(decided_at, zone, "full"))
    return Speaking("set_aside", dial(state="set_aside", now=now), title, "", title, decided)


def duty(one: Obligation, stands: Standing, overview: Overview) -> Duty:
    """Return a line of the list of duties."""
    facts = drawing_facts(one, stands, overview.now)
    drawn = dial(**facts)
    return Duty(
        key=one.duty,
        state=duty_state(one, stands),
        ring=ring(**facts),
        title=words.duty_title(one.duty),
        source=words.duty_source(one),
        dial=drawn,
        note=_note(one, stands, overview),
    )


def ordered(overview: Overview) -> list[tuple[Obligation, Standing]]:
    """Return the duties in the order of the work; a decision that was taken is no duty any more."""
    order = ("assess", "notify_authority", "notify_controller", "notify_people", "inform_parties", "complete_report")
    shown = [pair for pair in overview.obligations if pair[0].duty != "assess" or not is_settled(pair[0])]
    return sorted(shown, key=lambda pair: order.index(pair[0].duty) if pair[0].duty in order else len(order))


def _sentence(one: Obligation, drawn: Dial) -> str:
    units = {"d": _("d"), "h": _("h"), "min": _("min"), "s": _("s")}
    time = " ".join(f"{part.value} {units[part.unit]}" for part in drawn.amounts)
    title = words.duty_title(one.duty)
    told = {
        "left": _("%(time)s left: %(duty)s", time=time, duty=title),
        "over": _("%(time)s past the deadline: %(duty)s", time=time, duty=title),
        "since": _("%(time)s since it began: %(duty)s", time=time, duty=title),
        "before": _("Met %(time)s before the deadline: %(duty)s", time=time, duty=title),
        "after": _("Met %(time)s after the deadline: %(duty)s", time=time, duty=title),
    }
    return str(told.get(drawn.counts, title))


def _undated(one: Obligation, stands: Standing) -> str:
    if one.duty == "assess" and not is_settled(one):
        return str(_("Is it a breach?"))
    if is_settled(one):
        return f"{words.duty_title(one.duty)}: {words.standing_word(stands.value)}"
    return words.duty_title(one.duty)


def _from_words(one: Obligation, zone: str) -> str:
    if one.duty == "assess" and not is_settled(one):
        return str(
            _(
                "No 72 hours run yet: they begin when you are aware of a breach. "
                "Until it is decided, you are asked again."
            )
        )
    if one.anchor_at is None or one.due_at is None:
        return ""
    hours = round((one.due_at - one.anchor_at).total_seconds() / 3600)
    anchor = words.moment(one.anchor_at, zone, "full")
    return str(_("%(hours)s hours from %(anchor)s, when you became aware of the breach.", hours=hours, anchor=anchor))


def _note(one: Obligation, stands: Standing, overview: Overview) -> str:
    """Return what stands at the end of a duty's line where no time counts."""
    zone = overview.controller.time_zone
    if one.met_at is not None:
        return f"{words.standing_word(stands.value)} {words.moment(one.met_at, zone, 'tiny')}"
    if one.set_aside_at is not None:
        return words.standing_word(stands.value)
    if one.duty == "complete_report" and one.anchor_at is None:
        return str(_("once you have notified"))
    return "" if one.due_at is not None or one.duty == "assess" else str(_("runs"))


def _facts(overview: Overview) -> list[tuple[str, str]]:
    one, zone = overview.incident, overview.controller.time_zone
    assessment = one.assessment
    rows = [(_("What happened"), (assessment.description if assessment else "") or one.what_happened)]
    rows.append((_("Where"), one.place))
    rows.append((_("Detected"), words.capital(words.moment(one.detected_at, zone))))
    count = (assessment.people_count if assessment else None) or one.people_estimate
    rows.append((_("People affected"), "" if count is None else _count(count)))
    if one.contained_at is None:
        rows.append((_("Still going on"), words.ongoing(one.ongoing)))
    else:
        rows.append((_("Contained"), f"{words.capital(words.moment(one.contained_at, zone))}. {one.contained_how}"))
    rows.append((_("Our role"), words.role(one.role.value)))
    if one.awareness_reason and one.status is not Status.NOT_A_BREACH:
        rows.append((_("Why it is a breach"), one.awareness_reason))
    if one.not_a_breach_reason:
        rows.append((_("Why it is not a breach"), one.not_a_breach_reason))
    if one.close_reason:
        rows.append((_("Why it was closed"), one.close_reason))
    return [(label, text) for label, text in rows if text]


def _count(count: Any) -> str:
    """Return a count as its fact: `mellem 200 og 400` in the words of the form."""
    text = count.text(language())
    for number in sorted({count.low, count.high} - {None}, reverse=True):
        text = text.replace(str(number), rendering.number(number, language()))
    return str(text)


def _acknowledgers(overview: Overview) -> list[str]:
    return [one.acknowledged_by for one in overview.alerts if one.acknowledged_by]


def _owner(context: Context, actor: Actor, overview: Overview) -> str:
    one = overview.incident
    if one.owner_id is None:
        return ""
    key = f"user:{one.owner_id}"
    return colleagues.names(context, actor, [key]).get(key, one.owner_name)
