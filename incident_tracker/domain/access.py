"""Who may do what, for which controllers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from incident_tracker.domain.errors import NotAllowed, phrase
from incident_tracker.domain.parties import Role


class Act(StrEnum):
    """What a role is asked for."""

    REPORT = "report"
    """Log a suspicion."""
    READ = "read"
    """Look at the board, incidents, the journal, the outbox."""
    WORK = "work"
    """Work on an incident: awareness, scope, containment, notes, files, the report, alerts."""
    DECIDE = "decide"
    """Decide against: not a breach, set a duty aside, close, reopen, settle a message in doubt."""
    ADMINISTER = "administer"
    """Change who is on call, who has an account, and the controller's facts."""


_EVERYONE_INSIDE = frozenset({Role.RESPONDER, Role.DECISION_MAKER, Role.AUDITOR, Role.ADMINISTRATOR})

ALLOWED: Mapping[Act, frozenset[Role]] = {
    Act.REPORT: frozenset({Role.REPORTER, Role.RESPONDER, Role.DECISION_MAKER, Role.ADMINISTRATOR}),
    Act.READ: _EVERYONE_INSIDE,
    Act.WORK: frozenset({Role.RESPONDER, Role.DECISION_MAKER, Role.ADMINISTRATOR}),
    Act.DECIDE: frozenset({Role.DECISION_MAKER, Role.ADMINISTRATOR}),
    Act.ADMINISTER: frozenset({Role.ADMINISTRATOR}),
}
"""The whole table of rights; pages, shell and services read this one."""

_WHO = {
    Act.REPORT: phrase("an administrator"),
    Act.READ: phrase("an administrator"),
    Act.WORK: phrase("a responder"),
    Act.DECIDE: phrase("a decision-maker"),
    Act.ADMINISTER: phrase("an administrator"),
}

Scope = frozenset[int] | None
"""The controllers whose rows may be seen; None is all of them (the shell and the clock)."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `name` stands in the journal: `user:3`, `shell`, `clock`, `contact:7`."""

    name: str
    grants: Mapping[int, Role] | None = field(default=None)
    user_id: int | None = None

    @property
    def scope(self) -> Scope:
        """Return the controllers that this actor may see at all."""
        return None if self.grants is None else frozenset(self.grants)

    def may(self, act: Act, controller_id: int) -> bool:
        """Return whether the act is allowed for that controller."""
        return self.grants is None or self.grants.get(controller_id) in ALLOWED[act]

    def may_anywhere(self, act: Act) -> bool:
        """Return whether the act is allowed for any controller at all."""
        return self.grants is None or any(role in ALLOWED[act] for role in self.grants.values())

    def scope_for(self, act: Act) -> Scope:
        """Return the controllers for which the act is allowed."""
        if self.grants is None:
            return None
        return frozenset(controller for controller, role in self.grants.items() if role in ALLOWED[act])

    def must(self, act: Act, controller_id: int) -> None:
        """Refuse the act where the role does not include it."""
        if not self.may(act, controller_id):
            raise NotAllowed(who=_WHO[act])

    def must_anywhere(self, act: Act) -> None:
        """Refuse the act where no role of hers includes it."""
        if not self.may_anywhere(act):
            raise NotAllowed(who=_WHO[act])


SHELL = Actor("shell")
"""Whoever has a shell on the machine; never a second pair of eyes."""
CLOCK = Actor("clock")
"""The clock and the outbox engine."""
