"""What is tidied once a minute: nodes that are gone, alerts that lie too far ahead."""

from datetime import datetime, timedelta

from incident_tracker.services.context import Context
from incident_tracker.store import alerts, heartbeats

GONE_AFTER = timedelta(days=7)


def tidy(context: Context, now: datetime) -> None:
    """Delete what nobody needs any more; nothing of the register is ever deleted here.

    Alerts whose next step lies too far ahead, because the machine's clock was once wrong, come back into time.
    """
    with context.database.writing() as session:
        heartbeats.forget(session, now - GONE_AFTER)
        alerts.bring_forward(session, now + context.policy.step_delay)
    context.database.empty_log()
