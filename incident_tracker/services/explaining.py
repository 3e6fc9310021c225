"""Why a duty is due when it is: the arithmetic and the rule, as facts for whoever says them."""

from incident_tracker.domain.deadlines import Obligation, Reason, explain
from incident_tracker.services.context import Context
from incident_tracker.services.obligations import rule_of


def reasons(context: Context, obligation: Obligation, zone: str) -> tuple[Reason, ...]:
    """Return the reasons of a duty's deadline; none before it has begun, or once its rule is gone."""
    rule = rule_of(context, obligation)
    if obligation.anchor_at is None or rule is None:
        return ()
    return explain(rule, obligation.anchor_at, zone).reasons
