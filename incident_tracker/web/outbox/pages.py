"""The outbox: what left, what waits, what is in doubt; the reply box of the local outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField

from incident_tracker import rendering
from incident_tracker.domain.access import Act
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import outbox
from incident_tracker.services.outbox import Decision, Entry, Shown, State
from incident_tracker.web import current, words
from incident_tracker.web.forms import PageForm, choices
from incident_tracker.web.guard import guarded

pages = Blueprint("outbox", __name__, url_prefix="/outbox")
PAGE = 30
UNPROCESSABLE = 422
GROUPS: Mapping[str, tuple[State, ...]] = {
    "waiting": (State.PENDING, State.SENDING),
    "in_doubt": (State.IN_DOUBT,),
    "failed": (State.FAILED, State.SUPPRESSED, State.CANCELLED),
    "sent": (State.ACCEPTED, State.DELIVERED),
}


class SettleForm(PageForm):
    """What a message in doubt counts as."""

    decision = RadioField(
        _l("What shall it count as?"),
        choices=choices([("sent", _l("As sent: do nothing more")), ("again", _l("As not sent: send it again"))]),
        validate_choice=False,
    )
    reason = TextAreaField(_l("Reason"), render_kw={"rows": 2})


class ReplyForm(PageForm):
    """What the phone would answer."""

    text = TextAreaField(_l("Answer as the phone would"), render_kw={"rows": 1, "maxlength": 1000})


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter of the list."""

    text: str
    url: str
    current: bool


@pages.get("")
@guarded(Act.READ)
def listed() -> ResponseReturnValue:
    """Show what left the house, newest first."""
    context, actor = current.context(), current.actor()
    group = request.args.get("state", "")
    states = GROUPS.get(group, ())
    before = request.args.get("before", "")[:64] or None
    found = outbox.listing(context, actor, states=states, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    opened = outbox.texts(context, actor, [one.delivery.id for one in shown if one.delivery.notifier == "outbox"])
    return render_template(
        "web/outbox/list.html",
        entries=shown,
        replying=_replying(shown, opened) if before is None else frozenset(),
        opened=opened,
        words=words,
        when=_when,
        doubt=_doubt,
        chips=_chips(group),
        filtered=bool(states or before),
        more_url=_url(group, shown[-1].delivery.id) if len(found) > PAGE else "",
        paused=outbox.paused_lanes(context) if actor.may_anywhere(Act.ADMINISTER) else [],
        reply_form=ReplyForm(formdata=None),
        zone=current.zone(),
    )


@pages.get("/<delivery_id>")
@guarded(Act.READ)
def show(delivery_id: str) -> ResponseReturnValue:
    """Show one message."""
    return _show(outbox.show(current.context(), current.actor(), delivery_id))


@pages.post("/<delivery_id>/reply")
@guarded(Act.WORK)
def reply(delivery_id: str) -> ResponseReturnValue:
    """Take the typed answer as if the phone had sent it."""
    form = ReplyForm()
    form.validate()
    try:
        outbox.reply_locally(current.context(), current.actor(), delivery_id, form.text.data or "")
    except Refusal as refusal:
        form.place(refusal)
        return _show(outbox.show(current.context(), current.actor(), delivery_id), reply_form=form)
    flash(_("The answer was taken as if the phone had sent it."))
    return redirect("/outbox", 303)


@pages.post("/<delivery_id>/settle")
@guarded(Act.DECIDE)
def settle(delivery_id: str) -> ResponseReturnValue:
    """Decide what a message in doubt counts as."""
    form = SettleForm()
    form.validate()
    if form.decision.data not in ("sent", "again"):
        form.decision.errors = [_("Choose one of the two.")]
    if not form.errors:
        try:
            outbox.resolve(
                current.context(),
                current.actor(),
                delivery_id,
                decision=Decision(form.decision.data),
                reason=form.reason.data or "",
            )
        except Refusal as refusal:
            form.place(refusal)
    if form.errors or form.form_errors:
        return _show(outbox.show(current.context(), current.actor(), delivery_id), settle_form=form)
    flash(_("Decided, and written into the journal."))
    return redirect(f"/outbox/{delivery_id}", 303)


@pages.post("/<delivery_id>/resend")
@guarded(Act.DECIDE)
def resend(delivery_id: str) -> ResponseReturnValue:
    """Send a message again that never arrived."""
    try:
        new_id = outbox.resend(current.context(), current.actor(), delivery_id)
    except (outbox.CannotGoAgain, outbox.NobodyWaits) as refusal:
        flash(rendering.refusal(refusal, current.language(), current.zone()), "warning")
        return redirect(f"/outbox/{delivery_id}", 303)
    flash(_("It is being sent again, with the words of now."))
    return redirect(f"/outbox/{new_id}", 303)


@pages.post("/lanes/<notifier>/open")
@guarded(Act.ADMINISTER)
def open_lane(notifier: str) -> ResponseReturnValue:
    """Let a paused notifier send again."""
    opened = outbox.open_lane(current.context(), current.actor(), notifier)
    flash(_("%(name)s sends again.", name=notifier) if opened else _("%(name)s was not paused.", name=notifier))
    return redirect("/outbox", 303)


def _show(
    shown: Shown, *, settle_form: SettleForm | None = None, reply_form: ReplyForm | None = None
) -> ResponseReturnValue:
    one = shown.entry.delivery
    actor = current.actor()
    may_decide = actor.may(Act.DECIDE, one.controller_id)
    page = render_template(
        "web/outbox/delivery.html",
        shown=shown,
        one=one,
        words=words,
        facts=_facts(shown.entry),
        doubt=_doubt(shown.entry),
        settle_form=settle_form or SettleForm(formdata=None),
        reply_form=reply_form or ReplyForm(formdata=None),
        may_settle=may_decide and one.state == State.IN_DOUBT,
        may_resend=may_decide and one.state in outbox.ENDED,
    )
    return make_response(page, UNPROCESSABLE if settle_form or reply_form else 200)


def _replying(shown: list[Entry], opened: Mapping[str, Shown]) -> frozenset[str]:
    """Return the newest message to each number: a reply answers that one, so only it has a reply box."""
    newest: dict[str, str] = {}
    for one in sorted(shown, key=_sent, reverse=True):
        found = opened.get(one.delivery.id)
        if found is not None and found.may_reply:
            newest.setdefault(found.address, one.delivery.id)
    return frozenset(newest.values())


def _sent(entry: Entry) -> tuple[datetime, str]:
    return entry.delivery.sent_at or entry.delivery.created_at, entry.delivery.id


def _facts(entry: Entry) -> list[tuple[str, str]]:
    one = entry.delivery
    rows = [
        (_("For"), entry.to),
        (_("Purpose"), words.purpose(one.purpose)),
        (_("Incident"), one.incident or ""),
        (_("Way"), f"{words.channel(one.channel)}, {one.notifier}"),
        (_("State"), words.delivery_state(one.state)),
        (_("Written"), words.moment(one.created_at, current.zone(), "stamp")),
        (_("Sent"), "" if one.sent_at is None else words.moment(one.sent_at, current.zone(), "stamp")),
        (_("Tries"), str(one.attempts)),
        (_("The provider's number"), one.provider_id or ""),
        (_("Reason"), " ".join(part for part in (words.reason(one.reason), one.code and f"({one.code})") if part)),
    ]
    return [(label, text) for label, text in rows if text]


def _when(entry: Entry) -> str:
    return words.moment(entry.delivery.sent_at or entry.delivery.created_at, current.zone(), "short")


def _doubt(entry: Entry) -> str:
    """Return in a sentence what it means that a message is in doubt, or may have gone twice."""
    one = entry.delivery
    if one.state == State.IN_DOUBT:
        return str(
            _(
                "It is not known whether it was sent: the call to %(name)s broke off before an answer came. "
                "Sent again, it may arrive twice.",
                name=one.notifier,
            )
        )
    return str(_("May have arrived twice: a try before it broke off.")) if one.possible_duplicate else ""


def _chips(group: str) -> list[Chip]:
    named = [
        ("", _("All")),
        ("waiting", _("Waiting")),
        ("in_doubt", _("In doubt")),
        ("failed", _("Not sent")),
        ("sent", _("Sent")),
    ]
    return [Chip(text, _url(key), key == group) for key, text in named]


def _url(group: str, before: str = "") -> str:
    query = urlencode({name: value for name, value in (("state", group), ("before", before)) if value})
    return f"/outbox?{query}" if query else "/outbox"
