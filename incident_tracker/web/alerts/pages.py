"""One alert: the time left, taking it, and who is called next. It says nothing about people."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.deadlines import Obligation, Standing, is_settled
from incident_tracker.services import alerts, calling, colleagues, next_step
from incident_tracker.services.calling import AlertView, Call
from incident_tracker.web import current, words
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading, speaking
from incident_tracker.web.incidents.history import alert_name, name_of
from incident_tracker.web.incidents.view import speaking_of
from incident_tracker.web.steps import missing_sentence

pages = Blueprint("alerts", __name__, url_prefix="/alerts/<alert_id>")


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of "if nobody acknowledges": who, how, when, and whether it arrived."""

    number: int
    name: str
    how: str
    when: str
    done: bool


@pages.get("")
@guarded(Act.READ)
def show(alert_id: str) -> ResponseReturnValue:
    """Show the alert."""
    context, actor = current.context(), current.actor()
    view = calling.view(context, actor, alert_id)
    overview = view.overview
    step = next_step.of_overview(context, actor, overview)
    acknowledged = view.alert.acknowledged_by or ""
    names = colleagues.names(context, actor, [acknowledged]) if acknowledged else {}
    at = view.alert.acknowledged_at
    zone = overview.controller.time_zone
    return render_template(
        "web/alerts/alert.html",
        view=view,
        heading=heading(overview, "alert"),
        speaking=speaking_of(overview),
        lead=_lead(view),
        more=missing_sentence(step),
        name=alert_name(view.alert.kind, view.alert.rung),
        to=next((call.name for call in reversed(view.made) if call.name), ""),
        turns=_turns(view, zone),
        taken_by=name_of(acknowledged, names) if acknowledged else "",
        taken_at="" if at is None else words.moment(at, zone, "short"),
        may_take=view.is_open and actor.may(Act.WORK, overview.controller.id),
        next_to=view.coming[0].name if view.coming else "",
        time=words.moment(overview.now, zone, "time"),
    )


@pages.post("")
@guarded(Act.WORK)
def take(alert_id: str) -> ResponseReturnValue:
    """Acknowledge: the steps stop, the deadline does not."""
    context, actor = current.context(), current.actor()
    view = calling.view(context, actor, alert_id)
    reference = view.overview.incident.reference
    taken = alerts.acknowledge(context, actor, reference, via="page", alert_ids=[alert_id])
    flash(_said(view) if taken else _("The alert was taken already, or has ended."))
    return redirect(f"/alerts/{alert_id}", 303)


@pages.post("/pass")
@guarded(Act.WORK)
def pass_on(alert_id: str) -> ResponseReturnValue:
    """Call the next one now instead of waiting."""
    view = calling.view(current.context(), current.actor(), alert_id)
    passed = alerts.pass_on(current.context(), current.actor(), view.overview.incident.reference, alert_id)
    if passed and view.coming:
        flash(_("%(name)s is being called now.", name=view.coming[0].name))
    else:
        flash(_("The alert was taken already, or has ended."))
    return redirect(f"/alerts/{alert_id}", 303)


def _said(view: AlertView) -> str:
    reference = view.overview.incident.reference
    found = _running(view)
    if found is None or found[0].due_at is None:
        return str(_("Acknowledged: %(reference)s.", reference=reference))
    left = found[0].due_at - view.overview.now
    if left < timedelta():
        return str(_("Acknowledged: %(reference)s. The deadline has passed.", reference=reference))
    return str(
        _(
            "Acknowledged: %(reference)s. The deadline is still running: %(left)s.",
            reference=reference,
            left=words.span(left),
        )
    )


def _running(view: AlertView) -> tuple[Obligation, Standing] | None:
    found = speaking(view.overview)
    return None if found is None or is_settled(found[0]) else found


def _lead(view: AlertView) -> tuple[str, str]:
    """Return what must happen and by when, in two parts: the second is the date."""
    found = _running(view)
    if found is None:
        return _("Nothing runs any more."), ""
    one, stands = found
    if one.due_at is None:
        if one.duty == "assess":
            return _("Nobody has decided yet"), _("whether it is a breach.")
        return words.duty_title(one.duty), ""
    zone = view.overview.controller.time_zone
    said = words.overdue_sentence(one.duty) if stands is Standing.OVERDUE else words.due_sentence(one.duty)
    same = words.moment(one.due_at, zone, "date") == words.moment(view.overview.now, zone, "date")
    date = words.moment(one.due_at, zone, "full")
    return said, _("today, %(date)s", date=date) if same else date


def _turns(view: AlertView, zone: str) -> list[Turn]:
    now = view.overview.now
    made = [_turn(number, call, _how(call), words.moment(call.at, zone, "time"), done=True)
            for number, call in enumerate(view.made, start=1)]  # fmt: skip
    first = True
    for number, call in enumerate(view.coming, start=len(made) + 1):
        when = words.moment(call.at, zone, "time")
        if first and call.at - now < timedelta(hours=1):
            when = _("in %(time)s", time=words.span(max(timedelta(), call.at - now) + timedelta(seconds=30)))
        made.append(_turn(number, call, words.channel(call.channel), when, done=False))
        first = False
    return made


def _turn(number: int, call: Call, how: str, when: str, *, done: bool) -> Turn:
    return Turn(number, call.name or str(_("somebody")), how, when, done)


def _how(call: Call) -> str:
    said = f"{words.channel(call.channel)}, {words.delivery_state(call.state)}"
    return f"{said}, {_('maybe twice')}" if call.possible_duplicate else said
