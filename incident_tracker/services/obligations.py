"""Which duties an incident gives rise to, kept in step with its facts, and the alarms that guard them."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from incident_tracker.domain import escalation
from incident_tracker.domain.deadlines import Obligation, is_settled
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.regimes import DutyFacts, Rule, obligations_for
from incident_tracker.services.context import Context
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import obligations as rows
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.obligations import Kept

NO_LONGER = "The rule that this duty came from is no longer in the configuration."


def facts_of(incident: Incident) -> DutyFacts:
    """Return the facts that decide duties."""
    filed = [one.filed_at for one in incident.filings]
    completed = [one.filed_at for one in incident.filings if one.complete]
    return DutyFacts(
        role=incident.role.value,
        detected_at=incident.detected_at,
        became_aware_at=incident.became_aware_at,
        first_reported_at=min(filed, default=None),
        report_completed_at=min(completed, default=None),
        decided_at=incident.decided_at,
        not_a_breach_at=incident.not_a_breach_at,
        not_a_breach_reason=incident.not_a_breach_reason or None,
        met={_pair(key): one.at for key, one in incident.met.items()},
        set_aside={_pair(key): (one.at, one.words) for key, one in incident.set_aside.items()},
    )


def plan(context: Context, session: Session, loaded: Loaded, now: datetime) -> None:
    """Bring obligations and alarms in step with the facts; what has not changed is left alone."""
    wanted = obligations_for(facts_of(loaded.incident), context.rules)
    kept = {_key(one.obligation): one for one in _of(context, session, loaded)}
    for obligation in wanted:
        before = kept.pop(_key(obligation), None)
        if before is None:
            _add(context, session, loaded, obligation, now)
        elif before.obligation != obligation:
            _change(context, session, loaded, before, obligation, now)
    for gone in kept.values():
        if not is_settled(gone.obligation):
            settled = replace(gone.obligation, set_aside_at=now, set_aside_reason=NO_LONGER)
            _change(context, session, loaded, gone, settled, now)
    running = [one for one in wanted if not is_settled(one)] if loaded.incident.is_open else []
    if not running:
        alert_rows.end_for(session, loaded.id, now)
    due = min((one.due_at for one in running if one.due_at is not None), default=None)
    incident_rows.set_next_due(session, loaded.id, due)


def count_as_asked(context: Context, session: Session, kept: Kept, now: datetime) -> None:
    """Let the message being sent stand for the reminders of an obligation that are due now; plan the next."""
    due = rows.take_due(session, kept.id, now)
    rows.mark(session, [one.id for one in due], "merged")
    rule = rule_of(context, kept.obligation)
    if due and rule is not None:
        following = escalation.next_alarm(kept.obligation, rule, due[-1].alarm, now)
        rows.plan_alarms(session, kept, [following] if following is not None else [])


def rule_of(context: Context, obligation: Obligation) -> Rule | None:
    """Return the dated rule from which an obligation arose; None where it was taken out of the configuration."""
    return next((rule for rule in context.rules if rule.id == obligation.rule_id), None)


def _of(context: Context, session: Session, loaded: Loaded) -> list[Kept]:
    return rows.of_incidents(session, context.keyring, [loaded.id], None)[loaded.id]


def _add(context: Context, session: Session, loaded: Loaded, obligation: Obligation, now: datetime) -> None:
    new = Kept(0, loaded.id, loaded.incident.controller_id, 1, obligation)
    new_id = rows.add(session, context.keyring, loaded.record_key, new)
    _plan_alarms(context, session, Kept(new_id, new.incident_id, new.controller_id, 1, obligation), now)


def _change(
    context: Context, session: Session, loaded: Loaded, before: Kept, obligation: Obligation, now: datetime
) -> None:
    after = Kept(before.id, before.incident_id, before.controller_id, before.plan + 1, obligation)
    rows.save(session, context.keyring, loaded.record_key, after)
    rows.cancel_alarms(session, [after.id])
    alert_rows.end_for(session, loaded.id, now, obligation_ids=[after.id])
    _plan_alarms(context, session, after, now)


def _plan_alarms(context: Context, session: Session, kept: Kept, now: datetime) -> None:
    rule = rule_of(context, kept.obligation)
    if rule is not None:
        rows.plan_alarms(session, kept, escalation.plan_alarms(kept.obligation, rule, now))


def _key(obligation: Obligation) -> tuple[str, str, str]:
    return obligation.regime, obligation.duty, obligation.addressee


def _pair(key: str) -> tuple[str, str]:
    regime, _, duty = key.partition(".")
    return regime, duty
