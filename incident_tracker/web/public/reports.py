"""`/report`: anybody tells us of a suspected leak."""

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.suspicions import read_receipt
from incident_tracker.services import public_limits, public_places, suspicions
from incident_tracker.services.public_limits import TooManyForms
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web import current, public_forms
from incident_tracker.web.guard import public
from incident_tracker.web.public.forms import PublicForm, ReportForm, check
from incident_tracker.web.public.showing import Place, pages, place, show

PURPOSE = "report"
UNPROCESSABLE, TOO_MANY, UNAVAILABLE = 422, 429, 503


@pages.get("/report")
@pages.get("/c/<slug>/report")
@public("anybody may tell us of a suspected leak", csrf=False)
def report(slug: str | None = None) -> ResponseReturnValue:
    """Show the form; where there are several controllers, ask which one it concerns."""
    where = place(slug)
    if where.controller is None:
        return _which(where)
    return _form(where, ReportForm(formdata=None))


@pages.post("/report")
@pages.post("/c/<slug>/report")
@public("anybody may tell us of a suspected leak; the form is signed", csrf=False)
def tell(slug: str | None = None) -> ResponseReturnValue:
    """Keep what was told; one that a machine sent is answered alike and dropped."""
    where = place(slug)
    if where.controller is None:
        raise NotFound
    form = ReportForm()
    try:
        number = _take(where.controller.id, form)
    except TooManyForms as refusal:
        return too_many(where, form, refusal)
    except NotSaved:
        return not_saved(where, form)
    except Refusal as refusal:
        form.place(refusal)
        return _form(where, form, UNPROCESSABLE)
    return redirect(where.path(f"/report/received/{number}"), 303)


@pages.get("/report/received/<number>")
@pages.get("/c/<slug>/report/received/<number>")
@public("whoever told us reads what happens next", csrf=False)
def received(number: str, slug: str | None = None) -> ResponseReturnValue:
    """Show the receipt and what happens next; it is shown for any number, so it gives nothing away."""
    where = place(slug)
    if where.controller is None or not read_receipt(number):
        raise NotFound
    return show("web/public/received.html", where, receipt=number.upper())


def too_many(where: Place, form: PublicForm, refusal: TooManyForms) -> ResponseReturnValue:
    """Say whom to write to instead, with the words that were typed."""
    answer = show("web/public/too_many.html", where, TOO_MANY, form=form, refusal=refusal)
    answer.headers["Retry-After"] = str(refusal.params["seconds"])
    return answer


def not_saved(where: Place, form: PublicForm) -> ResponseReturnValue:
    """Say that nothing was kept, with the words that were typed."""
    return show("web/public/not_saved.html", where, UNAVAILABLE, form=form)


def _take(controller_id: int, form: ReportForm) -> str:
    """Return the receipt of what was told."""
    context, address = current.context(), request.remote_addr or ""
    told = suspicions.check(form.told())
    if public_forms.trapped():
        public_limits.let_in(context, controller_id, PURPOSE, address)
        return suspicions.decoy(context, controller_id)
    check(PURPOSE)
    public_limits.let_in(context, controller_id, PURPOSE, address)
    return suspicions.receipt_of(suspicions.receive(context, controller_id, told, once=form.once()))


def _form(where: Place, form: ReportForm, code: int = 200) -> ResponseReturnValue:
    return show("web/public/report.html", where, code, form=form, token=public_forms.again(PURPOSE))


def _which(where: Place) -> ResponseReturnValue:
    """Ask which organisation is meant, with nothing but their names."""
    found = public_places.all_of_them(current.context())
    if where.slug is not None or not found:
        raise NotFound
    return show("web/public/which.html", where, controllers=found)
