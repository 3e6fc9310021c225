"""`/inbox`: reports from outside, one opened, and what becomes of it."""

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.services import colleagues, suspicions
from incident_tracker.services.suspicions import SettledMeanwhile, Shown
from incident_tracker.web import current
from incident_tracker.web.forms import PageForm
from incident_tracker.web.guard import guarded
from incident_tracker.web.inbox.forms import AcceptForm, AddForm, DismissForm
from incident_tracker.web.languages import refusal_text

pages = Blueprint("inbox", __name__, url_prefix="/inbox")
PAGE = 30
UNPROCESSABLE = 422


@pages.get("")
@guarded(Act.READ)
def listed() -> ResponseReturnValue:
    """Show what came from outside, newest first; a receipt number finds one."""
    context, actor = current.context(), current.actor()
    settled = request.args.get("state") == "settled"
    before, receipt = request.args.get("before", "")[:64] or None, request.args.get("receipt", "")[:40]
    if receipt.strip():
        found = suspicions.find(context, actor, receipt)
    else:
        found = suspicions.listing(context, actor, settled=settled, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    state = {"state": "settled"} if settled else {}
    return render_template(
        "web/inbox/list.html",
        reports=shown,
        settled=settled,
        receipt=receipt,
        several=len({one.controller.id for one in shown}) > 1,
        more_url=f"/inbox?{urlencode(state | {'before': shown[-1].id})}" if len(found) > PAGE else "",
        trapped=suspicions.count_trapped(context, current.controller().id),
        open_count=suspicions.count_open(context, actor),
        public_url=_public_url(),
    )


@pages.get("/<suspicion_id>")
@guarded(Act.READ)
def show(suspicion_id: str) -> ResponseReturnValue:
    """Show one report; whoever may settle it and opens it keeps the next on call from being told."""
    one = suspicions.show(current.context(), current.actor(), suspicion_id, look=request.method == "GET")
    return _page(one)


@pages.post("/<suspicion_id>/accept")
@guarded(Act.WORK)
def accept(suspicion_id: str) -> ResponseReturnValue:
    """Open an incident from a report."""
    form = AcceptForm()

    def settle() -> str:
        title = form.title.data or ""
        reference = suspicions.accept(current.context(), current.actor(), suspicion_id, title=title)
        flash(_("Opened as %(reference)s. Decide whether it is a breach.", reference=reference))
        return f"/incidents/{reference}"

    return _settle(suspicion_id, form, settle)


@pages.post("/<suspicion_id>/add")
@guarded(Act.WORK)
def add(suspicion_id: str) -> ResponseReturnValue:
    """Add a report to an incident that is open already."""
    form = AddForm()

    def settle() -> str:
        to = (form.to.data or "").strip()
        try:
            suspicions.add_to_incident(current.context(), current.actor(), suspicion_id, to=to)
        except NotFound:
            form.to.errors = [_("There is no incident with this reference in the same organisation.")]
            return ""
        flash(_("Added to %(reference)s as a note.", reference=to))
        return f"/incidents/{to}"

    return _settle(suspicion_id, form, settle)


@pages.post("/<suspicion_id>/dismiss")
@guarded(Act.WORK)
def dismiss(suspicion_id: str) -> ResponseReturnValue:
    """Settle a report without an incident."""
    form = DismissForm()

    def settle() -> str:
        suspicions.dismiss(current.context(), current.actor(), suspicion_id, reason=form.reason.data or "")
        flash(_("Dismissed. It stays under settled, with your reason."))
        return "/inbox"

    return _settle(suspicion_id, form, settle)


def _settle(suspicion_id: str, form: PageForm, settle: Callable[[], str]) -> ResponseReturnValue:
    """Settle a report; what is refused stands beside its field, and who was slower sees what became of it."""
    one = suspicions.show(current.context(), current.actor(), suspicion_id, look=False)
    url = ""
    if form.validate():
        try:
            url = settle()
        except SettledMeanwhile as refusal:
            flash(refusal_text(refusal), "warning")
            return redirect(f"/inbox/{suspicion_id}", 303)
        except Refusal as refusal:
            form.place(refusal)
    return redirect(url, 303) if url else _page(one, form, UNPROCESSABLE)


def _page(one: Shown, form: PageForm | None = None, code: int = 200) -> ResponseReturnValue:
    context, actor = current.context(), current.actor()
    title = _("Report from outside %(receipt)s", receipt=one.receipt)
    forms = {kind.__name__: kind(formdata=None) for kind in (AcceptForm, AddForm, DismissForm)}
    forms["AcceptForm"].title.data = title
    if form is not None:
        forms[type(form).__name__] = form
    page = render_template(
        "web/inbox/report.html",
        report=one,
        zone=one.controller.time_zone,
        wrong=form,
        accept_form=forms["AcceptForm"],
        add_form=forms["AddForm"],
        dismiss_form=forms["DismissForm"],
        may_settle=one.state == "open" and actor.may(Act.WORK, one.controller.id),
        settled_by=colleagues.names(context, actor, [one.settled_by]).get(one.settled_by, one.settled_by),
    )
    return make_response(page, code)


def _public_url() -> str:
    """Return the address of the public form of the controller that is shown."""
    house = current.house()
    slug = current.controller().slug
    several = house is not None and len(house.controllers) > 1
    return f"{current.context().settings.public_url}{f'/c/{slug}' if several else ''}/report"
