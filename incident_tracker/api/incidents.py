"""Incidents: list, open, read, and record what happens to them."""

from typing import Any, Literal

from flask import url_for
from pydantic import Field

from incident_tracker.api import current, cursors
from incident_tracker.api.answers import Incident, IncidentPart, Obligations
from incident_tracker.api.fields import Body, Instant, Line, Many, OfIncident, Paging, Text
from incident_tracker.api.paths import reference_of, slug_of
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.counts import CountKind, CountRange
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.parties import PartyRole
from incident_tracker.services import controllers, incidents, register, shapes

pages = noun("incidents", "Incidents")
_READ, _WRITE = "incidents:read", "incidents:write"
_PLACE = "incident"


class CountDoesNotFit(Refusal):
    """The ends of a count do not go with its kind."""

    message = (
        "These ends do not go with the kind: exact has two equal ends, approximate at least one, the others none."
    )


class Count(Body):
    """How many. `exact` has two equal ends, `approximate` at least one; the others have none."""

    kind: Literal["exact", "approximate", "cannot_be_determined", "tbd"]
    low: Many | None = None
    high: Many | None = None

    def read(self, field: str) -> CountRange:
        """Return the count, or refuse ends that do not go with its kind."""
        try:
            return CountRange(CountKind(self.kind), self.low, self.high)
        except ValueError:
            raise CountDoesNotFit(field=field) from None


class Wanted(Paging):
    """Which incidents."""

    status: Literal["open", "suspected", "aware", "closed", "not_a_breach"] | None = Field(
        None, description="`open` is suspected and aware."
    )
    controller: Line | None = Field(None, description="Short name of a controller.")
    search: Line = Field("", description="Part of the title or the reference.")


class NewIncident(Body):
    """A suspected breach, or one that is known already."""

    title: Line = Field(min_length=1, description="What it is called in lists. No names of people.")
    what_happened: Text = ""
    detected_at: Instant | None = Field(None, description="When it was noticed; without it, now.")
    role: Literal["controller", "processor", "joint_controller"] = "controller"
    place: Line = ""
    ongoing: Literal["yes", "no", "unknown"] = "unknown"
    people_estimate: Count | None = None
    exercise: bool = Field(default=False, description="A drill: nothing of it leaves the machine.")
    controller: Line | None = Field(None, description="Short name of the controller, where there are several.")
    aware_at: Instant | None = Field(None, description="When you became aware of a breach, if that is decided.")
    aware_reason: Text = ""


class Because(Body):
    """Why something is decided; it must be readable in two years."""

    reason: Text = Field(min_length=1)


class Awareness(Because):
    """Since when you are aware of a breach, and why; the 72 hours count from there."""

    at: Instant


class NoBreach(Because):
    """Why it is no breach, and when that was found; without a time, now."""

    at: Instant | None = None


class Containment(Body):
    """Since when the damage no longer grows, and what was done."""

    at: Instant
    how: Text = Field(min_length=1)


class Note(Body):
    """Something to be written down."""

    text: Text = Field(min_length=1)


@address(pages, "get", "/incidents", scope=_READ, answers=IncidentPart)
def listing(query: Wanted) -> dict[str, Any]:
    """List incidents, newest first."""
    context, actor = current.context(), current.actor()
    slugs = {one.id: one.slug for one in controllers.listing(context, actor)}
    found = register.listing(
        context,
        actor,
        status=query.status,
        search=_searched(query.search),
        after_id=cursors.read_number(_PLACE, query.cursor),
        limit=query.limit + 1,
        within=None if query.controller is None else _controller(query.controller),
    )
    return cursors.part(_PLACE, found, query.limit, lambda one: one.id, lambda one: shapes.listed(one, slugs))


@address(pages, "post", "/incidents", scope=_WRITE, answers=Incident, status=201, safe_again=True)
def open_(body: NewIncident) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Log a suspected breach and alert whoever is on call."""
    context = current.context()
    facts = body.model_dump(exclude={"role", "people_estimate", "controller"})
    reference = incidents.open_incident(
        context,
        current.actor(),
        **facts,
        role=PartyRole(body.role),
        people_estimate=None if body.people_estimate is None else body.people_estimate.read("people_estimate"),
        controller_id=None if body.controller is None else _controller(body.controller),
        once=current.once(),
    )
    where = url_for("incidents.show", reference=reference)
    return shapes.incident(register.overview(context, SHELL, reference)), 201, {"Location": where}


@address(pages, "get", "/incidents/<reference>", scope=_READ, answers=Incident)
def show(path: OfIncident) -> dict[str, Any]:
    """Read an incident with its duties."""
    return _shown(reference_of(path), looked_at="api")


@address(pages, "get", "/incidents/<reference>/obligations", scope=_READ, answers=Obligations)
def obligations(path: OfIncident) -> dict[str, Any]:
    """List the duties of an incident."""
    return {"items": _shown(reference_of(path))["obligations"]}


@address(pages, "post", "/incidents/<reference>/awareness", scope=_WRITE, answers=Incident)
def awareness(path: OfIncident, body: Awareness) -> dict[str, Any]:
    """Decide that it is a breach: this starts the 72 hours, or moves them."""
    reference = reference_of(path)
    incidents.record_awareness(current.context(), current.actor(), reference, at=body.at, reason=body.reason)
    return _shown(reference)


@address(pages, "post", "/incidents/<reference>/not-a-breach", scope=_WRITE, answers=Incident)
def not_a_breach(path: OfIncident, body: NoBreach) -> dict[str, Any]:
    """Decide that it is no breach; it stays in the register with the reason."""
    reference = reference_of(path)
    incidents.find_not_a_breach(current.context(), current.actor(), reference, reason=body.reason, at=body.at)
    return _shown(reference)


@address(pages, "post", "/incidents/<reference>/containment", scope=_WRITE, answers=Incident)
def containment(path: OfIncident, body: Containment) -> dict[str, Any]:
    """Record that the damage no longer grows."""
    reference = reference_of(path)
    incidents.contain(current.context(), current.actor(), reference, at=body.at, how=body.how)
    return _shown(reference)


@address(pages, "post", "/incidents/<reference>/closing", scope=_WRITE, answers=Incident)
def closing(path: OfIncident, body: Because) -> dict[str, Any]:
    """Close an incident whose duties are all met or set aside."""
    reference = reference_of(path)
    incidents.close(current.context(), current.actor(), reference, reason=body.reason)
    return _shown(reference)


@address(pages, "post", "/incidents/<reference>/reopening", scope=_WRITE, answers=Incident)
def reopening(path: OfIncident, body: Because) -> dict[str, Any]:
    """Take up an incident again that was closed or found not to be a breach."""
    reference = reference_of(path)
    incidents.reopen(current.context(), current.actor(), reference, reason=body.reason)
    return _shown(reference)


@address(pages, "post", "/incidents/<reference>/notes", scope=_WRITE, answers=Incident)
def note(path: OfIncident, body: Note) -> dict[str, Any]:
    """Write something down on an incident."""
    reference = reference_of(path)
    incidents.add_note(current.context(), current.actor(), reference, text=body.text)
    return _shown(reference)


def _shown(reference: str, *, looked_at: str = "") -> dict[str, Any]:
    return shapes.incident(register.overview(current.context(), current.actor(), reference, looked_at=looked_at))


def _controller(slug: str) -> int:
    return controllers.by_slug(current.context(), current.actor(), slug_of(slug)).id


def _searched(text: str) -> str:
    """Return what is searched for; signs that no title can hold find nothing, as they would."""
    return "".join(sign for sign in text if sign.isprintable())
