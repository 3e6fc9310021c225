"""The journal: the entries of an incident, and the proof that nothing was altered or cut off."""

from typing import Any

from incident_tracker import rendering
from incident_tracker.api import current
from incident_tracker.api.answers import Entries, Verdict
from incident_tracker.api.fields import OfIncident
from incident_tracker.api.paths import reference_of
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.access import Act
from incident_tracker.domain.events import payload_of
from incident_tracker.domain.facts import to_plain
from incident_tracker.services import journal, register, shapes
from incident_tracker.services.register import Record

pages = noun("journal", "Journal")
_READ = "journal:read"


@address(pages, "get", "/incidents/<reference>/journal", scope=_READ, answers=Entries)
def entries(path: OfIncident) -> dict[str, Any]:
    """Read who recorded what when, oldest first."""
    found = register.history(current.context(), current.actor(), reference_of(path))
    return {"items": [_shape(one) for one in found]}


@address(pages, "get", "/journal/verification", scope=_READ, answers=Verdict)
def verification() -> dict[str, Any]:
    """Walk the whole chain and hold it against the anchors."""
    current.actor().must_anywhere(Act.READ)
    found = journal.verify(current.context())
    why = rendering.translations(current.language()).gettext(found.why)
    return shapes.verdict(found, why)


def _shape(one: Record) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "recorded_at": to_plain(one.recorded_at),
        "actor": one.actor,
        "kind": one.kind,
        "facts": payload_of(one.event),
    }
