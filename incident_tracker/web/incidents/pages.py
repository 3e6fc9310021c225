"""Logging a suspicion, the list, the first page of an incident, its notes, its owner, its journal."""

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import Controller, PartyRole
from incident_tracker.domain.periods import zone_of
from incident_tracker.services import colleagues, controllers, incidents, journal, next_step, register
from incident_tracker.services.texts import headline
from incident_tracker.web import current, form_times, words
from incident_tracker.web.forms import choices
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.incidents.forms import Count, LogForm, NoteForm, OwnerForm
from incident_tracker.web.incidents.history import lines
from incident_tracker.web.incidents.listing import list_view
from incident_tracker.web.incidents.view import incident_view

pages = Blueprint("incidents", __name__, url_prefix="/incidents")
UNPROCESSABLE = 422
JOURNAL_PAGE = 200


@pages.get("")
@guarded(Act.READ)
def listed() -> ResponseReturnValue:
    """Show the list, filtered and searched as the address says."""
    view = list_view(current.context(), current.actor(), request.args)
    return render_template("web/incidents/list.html", view=view)


@pages.get("/new")
@guarded(Act.REPORT)
def new() -> ResponseReturnValue:
    """Show the five fields."""
    form = LogForm()
    form.detected_at.data = form.detected_at.data or _("now")
    form.controller.data = current.controller().id
    return _show_new(form)


@pages.post("/new")
@guarded(Act.REPORT)
def log() -> ResponseReturnValue:
    """Log the suspicion; whoever may read goes to the incident, others get a receipt."""
    form = LogForm()
    here = _chosen(form)
    form.validate()
    detected = form_times.take(form, "detected_at", here.time_zone)
    people_estimate = form.people.take()
    if not form.where.errors and not form.where.data.strip():
        form.where.errors = [_("Write something here. It cannot be empty.")]
    if form.errors or detected is None:
        return _show_new(form, UNPROCESSABLE)
    try:
        reference = incidents.open_incident(
            current.context(),
            current.actor(),
            title=headline(form.what_happened.data),
            what_happened=form.what_happened.data,
            detected_at=detected,
            role=_role(form.role.data),
            place=form.where.data,
            ongoing=form.ongoing.data,
            people_estimate=people_estimate,
            controller_id=here.id,
            once=f"{form.once.data}:{form.detected_at.data}:{form.detected_at_fold.data}" if form.once.data else "",
        )
    except Refusal as refusal:
        form.place(refusal)
        return _show_new(form, UNPROCESSABLE)
    if current.actor().may(Act.READ, here.id):
        flash(_logged(reference, here))
        return redirect(f"/incidents/{reference}", 303)
    session["received"] = [reference, here.id]
    return redirect("/incidents/received", 303)


@pages.get("/received")
@guarded(Act.REPORT)
def received() -> ResponseReturnValue:
    """Show a reporter that the suspicion was taken in, and what happens now."""
    received = session.get("received")
    if not isinstance(received, list):
        return redirect("/incidents/new", 303)
    reference, controller_id = received
    contacts = colleagues.on_call(current.context(), current.actor(), controller_id)
    return render_template("web/incidents/received.html", reference=reference, contacts=contacts)


@pages.get("/understood/time")
@guarded(Act.READ)
def understood_time() -> ResponseReturnValue:
    """Answer how a typed time is read."""
    return _time_answer(with_due="due" in request.args)


@pages.get("/new/understood/time")
@guarded(Act.REPORT)
def understood_detection() -> ResponseReturnValue:
    """Answer how the time of detection is read."""
    return _time_answer(with_due=False)


@pages.get("/new/understood/people")
@guarded(Act.REPORT)
def understood_people() -> ResponseReturnValue:
    """Answer how a typed number of people is read."""
    form = LogForm(formdata=request.args)
    field: Count = form.people
    if not (field.data or "").strip():
        return ""
    found = field.take()
    text = field.said if found is not None else field.errors[0]
    return render_template("web/incidents/understood.html", text=text, ok=found is not None)


@pages.get("/<reference>")
@guarded(Act.READ)
def show(reference: str) -> ResponseReturnValue:
    """Show an incident: the time left, the next step, what is known."""
    return _show(reference)


@pages.post("/<reference>/notes")
@guarded(Act.WORK)
def note(reference: str) -> ResponseReturnValue:
    """Write a note."""
    form = NoteForm()
    if form.validate():
        try:
            incidents.add_note(current.context(), current.actor(), reference, text=form.text.data)
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("The note is kept in the journal."))
            return redirect(f"/incidents/{reference}#latest", 303)
    return _show(reference, note_form=form, code=UNPROCESSABLE)


@pages.post("/<reference>/owner")
@guarded(Act.WORK)
def own(reference: str) -> ResponseReturnValue:
    """Take the lead, hand it over, or give it back."""
    form = OwnerForm()
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference)
    staff = dict(colleagues.staff(context, actor, overview.controller.id))
    wanted = str(actor.user_id) if form.take.data else (form.owner.data or "")
    chosen = int(wanted) if wanted.isdigit() and int(wanted) in staff else None
    try:
        incidents.assign_owner(context, actor, reference, user_id=chosen)
    except Refusal as refusal:
        form.place(refusal)
        return _show(reference, owner_form=form, code=UNPROCESSABLE)
    flash(_("%(name)s leads the work now.", name=staff[chosen]) if chosen else _("Nobody leads the work now."))
    return redirect(f"/incidents/{reference}", 303)


@pages.get("/<reference>/journal")
@guarded(Act.READ)
def show_journal(reference: str) -> ResponseReturnValue:
    """Show who knew what when; on request, prove that nothing was altered."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="journal")
    limit = None if "all" in request.args else JOURNAL_PAGE
    records = register.history(context, actor, reference, newest_first=True, limit=limit)
    verdict = journal.verify(context) if "verify" in request.args else None
    seq, head_hash = journal.head(context)
    return render_template(
        "web/incident/journal.html",
        heading=heading(overview, "journal", missing=next_step.missing_answers(context, actor, overview)),
        lines=lines(context, actor, overview, records),
        more=limit is not None and len(records) == limit,
        verdict=verdict,
        head_seq=seq,
        head_hash=head_hash.hex(),
        zone=overview.controller.time_zone,
    )


def _show(
    reference: str, *, note_form: NoteForm | None = None, owner_form: OwnerForm | None = None, code: int = 200
) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="overview" if code == 200 else "")  # noqa: PLR2004
    may_work = actor.may(Act.WORK, overview.controller.id)
    view = incident_view(context, actor, overview)
    if owner_form is None:
        owner_form = OwnerForm(formdata=None)
        owner_form.owner.data = str(overview.incident.owner_id or "")
    staff = colleagues.staff(context, actor, overview.controller.id) if may_work else []
    owner_form.owner.choices = choices([("", _("Nobody")), *((str(number), name) for number, name in staff)])
    page = render_template(
        "web/incident/overview.html",
        view=view,
        heading=view.heading,
        note_form=note_form or NoteForm(formdata=None),
        owner_form=owner_form,
        may_work=may_work and overview.incident.is_open,
        may_decide=actor.may(Act.DECIDE, overview.controller.id),
        me=actor.user_id,
        now_text=words.moment(overview.now, overview.controller.time_zone, "time"),
    )
    return make_response(page, code)


def _show_new(form: LogForm, code: int = 200) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    there = _controllers()
    here = _chosen(form)
    form.controller.choices = choices((str(one.id), one.name) for one in there)
    said = form_times.understand(form.detected_at.data or "", here.time_zone)
    if said.twice is not None and not form.detected_at_fold.asked:
        form_times.ask_which(form, "detected_at", here.time_zone, said.twice)
    page = render_template(
        "web/incidents/new.html",
        form=form,
        several=len(there) > 1,
        detected_said=said.said if said.ok else "",
        contacts=colleagues.on_call(context, actor, here.id),
        zone=here.time_zone,
        zone_name=form_times.zone_name(here.time_zone),
        headline=headline(form.what_happened.data or ""),
    )
    return make_response(page, code)


def _controllers() -> list[Controller]:
    actor = current.actor()
    return [one for one in controllers.listing(current.context(), actor) if actor.may(Act.REPORT, one.id)]


def _chosen(form: LogForm) -> Controller:
    """Return the controller that the form names, else the one whose pages are shown."""
    there = _controllers()
    wanted: Any = form.controller.data
    home = current.controller()
    return next(
        (one for one in there if one.id == wanted), next((one for one in there if one.id == home.id), there[0])
    )


def _logged(reference: str, here: Controller) -> str:
    if colleagues.on_call(current.context(), current.actor(), here.id):
        return str(_("%(reference)s is logged. Whoever is on call is being told.", reference=reference))
    return str(_("%(reference)s is logged. Nobody is on call, so nobody was told.", reference=reference))


def _role(code: str) -> PartyRole:
    return PartyRole(code) if code in {one.value for one in PartyRole} else PartyRole.CONTROLLER


def _time_answer(*, with_due: bool) -> ResponseReturnValue:
    zone = request.args.get("zone") or current.zone()
    zone_of(zone)
    text = request.args.get("at") or request.args.get("detected_at") or ""
    found = form_times.understand(text, zone)
    said = form_times.with_deadline(found.at, zone) if with_due and found.at is not None else found.said
    return render_template("web/incidents/understood.html", text=said, ok=found.ok) if said else ""
