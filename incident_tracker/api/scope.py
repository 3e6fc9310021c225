"""Scope: what got out, of whom, how many; each saving is a new version."""

from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import Field, create_model

from incident_tracker.api import current
from incident_tracker.api.answers import Scope, ScopeVersions
from incident_tracker.api.fields import Body, Instant, OfIncident, Text, Version
from incident_tracker.api.incidents import Count
from incident_tracker.api.paths import reference_of
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.facts import to_plain
from incident_tracker.domain.incident import NothingChanges
from incident_tracker.domain.scope import KEYS, ScopeAssessment
from incident_tracker.services import scope
from incident_tracker.services.canonical_fields import canonical_fields
from incident_tracker.services.scope import Assessed

pages = noun("scope", "Scope")
_READ, _WRITE = "incidents:read", "incidents:write"
_MOST = 40


def _model() -> type[Body]:
    """Return the shape of an assessment as it is sent: the facts and the choices of the assessment itself."""
    hints = get_type_hints(ScopeAssessment)
    made: dict[str, Any] = {}
    for part in fields(ScopeAssessment):
        codes = tuple(canonical_fields().fields[KEYS[part.name]].codes)
        code = Literal[codes] if codes else Annotated[str, Field(max_length=40)]
        made[part.name] = _field(hints[part.name], code)
    return create_model("Assessment", __base__=Body, **made)


def _field(kind: Any, code: Any) -> tuple[Any, Any]:
    """Return type and default of a part; what may be left out is null, an empty text or an empty list."""
    inner = next((one for one in get_args(kind) if one is not NoneType), kind)
    if kind is bool:
        return bool, False
    if kind is str:
        return Text, ""
    if NoneType not in get_args(kind):
        return Annotated[list[code], Field(max_length=_MOST)], Field(default_factory=list)
    return {datetime: Instant, CountRange: Count}.get(inner, code) | None, None


Assessment = _model()


class NewVersion(Body):
    """A new version. `after_version` is the newest that was read: a newer one by somebody else is a refusal."""

    assessment: Assessment  # type: ignore[valid-type]
    after_version: Version | None = None


@address(pages, "get", "/incidents/<reference>/scope", scope=_READ, answers=Scope)
def newest(path: OfIncident) -> dict[str, Any]:
    """Read the newest version."""
    return _newest(reference_of(path))


@address(pages, "get", "/incidents/<reference>/scope/versions", scope=_READ, answers=ScopeVersions)
def versions(path: OfIncident) -> dict[str, Any]:
    """Read all versions, newest first."""
    found = scope.versions(current.context(), current.actor(), reference_of(path))
    return {"items": [_shape(one) for one in found]}


@address(pages, "put", "/incidents/<reference>/scope", scope=_WRITE, answers=Scope)
def assess(path: OfIncident, body: NewVersion) -> dict[str, Any]:
    """Keep a new version; one that says the same as the newest changes nothing."""
    reference = reference_of(path)
    with suppress(NothingChanges):
        scope.assess(
            current.context(),
            current.actor(),
            reference,
            _assessment(body.assessment),
            after_version=body.after_version,
        )
    return _newest(reference)


def _assessment(sent: Any) -> ScopeAssessment:
    said: dict[str, Any] = {}
    for part in fields(ScopeAssessment):
        value = getattr(sent, part.name)
        if isinstance(value, Count):
            value = value.read(part.name)
        said[part.name] = tuple(value) if isinstance(value, list) else value
    return ScopeAssessment(**said)


def _newest(reference: str) -> dict[str, Any]:
    found = scope.versions(current.context(), current.actor(), reference)
    if found:
        return _shape(found[0])
    return {"version": 0, "assessed_at": None, "assessed_by": None, "assessment": to_plain(ScopeAssessment())}


def _shape(one: Assessed) -> dict[str, Any]:
    return {
        "version": one.version,
        "assessed_at": to_plain(one.assessed_at),
        "assessed_by": one.assessed_by,
        "assessment": to_plain(one.assessment),
    }
