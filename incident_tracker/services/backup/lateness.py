"""When a backup stays away: whoever could do something about it is told, by page and by mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.delivery.routing import LOCAL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services.context import Context
from incident_tracker.store import backup_state, controllers, installation, users
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.users import User
from notifiers.protocol import Channel, Content

LAST_BACKUP = "last_backup_at"
_TOLD = "backup_late_told"


@dataclass(frozen=True, slots=True)
class BackupState:
    """When the last backup was made (None: never), and whether the next is overdue."""

    last_at: datetime | None
    late: bool


def state(context: Context) -> BackupState:
    """Return whether a backup is overdue.

    Before the first one, the time counts from the first controller on. An installation that only practises (every
    incident an exercise, every message in the local outbox) has nothing to lose, and is left in peace.
    """
    hours = context.settings.backup.alarm_after_hours
    with context.database.reading() as session:
        last = _last(installation.get(session, LAST_BACKUP))
        since = last or backup_state.first_controller_at(session)
        practises = last is None and _is_local(context) and backup_state.only_exercises(session)
    late = bool(hours) and since is not None and context.now() - since > timedelta(hours=hours) and not practises
    return BackupState(last, late)


def tell_administrators(context: Context, now: datetime) -> int:
    """Put one mail a day to each administrator into the outbox while a backup is overdue; return how many."""
    found = state(context)
    day = now.date().isoformat()
    if not found.late:
        return 0
    with context.database.reading() as session:
        if installation.get(session, _TOLD) == day:
            return 0
        known = {one.id: one for one in controllers.listing(session, context.keyring, None)}
        people = [one for one in users.listing(session, context.keyring, None) if not one.is_disabled]
    mails = [
        _mail(context, one, known[served[0]], found, day, now)
        for one in people
        if (served := sorted(id_ for id_, role in one.grants.items() if role is Role.ADMINISTRATOR and id_ in known))
    ]
    key_id = context.keyring.year(now)
    with context.database.writing() as session:
        if mails:
            enqueue(session, context.keyring, key_id, now, context.routing, mails, local_only=False)
        installation.put(session, _TOLD, day, now)
    context.wake()
    return len(mails)


def _mail(
    context: Context, user: User, controller: Controller, found: BackupState, day: str, now: datetime
) -> NewDelivery:
    last = (
        "" if found.last_at is None else rendering.moment(found.last_at, controller.time_zone, user.language, "full")
    )
    values = {"controller": controller.name, "last": last}
    subject = controllers.look_up_subject(controller.id)
    return NewDelivery(
        controller_id=controller.id,
        purpose=Purpose.ACCOUNT,
        once=f"backup_late:{user.id}:{day}",
        channel=Channel.EMAIL,
        address=user.email,
        address_hash=context.keyring.fingerprint(subject, user.email, now),
        content=Content(
            text=rendering.message("backup/late", "body", user.language, **values),
            subject=rendering.message("backup/late", "subject", user.language, **values),
            language=user.language,
        ),
    )


def _last(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _is_local(context: Context) -> bool:
    return all(names == (LOCAL,) for names in context.settings.routing.by_channel().values())
