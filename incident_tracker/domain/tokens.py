"""What a program with a token may be let do: scopes, each of them narrower than any role."""

from collections.abc import Iterable, Mapping

from incident_tracker.domain.errors import Refusal, phrase

SCOPES: Mapping[str, str] = {
    "incidents:read": phrase("read incidents, their scope and their duties"),
    "incidents:write": phrase("open incidents and record what happens to them"),
    "people:write": phrase("import the affected people, and count them"),
    "notices:read": phrase("read notices and how far their sending is"),
    "notices:write": phrase("write notices, ask for approval, send, pause and resume"),
    "deliveries:read": phrase("read which message went out when, without its words"),
    "alerts:read": phrase("read open alerts"),
    "alerts:write": phrase("take alerts"),
    "reports:read": phrase("read the draft of the report and the filed versions"),
    "reports:write": phrase("record that a report was filed"),
    "journal:read": phrase("read the journal, and verify it"),
    "suspicions:write": phrase("tell of a suspected leak, for a person to look at"),
}
"""Every scope and what it opens."""

READING: tuple[str, ...] = tuple(one for one in SCOPES if one.endswith(":read"))
"""What a token gets if nobody says what it is for."""


class ScopeIsUnknown(Refusal):
    """A scope that does not exist."""

    message = "There is no scope called %(asked)s. Choose among: %(known)s."


class ScopeIsMissing(Refusal):
    """The token was not made for this."""

    message = "This token may not do this: it lacks the scope %(wanted)s. Make a token that has it."


def scopes_from(asked: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes asked for, each once, in the order of the table; none asked for: those for reading."""
    wanted = set(asked)
    for one in sorted(wanted - set(SCOPES)):
        raise ScopeIsUnknown(field="scope", asked=one[:40], known=", ".join(SCOPES))
    return tuple(one for one in SCOPES if one in wanted) or READING
