"""Telling who is on call that reports came from outside: one message, then bundles, until somebody looks.

The message holds no facts. Exercises send none: a report from outside is never an exercise.
"""

from collections.abc import Sequence
from datetime import datetime

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.escalation import contact_for
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.domain.sms import fits_one_segment, segments
from incident_tracker.domain.suspicions import step_due
from incident_tracker.services import alerts
from incident_tracker.services.context import Context
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import suspicions as rows
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import earliest_id
from incident_tracker.store.suspicions import Waiting
from notifiers.protocol import Channel, Content


def tell(context: Context) -> int:
    """Tell who is on call of the reports that nobody has looked at, as far as somebody is due; return how many were.

    Any number of nodes may do this at once: the controller is locked, and what is due is asked again.
    """
    with context.database.reading() as session:
        due = [one.controller_id for one in rows.waiting(session) if _step(context, one) is not None]
        on_call = controller_rows.contacts(session, context.keyring, frozenset(due)) if due else {}
    return sum(_tell_one(context, one) for one in due if on_call.get(one))


def waits_for_answer(context: Context) -> bool:
    """Return whether somebody was told of a report and may answer."""
    with context.database.reading() as session:
        return rows.any_paged(session)


def take(work: Work, contacts: Sequence[OnCallContact], written: datetime, *, local: bool) -> int:
    """Let who was told of reports take them by an answer written at an instant; return how many she took."""
    pages = rows.paged_controllers(work.session, [one.id for one in contacts], written, local=local)
    taken = 0
    for controller_id in pages:
        taken += rows.take_paged(work.session, controller_id, written, work.now)
        call_off(work, controller_id)
    return taken


def is_newest(work: Work, contacts: Sequence[OnCallContact], written: datetime, *, local: bool) -> bool:
    """Return whether the newest SMS to these contacts before an instant told of reports, not of an alert."""
    return rows.newest_is_page(work.session, [one.id for one in contacts], written, local=local)


def call_off(work: Work, controller_id: int) -> None:
    """Cancel what still waits to be sent where nobody waits for an answer any more."""
    if not rows.waiting(work.session, controller_id):
        rows.cancel_pages(work.session, controller_id, work.now)


def answer(taken: int, language: str, more: int = 0) -> str:
    """Return what is answered to an OK that took reports; `more` is the number of alerts that are still open."""
    return rendering.message("suspicion/taken", "sms", language, count=taken, more=more)


def text(name: str, count: int, language: str) -> str:
    """Return the SMS in one GSM-7 segment; a name that does not fit is cut, one in other letters is left out."""
    if segments(name).encoding == "gsm7":
        for length in range(len(name), 0, -1):
            said = _said(name[:length].strip(), count, language)
            if fits_one_segment(said):
                return said
    return _said("", count, language)


def _said(name: str, count: int, language: str) -> str:
    return rendering.message("suspicion/page", "sms", language, controller=name, count=count)


def is_behind(context: Context, late: datetime) -> bool:
    """Return whether somebody should have been told of reports by `late` and was not, or the message still waits."""
    with context.database.reading() as session:
        if rows.any_unsent(session, late):
            return True
        waiting = [one for one in rows.waiting(session) if one.oldest < earliest_id(late)]
    untold = [one for one in waiting if one.last_paged_at is None or one.last_paged_at <= late]
    return any(_step(context, one, late) is not None for one in untold)


def _step(context: Context, one: Waiting, now: datetime | None = None) -> int | None:
    return step_due(
        told=one.told,
        step=one.step,
        stepped_at=one.stepped_at,
        last_paged_at=one.last_paged_at,
        now=now or context.now(),
        delay=context.policy.step_delay,
    )


def _tell_one(context: Context, controller_id: int) -> int:
    with working(context, CLOCK) as work:
        controller_rows.lock(work.session, [controller_id])
        waiting = rows.waiting(work.session, controller_id)
        step = _step(context, waiting[0]) if waiting else None
        contacts = controller_rows.contacts(work.session, work.keyring, frozenset({controller_id}))
        contact = contact_for(step or 0, contacts.get(controller_id, []))
        if step is None or contact is None:
            return 0
        rows.cancel_pages(work.session, controller_id, work.now, contact_id=contact.id)
        _send(work, _message(work, contact, waiting[0], step))
        rows.mark_paged(work.session, controller_id, step, work.now)
    return waiting[0].count


def _message(work: Work, contact: OnCallContact, waiting: Waiting, step: int) -> NewDelivery:
    controller = controller_rows.get(work.session, work.keyring, contact.controller_id, None)
    channel = alerts.channel_for(work, contact)
    address = contact.email if channel is Channel.EMAIL else contact.phone
    subject = rendering.message("suspicion/page", "subject", contact.language, count=waiting.count)
    said = text(controller.name, waiting.count, contact.language)
    return NewDelivery(
        controller_id=contact.controller_id,
        contact_id=contact.id,
        purpose=Purpose.ALERT if step == 0 else Purpose.ESCALATION,
        once=f"{rows.PAGE}{waiting.oldest}:{step}:{contact.id}",
        channel=channel,
        address=address,
        address_hash=work.keyring.fingerprint(
            controller_rows.look_up_subject(contact.controller_id), address, work.now
        ),
        content=Content(text=said, subject=subject, language=contact.language),
        rank=alerts.RANK,
        valid_for=alerts.VALID_SECONDS,
        step=step,
    )


def _send(work: Work, message: NewDelivery) -> None:
    key_id = work.keyring.year(work.now)
    enqueue(work.session, work.keyring, key_id, work.now, work.context.routing, [message], local_only=False)
