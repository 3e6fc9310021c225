"""The notices of an incident: the list, one on its page, the same for printing."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from incident_tracker.domain.access import Act
from incident_tracker.services import journal, notices, people, register
from incident_tracker.web import current
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.notices import proving, view
from incident_tracker.web.notices.showing import by_number, notice_page

pages = Blueprint("notices", __name__, url_prefix="/incidents/<reference>/notices")


@pages.get("")
@guarded(Act.READ)
def listed(reference: str) -> ResponseReturnValue:
    """Show the notices, the newest first, or the first action where there is none."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="notices")
    may_work = actor.may(Act.WORK, overview.controller.id) and overview.incident.is_open
    found = sorted(notices.of_incident(context, actor, reference), key=lambda one: -one.number)
    zone = overview.controller.time_zone
    reached = {one.id: notices.status(context, actor, one.id).reached for one in found if one.begun_at}
    return render_template(
        "web/notices/list.html",
        heading=heading(overview, "notices"),
        rows=[view.row(one, reached.get(one.id), zone, may_correct=may_work) for one in found],
        people=bool(found) or bool(people.listing(context, actor, reference, limit=1)),
        may_work=may_work,
    )


@pages.get("/<int:number>")
@guarded(Act.READ)
def show(reference: str, number: int) -> ResponseReturnValue:
    """Show one notice: before it is sent in the order of the work, afterwards how far it is."""
    return notice_page(by_number(reference, number))


@pages.get("/<int:number>/proof")
@guarded(Act.READ)
def proof(reference: str, number: int) -> ResponseReturnValue:
    """Show text and outcome on one page for printing: counts, fingerprints, head of the journal."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="notice")
    notice = by_number(reference, number)
    zone = overview.controller.time_zone
    return render_template(
        "web/notices/proof.html",
        heading=heading(overview, "notices"),
        notice=notice,
        proof=proving.proof_of(notice, zone),
        texts=proving.texts_of(notice),
        head=journal.head(context),
    )
