"""The JSON that scripts read, from the shell and from the API alike. Keys are stable; more may be added."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incident_tracker.domain.facts import instant_text

if TYPE_CHECKING:
    from incident_tracker.domain.deadlines import Obligation, Standing
    from incident_tracker.domain.journal import Verdict
    from incident_tracker.services.register import Overview
    from incident_tracker.store.alerts import Alert
    from incident_tracker.store.incidents import Listed


def incident(overview: "Overview") -> dict[str, Any]:
    """Return an incident with its obligations."""
    one = overview.incident
    return {
        "reference": one.reference,
        "title": one.title,
        "status": one.status.value,
        "exercise": one.exercise,
        "controller": overview.controller.slug,
        "role": one.role.value,
        "detected_at": _utc(one.detected_at),
        "became_aware_at": _utc(one.became_aware_at),
        "contained_at": _utc(one.contained_at),
        "closed_at": _utc(one.closed_at),
        "obligations": [obligation(*pair) for pair in overview.obligations],
    }


def obligation(one: "Obligation", standing: "Standing") -> dict[str, Any]:
    """Return an obligation; `due_at` is null where no period is set."""
    return {
        "regime": one.regime,
        "duty": one.duty,
        "addressee": one.addressee,
        "anchor_at": _utc(one.anchor_at),
        "due_at": _utc(one.due_at),
        "outer_reading_at": _utc(one.outer_reading_at),
        "standing": standing.value,
        "met_at": _utc(one.met_at),
    }


def listed(one: "Listed", slugs: Mapping[int, str]) -> dict[str, Any]:
    """Return a line of the list."""
    return {
        "reference": one.reference,
        "title": one.title,
        "status": one.status,
        "exercise": one.exercise,
        "controller": slugs.get(one.controller_id),
        "role": one.role,
        "detected_at": _utc(one.detected_at),
        "became_aware_at": _utc(one.became_aware_at),
        "contained_at": _utc(one.contained_at),
        "closed_at": _utc(one.closed_at),
        "next_due_at": _utc(one.next_due_at),
    }


def alert(one: "Alert", reference: str) -> dict[str, Any]:
    """Return an alert."""
    return {
        "id": one.id,
        "incident": reference,
        "kind": one.kind,
        "rung": one.rung,
        "state": one.state,
        "step": one.step,
        "raised_at": _utc(one.raised_at),
        "due_at": _utc(one.due_at),
        "next_step_at": _utc(one.next_step_at),
        "acknowledged_at": _utc(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "acknowledged_via": one.acknowledged_via,
    }


def verdict(one: "Verdict", why: str) -> dict[str, Any]:
    """Return what walking the journal found; `why` is the sentence in the reader's language."""
    return {
        "result": one.result,
        "entries": one.entries,
        "first_bad_seq": one.first_bad_seq,
        "head": {"seq": one.head.seq, "hash": one.head.hash.hex()},
        "why": why,
    }


def _utc(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
