"""The page of one notice, put together from what the services say."""

from typing import Any

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import NotFound
from incident_tracker.services import approving, colleagues, notices, register
from incident_tracker.services.notices import Notice
from incident_tracker.services.register import Overview
from incident_tracker.web import current, words
from incident_tracker.web.heading import heading
from incident_tracker.web.incidents.history import name_of
from incident_tracker.web.notices import reading, sending, view
from incident_tracker.web.notices.forms import DoubtsForm, RetryForm, SubmitForm
from incident_tracker.web.notices.view import Typed

NOTHING_TYPED = Typed()


def by_number(reference: str, number: int) -> Notice:
    """Return a notice of an incident by its number; a stranger's answers like one that does not exist."""
    for one in notices.of_incident(current.context(), current.actor(), reference):
        if one.number == number:
            return one
    raise NotFound(what=f"{reference} {number}")


def notice_page(
    notice: Notice,
    *,
    submit_form: SubmitForm | None = None,
    typed: Typed = NOTHING_TYPED,
    doubts_form: DoubtsForm | None = None,
    retry_form: RetryForm | None = None,
) -> ResponseReturnValue:
    """Return the page of a notice, or its live part for the browser that asks again; 422 where a form was wrong."""
    live = request.headers.get("HX-Request") == "true"
    context, actor = current.context(), current.actor()
    overview = register.overview(context, actor, notice.reference, looked_at="" if live else "notice")
    shown = _common(notice, overview)
    if notice.state in view.SENT:
        shown |= _sending(notice, overview, doubts_form, retry_form)
        if live:
            return _live(notice, shown)
    else:
        shown |= _before(notice, overview, submit_form, typed)
    wrong = submit_form or doubts_form or retry_form
    return make_response(render_template("web/notices/notice.html", **shown), 422 if wrong else 200)


def _live(notice: Notice, shown: dict[str, Any]) -> ResponseReturnValue:
    """Return the part that is asked for again; once the sending has changed its state, the whole page is fetched."""
    answer = make_response(render_template("web/notices/_live.html", **shown))
    if notice.state != "sending":
        answer.headers["HX-Refresh"] = "true"
    return answer


def _common(notice: Notice, overview: Overview) -> dict[str, Any]:
    actor = current.actor()
    language, way = request.args.get("text", ""), request.args.get("by", "")
    sample = request.args.get("sample", "")
    chosen = int(sample) if sample in {str(one) for one in range(reading.SAMPLES)} else 0
    return {
        "heading": heading(overview, "notices", told=_told(notice)),
        "notice": notice,
        "zone": overview.controller.time_zone,
        "words": words,
        "page_url": url_for("notices.show", reference=notice.reference, number=notice.number),
        "may_work": actor.may(Act.WORK, notice.controller_id) and overview.incident.is_open,
        "may_decide": actor.may(Act.DECIDE, notice.controller_id),
        "shown": reading.reading(notice, language, way, chosen),
        "sending": None,
    }


def _before(notice: Notice, overview: Overview, submit_form: SubmitForm | None, typed: Typed) -> dict[str, Any]:
    """Return what stands on the page before anything is sent."""
    context, actor = current.context(), current.actor()
    zone = overview.controller.time_zone
    found = notices.checks(context, actor, notice.id, language=current.language())
    audience = notices.audience(context, actor, notice.id)
    may_work = actor.may(Act.WORK, notice.controller_id) and overview.incident.is_open
    hands_over = may_work and notice.state == "draft"
    asked = _approval(notice)
    names = _names(notice.written_by, *((asked.asked_by, asked.decided_by or "") if asked else ()))
    return {
        "state_words": view.state_words(notice.state),
        "state_icon": view.ICONS.get(notice.state, "circle-dashed"),
        "restored_words": view.restored_words(notice, zone),
        "rows": view.facts_of(notice, name_of(notice.written_by, names), zone),
        "groups": view.check_groups(found),
        "blocking": view.blocking(found),
        "typed": typed,
        "submit_form": (submit_form or SubmitForm(formdata=None)) if hands_over else None,
        "audience": audience,
        "told_rows": view.who_of(audience),
        "approval": asked,
        "approval_url": f"/incidents/{notice.reference}/approvals/{asked.id}" if asked else "",
        "waits_words": _asked_words(asked, names, zone),
        "approved_words": _approved_words(asked, names, zone),
        "wait_words": _wait_words(asked, overview, zone),
        "begin_words": ngettext(
            "Send it to %(count)s person",
            "Send it to %(count)s people",
            audience.recipients,
            count=view.number(audience.recipients),
        ),
    }


def _sending(
    notice: Notice, overview: Overview, doubts_form: DoubtsForm | None, retry_form: RetryForm | None
) -> dict[str, Any]:
    """Return what stands on the page from the first message on."""
    context, actor = current.context(), current.actor()
    zone = overview.controller.time_zone
    may_work = actor.may(Act.WORK, notice.controller_id)
    may_decide = actor.may(Act.DECIDE, notice.controller_id)
    status = notices.status(context, actor, notice.id)
    asked = _approval(notice)
    group = request.args.get("state", "")
    group = group if group in sending.STATES else ""
    after = request.args.get("after", "")[:64]
    after = after if after.isalnum() else ""
    rows = notices.ledger(
        context, actor, notice.id, after=after, states=sending.STATES.get(group, ()), limit=sending.PAGE + 1
    )
    names = _names(notice.written_by, *((asked.asked_by, asked.decided_by or "") if asked else ()))
    doubtful = status.counts.get("in_doubt", 0) and may_decide
    return {
        "sending": sending.sending(
            notice, status, _approved_by(asked, names), zone, may_work=may_work, may_decide=may_decide
        ),
        "ledger": sending.ledger(notice, status, rows, group, after, zone),
        "doubts_form": (doubts_form or DoubtsForm(formdata=None)) if doubtful else None,
        "retry_form": retry_form or RetryForm(formdata=None),
        "retries": _retries(notice, status) if may_work else [],
    }


def _retries(notice: Notice, status: Any) -> list[tuple[str, str]]:
    """Return the ways on which those can be told whom the notice did not reach."""
    lost = status.counts.get("failed", 0) + status.counts.get("suppressed", 0)
    if not (lost or status.came_later or status.unreachable) or notice.state not in ("sending", "paused", "finished"):
        return []
    said = {"sms": _("Tell them by text message"), "email": _("Tell them by e-mail")}
    return [(channel, str(text)) for channel, text in said.items()]


def _told(notice: Notice) -> str:
    """Return what the tab says beside its name while a notice is on its way."""
    if notice.state not in view.GOING:
        return ""
    status = notices.status(current.context(), current.actor(), notice.id)
    return f"{sending.done(status)} %"


def _approval(notice: Notice) -> Any:
    found = approving.newest(current.context(), current.actor(), notice.reference)
    asked = found.get(f"notice:{notice.id}")
    return asked[0] if asked else None


def _names(*actors: str) -> dict[str, str]:
    return dict(colleagues.names(current.context(), current.actor(), {one for one in actors if one}))


def _asked_words(asked: Any, names: dict[str, str], zone: str) -> str:
    if asked is None:
        return ""
    return str(
        _(
            "%(name)s asked %(when)s.",
            name=name_of(asked.asked_by, names),
            when=words.moment(asked.asked_at, zone, "short"),
        )
    )


def _approved_by(asked: Any, names: dict[str, str]) -> str:
    """Return who approved, as it stands after the time of the beginning; empty where nobody is known."""
    if asked is None or not (asked.decided_by or asked.outsider):
        return ""
    name = asked.outsider if asked.way == "outside" else name_of(asked.decided_by or "", names)
    return str(_(", approved by %(name)s", name=name))


def _approved_words(asked: Any, names: dict[str, str], zone: str) -> str:
    if asked is None or asked.decided_at is None:
        return ""
    when = words.moment(asked.decided_at, zone, "short")
    name = asked.outsider if asked.way == "outside" else name_of(asked.decided_by or "", names)
    if asked.way == "alone":
        return str(_("%(name)s decided alone %(when)s, with a reason.", name=name, when=when))
    return str(_("%(name)s approved it %(when)s.", name=name, when=when))


def _wait_words(asked: Any, overview: Overview, zone: str) -> str:
    """Return until when someone alone must still wait; empty where nothing must be waited for."""
    if asked is None or asked.not_before is None or overview.now >= asked.not_before:
        return ""
    when = words.moment(asked.not_before, zone, "short")
    return str(_("It can be sent from %(when)s on. Until then it can be taken back.", when=when))
