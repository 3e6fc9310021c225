"""The daily mail to each controller's contact: what is open, and the head of the journal as an anchor outside."""

from datetime import datetime
from zoneinfo import ZoneInfo

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.parties import Controller
from incident_tracker.services import backup
from incident_tracker.services.backup import BackupState
from incident_tracker.services.context import Context
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import installation
from incident_tracker.store import journal as journal_rows
from incident_tracker.store import notices as notice_rows
from incident_tracker.store import questions as question_rows
from incident_tracker.store import suspicions as suspicion_rows
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.incidents import Listed
from notifiers.protocol import Channel, Content

HOUR = 7
"""From this hour of the controller's day on."""
_MOST = 50


def due(context: Context, now: datetime) -> list[Controller]:
    """Return the controllers whose mail of today is not in the outbox yet."""
    with context.database.reading() as session:
        return [
            one
            for one in controller_rows.listing(session, context.keyring, None)
            if one.contact.email and _is_due(now, one) and installation.get(session, _name(one)) != _day(now, one)
        ]


def send(context: Context, controller: Controller, now: datetime) -> None:
    """Put a controller's mail of today into the outbox; a second one on the same day is the same one."""
    backups = backup.state(context)
    key_id = context.keyring.year(now)
    subject = controller_rows.look_up_subject(controller.id)
    address_hash = context.keyring.fingerprint(subject, controller.contact.email, now)
    with context.database.writing() as session:
        seq, head = journal_rows.head(session)
        theirs = frozenset({controller.id})
        listed = incident_rows.board(session, theirs, _MOST)
        asked = {
            "questions": question_rows.count_open(session, theirs),
            "reports": suspicion_rows.count_open(session, theirs),
            "standing": notice_rows.count_standing(session, theirs),
        }
        mail = NewDelivery(
            controller_id=controller.id,
            purpose=Purpose.ACCOUNT,
            once=f"daily:{controller.id}:{_day(now, controller)}",
            channel=Channel.EMAIL,
            address=controller.contact.email,
            address_hash=address_hash,
            content=_content(controller, listed, f"{seq} {head.hex()}", backups, asked, now),
        )
        enqueue(session, context.keyring, key_id, now, context.routing, [mail], local_only=False)
        installation.put(session, _name(controller), _day(now, controller), now)


def _content(
    controller: Controller,
    listed: list[Listed],
    head: str,
    backups: BackupState,
    asked: dict[str, int],
    now: datetime,
) -> Content:
    language = controller.language
    real = [one for one in listed if not one.exercise]
    lines = [_deadline(one, controller, now) for one in real]
    at = backups.last_at
    last = "" if at is None else rendering.moment(at, controller.time_zone, language, "full")
    values = {
        "controller": controller.name,
        "lines": lines,
        "head": head,
        "late": backups.late,
        "last": last,
        **asked,
    }
    return Content(
        text=rendering.message("daily/daily", "body", language, **values),
        subject=rendering.message("daily/daily", "subject", language, count=len(real)),
        language=language,
    )


def _deadline(one: Listed, controller: Controller, now: datetime) -> dict[str, str | bool]:
    due = one.next_due_at
    if due is None:
        return {"reference": one.reference, "due": "", "length": "", "late": False}
    return {
        "reference": one.reference,
        "due": rendering.moment(due, controller.time_zone, controller.language, "full"),
        "length": rendering.duration(abs(due - now), controller.language),
        "late": now > due,
    }


def _is_due(now: datetime, controller: Controller) -> bool:
    return now.astimezone(ZoneInfo(controller.time_zone)).hour >= HOUR


def _day(now: datetime, controller: Controller) -> str:
    return now.astimezone(ZoneInfo(controller.time_zone)).date().isoformat()


def _name(controller: Controller) -> str:
    return f"daily_mail_{controller.id}"
