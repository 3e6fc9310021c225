"""The JSON that scripts read (the API's too), and the same facts in lines for people."""

from typing import TYPE_CHECKING

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell
from incident_tracker.domain.errors import phrase
from incident_tracker.services.shapes import alert, incident, listed, verdict

if TYPE_CHECKING:
    from incident_tracker.domain.deadlines import Obligation
    from incident_tracker.services.register import Overview

__all__ = ["alert", "incident", "listed", "print_incident", "verdict"]


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
