"""Writing a notice: a new one, a change, a correction; how long a text message is while it is typed."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.notices import PARTNERS, PEOPLE, NoticeChangedMeanwhile
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.services import notices, people, register
from incident_tracker.services.notices import Notice
from incident_tracker.services.register import Overview
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.notices.forms import NoticeForm
from incident_tracker.web.notices.pages import pages
from incident_tracker.web.notices.reading import places, segments_said
from incident_tracker.web.notices.showing import by_number

__all__ = ["pages"]


@pages.get("/new")
@guarded(Act.WORK)
def new(reference: str) -> ResponseReturnValue:
    """Show a notice that is still to be written, with the structure it needs; `corrects` names one that was sent."""
    overview = register.overview(current.context(), current.actor(), reference, looked_at="notices")
    wanted = request.args.get("corrects", "")
    corrects = by_number(reference, int(wanted)).number if wanted.isdecimal() and len(wanted) < 9 else None  # noqa: PLR2004
    audience = PARTNERS if request.args.get("audience") == PARTNERS else PEOPLE
    return _page(overview, NoticeForm.outlined(overview.controller.name, audience, corrects))


@pages.post("/new")
@guarded(Act.WORK)
def create(reference: str) -> ResponseReturnValue:
    """Keep the first version."""
    context, actor = current.context(), current.actor()
    overview, form = register.overview(context, actor, reference), NoticeForm()
    form.validate()
    try:
        notice_id = notices.create(
            context,
            actor,
            reference,
            texts=form.texts(),
            channels=tuple(form.channels.data or ()),
            audience=form.audience.data or "people",
            corrects=_corrected(reference, form),
        )
    except Refusal as refusal:
        form.place(refusal)
        return make_response(_page(overview, form), 422)
    flash(_("The draft is kept. Nobody has been told anything yet."))
    number = notices.show(context, actor, notice_id).number
    return redirect(url_for("notices.show", reference=reference, number=number), 303)


@pages.get("/<int:number>/edit")
@guarded(Act.WORK)
def edit(reference: str, number: int) -> ResponseReturnValue:
    """Show the text of a notice, ready to be changed."""
    overview = register.overview(current.context(), current.actor(), reference, looked_at="notice")
    notice = by_number(reference, number)
    return _page(overview, NoticeForm.beginning(notice), notice)


@pages.post("/<int:number>/edit")
@guarded(Act.WORK)
def change(reference: str, number: int) -> ResponseReturnValue:
    """Keep the text as it was changed; where somebody else was faster, show both."""
    context, actor = current.context(), current.actor()
    overview, form, notice = register.overview(context, actor, reference), NoticeForm(), by_number(reference, number)
    form.validate()
    meanwhile = None
    try:
        notices.change(
            context,
            actor,
            notice.id,
            texts=form.texts(),
            channels=tuple(form.channels.data or ()),
            after_version=form.after(),
        )
    except NoticeChangedMeanwhile as refusal:
        form.place(refusal)
        meanwhile = notices.show(context, actor, notice.id)
        form.after_version.data = str(meanwhile.version)
    except Refusal as refusal:
        form.place(refusal)
    else:
        flash(_("The change is kept."))
        return redirect(url_for("notices.show", reference=reference, number=number), 303)
    return make_response(_page(overview, form, notice, meanwhile), 422)


@pages.get("/understood")
@guarded(Act.WORK)
def understood(reference: str) -> ResponseReturnValue:
    """Say how long a text message is, while it is typed."""
    register.overview(current.context(), current.actor(), reference)
    text = next((request.args[f"sms_{one}"] for one in LANGUAGES if f"sms_{one}" in request.args), "")
    said = segments_said(text[:5000]) if text.strip() else ""
    return render_template("web/scope/understood.html", text=said, ok=True)


def _page(overview: Overview, form: NoticeForm, notice: Notice | None = None, meanwhile: Notice | None = None) -> str:
    context, actor = current.context(), current.actor()
    reference = overview.incident.reference
    said: dict[str, Any] = {
        f"sms_{one}": segments_said(form.of(one)[2].data) for one in LANGUAGES if form.of(one)[2].data
    }
    here = url_for("notices.create", reference=reference)
    if notice is not None:
        here = url_for("notices.change", reference=reference, number=notice.number)
    back = url_for("notices.listed", reference=reference)
    if notice is not None:
        back = url_for("notices.show", reference=reference, number=notice.number)
    corrects = notice.corrects if notice is not None else form.corrected()
    return render_template(
        "web/notices/edit.html",
        heading=heading(overview, "notices"),
        title=_("New notice") if notice is None else _("Notice %(number)s", number=notice.number),
        form=form,
        action=here,
        back_url=back,
        keep=f"incident-{reference}-notice-{notice.number if notice else 'new'}",
        corrects=corrects,
        back_to_draft=notice is not None and notice.state in ("submitted", "approved"),
        audience_open=notice is None,
        meanwhile=meanwhile,
        said=said,
        segments_url=url_for("notices.understood", reference=reference),
        places=places(people.columns_of(context, actor, reference)),
    )


def _corrected(reference: str, form: NoticeForm) -> int | None:
    """Return the number of the notice of this incident that a correction names; another is not found."""
    number = form.corrected()
    return None if number is None else by_number(reference, number).number
