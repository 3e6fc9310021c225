"""What people on call write back: OK takes the newest alert sent to that number before the reply, OK ALLE all.

A message about reports from outside is answered alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.delivery.inbox import WaitingReply, mark_applied, still_waits, waiting_replies
from incident_tracker.domain.access import Actor
from incident_tracker.domain.events import ContactChanged
from incident_tracker.domain.parties import OnCallContact
from incident_tracker.services import alert_texts, alerts
from incident_tracker.services.context import Context
from incident_tracker.services.suspicions import paging
from incident_tracker.services.work import Work, working
from incident_tracker.store import alerts as rows
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import obligations as obligation_rows
from incident_tracker.store.alerts import Alert
from incident_tracker.store.database import NotSaved
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from notifiers.protocol import Channel, Content

_log = structlog.get_logger()

TAKE = frozenset({"OK", "O.K", "OKAY", "JA", "YES"})
TAKE_ALL = frozenset({"OK ALLE", "OK ALL", "OK ALT"})
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL"})
"""What a provider takes as opting out: from then on it delivers nothing more to that number."""
START = frozenset({"START", "UNSTOP"})
PRECISION = timedelta(seconds=1)
"""Providers give the time of a reply in whole seconds."""
ANSWERED_WITHIN = timedelta(minutes=15)
"""What was written longer ago is done but not answered: nobody waits for it any more."""
ANSWERS_AN_HOUR = 5
"""More answers than this to one number would be a loop of two machines."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What somebody wrote, and when. `local`: in the reply box, which answers what lies in the local outbox."""

    id: str
    text: str
    at: datetime
    local: bool = False

    @property
    def words(self) -> str:
        return " ".join(self.text.upper().strip(" .!,\"'»«").split())


def apply(context: Context) -> int:
    """Deal with every reply that waits; return how many there were. One that cannot be dealt with stops no other."""
    with context.database.reading() as session:
        waiting = waiting_replies(session, context.keyring)
    for one in waiting:
        try:
            _deal_with(context, one)
        except NotSaved:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the next reply is dealt with
            _log.exception("reply_not_dealt_with", reply=one.id, error=type(error).__name__)
            with context.database.writing(urgent=True) as session:
                mark_applied(session, [one.id], context.now(), "failed")
    return len(waiting)


def take_typed(context: Context, actor: Actor, contact: OnCallContact, text: str) -> str:
    """Do what an answer asks for that a member of staff typed for a message in the local outbox; return the result.

    It is taken as hers who typed: it proves nothing of the phone, so it neither shows a number to work nor mutes one.
    """
    with working(context, actor) as work:
        return _answer(work, _Written(new_id(work.now), text, work.now, local=True), [contact])


def _deal_with(context: Context, waiting: WaitingReply) -> None:
    contacts = _senders(context, waiting.reply.from_address)
    actor = Actor(f"contact:{contacts[0].id}" if contacts else "clock")
    with working(context, actor) as work:
        if not still_waits(work.session, waiting.id):
            return  # another node was faster
        result = _heard(work, waiting, contacts) if contacts else "unknown_sender"
        mark_applied(work.session, [waiting.id], work.now, result)


def _senders(context: Context, phone: str) -> list[OnCallContact]:
    """Return the contacts that have this number; one person may be on call for several controllers."""
    now = context.now()
    with context.database.reading() as session:
        everyone = controller_rows.listing(session, context.keyring, None)
        prints = [
            context.keyring.fingerprint(controller_rows.look_up_subject(one.id), phone, now) for one in everyone
        ]
        ids = controller_rows.contact_ids_by_phone(session, prints)
        return list(controller_rows.contacts_by_ids(session, context.keyring, ids, None).values())


def _heard(work: Work, waiting: WaitingReply, contacts: list[OnCallContact]) -> str:
    """Do what a phone answered; that it answered at all shows that its number works."""
    written = _Written(str(waiting.id), waiting.reply.text, waiting.reply.at or waiting.received_at)
    if written.words in STOP or written.words in START:
        return _mute(work, contacts, muted=written.words in STOP)
    for one in contacts:
        if controller_rows.verify_contact(work.session, one.id, "reply", work.now):
            _note(work, one, "verified")
    return _answer(work, written, contacts)


def _mute(work: Work, contacts: list[OnCallContact], *, muted: bool) -> str:
    result = "muted" if muted else "unmuted"
    for one in contacts:
        if one.muted != muted:
            controller_rows.mute_contacts(work.session, [one.id], work.now if muted else None)
            _note(work, one, result)
    return result


def _note(work: Work, contact: OnCallContact, change: str) -> None:
    event = ContactChanged(contact.controller_id, contact.id, change)
    work.note(event, contact.controller_id, by=f"contact:{contact.id}")


def _answer(work: Work, written: _Written, contacts: list[OnCallContact]) -> str:
    ids = [one.id for one in contacts]
    before = min(work.now, written.at + PRECISION)
    told = rows.open_told(work.session, ids, local=written.local)
    if written.words in TAKE_ALL:
        taken = paging.take(work, contacts, before, local=written.local)
        return _take(work, written, contacts, told) if told or not taken else _reports(work, written, contacts, taken)
    if written.words in TAKE:
        newest = rows.newest_told(work.session, ids, before, local=written.local)
        if not set(newest) & set(told) or paging.is_newest(work, contacts, before, local=written.local):
            taken = paging.take(work, contacts, before, local=written.local)
            if taken:
                return _reports(work, written, contacts, taken, len(told))
        return _take(work, written, contacts, newest)
    _say(work, written, contacts[0], rendering.message("alert/not_understood", "sms", contacts[0].language))
    return "not_understood"


def _reports(work: Work, written: _Written, contacts: list[OnCallContact], taken: int, more: int = 0) -> str:
    """Answer that reports from outside were taken; `more` alerts are still open."""
    _say(work, written, contacts[0], paging.answer(taken, contacts[0].language, more))
    return "reports_taken"


def _take(work: Work, written: _Written, contacts: list[OnCallContact], alert_ids: list[str]) -> str:
    """Take the alerts and whatever else she was told of the same incidents: who takes an incident takes all of it."""
    contact = contacts[0]
    named = sorted(rows.by_ids(work.session, alert_ids, None), key=lambda one: one.incident_id)
    references = list(dict.fromkeys(rows.references(work.session, named).values()))
    told = rows.open_told(work.session, [one.id for one in contacts], local=written.local)
    others = rows.by_ids(work.session, told, None)
    incidents = {one.incident_id for one in named if one.id in told}
    taken = _acknowledge(work, written, contacts, [one for one in others if one.incident_id in incidents])
    more = len({one.incident_id for one in others} - incidents)
    if not taken:
        if named:
            said = alert_texts.fitting("nothing_open", references, contact.language, more=more)
            _say(work, written, contact, said)
        return "nothing_open"
    left = _time_left(work, named, contact.language)
    said = alert_texts.fitting("acknowledged", references, contact.language, left=left, more=more)
    _say(work, written, contact, said)
    return "acknowledged"


def _acknowledge(work: Work, written: _Written, contacts: list[OnCallContact], wanted: list[Alert]) -> list[str]:
    """Take alerts, those of each controller in the name of the contact that she is there."""
    taken = []
    for one in contacts:
        theirs = [alert.id for alert in wanted if alert.controller_id == one.controller_id]
        by = "" if written.local else f"contact:{one.id}"
        via = "reply_box" if written.local else "sms"
        taken += alerts.acknowledge_in(work, theirs, via=via, contact_id=one.id, by=by)
    return taken


def _time_left(work: Work, taken: list[Alert], language: str) -> str:
    """Return the time to the nearest deadline of what was taken, empty where none runs."""
    ids = [one.obligation_id for one in taken if one.obligation_id is not None]
    found = obligation_rows.by_ids(work.session, work.keyring, ids).values()
    due = min((one.obligation.due_at for one in found if one.obligation.due_at is not None), default=None)
    if due is None or due <= work.now:
        return ""
    return rendering.duration(due - work.now + timedelta(seconds=30), language)


def _say(work: Work, written: _Written, contact: OnCallContact, text: str) -> None:
    hour = timedelta(hours=1)
    if work.now - written.at > ANSWERED_WITHIN:
        return
    if rows.count_answers(work.session, contact.id, work.now - hour) >= ANSWERS_AN_HOUR:
        return
    answer = NewDelivery(
        controller_id=contact.controller_id,
        contact_id=contact.id,
        purpose=Purpose.ALERT,
        once=f"answer:{written.id}",
        channel=Channel.SMS,
        address=contact.phone,
        address_hash=work.keyring.fingerprint(
            controller_rows.look_up_subject(contact.controller_id), contact.phone, work.now
        ),
        content=Content(text=text, language=contact.language),
        rank=1,
        valid_for=alerts.VALID_SECONDS,
    )
    enqueue(
        work.session,
        work.keyring,
        work.keyring.year(work.now),
        work.now,
        work.context.routing,
        [answer],
        local_only=written.local,
    )
