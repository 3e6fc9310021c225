"""Is everything that was kept still there and readable: what `db check` looks at."""

from incident_tracker.services import attachments
from incident_tracker.services.context import Context
from incident_tracker.store import soundness


def keyring_faults(context: Context) -> list[str]:
    """Return the data keys that are missing, or that the master key does not open."""
    with context.database.reading() as session:
        missing = soundness.missing_keys(session)
    unopened = soundness.unopened_keys(context.database, context.keyring)
    return [f"data key {one} is missing" for one in missing] + [f"data key {one} does not open" for one in unopened]


def attachment_faults(context: Context) -> list[str]:
    """Return the rows without their file, the files that are not as long as they were, and those without a row."""
    found = attachments.check(context)
    return [
        *(f"attachment {one} has no file" for one in found.missing),
        *(f"attachment {one} has another length than was written" for one in found.damaged),
        *(f"file {one} belongs to no incident" for one in found.orphans),
    ]
