"""What the clock does at each tick: raise what is due, take the next steps, draining until nothing is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from incident_tracker.domain import escalation
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.deadlines import is_settled
from incident_tracker.services import alerts, obligations
from incident_tracker.services.alerts import Cause
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import heartbeats
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import obligations as rows
from incident_tracker.store import suspicions as suspicion_rows
from incident_tracker.store.database import NotSaved
from incident_tracker.store.obligations import DueAlarm, Kept

_log = structlog.get_logger()
BATCH = 500
"""Alarms claimed in one transaction: about 100 ms of work."""
TEST_IS_ANSWERED = timedelta(minutes=30)
"""How long the answer to a test SMS is waited for."""


def tick(context: Context, node: str) -> int:
    """Raise every alarm that is due and take every step that is due; return how many there were.

    One transaction a batch: claimed alarms, alerts, outbox rows and journal entries are committed together, so that
    a crash leaves either all of them or none. Any number of nodes may tick at once. Where something in a batch cannot
    be raised, everything else is; what went wrong is raised at the end.
    """
    done = 0
    while True:
        with context.database.reading() as session:
            waiting = rows.any_due(session, context.now())
        if not waiting:
            return done
        try:
            count = _batch(context, node)
        except NotSaved:
            raise
        except Exception as error:
            _log.exception("batch_failed", error=type(error).__name__)
            _one_by_one(context, node)
            raise
        if not count:
            return done  # another node holds what is due
        done += count


def waits_for_replies(context: Context) -> bool:
    """Return whether anybody may be about to write to us.

    An alert is open, somebody was told of reports from outside, a test was sent, or somebody is muted.
    """
    since = context.now() - TEST_IS_ANSWERED
    with context.database.reading() as session:
        return (
            alert_rows.any_open(session)
            or alert_rows.any_test_since(session, since)
            or suspicion_rows.any_paged(session)
            or controller_rows.any_muted(session)
        )


def _batch(context: Context, node: str) -> int:
    with working(context, CLOCK) as work:
        due = rows.claim_due(work.session, work.now, BATCH)
        if due:
            _fire(work, due)
        stepped = alerts.take_next_steps(work, BATCH)
        heartbeats.beat(work.session, node, work.now)
    return len(due) + stepped


def _one_by_one(context: Context, node: str) -> None:
    """Raise what is due each in a transaction of its own, so that one that cannot be raised stops no other."""
    with context.database.reading() as session:
        duties = rows.due_obligations(session, context.now())
        steps = alert_rows.due_steps(session, context.now())
    for obligation_id in duties:
        with _set_apart("alarm_not_raised", obligation_id), working(context, CLOCK) as work:
            _fire(work, rows.claim_due(work.session, work.now, BATCH, obligation_id))
            heartbeats.beat(work.session, node, work.now)
    for alert_id in steps:
        with _set_apart("step_not_taken", alert_id), working(context, CLOCK) as work:
            alerts.take_next_steps(work, 1, alert_id)


@contextmanager
def _set_apart(what: str, which: object) -> Iterator[None]:
    try:
        yield
    except NotSaved:
        raise
    except Exception as error:  # noqa: BLE001 - one that fails stops no other
        _log.exception(what, which=which, error=type(error).__name__)


def _fire(work: Work, due: list[DueAlarm]) -> None:
    """Raise one alert for each obligation with alarms due: the latest rung speaks for the earlier ones."""
    duties = rows.by_ids(work.session, work.keyring, [one.obligation_id for one in due])
    heads = incident_rows.heads(work.session, [one.incident_id for one in due])
    work.keyring.warm(head.record_key for head in heads.values())
    latest = {one.obligation_id: one for one in due if _still_runs(duties.get(one.obligation_id), one)}
    speaking = {one.id for one in latest.values()}
    merged = [one.id for one in due if one.id not in speaking and one.obligation_id in latest]
    idle = [one.id for one in due if one.obligation_id not in latest]
    rows.mark(work.session, merged, "merged")
    rows.mark(work.session, idle, "cancelled")
    causes = [
        Cause(heads[one.incident_id], duties[one.obligation_id], one.alarm.rung, one.id) for one in latest.values()
    ]
    alerts.raise_alerts(work, causes)
    for one in latest.values():
        _plan_repeat(work, duties[one.obligation_id], one)


def _still_runs(kept: Kept | None, due: DueAlarm) -> bool:
    return kept is not None and kept.plan == due.plan and not is_settled(kept.obligation)


def _plan_repeat(work: Work, kept: Kept, fired: DueAlarm) -> None:
    rule = obligations.rule_of(work.context, kept.obligation)
    if rule is None:
        return
    following = escalation.next_alarm(kept.obligation, rule, fired.alarm, work.now)
    if following is not None:
        rows.plan_alarms(work.session, kept, [following])
