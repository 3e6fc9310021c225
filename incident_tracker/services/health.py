"""Is the clock alive, is anything due unsent, who must know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_tracker.services import backup
from incident_tracker.services.context import Context
from incident_tracker.services.suspicions import paging
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store import heartbeats, installation, migrations
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store.database import NotSaved

STALE_AFTER = timedelta(seconds=30)
STALE_TICKS = 3


@dataclass(frozen=True, slots=True)
class ClockState:
    """`age` since the last sign of life (None: there never was one); `running` while it is young enough."""

    running: bool
    last_seen_at: datetime | None
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether this installation keeps its promise right now, and if not, why.

    A backup that stays away is shown, and is no reason not to be ready: the alarms go out all the same.
    """

    ready: bool
    database: str = "ok"
    migrations: str = "ok"
    heartbeat_age_seconds: float | None = None
    overdue_unsent_alarms: int | None = None
    last_backup_at: datetime | None = None
    backup_is_late: bool = False


def stale_after(context: Context) -> timedelta:
    """Return the age from which a heartbeat counts as silence: three ticks, at least 30 seconds."""
    return max(STALE_AFTER, STALE_TICKS * timedelta(seconds=context.settings.clock.tick_seconds))


def clock_state(context: Context) -> ClockState:
    """Return the state of the clock, as every page shows it."""
    now = context.now()
    with context.database.reading() as session:
        beat = heartbeats.last(session, now)
    if beat is None:
        return ClockState(running=False, last_seen_at=None, age=None)
    age = max(timedelta(0), now - beat.beat_at)
    return ClockState(age <= stale_after(context), beat.beat_at, age)


def readiness(context: Context) -> Readiness:
    """Return what `/readyz` says. Nothing in it is personal or secret."""
    try:
        migrations.check(context.database)
        state = clock_state(context)
        late = context.now() - stale_after(context)
        backups = backup.state(context)
        with context.database.reading() as session:
            overdue = obligation_rows.count_overdue_unsent(session, late)
            overdue += alert_rows.count_overdue_steps(session, late)
    except (migrations.DatabaseIsOld, migrations.DatabaseIsNewer) as refusal:
        return Readiness(ready=False, migrations=str(refusal))
    except NotSaved as trouble:
        return Readiness(ready=False, database=str(trouble), migrations="unknown")
    age = None if state.age is None else round(state.age.total_seconds(), 1)
    return Readiness(
        ready=state.running and overdue == 0,
        heartbeat_age_seconds=age,
        overdue_unsent_alarms=overdue,
        last_backup_at=backups.last_at,
        backup_is_late=backups.late,
    )


def newer_version_wanted(context: Context) -> str | None:
    """Return the version that the database demands at least, if it is above this one."""
    with context.database.reading() as session:
        wanted = installation.get(session, migrations.MINIMUM_VERSION)
    return wanted if wanted and migrations.is_above(wanted) else None


def nothing_due_unsent(context: Context) -> bool:
    """Return whether the clock runs, and every alarm that was due went off, was told to somebody and is on its way.

    This is what the outside watch is told, so it must be false whenever somebody ought to look.
    """
    if not clock_state(context).running:
        return False
    late = context.now() - stale_after(context)
    if paging.is_behind(context, late):
        return False
    with context.database.reading() as session:
        overdue = obligation_rows.count_overdue_unsent(session, late, limit=1)
        overdue += alert_rows.count_overdue_steps(session, late, limit=1)
        return overdue == 0 and not alert_rows.any_unsent(session, late) and not alert_rows.any_untold(session, late)
