"""What to do next on an incident: one thing, decided from what is recorded. Pages, mails and shell say the same."""

from dataclasses import dataclass
from enum import StrEnum

from incident_tracker.domain.access import Actor
from incident_tracker.domain.deadlines import Obligation, Standing, is_settled
from incident_tracker.domain.incident import Incident, Status
from incident_tracker.domain.parties import PartyRole
from incident_tracker.services import reports
from incident_tracker.services.context import Context
from incident_tracker.services.register import Overview

AUTHORITY = "dk"


class Step(StrEnum):
    """What comes next, in the order of the work."""

    DECIDE = "decide"
    SCOPE = "scope"
    ANSWER = "answer"
    FILE = "file"
    TELL_CONTROLLER = "tell_controller"
    TELL_PEOPLE = "tell_people"
    INFORM_PARTIES = "inform_parties"
    COMPLETE = "complete"
    CLOSE = "close"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step. `missing` counts the answers that the report still lacks, where that is the step."""

    step: Step
    missing: int = 0


_AFTER_FILING = {
    "notify_controller": Step.TELL_CONTROLLER,
    "notify_people": Step.TELL_PEOPLE,
    "inform_parties": Step.INFORM_PARTIES,
    "complete_report": Step.COMPLETE,
}


def next_step(
    incident: Incident, obligations: tuple[tuple[Obligation, Standing], ...], missing: int | None = None
) -> NextStep:
    """Return the one step that comes next; `missing` is the number of answers the report lacks (None: not known).

    First decide, then assess the scope, answer the report and file it (GDPR Art. 33(1)); then the other duties, the
    nearest deadline first; then close.
    """
    if not incident.is_open:
        return NextStep(Step.NOTHING)
    if incident.status is Status.SUSPECTED:
        return NextStep(Step.DECIDE)
    running = {one.duty: one for one, _standing in obligations if not is_settled(one)}
    if "notify_authority" in running:
        return _towards_filing(incident, missing)
    rest = [one for duty, one in running.items() if duty in _AFTER_FILING]
    if not rest:
        return NextStep(Step.CLOSE)
    order = tuple(_AFTER_FILING)
    first = min(rest, key=lambda one: (one.due_at is None, one.due_at or one.anchor_at, order.index(one.duty)))
    return NextStep(_AFTER_FILING[first.duty])


def of_overview(context: Context, actor: Actor, overview: Overview) -> NextStep:
    """Return the next step of an incident as its page shows it."""
    return next_step(overview.incident, overview.obligations, missing_answers(context, actor, overview))


def missing_answers(context: Context, actor: Actor, overview: Overview) -> int | None:
    """Return how many answers the report to the authority lacks; None where no report is due or known here."""
    one = overview.incident
    if AUTHORITY not in context.reports or one.became_aware_at is None or one.role is PartyRole.PROCESSOR:
        return None
    return len(reports.draft(context, actor, one.reference, AUTHORITY).missing)


def _towards_filing(incident: Incident, missing: int | None) -> NextStep:
    if incident.assessment is None:
        return NextStep(Step.SCOPE)
    return NextStep(Step.ANSWER, missing) if missing else NextStep(Step.FILE)
