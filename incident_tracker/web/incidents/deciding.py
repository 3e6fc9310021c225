"""Deciding about an incident: a breach or not, contained, closed, reopened."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.incident import Status
from incident_tracker.services import incidents, register
from incident_tracker.services.register import Overview
from incident_tracker.web import current, form_times, words
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.incidents.forms import (
    CloseForm,
    ContainForm,
    DecideForm,
    ReopenForm,
    VersionedForm,
)

pages = Blueprint("deciding", __name__, url_prefix="/incidents/<reference>")
UNPROCESSABLE = 422


@pages.get("/decide")
@guarded(Act.READ)
def decide(reference: str) -> ResponseReturnValue:
    """Ask whether it is a breach, or since when one is aware of it."""
    overview = _overview(reference)
    form = DecideForm(formdata=None)
    if overview.incident.status is Status.AWARE:
        form.decision.data = "aware"
    return _decide_page(overview, form)


@pages.post("/decide")
@guarded(Act.WORK)
def decided(reference: str) -> ResponseReturnValue:
    """Record the decision with its time, author and reason."""
    overview, form = _overview(reference), DecideForm()
    form.validate()
    zone = overview.controller.time_zone
    if form.decision.data not in ("aware", "not_a_breach"):
        form.decision.errors = [_("Choose one of the two.")]
    at = form_times.take(form, "at", zone) if form.decision.data == "aware" else None
    _need_reason(form.reason)
    if form.errors:
        return _decide_page(overview, form, UNPROCESSABLE)
    context, actor, version = current.context(), current.actor(), form.version.data
    try:
        if at is not None:
            incidents.record_awareness(context, actor, reference, at=at, reason=form.reason.data, version=version)
            flash(_("Recorded. The 72 hours run from %(when)s.", when=words.moment(at, zone, "full")))
        else:
            incidents.find_not_a_breach(context, actor, reference, reason=form.reason.data, version=version)
            flash(_("Recorded as not a breach. It stays in the register with your reason."))
    except Refusal as refusal:
        _place(form, refusal)
        return _decide_page(_overview(reference), form, UNPROCESSABLE)
    return redirect(f"/incidents/{reference}", 303)


@pages.get("/contain")
@guarded(Act.WORK)
def contain(reference: str) -> ResponseReturnValue:
    """Ask since when the damage no longer grows."""
    return _page("contain", _overview(reference), ContainForm(formdata=None))


@pages.post("/contain")
@guarded(Act.WORK)
def contained(reference: str) -> ResponseReturnValue:
    """Record the containment."""
    overview, form = _overview(reference), ContainForm()
    form.validate()
    at = form_times.take(form, "at", overview.controller.time_zone)
    _need_reason(form.how, _("Write what was done."))
    if form.errors or at is None:
        return _page("contain", overview, form, UNPROCESSABLE)
    return _do(
        "contain",
        overview,
        form,
        lambda: incidents.contain(
            current.context(), current.actor(), reference, at=at, how=form.how.data, version=form.version.data
        ),
        _("Recorded as contained. The deadline is still running.")
        if overview.incident.became_aware_at
        else _("Recorded as contained."),
    )


@pages.get("/close")
@guarded(Act.DECIDE)
def close(reference: str) -> ResponseReturnValue:
    """Say what closing does, and ask for the reference."""
    return _page("close", _overview(reference), CloseForm(formdata=None))


@pages.post("/close")
@guarded(Act.DECIDE)
def closed(reference: str) -> ResponseReturnValue:
    """Close the incident."""
    overview, form = _overview(reference), CloseForm()
    form.validate()
    _need_reason(form.reason)
    must_match(form.reference, reference)
    if form.errors:
        return _page("close", overview, form, UNPROCESSABLE)
    return _do(
        "close",
        overview,
        form,
        lambda: incidents.close(
            current.context(), current.actor(), reference, reason=form.reason.data, version=form.version.data
        ),
        _("%(reference)s is closed. It stays in the register.", reference=reference),
    )


@pages.get("/reopen")
@guarded(Act.DECIDE)
def reopen(reference: str) -> ResponseReturnValue:
    """Ask why it is taken up again."""
    return _page("reopen", _overview(reference), ReopenForm(formdata=None))


@pages.post("/reopen")
@guarded(Act.DECIDE)
def reopened(reference: str) -> ResponseReturnValue:
    """Take the incident up again."""
    overview, form = _overview(reference), ReopenForm()
    form.validate()
    _need_reason(form.reason)
    if form.errors:
        return _page("reopen", overview, form, UNPROCESSABLE)
    return _do(
        "reopen",
        overview,
        form,
        lambda: incidents.reopen(
            current.context(), current.actor(), reference, reason=form.reason.data, version=form.version.data
        ),
        _("%(reference)s is open again.", reference=reference),
    )


def must_match(field: Any, reference: str) -> None:
    """Refuse the last step of a dangerous act unless the reference was typed."""
    if (field.data or "").strip().casefold() != reference.casefold():
        field.errors = [_("Type %(reference)s to confirm that you mean this incident.", reference=reference)]


def _need_reason(field: Any, text: str = "") -> None:
    if not (field.data or "").strip():
        field.errors = [text or _("Write the reason. It must be readable in two years.")]


def _overview(reference: str) -> Overview:
    return register.overview(current.context(), current.actor(), reference)


def _place(form: VersionedForm, refusal: Refusal) -> None:
    """Show a refusal; the form goes on from the version that its person now sees."""
    form.place(refusal)
    form.version.raw_data = None


def _do(
    name: str, overview: Overview, form: VersionedForm, act: Callable[[], None], said: str
) -> ResponseReturnValue:
    reference = overview.incident.reference
    try:
        act()
    except Refusal as refusal:
        _place(form, refusal)
        return _page(name, _overview(reference), form, UNPROCESSABLE)
    flash(said)
    return redirect(f"/incidents/{reference}", 303)


def _page(name: str, overview: Overview, form: VersionedForm, code: int = 200) -> ResponseReturnValue:
    form.version.raw_data = None
    form.version.data = overview.version
    actor, zone = current.actor(), overview.controller.time_zone
    page = render_template(
        f"web/incident/{name}.html",
        form=form,
        heading=heading(overview, name),
        incident=overview.incident,
        may_work=actor.may(Act.WORK, overview.controller.id),
        may_decide=actor.may(Act.DECIDE, overview.controller.id),
        zone=zone,
        zone_name=form_times.zone_name(zone),
        time_url=f"/incidents/understood/time?zone={zone}",
    )
    return make_response(page, code)


def _decide_page(overview: Overview, form: DecideForm, code: int = 200) -> ResponseReturnValue:
    return _page("decide", overview, form, code)
