"""The JSON that scripts read, and the same facts in lines for people. Keys are stable; more may be added."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, utc
from incident_tracker.domain.errors import phrase

if TYPE_CHECKING:
    from incident_tracker.domain.deadlines import Obligation, Standing
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
        "detected_at": utc(one.detected_at),
        "became_aware_at": utc(one.became_aware_at),
        "contained_at": utc(one.contained_at),
        "closed_at": utc(one.closed_at),
        "obligations": [obligation(*pair) for pair in overview.obligations],
    }


def obligation(one: "Obligation", standing: "Standing") -> dict[str, Any]:
    """Return an obligation; `due_at` is null where no period is set."""
    return {
        "regime": one.regime,
        "duty": one.duty,
        "addressee": one.addressee,
        "anchor_at": utc(one.anchor_at),
        "due_at": utc(one.due_at),
        "outer_reading_at": utc(one.outer_reading_at),
        "standing": standing.value,
        "met_at": utc(one.met_at),
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
        "detected_at": utc(one.detected_at),
        "became_aware_at": utc(one.became_aware_at),
        "contained_at": utc(one.contained_at),
        "closed_at": utc(one.closed_at),
        "next_due_at": utc(one.next_due_at),
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
        "raised_at": utc(one.raised_at),
        "due_at": utc(one.due_at),
        "next_step_at": utc(one.next_step_at),
        "acknowledged_at": utc(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "acknowledged_via": one.acknowledged_via,
    }


STATUSES = {
    "suspected": phrase("Suspected"),
    "aware": phrase("Confirmed breach"),
    "closed": phrase("Closed"),
    "not_a_breach": phrase("Not a breach"),
}
STANDINGS = {
    "open": phrase("Open"),
    "approaching": phrase("Approaching"),
    "overdue": phrase("Overdue"),
    "met": phrase("Met"),
    "met_late": phrase("Met late"),
    "set_aside": phrase("Set aside"),
}
ROLES = {
    "controller": phrase("Controller"),
    "processor": phrase("Processor"),
    "joint_controller": phrase("Joint controllers"),
}


def print_incident(shell: Shell, overview: "Overview") -> None:
    """Print an incident for people."""
    one = overview.incident
    shell.say("%(reference)s: %(title)s", reference=one.reference, title=one.title)
    if one.exercise:
        shell.say(phrase("Exercise. Nothing of it reaches a real person or authority."))
    facts = [
        (phrase("Status"), shell.gettext(STATUSES[one.status.value])),
        (phrase("Controller"), overview.controller.name),
        (phrase("Our role"), shell.gettext(ROLES[one.role.value])),
        (phrase("Detected"), shell.moment(one.detected_at)),
        (phrase("Became aware"), shell.moment(one.became_aware_at)),
        (phrase("Contained"), shell.moment(one.contained_at)),
        (phrase("Closed"), shell.moment(one.closed_at)),
    ]
    common.print_table((), [(shell.gettext(name), value) for name, value in facts if value != "-"])
    _print_obligations(shell, overview)


def _print_obligations(shell: Shell, overview: "Overview") -> None:
    rows = [
        (
            f"{one.regime}.{one.duty}",
            shell.gettext(STANDINGS[standing.value]),
            shell.moment(one.due_at),
            _left(shell, one, overview),
        )
        for one, standing in overview.obligations
    ]
    heads = (phrase("Duty"), phrase("Standing"), phrase("Due"), phrase("Time left"))
    if rows:
        common.print_table([shell.gettext(head) for head in heads], rows)


def _left(shell: Shell, one: "Obligation", overview: "Overview") -> str:
    from incident_tracker import rendering  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.domain.deadlines import time_left  # noqa: PLC0415

    left = time_left(one, overview.now)
    if left is None:
        return "-"
    if left.total_seconds() >= 0:
        return rendering.duration(left, shell.language)
    return shell.gettext(phrase("overdue by %(length)s")) % {"length": rendering.duration(-left, shell.language)}
