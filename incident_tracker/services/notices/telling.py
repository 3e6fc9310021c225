"""What the clock does for notices: write the next messages, see when all have an end, halt where something is wrong.

Each step is a short transaction, so that any number of nodes can do it and none can do it twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.orm import Session

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.escalation import contact_for
from incident_tracker.domain.events import NoticeHalted
from incident_tracker.domain.notices import CHANNELS, Notice, State
from incident_tracker.domain.parties import OnCallContact, Role
from incident_tracker.services.context import Context
from incident_tracker.services.notices import feeding, finishing
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import lanes, users
from incident_tracker.store import notices as rows
from incident_tracker.store.database import NotSaved
from incident_tracker.store.deliveries import Purpose, of_notices
from incident_tracker.store.incidents import Loaded
from notifiers.protocol import Channel, Content

_log = structlog.get_logger()

CHUNK = 500
ENOUGH = 50
"""Ended messages before a share of failures says anything."""
TOO_MANY = 0.25
MANY_FAIL = phrase("more than a quarter of the messages failed")
INCIDENT_IS_OVER = phrase("the incident was closed, or found to be no breach")
NO_WAY_OUT = phrase("the sender's set-up is wrong, and there is no other way out")


def go_on(context: Context, now: datetime) -> None:
    """Take every notice that is being sent one step further; one that cannot go on stops no other."""
    del now
    with context.database.reading() as session:
        steps = [(one, partial(_go_on, context, one, all_told=all_told)) for one, all_told in rows.sending(session)]
        steps += [(one, partial(cancel_waiting, context, one)) for one in rows.left_waiting(session)]
    wrong: Exception | None = None
    for notice_id, step in steps:
        try:
            step()
        except NotSaved:
            raise
        except Exception as error:  # noqa: BLE001 - raised again below, after all others had their turn
            _log.error("notice_held_up", notice=notice_id, error=type(error).__name__)
            wrong = error
    if wrong is not None:
        raise wrong


def _go_on(context: Context, notice_id: int, *, all_told: bool) -> None:
    if not all_told:
        feeding.feed(context, notice_id)
    with context.database.reading() as session:
        over = not of_notices.any_open(session, notice_id)
        notice = rows.get(session, context.keyring, notice_id, None)
        why = "" if over else _closed(context, session, notice) or trouble(context, session, notice)
    if over and notice.all_told:
        finishing.finish(context, notice)
    elif why:
        with working(context, CLOCK) as work:
            loaded = incident_rows.load(work.session, work.keyring, notice.reference, None, lock=True)
            held = rows.get(work.session, work.keyring, notice.id, None, lock=True)
            if held.state is State.SENDING:
                halt(work, loaded, held, why)
                _call_for_help(work, loaded, held)


def _closed(context: Context, session: Session, notice: Notice) -> str:
    """Return why nothing more of it may go where its incident is over; what is in doubt may still be settled."""
    incident = incident_rows.load(session, context.keyring, notice.reference, None).incident
    waits = not notice.all_told or any(rows.waits_for(session, notice.id, channel) for channel in CHANNELS)
    return "" if incident.is_open or not waits else INCIDENT_IS_OVER


def cancel_waiting(context: Context, notice_id: int) -> None:
    """Cancel what still waits of a stopped notice, some at a time.

    The clock asks too: what was under way when it was stopped, and was not taken, waits again afterwards.
    """
    done = CHUNK
    while done == CHUNK:
        with context.database.writing() as session:
            done = of_notices.cancel_pending(session, notice_id, context.now(), CHUNK)


def trouble(context: Context, session: Session, notice: Notice) -> str:
    """Return why a sending should not go on by itself; empty where it may."""
    failed, all_ended = ended(of_notices.counts(session, None, [notice.id])[notice.id])
    failed, all_ended = failed - notice.seen[0], all_ended - notice.seen[1]
    if all_ended >= ENOUGH and failed > TOO_MANY * all_ended:
        return MANY_FAIL
    if notice.exercise:
        return ""
    paused = {name for name, one in lanes.states(session).items() if one.paused_at is not None}
    shut = [channel for channel, ways in context.routing.order.items() if ways and set(ways) <= paused]
    return NO_WAY_OUT if any(rows.waits_for(session, notice.id, channel) for channel in shut) else ""


def ended(counts: Mapping[str, int]) -> tuple[int, int]:
    """Return how many messages failed, and how many were taken or refused at all."""
    failed = counts["failed"]
    return failed, failed + counts["accepted"] + counts["delivered"]


def halt(work: Work, loaded: Loaded, notice: Notice, reason: str) -> None:
    """Pause a sending inside a unit of work, with the reason in the journal."""
    rows.move(
        work.session,
        notice.id,
        was=(State.SENDING,),
        state=State.PAUSED,
        paused_at=work.now,
        pause_reason=rows.seal_reason(work.keyring, loaded.record_key, reason),
    )
    work.record(loaded, NoticeHalted(notice.id, notice.number, "paused", reason))


def _call_for_help(work: Work, loaded: Loaded, notice: Notice) -> None:
    """Tell who is on call (nobody: the administrators) that a sending stands still; no facts about anybody."""
    on_call = controller_rows.contacts(work.session, work.keyring, frozenset({notice.controller_id}))
    contact = contact_for(0, on_call.get(notice.controller_id, ()))
    calls = (
        _to_administrators(work, loaded, notice) if contact is None else _to_contact(work, loaded, notice, contact)
    )
    enqueue(
        work.session,
        work.keyring,
        work.keyring.year(work.now),
        work.now,
        work.context.routing,
        calls,
        local_only=notice.exercise,
    )


def _to_contact(work: Work, loaded: Loaded, notice: Notice, contact: OnCallContact) -> list[NewDelivery]:
    """Return the same over each channel that reaches her: one of them may be what is broken."""
    ways = {} if contact.muted else {Channel.SMS: contact.phone}
    if contact.email:
        ways[Channel.EMAIL] = contact.email
    return [
        replace(_call(work, loaded, notice, channel, address, contact.language), contact_id=contact.id)
        for channel, address in ways.items()
    ]


def _to_administrators(work: Work, loaded: Loaded, notice: Notice) -> list[NewDelivery]:
    staff = users.listing(work.session, work.keyring, frozenset({notice.controller_id}))
    return [
        _call(work, loaded, notice, Channel.EMAIL, one.email, one.language)
        for one in staff
        if not one.is_disabled and one.grants.get(notice.controller_id) is Role.ADMINISTRATOR
    ]


def _call(work: Work, loaded: Loaded, notice: Notice, channel: Channel, address: str, language: str) -> NewDelivery:
    address_hash = work.keyring.fingerprint(controller_rows.look_up_subject(notice.controller_id), address, work.now)
    values = {"reference": loaded.incident.reference}
    return NewDelivery(
        controller_id=notice.controller_id,
        incident_id=loaded.id,
        purpose=Purpose.ESCALATION,
        once=f"notice_trouble:{notice.id}:{channel}:{work.now.isoformat()}:{address_hash.hex()[:16]}",
        channel=channel,
        address=address,
        address_hash=address_hash,
        content=Content(
            text=rendering.message("notice/trouble", "sms", language, **values),
            subject=rendering.message("notice/trouble", "subject", language, **values),
            language=language,
        ),
        rank=0,
    )
