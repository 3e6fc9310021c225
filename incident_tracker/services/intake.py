"""Suspicions that programs report (scanners, a SIEM), kept like those of people outside."""

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.incident import NoController, WhichController
from incident_tracker.services import controllers, suspicions
from incident_tracker.services.context import Context
from incident_tracker.services.suspicions import Told
from incident_tracker.store.ids import new_id

SOURCE = "api"


def report(context: Context, actor: Actor, told: Told, *, slug: str | None = None, once: str = "") -> tuple[str, str]:
    """Keep what a program reports; return its id and the number by which people speak of it.

    `slug` names the controller where the actor serves several; `once` names the request, which is kept once.
    """
    controller_id = _controller_id(context, actor, slug)
    actor.must(Act.REPORT, controller_id)
    name = once or f"{SOURCE}:{new_id(context.now())}"
    kept = suspicions.receive(context, controller_id, told, once=name, source=SOURCE, actor=actor)
    return kept, suspicions.receipt_of(kept)


def _controller_id(context: Context, actor: Actor, slug: str | None) -> int:
    if slug is not None:
        return controllers.by_slug(context, actor, slug).id
    found = controllers.listing(context, actor)
    if not found:
        raise NoController
    if len(found) > 1:
        raise WhichController(names=", ".join(one.slug for one in found))
    return found[0].id
