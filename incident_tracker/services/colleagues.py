"""The names behind what the journal keeps: `user:3`, `contact:7`, `clock`, `shell`."""

from collections.abc import Iterable

from incident_tracker.domain.access import ALLOWED, Act, Actor
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services.context import Context
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import partners, users
from incident_tracker.store.keys import KeyIsGone


def names(context: Context, actor: Actor, wanted: Iterable[str]) -> dict[str, str]:
    """Return the name of each member of staff, contact and partner; who is none, or is forgotten, is left out."""
    known: dict[str, str] = {}
    keys = set(wanted)
    contact_ids = [int(key[8:]) for key in keys if key.startswith("contact:") and key[8:].isdigit()]
    user_ids = [int(key[5:]) for key in keys if key.startswith("user:") and key[5:].isdigit()]
    with context.database.reading() as session:
        try:
            contacts = controller_rows.contacts_by_ids(session, context.keyring, contact_ids, actor.scope)
        except KeyIsGone:
            contacts = {}
        known |= {f"contact:{one.id}": one.name for one in contacts.values()}
        partner_ids = [int(key[8:]) for key in keys if key.startswith("partner:") and key[8:].isdigit()]
        known |= {f"partner:{one}": name for one, name in partners.names(session, partner_ids, actor.scope).items()}
        for user_id in user_ids:
            try:
                user = users.get(session, context.keyring, user_id)
            except KeyIsGone:
                continue
            if user is not None:
                known[f"user:{user_id}"] = user.name
    return known


def staff(context: Context, actor: Actor, controller_id: int) -> list[tuple[int, str]]:
    """Return (id, name) of those who may work on a controller's incidents."""
    actor.must(Act.READ, controller_id)
    with context.database.reading() as session:
        found = users.listing(session, context.keyring, frozenset({controller_id}))
    return [
        (one.id, one.name)
        for one in found
        if not one.is_disabled and one.grants.get(controller_id) in ALLOWED[Act.WORK]
    ]


def on_call(context: Context, actor: Actor, controller_id: int) -> list[OnCallContact]:
    """Return who is called for a controller, in order: whoever may log a suspicion is told who will be alarmed."""
    actor.must(Act.REPORT, controller_id)
    with context.database.reading() as session:
        return controller_rows.contacts(session, context.keyring, frozenset({controller_id})).get(controller_id, [])
