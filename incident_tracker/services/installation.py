"""What the settings say, for a page: never a secret, not even its length."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import make_url

from incident_tracker.services import backup
from incident_tracker.services.context import Context
from incident_tracker.store import lanes


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """Settings in words. `given` names what is set for each notifier, without its value."""

    public_url: str
    calls_back: bool
    database: str
    data_dir: str
    tick_seconds: str
    step_minutes: int
    session_hours: int
    idle_minutes: int
    routing: Mapping[str, tuple[str, ...]]
    given: Mapping[str, tuple[str, ...]]
    paused: Mapping[str, str]
    last_backup_at: datetime | None


def shown(context: Context) -> ShownSettings:
    """Return the settings as a page may show them."""
    settings = context.settings
    with context.database.reading() as session:
        states = lanes.states(session)
    backups = backup.state(context)
    used = sorted({name for names in settings.routing.by_channel().values() for name in names})
    return ShownSettings(
        public_url=settings.public_url,
        calls_back=settings.server.is_https,
        database="SQLite" if context.database.is_sqlite else f"PostgreSQL, {_place(settings.database_url)}",
        data_dir=str(settings.data.dir),
        tick_seconds=f"{settings.clock.tick_seconds:g}",
        step_minutes=int(context.policy.step_delay.total_seconds() // 60),
        session_hours=settings.security.session_hours,
        idle_minutes=settings.security.idle_minutes,
        routing=settings.routing.by_channel(),
        given={name: tuple(sorted(settings.notifiers.get(name, {}))) for name in used},
        paused={name: state.reason for name, state in states.items() if state.paused_at is not None},
        last_backup_at=backups.last_at,
    )


def _place(url: str) -> str:
    parts = make_url(url)
    return f"{parts.host or 'localhost'}/{parts.database}"
