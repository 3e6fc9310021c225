"""What the page of a sending shows: how many have been told, the bar, what needs a person, who got what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker.services.notices import Entry, Notice, Status
from incident_tracker.web import words
from incident_tracker.web.notices import progress, view
from incident_tracker.web.notices.progress import Part

PAGE = 50
STATES: dict[str, tuple[str, ...]] = {
    "failed": ("failed",),
    "in_doubt": ("in_doubt",),
    "suppressed": ("suppressed", "cancelled"),
    "waiting": ("pending", "sending"),
    "sent": ("accepted", "delivered"),
}
"""The filters of the ledger, each with its states."""
_ICONS = {
    "delivered": "check",
    "accepted": "arrow-right",
    "failed": "undo-2",
    "in_doubt": "circle-question-mark",
    "suppressed": "ban",
    "cancelled": "x",
}


@dataclass(frozen=True, slots=True)
class Sending:
    """A sending as its page shows it."""

    over: str
    reached: str
    reached_words: str
    rest: str
    acts: tuple[str, ...]
    polls: bool
    parts: list[Part]
    sentence: str
    unreachable: str
    came_later: str
    kept_here: str
    trouble: str
    doubts: str
    doubts_url: str
    failures: str
    failures_words: str
    failures_url: str
    retries: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice in the address: a state of the ledger, a language of the preview."""

    text: str
    url: str
    current: bool
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the ledger."""

    to: str
    channel: str
    state: str
    icon: str
    when: str
    receipt: str
    url: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of the ledger."""

    chips: list[Chip]
    rows: list[Line]
    nothing: str
    more_url: str
    first_url: str


def sending(notice: Notice, status: Status, who: str, zone: str, *, may_work: bool, may_decide: bool) -> Sending:
    """Return a sending in words and parts of its bar; `who` approved and began it."""
    counts = status.counts
    shown = progress.parts(counts, status.unwritten)
    doubts, failed = counts.get("in_doubt", 0), counts.get("failed", 0)
    lost = failed + counts.get("suppressed", 0)
    going = notice.state in view.GOING
    told = view.number(status.reached), view.number(status.recipients)
    return Sending(
        over=_over(notice, who, zone),
        reached=told[0],
        reached_words=str(_("of %(recipients)s are told", recipients=told[1])),
        rest=_rest(notice, status, zone),
        acts=_acts(notice.state, may_work=may_work, may_decide=may_decide),
        polls=notice.state == "sending",
        parts=shown,
        sentence=", ".join(f"{one.number} {one.words}" for one in shown),
        unreachable=_unreachable(status.unreachable),
        came_later=_came_later(status.came_later),
        kept_here=_kept_here(status.kept_here),
        trouble=_trouble(notice, status),
        doubts=str(ngettext("%(num)s is in doubt.", "%(num)s are in doubt.", doubts)) if doubts else "",
        doubts_url=_url(notice, "in_doubt"),
        failures=str(ngettext("%(num)s did not arrive.", "%(num)s did not arrive.", lost)) if lost else "",
        failures_words=str(_("The provider says why for each of them.")),
        failures_url=_url(notice, "failed" if failed else "suppressed"),
        retries=(may_work and going) or (may_work and notice.state == "finished"),
    )


def ledger(notice: Notice, status: Status, rows: Sequence[Entry], group: str, after: str, zone: str) -> Ledger:
    """Return a page of the ledger; one row more than a page tells that there is another."""
    shown = rows[:PAGE]
    named = [("", _("All")), ("failed", _("Failed")), ("in_doubt", _("In doubt")), ("suppressed", _("Suppressed"))]
    named += [("waiting", _("Waiting")), ("sent", _("Sent"))]
    chips = []
    for key, text in named:
        count = sum(status.counts.get(state, 0) for state in STATES.get(key, ()))
        if not key or count or key == group:
            chips.append(Chip(str(text), _url(notice, key), key == group, view.number(count) if key else None))
    return Ledger(
        chips=chips,
        rows=[_line(notice, one, zone) for one in shown],
        nothing=str(_("No message is in this state.") if group else _("No message has been written yet.")),
        more_url=_url(notice, group, shown[-1].delivery.id) if len(rows) > PAGE else "",
        first_url=_url(notice, group) if after else "",
    )


def done(status: Status) -> int:
    """Return how much of a sending has left or ended, in whole percent."""
    return progress.share_done(status.counts, status.unwritten)


def receipt_words(one: Any) -> str:
    """Return what the provider said of a message: why not, or its number."""
    if one.reason:
        return " ".join(part for part in (words.reason(one.reason), one.code and f"({one.code})") if part)
    if one.possible_duplicate:
        return str(_("may have arrived twice"))
    return one.provider_id or ""


def icon_of(state: str) -> str:
    """Return the icon of a delivery's state."""
    return _ICONS.get(state, "clock")


def _line(notice: Notice, entry: Entry, zone: str) -> Line:
    one = entry.delivery
    at = one.finished_at or one.sent_at or one.created_at
    return Line(
        to=entry.name or str(_("A recipient without a name")),
        channel=words.channel(one.channel),
        state=words.delivery_state(one.state),
        icon=icon_of(one.state),
        when=words.moment(at, zone, "stamp"),
        receipt=receipt_words(one),
        url=url_for("told.person", reference=notice.reference, person_id=one.recipient_id)
        if one.recipient_id
        else "",
    )


def _person_url(notice: Notice, recipient_id: str | None) -> str:
    return url_for("told.person", reference=notice.reference, person_id=recipient_id) if recipient_id else ""


def _url(notice: Notice, group: str, after: str = "") -> str:
    query = urlencode({name: value for name, value in (("state", group), ("after", after)) if value})
    base = url_for("notices.show", reference=notice.reference, number=notice.number)
    return f"{base}{'?' if query else ''}{query}#ledger"


def _over(notice: Notice, who: str, zone: str) -> str:
    begun = "" if notice.begun_at is None else words.moment(notice.begun_at, zone, "short")
    told = [
        words.capital(view.languages_words(notice.texts)),
        view.channels_words(notice.channels),
        str(_("begun %(when)s%(who)s", when=begun, who=who)),
        view.state_words(notice.state),
    ]
    return " · ".join(told)


def _rest(notice: Notice, status: Status, zone: str) -> str:
    if notice.state == "sending":
        rest = progress.rest_of(status.remaining_seconds, status.rate_per_second)
        goes_on = _("You can close the page, the sending goes on.")
        return f"{rest} {goes_on}"
    if notice.state == "paused":
        at = "" if notice.paused_at is None else words.moment(notice.paused_at, zone, "short")
        said = str(_("Paused %(when)s. Nothing leaves until it is sent on.", when=at))
        return f"{said} {words.reason(notice.pause_reason)}" if notice.pause_reason else said
    if notice.state == "stopped":
        return str(_("Stopped for good. What had left before cannot be called back."))
    at = "" if notice.finished_at is None else words.moment(notice.finished_at, zone, "short")
    return str(_("Finished %(when)s. No message is open any more.", when=at))


def _acts(state: str, *, may_work: bool, may_decide: bool) -> tuple[str, ...]:
    found = []
    if may_work and state in view.GOING:
        found.append("pause" if state == "sending" else "resume")
    if may_decide and state in view.GOING:
        found.append("stop")
    return tuple(found)


def _unreachable(count: int) -> str:
    return (
        str(
            ngettext(
                "%(num)s person on the list has no address for the ways that were chosen, and was not told.",
                "%(num)s people on the list have no address for the ways that were chosen, and were not told.",
                count,
            )
        )
        if count
        else ""
    )


def _came_later(count: int) -> str:
    return (
        str(
            ngettext(
                "%(num)s person came to the list afterwards: this notice has told them nothing.",
                "%(num)s people came to the list afterwards: this notice has told them nothing.",
                count,
            )
        )
        if count
        else ""
    )


def _kept_here(count: int) -> str:
    return (
        str(
            ngettext(
                "%(num)s message lies in the outbox of this machine, because nothing carries it further. "
                "It has reached nobody and meets no duty.",
                "%(num)s messages lie in the outbox of this machine, because nothing carries them further. "
                "They have reached nobody and meet no duty.",
                count,
            )
        )
        if count
        else ""
    )


def _trouble(notice: Notice, status: Status) -> str:
    return words.reason(status.held_up) if status.held_up and notice.state == "sending" else ""
