"""What is done with a notice: tried, handed over, begun, paused, stopped; told again, doubts settled."""

from collections.abc import Callable
from typing import cast

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.notices import ChecksAreOpen
from incident_tracker.services import notices, register
from incident_tracker.services.notices import Decision, Notice
from incident_tracker.services.trouble import NotSaved
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.incidents.deciding import must_match
from incident_tracker.web.languages import refusal_text
from incident_tracker.web.notices import view
from incident_tracker.web.notices.forms import DoubtsForm, RetryForm, StopForm, SubmitForm
from incident_tracker.web.notices.showing import by_number, notice_page
from incident_tracker.web.notices.view import Typed
from incident_tracker.web.notices.writing import pages

__all__ = ["pages"]

DISMISS = "dismiss-"


@pages.post("/<int:number>/test")
@guarded(Act.WORK)
def test(reference: str, number: int) -> ResponseReturnValue:
    """Send the notice to whoever asks, and to nobody else."""
    notice = by_number(reference, number)
    return _do(
        notice,
        lambda: notices.send_test(current.context(), current.actor(), notice.id),
        _("It is on its way to your own address. Read it there as somebody would who knows nothing of it."),
    )


@pages.post("/<int:number>/submit")
@guarded(Act.WORK)
def submit(reference: str, number: int) -> ResponseReturnValue:
    """Hand the notice over to a second pair of eyes."""
    notice, form = by_number(reference, number), SubmitForm()
    form.validate()
    typed = Typed(
        ticked=frozenset(form.ticked.data or ()),
        dismissed={
            name.removeprefix(DISMISS): text.strip()
            for name, text in request.form.items()
            if name.startswith(DISMISS) and text.strip()
        },
    )
    try:
        notices.submit(current.context(), current.actor(), notice.id, ticked=typed.ticked, dismissed=typed.dismissed)
    except ChecksAreOpen as refusal:
        checks = cast("tuple[str, ...]", refusal.params["checks"])
        form.form_errors.append(
            ngettext(
                "%(num)s check is still open. It is marked below: »must«.",
                "%(num)s checks are still open. They are marked below: »must«.",
                len(checks),
            )
        )
        return notice_page(notice, submit_form=form, typed=typed)
    except Refusal as refusal:
        form.place(refusal)
        return notice_page(notice, submit_form=form, typed=typed)
    flash(_("It waits for a second pair of eyes. Whoever may approve has been written to."))
    return _back(notice)


@pages.post("/<int:number>/begin")
@guarded(Act.WORK)
def begin(reference: str, number: int) -> ResponseReturnValue:
    """Begin to send an approved notice."""
    notice = by_number(reference, number)
    return _do(
        notice,
        lambda: notices.begin(current.context(), current.actor(), notice.id),
        _("The sending has begun. You can close the page, it goes on."),
    )


@pages.post("/<int:number>/pause")
@guarded(Act.WORK)
def pause(reference: str, number: int) -> ResponseReturnValue:
    """Let a sending stand still."""
    notice = by_number(reference, number)
    return _do(
        notice,
        lambda: notices.pause(current.context(), current.actor(), notice.id, reason=""),
        _("Paused. What is just being handed over still leaves; nothing else does."),
    )


@pages.post("/<int:number>/resume")
@guarded(Act.WORK)
def resume(reference: str, number: int) -> ResponseReturnValue:
    """Let a sending go on."""
    notice = by_number(reference, number)
    return _do(
        notice,
        lambda: notices.resume(current.context(), current.actor(), notice.id, reason=""),
        _("The sending goes on."),
    )


@pages.get("/<int:number>/stop")
@guarded(Act.DECIDE)
def stop(reference: str, number: int) -> ResponseReturnValue:
    """Say what stopping does, and ask for the reference."""
    return _stop_page(by_number(reference, number), StopForm(formdata=None))


@pages.post("/<int:number>/stop")
@guarded(Act.DECIDE)
def stopped(reference: str, number: int) -> ResponseReturnValue:
    """Stop a sending for good."""
    notice, form = by_number(reference, number), StopForm()
    form.validate()
    must_match(form.reference, reference)
    if not form.errors:
        try:
            notices.stop(current.context(), current.actor(), notice.id, reason=form.reason.data or "")
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(_("Stopped for good. Those who were told before are in the ledger."))
            return _back(notice)
    return make_response(_stop_page(notice, form), 422)


@pages.post("/<int:number>/retry")
@guarded(Act.WORK)
def retry(reference: str, number: int) -> ResponseReturnValue:
    """Tell those whom the notice did not reach over another channel."""
    notice, form = by_number(reference, number), RetryForm()
    form.validate()
    try:
        count = notices.retry(
            current.context(),
            current.actor(),
            notice.id,
            channel=form.channel.data or "",
            reason=form.reason.data or "",
        )
    except Refusal as refusal:
        form.place(refusal)
        return notice_page(notice, retry_form=form)
    flash(
        ngettext("%(num)s person is told another way.", "%(num)s people are told another way.", count)
        if count
        else _("Nobody among them has an address for that.")
    )
    return _back(notice)


@pages.post("/<int:number>/doubts")
@guarded(Act.DECIDE)
def settle_doubts(reference: str, number: int) -> ResponseReturnValue:
    """Record what the messages in doubt count as."""
    notice, form = by_number(reference, number), DoubtsForm()
    form.validate()
    if form.decision.data not in ("sent", "again"):
        form.decision.errors = [_("Choose one of the two.")]
    if not form.errors:
        try:
            count = notices.settle_doubts(
                current.context(),
                current.actor(),
                notice.id,
                decision=Decision(form.decision.data),
                reason=form.reason.data or "",
            )
        except Refusal as refusal:
            form.place(refusal)
        else:
            flash(ngettext("%(num)s message is decided.", "%(num)s messages are decided.", count))
            return _back(notice)
    return notice_page(notice, doubts_form=form)


def _do(notice: Notice, act: Callable[[], object], said: str) -> ResponseReturnValue:
    """Do something that asks for no more than a button, and say what became of it."""
    try:
        act()
    except (NotFound, NotAllowed, NotSaved):
        raise
    except Refusal as refusal:
        flash(refusal_text(refusal), "warning")
    else:
        flash(said)
    return _back(notice)


def _back(notice: Notice) -> ResponseReturnValue:
    return redirect(url_for("notices.show", reference=notice.reference, number=notice.number), 303)


def _stop_page(notice: Notice, form: StopForm) -> str:
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, notice.reference)
    status = notices.status(context, actor, notice.id)
    told = sum(status.counts.get(state, 0) for state in ("accepted", "delivered"))
    waiting = view.number(max(0, status.recipients - status.reached))
    text = _(
        "%(waiting)s people will not get it. The %(told)s messages already sent cannot be called back.",
        waiting=waiting,
        told=view.number(told),
    )
    return render_template(
        "web/notices/stop.html",
        heading=heading(overview, "notices"),
        notice=notice,
        form=form,
        text=text,
    )
