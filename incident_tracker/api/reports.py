"""The report to the authority: its draft, and the versions that were filed by hand."""

from typing import Any, Literal

from pydantic import Field

from incident_tracker.api import current
from incident_tracker.api.answers import Draft, Filed, FiledVersions
from incident_tracker.api.fields import Body, Instant, Line, OfIncident, Query, Text, Version
from incident_tracker.api.paths import reference_of
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.facts import to_plain
from incident_tracker.services import reports
from incident_tracker.services.reports import Frozen

pages = noun("reports", "Reports")
_READ, _WRITE = "reports:read", "reports:write"


class Asked(Query):
    """For which authority, in which language."""

    authority: Literal["dk"] = "dk"
    language: Literal["da", "en"] = "da"


class OfAuthority(Query):
    """For which authority."""

    authority: Literal["dk"] = "dk"


class Filing(Body):
    """What was filed by hand. A receipt is kept on the page of the report; without it, say why there is none."""

    version: Version
    filed_at: Instant
    reference: Line = Field(min_length=1, description="The reference that the portal gave back.")
    journal_number: Line = ""
    no_receipt_reason: Text = Field(min_length=1)
    late_reason: Text = Field("", description="Why it comes late, if it does (GDPR Art. 33(1)).")
    phase: Literal["next", "final", "withdrawn"] = Field(
        "next", description="`final`: nothing more will follow; `withdrawn`: it is taken back."
    )
    authority: Literal["dk"] = "dk"


@address(pages, "get", "/incidents/<reference>/report/draft", scope=_READ, answers=Draft)
def draft(path: OfIncident, query: Asked) -> dict[str, Any]:
    """Read the report as it stands, in the authority's own order."""
    asked = current.context(), current.actor(), reference_of(path), query.authority, query.language
    return reports.json(*asked)


@address(pages, "get", "/incidents/<reference>/report/filed", scope=_READ, answers=FiledVersions)
def filed(path: OfIncident, query: OfAuthority) -> dict[str, Any]:
    """List the versions that were filed, newest first."""
    found = reports.filed(current.context(), current.actor(), reference_of(path), query.authority)
    return {"items": [_shape(one) for one in found]}


@address(pages, "post", "/incidents/<reference>/report/filed", scope=_WRITE, answers=Filed, status=201)
def file(path: OfIncident, body: Filing) -> tuple[dict[str, Any], int]:
    """Record that the next version was filed by hand, and freeze it."""
    frozen = reports.file_report(
        current.context(),
        current.actor(),
        reference_of(path),
        filed_at=body.filed_at,
        authority_reference=body.reference,
        version=body.version,
        journal_number=body.journal_number,
        no_receipt_reason=body.no_receipt_reason,
        late_reason=body.late_reason,
        complete=body.phase == "final",
        withdrawn=body.phase == "withdrawn",
        authority=body.authority,
    )
    return _shape(frozen), 201


def _shape(one: Frozen) -> dict[str, Any]:
    return {
        "authority": one.authority,
        "version": one.version,
        "phase": one.phase,
        "filed_at": to_plain(one.filed_at),
        "recorded_at": to_plain(one.recorded_at),
        "digest": one.digest,
    }
