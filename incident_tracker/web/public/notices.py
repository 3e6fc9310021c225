"""`/notice/<reference>`: is this notice real? The same text, and a way to ask."""

from datetime import datetime

import structlog
from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue

from incident_tracker import rendering
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.suspicions import read_receipt
from incident_tracker.services import notices, public_limits, questions
from incident_tracker.services.notices import PublicNotice
from incident_tracker.services.public_limits import TooManyForms
from incident_tracker.services.sign_in import network_of
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web import current, public_forms
from incident_tracker.web.guard import public
from incident_tracker.web.public.forms import QuestionForm, ReportForm, check
from incident_tracker.web.public.knocks import Knocks
from incident_tracker.web.public.reports import TOO_MANY, UNPROCESSABLE, not_saved, too_many
from incident_tracker.web.public.showing import Place, chosen, pages, place, show

__all__ = ["pages"]

_log = structlog.get_logger()
PURPOSE = "question"
UNKNOWN = 404
WRONG_A_MINUTE = 30
"""How many references that are not there may be asked for from one address in a minute."""


@pages.get("/notice")
@pages.get("/c/<slug>/notice")
@public("a reader of a notice types its reference", csrf=False)
def look_up(slug: str | None = None) -> ResponseReturnValue:
    """Go to the notice whose reference was typed, or ask for one."""
    where = place(slug)
    typed = "".join(request.args.get("reference", "").split())[:40].replace("/", "")
    if typed:
        return redirect(where.path(f"/notice/{typed}"), 303)
    return show("web/public/look_up.html", where)


@pages.get("/notice/<reference>")
@pages.get("/c/<slug>/notice/<reference>")
@public("a reader of a notice sees whether it is real", csrf=False)
def notice(reference: str, slug: str | None = None) -> ResponseReturnValue:
    """Show a notice that was sent, or the same calm page for every reference that is not there."""
    found = _found(reference, slug)
    if not isinstance(found, PublicNotice):
        return found
    if slug is None and place(None).controller is None:
        return redirect(f"/c/{found.controller.slug}/notice/{found.reference}{chosen()}", 303)
    return _notice(Place(found.controller, slug), found, QuestionForm(formdata=None))


@pages.post("/notice/<reference>")
@pages.post("/c/<slug>/notice/<reference>")
@public("a reader of a notice asks a question; the form is signed", csrf=False)
def ask(reference: str, slug: str | None = None) -> ResponseReturnValue:
    """Keep a question; one that a machine sent is answered alike and dropped."""
    found = _found(reference, slug)
    if not isinstance(found, PublicNotice):
        return found
    where, form = Place(found.controller, slug), QuestionForm()
    try:
        number = _take(found, form)
    except TooManyForms as refusal:
        return too_many(where, form, refusal)
    except NotSaved:
        return not_saved(where, form)
    except Refusal as refusal:
        form.place(refusal)
        return _notice(where, found, form, UNPROCESSABLE)
    return redirect(where.path(f"/notice/{found.reference}/asked/{number}"), 303)


@pages.get("/notice/<reference>/asked/<number>")
@pages.get("/c/<slug>/notice/<reference>/asked/<number>")
@public("whoever asked reads what happens next", csrf=False)
def asked(reference: str, number: str, slug: str | None = None) -> ResponseReturnValue:
    """Show the receipt of a question; it is shown for any number, so it gives nothing away."""
    found = _found(reference, slug)
    if not isinstance(found, PublicNotice):
        return found
    where = Place(found.controller, slug)
    receipt = number.upper() if read_receipt(number) else ""
    return show("web/public/asked.html", where, receipt=receipt, back=where.path(f"/notice/{found.reference}"))


@pages.errorhandler(NotSaved)
def unavailable(error: NotSaved) -> ResponseReturnValue:
    """Say that the database does not answer, without asking it whose page this is; what was typed is shown again."""
    _log.error("not_saved", endpoint=request.endpoint, why=type(error).__name__)
    request.environ["page_failed"] = True
    form = QuestionForm() if request.endpoint == "public.ask" else ReportForm()
    return not_saved(Place(None, None), form)


def _found(reference: str, slug: str | None) -> PublicNotice | ResponseReturnValue:
    """Return the notice, or what is answered where there is none; who guesses is slowed down."""
    where, now = place(slug), current.context().now()
    knocks = current_app.extensions.setdefault("wrong_references", Knocks(WRONG_A_MINUTE))
    network = network_of(request.remote_addr or "")
    if knocks.too_many(network, now):
        return show("web/public/unknown.html", where, TOO_MANY, too_many=True)
    found = notices.public(current.context(), reference, slug)
    if found is None:
        knocks.count(network, now)
        return show("web/public/unknown.html", where, UNKNOWN, too_many=False)
    return found


def _take(found: PublicNotice, form: QuestionForm) -> str:
    """Return the receipt of what was asked."""
    context, address = current.context(), request.remote_addr or ""
    controller_id = found.controller.id
    asked_for = questions.check(form.asked())
    if public_forms.trapped():
        public_limits.let_in(context, controller_id, PURPOSE, address, crowd=found.recipients)
        return questions.decoy(context)
    check(PURPOSE)
    public_limits.let_in(context, controller_id, PURPOSE, address, crowd=found.recipients)
    return questions.ask(context, found.reference, asked_for, once=form.once()) or ""


def _notice(where: Place, found: PublicNotice, form: QuestionForm, code: int = 200) -> ResponseReturnValue:
    language = current.language()
    texts = {one.language: one for one in found.texts}
    return show(
        "web/public/notice.html",
        where,
        code,
        notice=found,
        text=texts.get(language) or found.texts[0],
        sent_on=_day(found.sent_at, found.controller.time_zone, language),
        form=form,
        token=public_forms.again(PURPOSE),
    )


def _day(at: datetime, zone: str, language: str) -> str:
    """Return a day without its weekday: `22. november 2026`."""
    return rendering.moment(at, zone, language, "date").partition(" ")[2]
