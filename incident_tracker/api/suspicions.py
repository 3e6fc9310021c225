"""Suspicions: intake for scanners and SIEMs. A person accepts each as an incident, or dismisses it."""

from typing import Any, Literal

from pydantic import Field

from incident_tracker.api import current
from incident_tracker.api.answers import Received
from incident_tracker.api.fields import Body, Line
from incident_tracker.api.paths import slug_of
from incident_tracker.api.routes import address, noun
from incident_tracker.services import intake
from incident_tracker.services.suspicions import Told

pages = noun("suspicions", "Suspicions")


class NewSuspicion(Body):
    """What was noticed, in words that a person on call understands."""

    what: str = Field(min_length=1, max_length=5000)
    where: Line = Field("", description="A system, a place.")
    when: Line = Field("", description="In words; an instant may stand in `what`.")
    email: Line = Field("", description="Whom to ask.")
    phone: str = Field("", max_length=40, description="Whom to call. Never sent an SMS.")
    language: Literal["da", "en"] = "da"
    controller: Line | None = Field(None, description="Short name of the controller, where there are several.")


@address(pages, "post", "/suspicions", scope="suspicions:write", answers=Received, status=201, safe_again=True)
def report(body: NewSuspicion) -> tuple[dict[str, Any], int]:
    """Tell of a suspected leak; whoever is on call is told."""
    told = Told(**body.model_dump(exclude={"controller"}))
    slug = None if body.controller is None else slug_of(body.controller)
    kept, receipt = intake.report(current.context(), current.actor(), told, slug=slug, once=current.once())
    return {"id": kept, "receipt": receipt}, 201
