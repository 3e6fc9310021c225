"""An alert as its page shows it: who was told and whether it arrived, and who is called next if nobody answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.escalation import contact_for
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import register
from incident_tracker.services.context import Context
from incident_tracker.services.register import Overview
from incident_tracker.store import alerts as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import delivery_contents as contents
from incident_tracker.store.alerts import Alert

STEPS_SHOWN = 3
"""How many steps ahead are shown; after the last contact the first is called again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One step: whom, how, when. `state` is that of the delivery; empty for a step that is still to come."""

    step: int
    name: str
    channel: str
    at: datetime
    state: str = ""
    delivery_id: str = ""
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with its incident, the calls made, and those that follow while nobody acknowledges."""

    alert: Alert
    overview: Overview
    made: tuple[Call, ...]
    coming: tuple[Call, ...]

    @property
    def is_open(self) -> bool:
        """Return whether the alert still waits for somebody."""
        return self.alert.state == "open"


def view(context: Context, actor: Actor, alert_id: str) -> AlertView:
    """Return an alert as its page shows it; one of another controller is answered like one that is not there."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        found = rows.by_ids(session, [alert_id], scope)
        if not found:
            raise NotFound(what=alert_id)
        reference = rows.references(session, found)[alert_id]
    overview = register.overview(context, actor, reference)
    return of_alert(context, actor, found[0], overview)


def of_alert(context: Context, actor: Actor, alert: Alert, overview: Overview) -> AlertView:
    """Return the calls of one alert."""
    with context.database.reading() as session:
        told = rows.told(session, alert.id, actor.scope)
        ids = [one.contact_id for one in told if one.contact_id is not None]
        people = controller_rows.contacts_by_ids(session, context.keyring, ids, actor.scope)
        on_call = controller_rows.contacts(session, context.keyring, frozenset({alert.controller_id}))
    made = tuple(
        Call(
            one.step,
            people[one.contact_id].name if one.contact_id in people else "",
            one.channel,
            one.sent_at or one.created_at,
            one.state,
            one.delivery_id,
            one.possible_duplicate,
        )
        for one in told
    )
    return AlertView(alert, overview, made, _coming(context, alert, on_call.get(alert.controller_id, [])))


def open_alerts(context: Context, actor: Actor) -> list[tuple[Alert, str]]:
    """Return the alerts that nobody has taken, oldest first, each with its incident's reference."""
    with context.database.reading() as session:
        found = rows.open_alerts(session, actor.scope_for(Act.READ))
        references = rows.references(session, found)
    return [(one, references[one.id]) for one in found]


def _coming(context: Context, alert: Alert, on_call: list[OnCallContact]) -> tuple[Call, ...]:
    if alert.state != "open" or alert.next_step_at is None:
        return ()
    calls = []
    at = alert.next_step_at
    for step in range(alert.step + 1, alert.step + 1 + STEPS_SHOWN):
        contact = contact_for(step, on_call)
        if contact is not None:
            channel = "sms" if not contact.muted or not contact.email else "email"
            calls.append(Call(step, contact.name, channel, at))
        at = context.policy.next_step_at(step, at, len(on_call)) or at + context.policy.step_delay
    return tuple(calls)


def told_of(
    context: Context, actor: Actor, alert_ids: Collection[str]
) -> Mapping[tuple[str, int], list[tuple[int, str, str]]]:
    """Return (contact, channel, state of the delivery) of who was told, by alert and step."""
    with context.database.reading() as session:
        return contents.told_of(session, actor.scope_for(Act.READ), alert_ids)
