"""The list of the people affected by an incident: read by page, searched by address, shown as samples."""

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.people import Person
from incident_tracker.services.context import Context
from incident_tracker.services.people.addresses import fingerprints, search_keys
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import people as rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.incidents import Loaded

_SAMPLED = 200
"""People among whom samples are looked for."""


def listing(
    context: Context, actor: Actor, reference: str, *, search: str = "", after: str | None = None, limit: int = 50
) -> tuple[Person, ...]:
    """Return a page of the list in the order of reading, those after the id `after`.

    `search` finds by a whole e-mail address or a whole phone number; names are sealed and cannot be searched.
    """
    scope = actor.scope_for(Act.READ)
    loaded = _load(context, actor, reference)
    hashes = _hashes(context, loaded, search) if search.strip() else []
    with context.database.reading() as session:
        if search.strip():
            found = rows.found(session, scope, loaded.id, hashes) if hashes else []
        else:
            found = rows.page(session, scope, loaded.id, after or "", limit)
    return tuple(rows.open_person(context.keyring, one) for one in found)


def columns_of(context: Context, actor: Actor, reference: str) -> tuple[str, ...]:
    """Return the names of the further columns of the lists, for the placeholder `{{field.<column>}}`."""
    scope = actor.scope_for(Act.READ)
    loaded = _load(context, actor, reference)
    with context.database.reading() as session:
        found = readings.of_incident(session, context.keyring, scope, loaded.id)
    names = [name for one in reversed(found) if one.removed_at is None for name in one.shape.get("columns", ())]
    return tuple(dict.fromkeys(names))


def sample(context: Context, actor: Actor, reference: str, size: int = 3) -> tuple[Person, ...]:
    """Return people by whom a text can be tried, as unlike one another as there are: language, channel, name."""
    first = listing(context, actor, reference, limit=_SAMPLED)
    kinds: dict[tuple[object, ...], Person] = {}
    for one in first:
        kinds.setdefault((one.language, bool(one.email), bool(one.phone), bool(one.name)), one)
    chosen = list(kinds.values())[:size]
    chosen += [one for one in first if one not in chosen][: size - len(chosen)]
    return tuple(chosen)


def count(context: Context, actor: Actor, reference: str) -> int:
    """Return how many people are on the list."""
    loaded = _load(context, actor, reference)
    with context.database.reading() as session:
        return rows.count(session, loaded.id)


def _load(context: Context, actor: Actor, reference: str) -> Loaded:
    with context.database.reading() as session:
        return incident_rows.load(session, context.keyring, reference, actor.scope_for(Act.READ))


def _hashes(context: Context, loaded: Loaded, search: str) -> list[bytes]:
    keys = search_keys(search)
    return fingerprints(context, loaded.incident.controller_id, keys, context.now())
