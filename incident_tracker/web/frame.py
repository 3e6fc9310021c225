"""What stands around every page, given to the layouts as `frame` and `public`."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from flask import current_app, get_flashed_messages, request
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from incident_tracker import rendering
from incident_tracker.delivery.routing import LOCAL
from incident_tracker.domain.access import Act
from incident_tracker.domain.parties import Role
from incident_tracker.services import approving, backup, health, suspicions
from incident_tracker.services.frame import House
from incident_tracker.services.health import ClockState
from incident_tracker.services.sign_in import SignedIn
from incident_tracker.web import current
from incident_tracker.web.languages import ROLES, how_long, when

LOG = "/incidents/new"
_OTHER = {"da": ("en", "English"), "en": ("da", "Dansk")}


class Public:
    """The frame of pages before signing in."""

    @cached_property
    def controller_name(self) -> str:
        """The name of the only controller; nothing before the first run."""
        return current.controller_name()

    @property
    def language(self) -> str:
        """The language of the page."""
        return current.language()

    @property
    def language_other(self) -> str:
        """The name of the other language, in that language."""
        return _OTHER[current.language()][1]

    @property
    def language_url(self) -> str:
        """The same page in the other language."""
        chosen = {"language": _OTHER[current.language()][0]}
        kept = request.args.to_dict(flat=True) if request.method == "GET" else {}
        return f"{request.path}?{urlencode(kept | chosen)}"

    @property
    def theme(self) -> str:
        """Light, dark, or as the machine says."""
        return current.theme()

    @cached_property
    def messages(self) -> list[Any]:
        """What was done on the page before."""
        return list(get_flashed_messages(with_categories=True))


class Frame(Public):
    """The frame of pages inside. What costs a look into the database is looked up when it is shown."""

    theme_url = "/look/theme"
    sign_out_url = "/sign-out"
    log_url = LOG

    def __init__(self, found: SignedIn, house: House) -> None:
        """Stand around a page of someone who is signed in."""
        self._found = found
        self._house = house
        self._now = current.context().now()

    @property
    def controller_name(self) -> str:
        """The name of the controller whose pages are shown."""
        return self._house.controller.name

    @property
    def cvr(self) -> str:
        """The company number in pairs, as it is read aloud."""
        plain = self._house.controller.cvr
        return " ".join(plain[start : start + 2] for start in range(0, len(plain), 2))

    @property
    def controllers(self) -> list[Mapping[str, Any]]:
        """The controllers to choose among."""
        chosen = self._house.controller.id
        return [
            {"name": one.name, "url": f"/?{urlencode({'controller': one.slug})}", "current": one.id == chosen}
            for one in self._house.controllers
        ]

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """The main menu: what there is, for whom may read it."""
        if not self._found.actor.may(Act.READ, self._house.controller.id):
            return []
        there = {rule.rule for rule in current_app.url_map.iter_rules()}
        counts = {"board": self._waiting, "inbox": self._reports}
        entries = (
            ("board", _("Board"), "/", "radar"),
            ("incidents", _("Incidents"), "/incidents", "list-tree"),
            ("inbox", _("Inbox"), "/inbox", "mail"),
            ("on_call", _("On call"), "/on-call", "phone-call"),
            ("partners", _("Partners"), "/partners", "handshake"),
            ("settings", _("Settings"), "/settings", "settings-2"),
        )
        return [
            {
                "key": key,
                "label": label,
                "url": url,
                "icon": icon,
                "count": counts.get(key) or None,
                "current": _is_at(url) and not self.log_current,
            }
            for key, label, url, icon in entries
            if url in there
        ]

    @cached_property
    def _waiting(self) -> int:
        """How many decisions wait for this person's eyes."""
        return len(approving.waiting(current.context(), self._found.actor))

    @cached_property
    def _reports(self) -> int:
        """How many reports from outside nobody has settled."""
        return suspicions.count_open(current.context(), self._found.actor)

    @property
    def now_text(self) -> str:
        """The time on the wall."""
        return when(self._now, "time")

    @property
    def now_iso(self) -> str:
        """The time for machines."""
        return self._now.isoformat(timespec="seconds")

    @property
    def date_text(self) -> str:
        """The day, without the year."""
        return rendering.moment(self._now, self.zone, self.language, "date").rsplit(" ", 1)[0]

    @property
    def zone(self) -> str:
        """The zone in which times are shown."""
        return self._house.controller.time_zone

    @property
    def zone_text(self) -> str:
        """The zone as people call it, with its present offset."""
        name = (
            _("Danish time") if self.zone == "Europe/Copenhagen" else self.zone.rpartition("/")[2].replace("_", " ")
        )
        return f"{name} ({rendering.offset(self._now, self.zone)})"

    @cached_property
    def clock(self) -> Mapping[str, str]:
        """The health of the clock."""
        state = health.clock_state(current.context())
        return {
            "state": "running" if state.running else "stopped",
            "age": how_long(state.age) if state.age is not None else "",
            "last_seen": _last_seen(state, self._now),
        }

    @property
    def on_call(self) -> Mapping[str, str] | None:
        """Who is called first."""
        if not self._house.contacts:
            return None
        return {"name": self._house.contacts[0].name, "url": "/on-call"}

    @property
    def log_current(self) -> bool:
        """Whether this page is the one for logging."""
        return request.path == LOG

    @property
    def user(self) -> Mapping[str, str]:
        """Who is signed in, in which role here."""
        role: Role | None = self._found.user.grants.get(self._house.controller.id)
        return {"name": self._found.user.name, "role": str(ROLES[role]) if role else ""}

    @property
    def csrf(self) -> str:
        """The token of the small forms."""
        return str(generate_csrf())

    @cached_property
    def _backup_is_late(self) -> str:
        """What to say to an administrator while no backup is made; nothing to others."""
        if not self._found.actor.may(Act.ADMINISTER, self._house.controller.id):
            return ""
        state = backup.state(current.context())
        if not state.late:
            return ""
        if state.last_at is None:
            return str(_("There is no backup yet. If this machine breaks, everything recorded is lost."))
        at = when(state.last_at, "short")
        return str(_("The last backup is from %(at)s. What was recorded since would be lost.", at=at))

    @property
    def troubles(self) -> list[Mapping[str, str]]:
        """What keeps alarms from reaching people, each with where to mend it."""
        house = self._house
        muted = ", ".join(one.name for one in house.contacts if one.muted)
        unverified = ", ".join(one.name for one in house.contacts if not one.verified)
        local = current.tracker().settings.routing.sms == (LOCAL,)
        on_call, outbox = ("/on-call", _("Go to on call")), ("/outbox", _("Go to the outbox"))
        found = [
            (not house.contacts, _("Nobody is on call. Alarms reach nobody. Put someone on call."), on_call),
            (
                bool(muted),
                _(
                    "%(names)s wrote STOP: no SMS arrives there. It is taken back by START to the same number.",
                    names=muted,
                ),
                on_call,
            ),
            (
                bool(unverified) and not local,
                _("Not shown to work yet: the number of %(names)s. Send a test.", names=unverified),
                on_call,
            ),
            (
                bool(house.paused),
                _(
                    "%(names)s is paused: its settings are refused. Messages wait or take another way.",
                    names=", ".join(house.paused),
                ),
                outbox,
            ),
            (
                local,
                _("No SMS leaves this machine yet: messages stay in the outbox, where they can be answered."),
                outbox,
            ),
            (bool(self._backup_is_late), self._backup_is_late, ("/settings", _("See the settings"))),
        ]
        return [{"text": text, "url": url, "action": action} for applies, text, (url, action) in found if applies]


def variables() -> dict[str, Any]:
    """Return what every template is given."""
    found = current.signed_in() if "page_failed" not in request.environ else None
    house = current.house() if found is not None else None
    inside = Frame(found, house) if found is not None and house is not None else None
    return {"frame": inside, "public": Public()}


def _is_at(url: str) -> bool:
    return request.path == url or (url != "/" and request.path.startswith(f"{url}/"))


def _last_seen(state: ClockState, now: datetime) -> str:
    if state.last_seen_at is None:
        return str(_("never"))
    same_day = when(state.last_seen_at, "date") == when(now, "date")
    return when(state.last_seen_at, "time" if same_day else "short")
