"""The scope of an incident: one form, and the versions it made."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker import rendering
from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import colleagues, register, scope
from incident_tracker.services.register import Overview
from incident_tracker.services.scope import AssessedMeanwhile
from incident_tracker.web import current, form_times
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.scope.forms import COUNTS, TIMES, ScopeForm, sections
from incident_tracker.web.scope.said import changes_said, understood_count

pages = Blueprint("scope", __name__, url_prefix="/incidents/<reference>/scope")


@pages.get("")
@guarded(Act.READ)
def form(reference: str) -> ResponseReturnValue:
    """Show what is known, ready to be put right, and the versions before it."""
    overview = register.overview(current.context(), current.actor(), reference, looked_at="scope")
    one = overview.incident
    shown = ScopeForm.beginning(scope.known(one), one.assessment_version, overview.controller.time_zone)
    if one.assessment is None and not shown.begin.data:
        shown.occurrence.data = ""
    return _page(overview, shown)


@pages.post("")
@guarded(Act.WORK)
def assess(reference: str) -> ResponseReturnValue:
    """Keep a new version."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference)
    zone = overview.controller.time_zone
    typed = ScopeForm()
    typed.validate()
    found = typed.assessment(zone)
    if found is not None:
        wrong = scope.mistakes(overview.incident, found, context.now())
        for mistake in wrong:
            typed.place(mistake)
        if not wrong:
            try:
                version = scope.assess(context, actor, reference, found, after_version=typed.after())
            except AssessedMeanwhile as refusal:
                typed.place(refusal)
                typed.after_version.data = str(refusal.params["version"])
            except Refusal as refusal:
                typed.place(refusal)
            else:
                flash(_("Saved as version %(version)s.", version=version), "said")
                return redirect(url_for("scope.form", reference=reference), 303)
    return make_response(_page(overview, typed), 422)


@pages.get("/understood")
@guarded(Act.READ)
def understood(reference: str) -> ResponseReturnValue:
    """Say how a time or a count was understood, while it is typed."""
    zone = register.overview(current.context(), current.actor(), reference).controller.time_zone
    text, ok = "", True
    for name, value in request.args.items():
        if name in TIMES:
            found = form_times.understand(value, zone, request.args.get(f"{name}_fold"))
            text, ok = found.said, found.ok
        elif name in COUNTS:
            text, ok = _understood_count(value, COUNTS[name], zone)
    return render_template("web/scope/understood.html", text=text, ok=ok)


def _page(overview: Overview, shown: ScopeForm) -> str:
    reference, zone = overview.incident.reference, overview.controller.time_zone
    context, actor = current.context(), current.actor()
    versions = scope.versions(context, actor, reference)
    return render_template(
        "web/scope/scope.html",
        heading=heading(overview, "scope"),
        form=shown,
        sections=sections(current.language()),
        versions=[(one, changes_said(one, zone)) for one in versions],
        names=colleagues.names(context, actor, {one.assessed_by for one in versions}),
        said=_said(shown, zone),
        times=TIMES,
        counts=COUNTS,
        zone=zone,
        zone_words=form_times.zone_name(zone),
        may_write=actor.may(Act.WORK, overview.incident.controller_id) and overview.incident.is_open,
    )


def _said(shown: ScopeForm, zone: str) -> dict[str, str]:
    """Return what stands under the times and counts that are filled already."""
    texts = shown.times_said(zone)
    for name, of in COUNTS.items():
        text, ok = _understood_count(shown[name].data or "", of, zone)
        texts[name] = text if ok else ""
    return texts


def _understood_count(text: str, of: str, zone: str) -> tuple[str, bool]:
    try:
        return understood_count(text, of)
    except Refusal as refusal:
        return rendering.refusal(refusal, current.language(), zone), False
