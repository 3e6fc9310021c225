"""Who is on call, over all controllers."""

from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services.context import Context
from incident_tracker.store import controllers as rows


def everybody(context: Context) -> list[OnCallContact]:
    """Return every contact on call of every controller, in the order of calling."""
    with context.database.reading() as session:
        by_controller = rows.contacts(session, context.keyring, None)
    return [one for contacts in by_controller.values() for one in contacts]
