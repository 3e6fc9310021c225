"""Incidents: log a suspicion, decide, contain, close, settle duties.

`version` is the one that the person's page was made from: if somebody changed the incident since, nothing is saved.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from incident_tracker.domain import approvals as four_eyes
from incident_tracker.domain import incident as rules
from incident_tracker.domain.access import ALLOWED, Act, Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.deadlines import Obligation, is_settled
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import (
    DutyMet,
    DutySetAside,
    Event,
    IncidentOpened,
    NoteAdded,
    OwnerAssigned,
)
from incident_tracker.domain.facts import to_plain
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.parties import Controller, PartyRole
from incident_tracker.domain.periods import require_not_future
from incident_tracker.domain.regimes import duty_name
from incident_tracker.services import alerts, approvals, obligations
from incident_tracker.services.context import Context
from incident_tracker.services.texts import TITLE_LIMIT, clean, clean_line
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store import users
from incident_tracker.store.ids import new_id
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import KeyKind


def open_incident(
    context: Context,
    actor: Actor,
    *,
    title: str,
    what_happened: str = "",
    detected_at: datetime | None = None,
    role: PartyRole = PartyRole.CONTROLLER,
    place: str = "",
    ongoing: str = "unknown",
    people_estimate: CountRange | None = None,
    exercise: bool = False,
    controller_id: int | None = None,
    aware_at: datetime | None = None,
    aware_reason: str = "",
    once: str = "",
    also: Callable[[Work, Loaded], None] | None = None,
) -> str:
    """Log a suspected breach and alert the on-call contact; return its reference.

    Incident, obligations, alarms, alert, SMS row and journal entries are one transaction. `aware_at` with a reason
    records awareness in the same transaction. `once` names the form that was sent and the time typed into it: sent
    twice with the same words, it logs one incident; sent again with other words, it logs another.
    """
    title = clean_line(title, "title", limit=TITLE_LIMIT)
    what_happened = clean(what_happened, "what_happened", required=False)
    place = clean_line(place, "place", limit=500, required=False)
    controller = _controller(context, actor, controller_id)
    if aware_at is not None:
        actor.must(Act.WORK, controller.id)
    now = context.now()
    detected = now if detected_at is None else require_not_future(detected_at, now, "detected_at")
    typed = (title, what_happened, role, place, ongoing, people_estimate, exercise, controller.id, aware_reason)
    keys = _keys(context, _subject(actor, once, typed) if once else new_id(now), now)
    event = IncidentOpened(
        reference="",
        controller_id=controller.id,
        title=title,
        what_happened=what_happened,
        role=role,
        detected_at=detected,
        place=place,
        ongoing=ongoing,
        people_estimate=people_estimate,
        exercise=exercise,
    )
    try:
        return _open(context, actor, controller, event, keys, aware_at, aware_reason, also)
    except IntegrityError:
        with context.database.reading() as session:
            logged = rows.by_record_key(session, keys[0], actor.scope)
        if logged is None:
            raise
        return logged  # the same form, sent twice at the same moment


def _open(
    context: Context,
    actor: Actor,
    controller: Controller,
    event: IncidentOpened,
    keys: tuple[str, str],
    aware_at: datetime | None,
    aware_reason: str,
    also: Callable[[Work, Loaded], None] | None,
) -> str:
    with working(context, actor) as work:
        logged = rows.by_record_key(work.session, keys[0], actor.scope)
        if logged is not None:
            return logged
        year = work.now.astimezone(ZoneInfo(controller.time_zone)).year
        reference = rows.next_reference(work.session, controller, year, exercise=event.exercise)
        loaded = work.open(replace(event, reference=reference), keys)
        if aware_at is not None:
            loaded = work.record(loaded, _awareness(loaded, aware_at, aware_reason, work.now))
        _alert_of_suspicion(work, loaded)
        if also is not None:
            also(work, loaded)
    return reference


def _subject(actor: Actor, once: str, typed: tuple[object, ...]) -> str:
    """Return the name under which the keys of one form with these words are found again."""
    digest = hashlib.sha256(json.dumps([once, to_plain(typed)]).encode()).hexdigest()
    return f"{actor.name}:{digest}"


def record_awareness(
    context: Context, actor: Actor, reference: str, *, at: datetime, reason: str, version: int | None = None
) -> None:
    """Decide that the controller is aware of a breach since `at`; this starts (or moves) the 72 hours."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK, version)
        work.record(loaded, _awareness(loaded, at, reason, work.now))


def find_not_a_breach(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    reason: str,
    at: datetime | None = None,
    version: int | None = None,
) -> None:
    """Decide that it is no breach; it stays in the register with the reason."""
    reason = clean(reason, "reason", required=False)
    _decide(
        context,
        actor,
        reference,
        Act.DECIDE,
        lambda one, now: rules.find_not_a_breach(one, at=at or now, reason=reason, now=now),
        version,
    )


def contain(
    context: Context, actor: Actor, reference: str, *, at: datetime, how: str, version: int | None = None
) -> None:
    """Record that the damage no longer grows since `at`."""
    how = clean(how, "how", required=False)
    _decide(
        context, actor, reference, Act.WORK, lambda one, now: rules.contain(one, at=at, how=how, now=now), version
    )


def close(context: Context, actor: Actor, reference: str, *, reason: str, version: int | None = None) -> None:
    """Close an incident whose duties are all met or set aside."""
    reason = clean(reason, "reason", required=False)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.DECIDE, version)
        running = [one for one in _obligations(work, loaded) if not is_settled(one)]
        duties = tuple(duty_name(one.duty) for one in running)
        work.record(loaded, rules.close(loaded.incident, reason=reason, open_duties=duties, now=work.now))


def reopen(context: Context, actor: Actor, reference: str, *, reason: str, version: int | None = None) -> None:
    """Take up an incident again that was closed or found not to be a breach."""
    reason = clean(reason, "reason", required=False)
    _decide(
        context, actor, reference, Act.DECIDE, lambda one, now: rules.reopen(one, reason=reason, now=now), version
    )


def add_note(context: Context, actor: Actor, reference: str, *, text: str) -> None:
    """Write something down on an incident."""
    text = clean(text, "text")
    with working(context, actor) as work:
        work.record(work.load(reference, Act.WORK), NoteAdded(text))


def assign_owner(context: Context, actor: Actor, reference: str, *, user_id: int | None) -> None:
    """Give the lead to a member of staff who may work on it, or to nobody (None)."""
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        rules.must_be_open(loaded.incident)
        if loaded.incident.owner_id != user_id:
            lead = "" if user_id is None else _name_of_staff(work, user_id, loaded.incident.controller_id)
            work.record(loaded, OwnerAssigned(user_id, lead))


def meet_duty(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    regime: str,
    duty: str,
    at: datetime,
    how: str,
    version: int | None = None,
) -> None:
    """Record that a duty was met outside the tracker, with words on where the proof lies."""
    how = clean(how, "how", required=False)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK, version)
        obligation = running_duty(work, loaded, regime, duty)
        met_at = rules.may_be_met(loaded.incident, obligation.anchor_at, duty, at=at, how=how, now=work.now)
        approvals.withdraw(work, loaded, four_eyes.about_setting_aside(regime, duty))
        work.record(loaded, DutyMet(regime, duty, met_at, how))


def set_duty_aside(
    context: Context, actor: Actor, reference: str, *, regime: str, duty: str, reason: str, version: int | None = None
) -> str:
    """Record that a duty does not bind here, with the written reason.

    A duty of law (to notify the authority, to tell the people) needs a second pair of eyes first: then the id of the
    approval that is waited for is returned, and the duty keeps running until somebody has approved.
    """
    reason = clean(reason, "reason", required=False)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.DECIDE, version)
        running_duty(work, loaded, regime, duty)
        rules.may_be_set_aside(loaded.incident, duty, reason=reason)
        if four_eyes.needs_four_eyes(regime, duty):
            return _ask_to_set_aside(work, loaded, regime, duty, reason)
        work.record(loaded, DutySetAside(regime, duty, work.now, reason))
    return ""


def _ask_to_set_aside(work: Work, loaded: Loaded, regime: str, duty: str, reason: str) -> str:
    version = loaded.incident.assessment_version
    if version == 0:
        raise four_eyes.AssessmentIsMissing(field="reason")
    digest = four_eyes.digest_of_setting_aside(regime, duty, reason, version)
    subject = four_eyes.about_setting_aside(regime, duty)
    return approvals.ask(work, loaded, subject=subject, digest=digest, reason=reason)


def _name_of_staff(work: Work, user_id: int, controller_id: int) -> str:
    user = users.get(work.session, work.keyring, user_id)
    if user is None or user.is_disabled or user.grants.get(controller_id) not in ALLOWED[Act.WORK]:
        raise NotFound(what=f"user {user_id}")
    return user.name


def _decide(
    context: Context,
    actor: Actor,
    reference: str,
    act: Act,
    decide: Callable[[Incident, datetime], Event],
    version: int | None,
) -> None:
    with working(context, actor) as work:
        loaded = work.load(reference, act, version)
        work.record(loaded, decide(loaded.incident, work.now))


def _awareness(loaded: Loaded, at: datetime, reason: str, now: datetime) -> Event:
    reason = clean(reason, "reason", required=False)
    return rules.record_awareness(loaded.incident, at=at, reason=reason, now=now)


def _alert_of_suspicion(work: Work, loaded: Loaded) -> None:
    """Tell the on-call contact at once: in one message, also where a reminder is due this very moment.

    Of a breach that is known from the start and near its deadline the tick tells, with the hours left. A suspicion is
    told as new, however long ago it was noticed; what the tracker would have asked by now counts as asked.
    """
    kept = obligation_rows.of_incidents(work.session, work.keyring, [loaded.id], None)[loaded.id]
    running = [one for one in kept if not is_settled(one.obligation)]
    dated = [one for one in running if one.obligation.due_at is not None]
    planned = obligation_rows.planned_alarms(work.session, loaded.id, None)
    if dated and planned[0][1].fire_at <= work.now:
        return
    speaking = next(iter(dated or running), None)
    if speaking is not None and not dated:
        obligations.count_as_asked(work.context, work.session, speaking, work.now)
    alerts.raise_alerts(work, [alerts.Cause(loaded.head, speaking)])


def _obligations(work: Work, loaded: Loaded) -> list[Obligation]:
    kept = obligation_rows.of_incidents(work.session, work.keyring, [loaded.id], None)[loaded.id]
    return [one.obligation for one in kept]


def running_duty(work: Work, loaded: Loaded, regime: str, duty: str) -> Obligation:
    """Return a duty of the incident that is not settled yet, or refuse."""
    rules.must_be_open(loaded.incident)
    found = [one for one in _obligations(work, loaded) if (one.regime, one.duty) == (regime, duty)]
    if not found:
        raise NotFound(what=duty)
    if is_settled(found[0]):
        raise rules.AlreadySettled(reference=loaded.incident.reference)
    return found[0]


def _controller(context: Context, actor: Actor, controller_id: int | None) -> Controller:
    with context.database.reading() as session:
        scope = actor.scope_for(Act.REPORT)
        if controller_id is not None:
            return controller_rows.get(session, context.keyring, controller_id, scope)
        found = controller_rows.listing(session, context.keyring, scope)
    if not found:
        raise rules.NoController
    if len(found) > 1:
        raise rules.WhichController(names=", ".join(one.slug for one in found))
    return found[0]


def _keys(context: Context, subject: str, now: datetime) -> tuple[str, str]:
    made = context.keyring.ensure([KeyKind.RECORD, KeyKind.PEOPLE], subject, now)
    return made[KeyKind.RECORD], made[KeyKind.PEOPLE]
