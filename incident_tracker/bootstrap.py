"""Floor 5: the only place that chooses real things: the clock, the database, the keys, the notifiers."""

import os
import secrets
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from incident_tracker import paths
from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.escalation import Policy, policy_from
from incident_tracker.domain.regimes import Rule, rules_from
from incident_tracker.services.anchors import Anchors
from incident_tracker.services.context import Context
from incident_tracker.settings import Settings, SettingsError
from incident_tracker.store import migrations
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring, load_master_key, make_master_key_file, read_master_key
from notifiers import discovery
from notifiers.protocol import AuthorityReport, Channel, Notifier, NotifierSettingsError

_log = structlog.get_logger()
REPORTS = ("datatilsynet",)
Key = tuple[str, Channel]
"""Name and channel of a notifier."""


def system_now() -> datetime:
    """Return the machine's time, in UTC. Nothing else reads it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tracker:
    """The whole product, put together."""

    context: Context
    engine: Engine
    carriers: Mapping[Key, Notifier]
    woken: threading.Event
    node: str

    @property
    def settings(self) -> Settings:
        """Return the settings it was put together from."""
        return self.context.settings

    def close(self) -> None:
        """Let go of threads and connections."""
        self.engine.close()
        self.context.database.close()


def open_database(settings: Settings) -> Database:
    """Return the database of the settings; nothing is opened or created yet."""
    return Database(settings.database_url, settings.data.dir.absolute() / "keys.sqlite3")


def build(
    settings: Settings,
    *,
    now: Callable[[], datetime] = system_now,
    notifiers: Mapping[Key, Notifier] | None = None,
    probe: Callable[[str], None] | None = None,
) -> Tracker:
    """Put the tracker together; refuse an old database, a wrong master key and settings that cannot work."""
    database = open_database(settings)
    migrations.check(database)
    keyring = Keyring(master_key(settings), database)
    keyring.check()
    woken = threading.Event()
    context = _context(settings, database, keyring, now, woken.set)
    carriers = _notifiers(settings) if notifiers is None else notifiers
    node = f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(2)}"
    engine = Engine(
        database,
        keyring,
        carriers.values(),
        now,
        node,
        context.routing,
        pace=_pace(settings),
        probe=probe or _nothing,
    )
    return Tracker(context, engine, carriers, woken, node)


def context_of(settings: Settings, *, now: Callable[[], datetime] = system_now) -> Context:
    """Return what services need on a database that is still to be filled; nothing is opened, nothing is checked."""
    database = open_database(settings)
    return _context(settings, database, Keyring(master_key(settings), database), now, threading.Event().set)


def _context(
    settings: Settings, database: Database, keyring: Keyring, now: Callable[[], datetime], wake: Callable[[], None]
) -> Context:
    return Context(
        settings=settings,
        database=database,
        keyring=keyring,
        now=now,
        rules=load_rules(),
        policy=_policy(settings),
        routing=Routing(settings.routing.by_channel()),
        reports=_reports(settings),
        anchors=Anchors(settings.data.dir / "journal-anchors.txt", keyring.anchor_key()),
        wake=wake,
    )


def check_configuration(settings: Settings) -> None:
    """Refuse settings, rules, policy and forms that cannot work, all mistakes at once; nothing is opened or sent."""
    mistakes: list[str] = []
    for look in (_notifiers, lambda _: load_rules(), _policy, _reports):
        try:
            look(settings)
        except (SettingsError, NotifierSettingsError) as error:
            mistakes += error.mistakes
        except (Refusal, ValueError) as error:
            mistakes.append(str(error))
    if mistakes:
        raise SettingsError(mistakes)


def _nothing(_point: str) -> None:
    """Do nothing at the engine's named points; tests break it there."""


def _pace(settings: Settings) -> Pace:
    return Pace(call_seconds=settings.clock.send_deadline_seconds)


def load_rules() -> tuple[Rule, ...]:
    """Return the dated rules of `config/regimes`."""
    files = sorted((paths.config() / "regimes").glob("*.toml"))
    return rules_from(*(_toml(file) for file in files))


def make_master_key(settings: Settings) -> bool:
    """Make the master key file of a new installation; return whether it was made now."""
    file = settings.master_key_file
    if settings.security.master_key or file.exists():
        return False
    make_master_key_file(file)
    return True


def master_key(settings: Settings) -> bytes:
    """Return the master key that the settings give."""
    if settings.security.master_key:
        return read_master_key(settings.security.master_key, "in the environment")
    return load_master_key(settings.master_key_file)


def _policy(settings: Settings) -> Policy:
    policy = policy_from(_toml(paths.config() / "escalation" / "default.toml"))
    minutes = settings.clock.step_minutes
    return policy if minutes is None else replace(policy, step_delay=timedelta(minutes=minutes))


def _notifiers(settings: Settings) -> dict[Key, Notifier]:
    """Return one notifier for each name and channel that the routing names; the local outbox is always there."""
    carriers: dict[Key, Notifier] = {}
    mistakes: list[str] = []
    wanted = {(name, channel) for channel, names in settings.routing.by_channel().items() for name in names}
    for name, channel in sorted(wanted | {("outbox", "sms"), ("outbox", "email")}):
        try:
            kind: Any = discovery.load(name)
            section = {"dir": settings.data.dir / "outbox"} if name == "outbox" else {}
            section |= settings.notifiers.get(name, {})
            carriers[name, Channel(channel)] = kind.from_settings(section, channel=Channel(channel))
        except NotifierSettingsError as error:
            mistakes += [f"notifiers.{name}: {mistake}" for mistake in error.mistakes]
        except (discovery.UnknownNotifierError, discovery.BrokenNotifierError) as error:
            mistakes.append(f"routing.{channel}: {error}")
    if mistakes:
        raise SettingsError(sorted(set(mistakes)))
    if settings.server.is_https:
        _use_callbacks(carriers, settings)
    return carriers


def _use_callbacks(carriers: Mapping[Key, Notifier], settings: Settings) -> None:
    for carrier in carriers.values():
        use = getattr(carrier, "use_callbacks", None)
        if use is not None:
            use(f"{settings.public_url}/webhooks/{carrier.name}/status")


def _reports(settings: Settings) -> dict[str, AuthorityReport]:
    reports: dict[str, AuthorityReport] = {}
    for name in REPORTS:
        form = _toml(_form_file(settings))
        kind: Any = discovery.load(name)
        report = kind.from_settings({"form": form} | settings.notifiers.get(name, {}))
        reports[report.authority] = report
    return reports


def _form_file(settings: Settings) -> Path:
    """Return the form that an administrator corrected in the data folder, or the one that is shipped."""
    own = settings.data.dir / "authorities" / "dk.toml"
    return own if own.exists() else paths.config() / "authorities" / "dk.toml"


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: this is not TOML: {error}"]) from None
