"""What stands around every page: the controllers, who is on call, and what is wrong with the ways out."""

from collections.abc import Sequence
from dataclasses import dataclass

from incident_tracker.domain.access import Actor
from incident_tracker.domain.parties import Controller, OnCallContact
from incident_tracker.services.context import Context
from incident_tracker.store import controllers, lanes


@dataclass(frozen=True, slots=True)
class House:
    """The facts of the frame. `contacts` are those of the controller shown; `paused` names notifiers."""

    controllers: Sequence[Controller]
    controller: Controller
    contacts: Sequence[OnCallContact]
    paused: Sequence[str]


def house(context: Context, actor: Actor, slug: str = "") -> House | None:
    """Return the facts of the frame for the controller with that slug, else the first; None where there is none."""
    with context.database.reading() as session:
        seen = controllers.listing(session, context.keyring, actor.scope)
        if not seen:
            return None
        chosen = next((one for one in seen if one.slug == slug), seen[0])
        contacts = controllers.contacts(session, context.keyring, frozenset({chosen.id})).get(chosen.id, [])
        states = lanes.states(session)
    paused = tuple(sorted(name for name, state in states.items() if state.paused_at is not None))
    return House(seen, chosen, contacts, paused)
