"""Alerts: someone on call is told, and the next one, until someone takes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.deadlines import is_settled
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.escalation import contact_for
from incident_tracker.domain.events import AlertAcknowledged, AlertRaised
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import alert_texts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import alerts as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store.alerts import Alert
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from incident_tracker.store.incidents import Head
from incident_tracker.store.obligations import Kept
from notifiers.protocol import Channel

VALID_SECONDS = 120
"""An SMS that could not be delivered in this time is dropped by the provider; the next step tells anew."""
RANK = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an alert is raised: the incident, the duty, and the rung that was reached (empty: it was just logged)."""

    head: Head
    kept: Kept | None
    rung: str = ""
    alarm_id: int | None = None

    @property
    def kind(self) -> str:
        """Return `suspicion`, `opened` (a breach from the start), `overdue` or `reminder`."""
        if self.rung:
            return "overdue" if self.rung == "overdue" else "reminder"
        return "suspicion" if self.kept is None or self.kept.obligation.duty == "assess" else "opened"


def raise_alerts(work: Work, causes: Sequence[Cause]) -> list[Alert]:
    """Raise alerts and tell the first contact of each controller, bundled per person. Runs inside a unit of work."""
    on_call = controller_rows.contacts(work.session, work.keyring, None)
    alerts = [_alert(work, cause, told=bool(on_call.get(cause.head.controller_id))) for cause in causes]
    duties = [one.obligation_id for one in alerts if one.obligation_id is not None]
    rows.supersede(work.session, duties, work.now)
    rows.add(work.session, alerts)
    told = [alert_texts.Told(alert, cause.head, cause.kept) for alert, cause in zip(alerts, causes, strict=True)]
    _tell(work, told, on_call)
    return alerts


def _tell(work: Work, told: Sequence[alert_texts.Told], on_call: Mapping[int, Sequence[OnCallContact]]) -> None:
    """Send the message of each alert's step to the contact whose turn it is, one message a person."""
    zones = controller_rows.time_zones(work.session)
    turns: dict[tuple[int, int, bool], tuple[OnCallContact, list[alert_texts.Told]]] = {}
    for one in told:
        contact = contact_for(max(0, one.alert.step), on_call.get(one.alert.controller_id, ()))
        contact_ids = () if contact is None else (contact.id,)
        raised = AlertRaised(
            one.alert.id,
            one.alert.kind,
            one.alert.rung,
            one.alert.step,
            contact_ids,
            "" if one.kept is None else one.kept.obligation.duty,
        )
        work.note_on(one.head, raised)
        if contact is not None:
            key = contact.id, one.alert.step, one.head.exercise
            turns.setdefault(key, (contact, []))[1].append(one)
    for local_only in (False, True):
        chosen = [turn for (_, _, exercise), turn in turns.items() if exercise is local_only]
        messages = [_message(work, contact, items, zones[contact.controller_id]) for contact, items in chosen]
        _send(work, messages, local_only=local_only)


def take_next_steps(work: Work, limit: int, only: str | None = None) -> int:
    """Tell the next contact of each alert that nobody took in time; return how many alerts were looked at."""
    waiting = rows.claim_steps(work.session, work.now, limit, only)
    if not waiting:
        return 0
    on_call = controller_rows.contacts(work.session, work.keyring, None)
    heads = incident_rows.heads(work.session, [one.incident_id for one in waiting])
    duties = obligation_rows.by_ids(
        work.session, work.keyring, [one.obligation_id for one in waiting if one.obligation_id is not None]
    )
    told = []
    for alert in waiting:
        kept = duties.get(alert.obligation_id) if alert.obligation_id is not None else None
        if kept is not None and is_settled(kept.obligation):
            rows.end(work.session, alert.id)
        elif _step(work, alert, len(on_call.get(alert.controller_id, ()))):
            stepped = alert_texts.at_step(alert, alert.step + 1)
            told.append(alert_texts.Told(stepped, heads[alert.incident_id], kept))
    _tell(work, told, on_call)
    return len(waiting)


def _step(work: Work, alert: Alert, contacts: int) -> bool:
    """Move an alert to its next step and return True; or let it wait, so that dead numbers are not walked in a spin.

    While nobody is on call it waits where it is.
    """
    policy = work.context.policy
    due = policy.next_step_at(alert.step, alert.stepped_at, contacts, failed_at=work.now)
    if due is None:
        rows.postpone(work.session, alert.id, work.now + policy.step_delay)
        return False
    if alert.step != rows.UNTOLD and due > work.now:
        rows.postpone(work.session, alert.id, due)
        return False
    rows.advance(work.session, alert.id, alert.step + 1, work.now, work.now + policy.step_delay)
    return True


def any_open(context: Context) -> bool:
    """Return whether any alert waits for an answer."""
    with context.database.reading() as session:
        return rows.any_open(session)


def acknowledge(
    context: Context, actor: Actor, reference: str, *, via: str, alert_ids: Iterable[str] = ()
) -> list[str]:
    """Take the open alerts of an incident (or those named); return the ids taken. The deadline runs on."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        named = set(alert_ids)
        found = rows.of_incident(work.session, loaded.id, actor.scope)
        if named - {one.id for one in found}:
            raise NotFound(what="alert")
        wanted = [one.id for one in found if one.state == "open" and (not named or one.id in named)]
        return acknowledge_in(work, wanted, via=via)


def pass_on(context: Context, actor: Actor, reference: str, alert_id: str) -> bool:
    """Let the next step of an open alert begin now; return whether it was still open."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        found = [one for one in rows.of_incident(work.session, loaded.id, actor.scope) if one.id == alert_id]
        if not found:
            raise NotFound(what="alert")
        if found[0].state != "open":
            return False
        rows.postpone(work.session, alert_id, work.now)
        return True


def acknowledge_in(
    work: Work, alert_ids: Sequence[str], *, via: str, contact_id: int | None = None, by: str = ""
) -> list[str]:
    """Take alerts inside a unit of work and write who took them (`by`, else the actor) into each one's journal."""
    taken = rows.acknowledge(work.session, alert_ids, by or work.actor.name, via, work.now)
    found = rows.by_ids(work.session, taken, None)
    heads = incident_rows.heads(work.session, [one.incident_id for one in found])
    rows.cancel_messages(work.session, taken, work.now)
    for alert in found:
        work.note_on(heads[alert.incident_id], AlertAcknowledged(alert.id, work.now, via, contact_id), by=by)
    return taken


def _alert(work: Work, cause: Cause, *, told: bool) -> Alert:
    obligation = None if cause.kept is None else cause.kept.obligation
    return Alert(
        id=new_id(work.now),
        controller_id=cause.head.controller_id,
        incident_id=cause.head.id,
        obligation_id=None if cause.kept is None else cause.kept.id,
        alarm_id=cause.alarm_id,
        kind=cause.kind,
        rung=cause.rung,
        raised_at=work.now,
        due_at=None if obligation is None else obligation.due_at,
        state="open",
        step=0 if told else rows.UNTOLD,
        stepped_at=work.now,
        next_step_at=work.now + work.context.policy.step_delay,
    )


def _message(work: Work, contact: OnCallContact, items: Sequence[alert_texts.Told], zone: str) -> NewDelivery:
    """Return the message of a step; what still waits for her from earlier steps says the same with older times."""
    first = items[0]
    alert_ids = tuple(one.alert.id for one in items)
    rows.cancel_messages(work.session, alert_ids, work.now, to=(contact.id, first.alert.step))
    channel = channel_for(work, contact)
    address = contact.email if channel is Channel.EMAIL else contact.phone
    step = first.alert.step
    subject = controller_rows.look_up_subject(contact.controller_id)
    return NewDelivery(
        controller_id=contact.controller_id,
        incident_id=first.head.id if len({one.head.id for one in items}) == 1 else None,
        contact_id=contact.id,
        purpose=Purpose.ALERT if step == 0 else Purpose.ESCALATION,
        once=f"alert:{first.alert.id}:{step}:{contact.id}:{len(items)}",
        channel=channel,
        address=address,
        address_hash=work.keyring.fingerprint(subject, address, work.now),
        content=alert_texts.content(items, contact, zone, work.now),
        rank=RANK,
        valid_for=VALID_SECONDS,
        alert_ids=alert_ids,
        step=step,
    )


def channel_for(work: Work, contact: OnCallContact) -> Channel:
    """Return the first channel of the policy that reaches her; SMS does not while she is opted out."""
    reaches = {Channel.SMS: not contact.muted, Channel.EMAIL: bool(contact.email)}
    named = (Channel(name) for name in work.context.policy.channels)
    return next((channel for channel in named if reaches.get(channel, False)), Channel.SMS)


def _send(work: Work, messages: Sequence[NewDelivery], *, local_only: bool) -> None:
    if messages:
        enqueue(
            work.session,
            work.keyring,
            work.keyring.year(work.now),
            work.now,
            work.context.routing,
            messages,
            local_only=local_only,
        )
