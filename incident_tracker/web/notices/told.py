"""The page of one person: everything that was sent to her, when, and what came back."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from incident_tracker.domain.access import Act
from incident_tracker.services import register, told
from incident_tracker.services.phones import spoken
from incident_tracker.web import current, words
from incident_tracker.web.guard import guarded
from incident_tracker.web.heading import heading
from incident_tracker.web.notices import sending

pages = Blueprint("told", __name__, url_prefix="/incidents/<reference>/people")


@pages.get("/<person_id>")
@guarded(Act.READ)
def person(reference: str, person_id: str) -> ResponseReturnValue:
    """Show what one person was told."""
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, reference, looked_at="person")
    found = told.told_to(context, actor, reference, person_id)
    one, zone = found.person, overview.controller.time_zone
    return render_template(
        "web/notices/person.html",
        heading=heading(overview, "people"),
        title=found.name or _("A recipient without a name"),
        addresses=", ".join(part for part in (one.email, one.phone and spoken(one.phone)) if part) if one else "",
        rows=[_row(reference, number, line, zone) for number, line in found.lines],
    )


def _row(reference: str, number: int, line: Any, zone: str) -> dict[str, str]:
    return {
        "notice": str(_("Notice %(number)s", number=number)),
        "url": url_for("notices.show", reference=reference, number=number),
        "channel": words.channel(line.channel),
        "state": words.delivery_state(line.state),
        "icon": sending.icon_of(line.state),
        "written": words.moment(line.created_at, zone, "short"),
        "sent": words.moment(line.sent_at, zone, "stamp") if line.sent_at else "",
        "answered": words.moment(line.finished_at, zone, "stamp") if line.finished_at else "",
        "receipt": sending.receipt_words(line),
    }
