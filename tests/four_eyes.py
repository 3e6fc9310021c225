"""A duty set aside as the law of the house wants it: asked by one, approved by another."""

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.approvals import needs_four_eyes
from incident_tracker.domain.parties import Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import approving, incidents, register, scope
from incident_tracker.services.context import Context
from tests.makers import make_actor

SECOND = 902
"""The account of the second pair of eyes; nothing is stored of it."""


def second_pair(context: Context, reference: str) -> Actor:
    """Return a colleague who may decide about an incident, and asked for nothing."""
    controller = register.overview(context, SHELL, reference).controller
    return make_actor(controller, Role.DECISION_MAKER, SECOND)


def assess(context: Context, reference: str) -> None:
    """Write down what got out, if nobody has."""
    if register.overview(context, SHELL, reference).incident.assessment_version == 0:
        scope.assess(context, SHELL, reference, ScopeAssessment(description="Sendt til alle"))


def set_aside(context: Context, reference: str, regime: str, duty: str, reason: str, by: Actor = SHELL) -> None:
    """Set a duty aside; where four eyes are needed, a colleague approves at once."""
    if needs_four_eyes(regime, duty):
        assess(context, reference)
    approval = incidents.set_duty_aside(context, by, reference, regime=regime, duty=duty, reason=reason)
    if approval:
        approving.approve(context, second_pair(context, reference), approval)
