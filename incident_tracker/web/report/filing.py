"""The receipt of a filing is typed in: time, numbers, proof; the version is frozen."""

from contextlib import closing

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.services import attachments, register, reports
from incident_tracker.services.reports import Phase, Sheet
from incident_tracker.web import current, form_times, typed_times
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.report import view
from incident_tracker.web.report.forms import FilingForm
from incident_tracker.web.report.pages import pages, sheet_of

__all__ = ["pages"]


@pages.get("/filed")
@guarded(Act.WORK)
def filing_form(reference: str) -> ResponseReturnValue:
    """Ask what came of filing."""
    made = sheet_of(reference)
    form = FilingForm(formdata=None, data={"version": str(made.version)})
    return _page(reference, form, made)


@pages.post("/filed")
@guarded(Act.WORK, uploads=True)
def file_report(reference: str) -> ResponseReturnValue:
    """Freeze the version that was filed."""
    form = FilingForm()
    form.validate()
    made = sheet_of(reference)
    form.offer(made)
    _keep_receipt(reference, form)
    warnings = _number_warnings(form)
    if form.errors or (warnings and form.looked_at.data != form.numbers()):
        return _again(reference, form, made, warnings)
    try:
        frozen = _file(reference, form, made)
    except Refusal as refusal:
        form.place(refusal)
        return _again(reference, form, made, warnings)
    flash(_("Version %(version)s is kept as it was filed.", version=frozen.version), "said")
    return redirect(url_for("report.version", reference=reference, version=frozen.version), 303)


@pages.get("/filed/understood")
@guarded(Act.READ)
def filing_understood(reference: str) -> ResponseReturnValue:
    """Say how the time was understood, or that a number looks unusual, while it is typed."""
    zone = register.overview(current.context(), current.actor(), reference).controller.time_zone
    text, ok = "", True
    if "filed_at" in request.args:
        found = form_times.understand(request.args["filed_at"], zone, request.args.get("filed_at_fold"))
        text, ok = found.said, found.ok
    else:
        numbers = {name: request.args.get(name, "") for name in ("reference", "journal_number")}
        said = reports.identifier_warnings(current.context(), language=current.language(), **numbers)
        text, ok = " ".join(said), not said
    return render_template("web/scope/understood.html", text=text, ok=ok)


def _file(reference: str, form: FilingForm, made: Sheet) -> reports.Frozen:
    zone = made.controller.time_zone
    phase = Phase(form.phase.data)
    return reports.file_report(
        current.context(),
        current.actor(),
        reference,
        filed_at=typed_times.read(form.filed_at.data or "", zone, form.filed_at_fold.data, "filed_at"),
        authority_reference=form.reference.data or "",
        journal_number=form.journal_number.data or "",
        receipt=form.kept_receipt.data or None,
        no_receipt_reason=form.no_receipt_reason.data or "",
        late_reason=form.late_reason.data or "",
        version=int(form.version.data) if (form.version.data or "").isdecimal() else 0,
        complete=phase is Phase.FINAL,
        withdrawn=phase is Phase.WITHDRAWN,
    )


def _keep_receipt(reference: str, form: FilingForm) -> None:
    """Keep the file before anything else, so that no mistake elsewhere makes anybody choose it again."""
    chosen = form.file()
    if chosen is None:
        return
    try:
        with closing(chosen.stream):
            kept = attachments.add(
                current.context(),
                current.actor(),
                reference,
                file_name=chosen.filename or "",
                plain=attachments.pieces_of(chosen.stream),
                purpose=attachments.RECEIPT,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        refusal.field = "receipt"
        form.place(refusal)
    else:
        form.kept_receipt.data = kept.id


def _number_warnings(form: FilingForm) -> tuple[str, ...]:
    return reports.identifier_warnings(
        current.context(),
        reference=form.reference.data or "",
        journal_number=form.journal_number.data or "",
        language=current.language(),
    )


def _again(reference: str, form: FilingForm, made: Sheet, warnings: tuple[str, ...]) -> ResponseReturnValue:
    form.looked_at.data = form.numbers()
    return make_response(_page(reference, form, made, warnings), 422)


def _page(reference: str, form: FilingForm, made: Sheet, warnings: tuple[str, ...] = ()) -> str:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference)
    form.offer(made)
    zone = made.controller.time_zone
    found = form_times.understand(form.filed_at.data or "", zone, form.filed_at_fold.data, field="filed_at")
    twice = found.twice or form_times.understand(form.filed_at.data or "", zone, field="filed_at").twice
    if twice is not None:
        form_times.ask_which(form, "filed_at", zone, twice)
    kept = form.kept_receipt.data or ""
    files = {one.id: one.file_name for one in attachments.listing(context, actor, reference)} if kept else {}
    return render_template(
        "web/report/filed.html",
        heading=heading(overview, "report", missing=len(made.draft.missing)),
        sheet=made,
        form=form,
        warnings=warnings,
        said=found.said if found.ok else "",
        receipt_name=files.get(kept, ""),
        late=made.is_late(made.now),
        phase_words=view.phase_words,
        lacking=[view.point_words(one) for one in made.open_points],
        zone_words=form_times.zone_name(zone),
    )
