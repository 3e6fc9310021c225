"""Files kept with an incident: listed, taken in, handed out; never shown."""

from contextlib import closing

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker import rendering
from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import attachments, colleagues, register
from incident_tracker.web import current
from incident_tracker.web.evidence.forms import UploadForm
from incident_tracker.web.guard import guarded
from incident_tracker.web.handing_out import as_download
from incident_tracker.web.heading import heading

pages = Blueprint("evidence", __name__, url_prefix="/incidents/<reference>/evidence")


@pages.get("")
@guarded(Act.READ)
def listing(reference: str) -> ResponseReturnValue:
    """Show the files, and the form that takes more."""
    return _page(reference, UploadForm())


@pages.post("")
@guarded(Act.WORK, uploads=True)
def add(reference: str) -> ResponseReturnValue:
    """Keep the files that came."""
    form = UploadForm()
    form.validate()
    kept = 0
    try:
        for one in form.files():
            with closing(one.stream):
                pieces = attachments.pieces_of(one.stream)
                attachments.add(
                    current.context(), current.actor(), reference, file_name=one.filename or "", plain=pieces
                )
            kept += 1
    except Refusal as refusal:
        form.place(refusal)
    if kept:
        flash(ngettext("%(num)s file is kept, encrypted.", "%(num)s files are kept, encrypted.", kept), "said")
    if kept and not form.errors:
        return redirect(url_for("evidence.listing", reference=reference), 303)
    if not form.errors:
        form.file.errors = [_("Choose a file first.")]
    return make_response(_page(reference, form), 422)


@pages.get("/<attachment_id>")
@guarded(Act.READ)
def download(reference: str, attachment_id: str) -> ResponseReturnValue:
    """Hand a file out as it came in; a browser is told to save it, never to show it."""
    found, pieces = attachments.read(current.context(), current.actor(), reference, attachment_id)
    return as_download(pieces, found.file_name, size=found.size)


def _page(reference: str, form: UploadForm) -> str:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="evidence")
    files = attachments.listing(context, actor, reference)
    return render_template(
        "web/evidence/evidence.html",
        heading=heading(overview, "evidence", files=len(files)),
        form=form,
        files=files,
        names=colleagues.names(context, actor, {one.added_by for one in files}),
        zone=overview.controller.time_zone,
        limit=context.settings.security.max_upload_megabytes,
        size_said=size_said,
        may_write=actor.may(Act.WORK, overview.incident.controller_id),
    )


def size_said(size: int) -> str:
    """Return a number of bytes as people say it: `512 B`, `12,3 kB`, `5,2 MB`."""
    language = current.language()
    for unit, bytes_in_it in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= bytes_in_it:
            return f"{rendering.number(round(size / bytes_in_it, 1), language)} {unit}"
    return f"{size} B"
