"""The people affected: their list, the files that it is read from, searching, adding, taking off."""

from contextlib import closing
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker import rendering
from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import attachments, colleagues, people, phones, register
from incident_tracker.services.register import Overview
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.handing_out import as_download
from incident_tracker.web.heading import heading
from incident_tracker.web.people import view
from incident_tracker.web.people.forms import FindForm, PersonForm, RemoveForm, UploadForm

pages = Blueprint("people", __name__, url_prefix="/incidents/<reference>/people")
PAGE = 50
UNPROCESSABLE = 422


@pages.get("")
@guarded(Act.READ)
def listed(reference: str) -> ResponseReturnValue:
    """Show the list; while a file is read, the browser looks again at that part alone."""
    if request.headers.get("HX-Request") == "true":
        return _live(reference)
    return _page(reference, after=request.args.get("after", "")[:64])


@pages.post("")
@guarded(Act.WORK, uploads=True)
def upload(reference: str) -> ResponseReturnValue:
    """Begin to read the file that came."""
    form = UploadForm()
    form.validate()
    one = form.chosen()
    if one is None:
        form.file.errors = [_("Choose a file first.")]
        return _page(reference, upload=form)
    try:
        with closing(one.stream):
            pieces = attachments.pieces_of(one.stream)
            people.start(
                current.context(), current.actor(), reference, file_name=one.filename or "", pieces=pieces, size=0
            )
    except Refusal as refusal:
        form.place(refusal)
        return _page(reference, upload=form)
    return redirect(url_for("people.listed", reference=reference), 303)


@pages.post("/find")
@guarded(Act.READ)
def find(reference: str) -> ResponseReturnValue:
    """Show who has an address or number."""
    form = FindForm()
    if not form.validate():
        return _page(reference, find=form)
    return _page(reference, find=form, search=form.search.data or "")


@pages.post("/add")
@guarded(Act.WORK)
def add(reference: str) -> ResponseReturnValue:
    """Add one person."""
    form = PersonForm()
    form.validate()
    typed = {name: form[name].data or "" for name in ("name", "email", "phone", "language")}
    try:
        people.add_person(current.context(), current.actor(), reference, **typed)
    except Refusal as refusal:
        form.place(refusal)
        return _page(reference, add=form)
    flash(_("The person is on the list."), "said")
    return redirect(url_for("people.listed", reference=reference), 303)


@pages.post("/imports/<import_id>/stop")
@guarded(Act.WORK)
def stop(reference: str, import_id: str) -> ResponseReturnValue:
    """Stop the reading of a file."""
    try:
        people.stop(current.context(), current.actor(), reference, import_id)
    except people.ReadingIsOver:
        flash(_("The reading was over already."), "said")
    else:
        flash(_("The reading was stopped. Whoever was added so far is on the list."), "said")
    return redirect(url_for("people.listed", reference=reference), 303)


@pages.get("/imports/<import_id>/refused.csv")
@guarded(Act.READ)
def refused(reference: str, import_id: str) -> ResponseReturnValue:
    """Hand out the rows of a file that were not taken over, or not wholly."""
    gettext = rendering.translations(current.language()).gettext
    lines = people.refused_rows(current.context(), current.actor(), reference, import_id, gettext=gettext)
    return as_download((line.encode() for line in lines), f"{reference}.refused.csv", kind="text/csv")


@pages.get("/imports/<import_id>/remove")
@guarded(Act.WORK)
def asked_to_remove(reference: str, import_id: str) -> ResponseReturnValue:
    """Ask before the people of a file are taken off the list."""
    return _removing(reference, import_id, RemoveForm(formdata=None))


@pages.post("/imports/<import_id>/remove")
@guarded(Act.WORK)
def remove(reference: str, import_id: str) -> ResponseReturnValue:
    """Take the people of a file off the list."""
    form = RemoveForm()
    if not form.validate():
        return _removing(reference, import_id, form)
    try:
        count = people.remove(current.context(), current.actor(), reference, import_id, reason=form.reason.data or "")
    except Refusal as refusal:
        form.place(refusal)
        return _removing(reference, import_id, form)
    flash(ngettext("%(num)s person was taken off.", "%(num)s people were taken off.", count), "said")
    return redirect(url_for("people.listed", reference=reference), 303)


def _page(reference: str, *, after: str = "", search: str = "", **forms: Any) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="people")
    found = people.listing(context, actor, reference, search=search, after=after or None, limit=PAGE + 1)
    count = people.count(context, actor, reference)
    add = forms.get("add") or PersonForm(formdata=None, language=overview.controller.language)
    page = render_template(
        "web/people/people.html",
        heading=heading(overview, "people", people=count),
        found=found[:PAGE],
        more_url=url_for("people.listed", reference=reference, after=found[PAGE - 1].id) if len(found) > PAGE else "",
        searched=bool(search),
        later=bool(after),
        count=view.number(count),
        spoken=phones.spoken,
        forms={
            "upload": forms.get("upload") or UploadForm(formdata=None),
            "find": forms.get("find") or FindForm(formdata=None),
            "add": add,
        },
        limit=context.settings.security.max_upload_megabytes,
        may_write=actor.may(Act.WORK, overview.controller.id) and overview.incident.is_open,
        **_readings(overview, reference),
    )
    return make_response(page, UNPROCESSABLE if any(form.errors for form in forms.values()) else 200)


def _readings(overview: Overview, reference: str) -> dict[str, Any]:
    context, actor, now = current.context(), current.actor(), current.context().now()
    found = people.imports(context, actor, reference)
    names = colleagues.names(context, actor, {one.imported_by for one in found})
    listed = people.with_refused(context, actor, found)
    zone = overview.controller.time_zone
    return {
        "underway": [view.underway(one, now) for one in found if view.is_underway(one, now)],
        "done": [
            view.done(one, names, zone, now, has_listed=one.id in listed)
            for one in found
            if not view.is_underway(one, now)
        ],
    }


def _live(reference: str) -> ResponseReturnValue:
    """Return how far readings are; when the last is done, the browser fetches the whole page."""
    overview = register.overview(current.context(), current.actor(), reference)
    shown = _readings(overview, reference)
    may_write = current.actor().may(Act.WORK, overview.controller.id)
    page = render_template("web/people/_live.html", reference=reference, may_write=may_write, **shown)
    response = make_response(page)
    if not shown["underway"]:
        response.headers["HX-Refresh"] = "true"
    return response


def _removing(reference: str, import_id: str, form: RemoveForm) -> ResponseReturnValue:
    overview = register.overview(current.context(), current.actor(), reference)
    one = people.one_import(current.context(), current.actor(), reference, import_id)
    page = render_template("web/people/remove.html", heading=heading(overview, "people"), one=one, form=form)
    return make_response(page, UNPROCESSABLE if form.errors else 200)
