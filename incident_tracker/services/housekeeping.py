"""What is tidied once a minute: nodes that are gone, alerts too far ahead, readings of lists that died."""

from datetime import datetime, timedelta

import structlog

from incident_tracker.services import attachments, idempotency, people
from incident_tracker.services.context import Context
from incident_tracker.store import alerts, heartbeats
from incident_tracker.store import idempotency as idempotency_rows

_log = structlog.get_logger()
GONE_AFTER = timedelta(days=7)


def tidy(context: Context, now: datetime) -> None:
    """Delete what nobody needs any more; nothing of the register is ever deleted here.

    Alerts whose next step lies too far ahead, because the machine's clock was once wrong, come back into time.
    """
    with context.database.writing() as session:
        heartbeats.forget(session, now - GONE_AFTER)
        idempotency_rows.sweep(session, now - idempotency.KEPT_FOR)
        alerts.bring_forward(session, now + context.policy.step_delay)
    people.settle_silent(context, now)
    context.database.empty_log()


def tidy_files(context: Context) -> None:
    """Remove the files of uploads that were never finished, once they are an hour old."""
    if removed := attachments.sweep(context):
        _log.info("files_removed", number=len(removed))
    people.sweep(context)
