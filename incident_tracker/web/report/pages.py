"""The report to the authority: question by question, to be carried over by hand."""

import json
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import colleagues, register, reports
from incident_tracker.services.register import Overview
from incident_tracker.services.reports import Sheet
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.handing_out import as_download
from incident_tracker.web.heading import heading
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.report import view
from incident_tracker.web.report.view import NOTHING_REFUSED, Refused

pages = Blueprint("report", __name__, url_prefix="/incidents/<reference>/report")
KINDS = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "json": "application/json"}


@pages.get("")
@guarded(Act.READ)
def form(reference: str) -> ResponseReturnValue:
    """Show the draft."""
    overview = register.overview(current.context(), current.actor(), reference, looked_at="report")
    return _page(overview, sheet_of(reference), NOTHING_REFUSED)


@pages.post("/answers/<key>")
@guarded(Act.WORK)
def revise(reference: str, key: str) -> ResponseReturnValue:
    """Save one answer; the page's other fields are left as they are."""
    answer = request.form.get("answer", "")
    before = sheet_of(reference)
    try:
        reports.revise_answer(current.context(), current.actor(), reference, key=key, answer=answer)
    except Refusal as refusal:
        if refusal.field not in ("answer", key):
            raise
        return _refused(reference, Refused(key, answer, refusal_text(refusal)))
    return _answered(reference, key, before)


@pages.post("/ticks/<key>")
@guarded(Act.WORK)
def tick(reference: str, key: str) -> ResponseReturnValue:
    """Note that an answer was carried over, or take that back."""
    before = sheet_of(reference)
    ticked = request.form.get("ticked") == "1"
    reports.tick(current.context(), current.actor(), reference, key=key, ticked=ticked)
    return _answered(reference, key, before)


@pages.get("/draft.<kind>")
@guarded(Act.READ)
def draft_file(reference: str, kind: str) -> ResponseReturnValue:
    """Hand the draft out as PDF, HTML or JSON."""
    return _file(reference, kind, None)


@pages.get("/version-<int:version>.<kind>")
@guarded(Act.READ)
def version_file(reference: str, version: int, kind: str) -> ResponseReturnValue:
    """Hand a frozen version out as PDF, HTML or JSON."""
    return _file(reference, kind, version)


@pages.get("/versions/<int:version>")
@guarded(Act.READ)
def version(reference: str, version: int) -> ResponseReturnValue:
    """Show a frozen version, and what it changed."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="report")
    frozen = reports.frozen_of(context, actor, reference, "dk", version)
    earlier = None if version == 1 else reports.frozen_of(context, actor, reference, "dk", version - 1)
    language = draft_language()
    return render_template(
        "web/report/version.html",
        heading=heading(overview, "report"),
        frozen=frozen,
        filing=next(one for one in overview.incident.filings if one.version == version),
        draft=reports.draft_of(frozen, language),
        sections=view.frozen_sections(reports.draft_of(frozen, language)),
        changes=reports.changes_between(earlier, frozen, language),
        phase_words=view.phase_words,
        names=colleagues.names(context, actor, {frozen.filed_by}),
        language=language,
        zone=overview.controller.time_zone,
    )


def draft_language() -> str:
    """Return the language of the draft: asked for in the address, else that of the page."""
    wanted = request.values.get("in", "")
    return wanted if wanted in ("da", "en") else current.language()


def sheet_of(reference: str) -> Sheet:
    """Return the draft in the language asked for."""
    return reports.sheet(current.context(), current.actor(), reference, language=draft_language())


def _answered(reference: str, key: str, before: Sheet) -> ResponseReturnValue:
    """Answer a small form: the rows that changed for htmx, else the page again at that question."""
    if request.headers.get("HX-Request") != "true":
        return redirect(_at(reference, key), 303)
    after = sheet_of(reference)
    response = make_response(_fragment(reference, key, before, after, NOTHING_REFUSED))
    response.headers["HX-Trigger-After-Settle"] = json.dumps({"saved": {"target": f"#{view.question_id(key)}"}})
    return response


def _refused(reference: str, refused: Refused) -> ResponseReturnValue:
    if request.headers.get("HX-Request") == "true":
        made = sheet_of(reference)
        return _fragment(reference, refused.key, made, made, refused)
    overview = register.overview(current.context(), current.actor(), reference)
    return make_response(_page(overview, sheet_of(reference), refused), 422)


def _fragment(reference: str, key: str, before: Sheet, after: Sheet, refused: Refused) -> str:
    overview = register.overview(current.context(), current.actor(), reference)
    sections = view.sections_of(after, refused)
    shown = next(one for section in sections for one in section.shown if one.question.key == key)
    return render_template(
        "web/report/fragment.html",
        shown=shown,
        focused=request.endpoint == "report.revise" and not refused.wrong,
        moved=view.moved(view.sections_of(before), sections, key),
        **_facts(overview, after, sections),
    )


def _page(overview: Overview, made: Sheet, refused: Refused) -> str:
    context, actor = current.context(), current.actor()
    reference = overview.incident.reference
    filed = reports.filed(context, actor, reference)
    last = _last_change(reference)
    return render_template(
        "web/report/report.html",
        filed=[(one, _filing(overview, one.version)) for one in filed],
        names=colleagues.names(context, actor, {one.filed_by for one in filed} | ({last[0]} if last else set())),
        last=last,
        **_facts(overview, made, view.sections_of(made, refused)),
    )


def _facts(overview: Overview, made: Sheet, sections: list[view.Section]) -> dict[str, object]:
    """Return what the page and its parts need."""
    return {
        "heading": heading(overview, "report", missing=len(made.draft.missing)),
        "sheet": made,
        "sections": sections,
        "next": view.first_missing(sections),
        "phase_words": view.phase_words,
        "language": draft_language(),
        "csrf": generate_csrf(),
        "zone": overview.controller.time_zone,
        "may_write": current.actor().may(Act.WORK, overview.incident.controller_id) and overview.incident.is_open,
    }


def _filing(overview: Overview, version: int) -> object:
    return next(one for one in overview.incident.filings if one.version == version)


def _last_change(reference: str) -> tuple[str, object] | None:
    """Return who last changed something that the report is made of, and when."""
    recent = register.history(current.context(), current.actor(), reference, newest_first=True, limit=10)
    kinds = ("answer_revised", "scope_assessed")
    return next(((one.actor, one.recorded_at) for one in recent if one.kind in kinds), None)


def _at(reference: str, key: str) -> str:
    page = url_for("report.form", reference=reference)
    wanted = "?" + urlencode({"in": request.values["in"]}) if request.values.get("in") else ""
    return f"{page}{wanted}#{view.question_id(key)}"


def _file(reference: str, kind: str, version: int | None) -> Response:
    if kind not in KINDS:
        abort(404)
    context, actor, language = current.context(), current.actor(), draft_language()
    if kind == "pdf":
        content = reports.pdf(context, actor, reference, language=language, version=version)
    elif kind == "html":
        content = reports.html(context, actor, reference, language=language, version=version).encode()
    else:
        told = reports.json(context, actor, reference, language=language, version=version)
        content = json.dumps(told, ensure_ascii=False, indent=2).encode()
    name = f"{reference}-{'draft' if version is None else f'version-{version}'}-{language}.{kind}"
    return as_download([content], name, kind=KINDS[kind], size=len(content))
