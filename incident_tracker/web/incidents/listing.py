"""The list of incidents: chips, search and the place in the list, all in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask_babel import gettext as _

from incident_tracker.domain.access import Actor
from incident_tracker.services import colleagues, register
from incident_tracker.services.context import Context
from incident_tracker.services.register import Listed
from incident_tracker.web import current, words

PAGE = 50
SEARCH_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter: its word, its address, whether it is chosen."""

    text: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    reference: str
    url: str
    title: str
    status: str
    exercise: bool
    contained: bool
    detected: str
    due: str
    owner: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list as the address asks for it."""

    rows: list[Row]
    chips: list[Chip]
    search: str
    status: str
    more_url: str
    first_url: str
    is_filtered: bool


def list_view(context: Context, actor: Actor, args: Mapping[str, str]) -> ListView:
    """Return a page of the list; what the address says wrongly is left out."""
    status = args.get("status", "")
    status = status if status in {"open", "suspected", "aware", "closed", "not_a_breach"} else ""
    search = " ".join(args.get("q", "").replace("\x00", " ").split())[:SEARCH_LIMIT]
    before = args.get("before", "")
    after_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None  # noqa: PLR2004
    found = register.listing(context, actor, status=status or None, search=search, after_id=after_id, limit=PAGE + 1)
    shown = found[:PAGE]
    more = _url(status, search, shown[-1].id) if len(found) > PAGE else ""
    return ListView(
        rows=_rows(context, actor, shown),
        chips=[Chip(text, _url(key, search), key == status) for key, text in _chips()],
        search=search,
        status=status,
        more_url=more,
        first_url=_url(status, search) if after_id is not None else "",
        is_filtered=bool(status or search or after_id),
    )


def owners(context: Context, actor: Actor, listed: Sequence[Listed]) -> dict[int, str]:
    """Return the name of each owner by the number of the account."""
    wanted = {f"user:{one.owner_id}" for one in listed if one.owner_id is not None}
    return {int(key[5:]): name for key, name in colleagues.names(context, actor, wanted).items()}


def _rows(context: Context, actor: Actor, shown: Sequence[Listed]) -> list[Row]:
    names = owners(context, actor, shown)
    return [
        Row(
            reference=one.reference,
            url=f"/incidents/{one.reference}",
            title=one.title,
            status=one.status,
            exercise=one.exercise,
            contained=one.contained_at is not None,
            detected=words.moment(one.detected_at, current.zone(), "short"),
            due=_due(context, one),
            owner=names.get(one.owner_id or 0, ""),
        )
        for one in shown
    ]


def _due(context: Context, one: Listed) -> str:
    if one.next_due_at is None:
        return ""
    left = one.next_due_at - context.now()
    if left < timedelta():
        return str(_("%(time)s overdue", time=words.span(-left)))
    return words.moment(one.next_due_at, current.zone(), "short")


def _chips() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        ("open", _("In progress")),
        ("suspected", _("Suspicions")),
        ("aware", _("Breaches")),
        ("closed", _("Closed")),
        ("not_a_breach", _("Not a breach")),
    ]


def _url(status: str, search: str, before: int | None = None) -> str:
    asked = {"status": status, "q": search, "before": "" if before is None else str(before)}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/incidents?{query}" if query else "/incidents"
