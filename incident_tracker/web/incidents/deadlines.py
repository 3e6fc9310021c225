"""The duties of an incident: when each is due and why, what the clock will remind of, and settling one by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date
from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from incident_tracker.domain.access import Act
from incident_tracker.domain.approvals import Approval, State, about_setting_aside, needs_four_eyes
from incident_tracker.domain.deadlines import Obligation, Reason, Standing, is_settled
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.escalation import PlannedAlarm
from incident_tracker.services import approving, explaining, incidents, next_step, register
from incident_tracker.services.register import Overview
from incident_tracker.web import current, form_times, words
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.incidents.deciding import must_match
from incident_tracker.web.incidents.forms import AsideForm, MetForm
from incident_tracker.web.incidents.view import Duty, duty, ordered

pages = Blueprint("deadlines", __name__, url_prefix="/incidents/<reference>/deadlines")
UNPROCESSABLE = 422
BY_REPORT = ("notify_authority", "complete_report")
SHOWN = 6


@dataclass(frozen=True, slots=True)
class DutyPage:
    """Everything the page says of one duty, with its two forms (None where this person may not, or need not)."""

    duty: Duty
    regime: str
    due: str
    because: list[str]
    reminders: list[str]
    settled: str
    met: MetForm | None
    aside: AsideForm | None
    opened: str
    four_eyes: bool
    asked: str
    asked_url: str
    changed: bool


@pages.get("")
@guarded(Act.READ)
def show(reference: str) -> ResponseReturnValue:
    """Show every duty."""
    overview = register.overview(current.context(), current.actor(), reference, looked_at="deadlines")
    return _page(overview)


@pages.post("/<regime>/<name>/met")
@guarded(Act.WORK)
def met(reference: str, regime: str, name: str) -> ResponseReturnValue:
    """Record that a duty was met outside the tracker."""
    overview = register.overview(current.context(), current.actor(), reference)
    form = MetForm(prefix=f"met-{_known(overview, regime, name).duty}-")
    form.validate()
    at = form_times.take(form, "at", overview.controller.time_zone)
    if not (form.how.data or "").strip():
        form.how.errors = [_("Write how, and where the proof lies.")]
    if not form.errors and at is not None:
        try:
            incidents.meet_duty(
                current.context(),
                current.actor(),
                reference,
                regime=regime,
                duty=name,
                at=at,
                how=form.how.data,
                version=form.version.data,
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("Recorded: »%(duty)s« is met.", duty=words.duty_title(name)))
            return redirect(f"/incidents/{reference}/deadlines", 303)
    return _page(register.overview(current.context(), current.actor(), reference), {(name, "met"): form})


@pages.post("/<regime>/<name>/aside")
@guarded(Act.DECIDE)
def aside(reference: str, regime: str, name: str) -> ResponseReturnValue:
    """Record that a duty does not bind here."""
    overview = register.overview(current.context(), current.actor(), reference)
    form = AsideForm(prefix=f"aside-{_known(overview, regime, name).duty}-")
    form.validate()
    if not (form.reason.data or "").strip():
        form.reason.errors = [_("Write the reason. It must be readable in two years.")]
    must_match(form.reference, reference)
    if not form.errors:
        try:
            asked = incidents.set_duty_aside(
                current.context(),
                current.actor(),
                reference,
                regime=regime,
                duty=name,
                reason=form.reason.data,
                version=form.version.data,
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            if asked:
                flash(_("Asked for: somebody else must look at it. The deadline runs until then."))
                return redirect(f"/incidents/{reference}/approvals/{asked}", 303)
            flash(_("Recorded: »%(duty)s« is set aside, with your reason.", duty=words.duty_title(name)))
            return redirect(f"/incidents/{reference}/deadlines", 303)
    return _page(register.overview(current.context(), current.actor(), reference), {(name, "aside"): form})


def _known(overview: Overview, regime: str, name: str) -> Obligation:
    found = [one for one, _stands in overview.obligations if (one.regime, one.duty) == (regime, name)]
    if not found:
        raise NoSuchPage
    return found[0]


def _page(overview: Overview, wrong: dict[tuple[str, str], MetForm | AsideForm] | None = None) -> ResponseReturnValue:
    zone = overview.controller.time_zone
    planned = register.planned(current.context(), current.actor(), overview.incident.reference)
    asked = approving.newest(current.context(), current.actor(), overview.incident.reference)
    duties = [
        _duty_page(one, stands, overview, planned.get((one.regime, one.duty), []), wrong or {}, asked)
        for one, stands in ordered(overview)
    ]
    missing = next_step.missing_answers(current.context(), current.actor(), overview)
    page = render_template(
        "web/incident/deadlines.html",
        heading=heading(overview, "deadlines", missing=missing),
        duties=duties,
        wrong=bool(wrong),
        forms=list((wrong or {}).values()),
        zone_name=form_times.zone_name(zone),
        time_url=f"/incidents/understood/time?zone={zone}",
    )
    return make_response(page, UNPROCESSABLE if wrong else 200)


def _duty_page(
    one: Obligation,
    stands: Standing,
    overview: Overview,
    planned: list[PlannedAlarm],
    wrong: dict[tuple[str, str], MetForm | AsideForm],
    asked: Mapping[str, tuple[Approval, bool]],
) -> DutyPage:
    zone, actor = overview.controller.time_zone, current.actor()
    free = overview.incident.is_open and not is_settled(one) and one.duty != "assess"
    may_meet = free and one.duty not in BY_REPORT and actor.may(Act.WORK, overview.controller.id)
    may_set_aside = free and actor.may(Act.DECIDE, overview.controller.id)
    given = wrong.get((one.duty, "met")), wrong.get((one.duty, "aside"))
    met_form = given[0] or MetForm(formdata=None, prefix=f"met-{one.duty}-") if may_meet else None
    aside_form = given[1] or AsideForm(formdata=None, prefix=f"aside-{one.duty}-") if may_set_aside else None
    for form in (met_form, aside_form):
        if form is not None:
            form.version.raw_data, form.version.data = None, overview.version
    approval, changed = asked.get(about_setting_aside(one.regime, one.duty), (None, False))
    return DutyPage(
        duty=duty(one, stands, overview),
        regime=one.regime,
        due="" if one.due_at is None else words.moment(one.due_at, zone),
        because=_because(one, zone),
        reminders=[words.moment(alarm.fire_at, zone, "short") for alarm in planned[:SHOWN]],
        settled=_settled(one, zone, overview),
        met=met_form if isinstance(met_form, MetForm) else None,
        aside=aside_form if isinstance(aside_form, AsideForm) else None,
        opened="met" if given[0] else ("aside" if given[1] else ""),
        four_eyes=needs_four_eyes(one.regime, one.duty),
        asked=_asked(approval, zone),
        asked_url=f"/incidents/{overview.incident.reference}/approvals/{approval.id}" if approval is not None else "",
        changed=changed and one.set_aside_at is not None,
    )


def _asked(approval: Approval | None, zone: str) -> str:
    """Return what is waited for before a duty is set aside; empty where nothing is."""
    if approval is None or approval.state not in (State.WAITING, State.APPROVED):
        return ""
    if approval.state == State.APPROVED and approval.not_before is not None:
        at = words.moment(approval.not_before, zone)
        return str(_("Decided alone. It can be carried out from %(at)s; until then the deadline runs.", at=at))
    return str(_("A second pair of eyes is waited for. Until then the deadline runs and reminds."))


def _because(one: Obligation, zone: str) -> list[str]:
    if one.duty == "assess":
        return []
    return [say(reason, zone) for reason in explaining.reasons(current.context(), one, zone)]


def _settled(one: Obligation, zone: str, overview: Overview) -> str:
    by_hand = overview.incident.met.get(f"{one.regime}.{one.duty}")
    if one.met_at is not None:
        when = words.moment(one.met_at, zone)
        said = _("Met %(when)s.", when=when)
        return f"{said} {by_hand.words}" if by_hand is not None else said
    if one.set_aside_at is not None:
        return str(
            _(
                "Set aside %(when)s: %(reason)s",
                when=words.moment(one.set_aside_at, zone),
                reason=one.set_aside_reason or "",
            )
        )
    return ""


def _day(value: date) -> str:
    return str(format_date(value, "long", locale={"da": "da_DK", "en": "en_GB"}[current.language()]))


def say(reason: Reason, zone: str) -> str:
    """Return a reason of the arithmetic in the reader's words; instants in the zone of the incident."""
    told = {
        name: words.moment(value, zone)
        if isinstance(value, datetime)
        else (_day(value) if isinstance(value, date) else value)
        for name, value in reason.params.items()
    }
    return str(_(reason.msgid) % told if told else _(reason.msgid))
