"""Deliveries: what left, what waits, what is in doubt; never the words."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from incident_tracker.api import current, cursors
from incident_tracker.api.answers import Delivery, DeliveryPart
from incident_tracker.api.fields import Line, OfIncident, Paging
from incident_tracker.api.paths import id_of, reference_of
from incident_tracker.api.routes import address, noun
from incident_tracker.services import outbox

pages = noun("deliveries", "Deliveries")
_READ = "deliveries:read"
_PLACE = "delivery"
_STATES = tuple(one.value for one in outbox.State)


class OfDelivery(BaseModel):
    """The delivery that an address names."""

    delivery_id: str = Field(description="The delivery's `id`.")


class Wanted(Paging):
    """Which deliveries."""

    incident: Line | None = Field(None, description="Reference of an incident.")
    state: Literal[_STATES] | None = None  # type: ignore[valid-type]


@address(pages, "get", "/deliveries", scope=_READ, answers=DeliveryPart)
def listing(query: Wanted) -> dict[str, Any]:
    """List deliveries, newest first."""
    incident = None if query.incident is None else reference_of(OfIncident(reference=query.incident))
    found = outbox.listing(
        current.context(),
        current.actor(),
        states=() if query.state is None else (outbox.State(query.state),),
        incident=incident,
        before=cursors.read(_PLACE, query.cursor),
        limit=query.limit + 1,
    )
    return cursors.part(_PLACE, found, query.limit, lambda one: one.delivery.id, outbox.as_json)


@address(pages, "get", "/deliveries/<delivery_id>", scope=_READ, answers=Delivery)
def show(path: OfDelivery) -> dict[str, Any]:
    """Read how far one delivery is."""
    return outbox.as_json(outbox.show(current.context(), current.actor(), id_of(path.delivery_id)).entry)
