"""The register as it is read: the board, the lists, one incident, its journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.deadlines import Obligation, Standing, standing
from incident_tracker.domain.escalation import PlannedAlarm
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.parties import Controller
from incident_tracker.services.context import Context
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as rows
from incident_tracker.store import journal as journal_rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store.alerts import Alert
from incident_tracker.store.database import NotSaved
from incident_tracker.store.incidents import Listed, Loaded, Tally
from incident_tracker.store.journal import Record

__all__ = [
    "Alert",
    "Listed",
    "Overview",
    "Record",
    "Tally",
    "board",
    "history",
    "listing",
    "overview",
    "planned",
    "tally",
]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Overview:
    """An incident with everything its page shows of it; `obligations` come with their standing at `now`."""

    id: int
    version: int
    incident: Incident
    controller: Controller
    obligations: tuple[tuple[Obligation, Standing], ...]
    alerts: tuple[Alert, ...]
    now: datetime


def overview(context: Context, actor: Actor, reference: str, *, looked_at: str = "") -> Overview:
    """Return an incident as its page shows it; `looked_at` is noted in the access log."""
    now = context.now()
    with context.database.reading() as session:
        loaded = rows.load(session, context.keyring, reference, actor.scope_for(Act.READ))
        controller = controller_rows.get(session, context.keyring, loaded.incident.controller_id, actor.scope)
        kept = obligation_rows.of_incidents(session, context.keyring, [loaded.id], actor.scope)[loaded.id]
        found = alert_rows.of_incident(session, loaded.id, actor.scope)
    if looked_at:
        _note_access(context, actor, loaded, looked_at, now)
    obligations = tuple((one.obligation, standing(one.obligation, now)) for one in kept)
    return Overview(loaded.id, loaded.version, loaded.incident, controller, obligations, tuple(found), now)


def planned(context: Context, actor: Actor, reference: str) -> dict[tuple[str, str], list[PlannedAlarm]]:
    """Return what the clock will still remind of, soonest first, by (regime, duty)."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = rows.load(session, context.keyring, reference, scope)
        kept = obligation_rows.of_incidents(session, context.keyring, [loaded.id], scope)[loaded.id]
        alarms = obligation_rows.planned_alarms(session, loaded.id, scope)
    names = {one.id: (one.obligation.regime, one.obligation.duty) for one in kept}
    found: dict[tuple[str, str], list[PlannedAlarm]] = {}
    for obligation_id, alarm in alarms:
        if obligation_id in names:
            found.setdefault(names[obligation_id], []).append(alarm)
    return found


def history(
    context: Context, actor: Actor, reference: str, *, newest_first: bool = False, limit: int | None = None
) -> list[Record]:
    """Return the journal of one incident: who recorded what when."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = rows.load(session, context.keyring, reference, scope)
        return journal_rows.of_incident(
            session, context.keyring, loaded.id, scope, newest_first=newest_first, limit=limit
        )


def board(context: Context, actor: Actor, limit: int = 100) -> list[tuple[Listed, list[tuple[Obligation, Standing]]]]:
    """Return the open incidents with their obligations, by the nearest deadline, then the oldest without one.

    At most `limit` of either kind are returned; `tally` says how many there are.
    """
    now = context.now()
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        listed = rows.board(session, scope, limit)
        kept = obligation_rows.of_incidents(session, context.keyring, [one.id for one in listed], scope)
    return [(one, [(k.obligation, standing(k.obligation, now)) for k in kept[one.id]]) for one in listed]


def tally(context: Context, actor: Actor, zone: str) -> Tally:
    """Count the open incidents, shown or not; `zone` says when the reader's day ends."""
    now = context.now()
    day = now.astimezone(ZoneInfo(zone)).date()
    today, tomorrow = (datetime.combine(day + timedelta(days=days), time(), ZoneInfo(zone)) for days in (1, 2))
    with context.database.reading() as session:
        return rows.tally(session, actor.scope_for(Act.READ), now, (today.astimezone(UTC), tomorrow.astimezone(UTC)))


def listing(
    context: Context,
    actor: Actor,
    *,
    status: str | None = None,
    search: str = "",
    after_id: int | None = None,
    limit: int = 50,
    within: int | None = None,
) -> Sequence[Listed]:
    """Return a page of incidents, newest first; `within` is the one controller whose incidents are wanted."""
    scope = actor.scope_for(Act.READ)
    if within is not None:
        scope = frozenset({within} if scope is None or within in scope else ())
    with context.database.reading() as session:
        return rows.listing(session, scope, status=status, search=search, after_id=after_id, limit=limit)


def _note_access(context: Context, actor: Actor, loaded: Loaded, what: str, now: datetime) -> None:
    """Note who looked. What is only good to know never keeps anybody from a page."""
    try:
        with context.database.writing() as session:
            rows.log_access(session, actor.name, loaded, what, now)
    except NotSaved as trouble:
        _log.warning("access_not_noted", actor=actor.name, incident=loaded.incident.reference, why=str(trouble))
