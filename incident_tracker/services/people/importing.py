"""Reading a list of people into the register: in pieces, resumable, to be stopped, with one entry in the journal.

Each piece is one short transaction that keeps people, refused rows and counts together, so that what the page shows
is what was kept. A reading that dies has kept what it counted; reading the same file again adds whoever is missing.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from incident_tracker.domain.access import CLOCK, Act, Actor
from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.domain.events import PeopleImported
from incident_tracker.domain.incident import must_be_open
from incident_tracker.services.attachments import safe_name
from incident_tracker.services.context import Context
from incident_tracker.services.people.pieces import Keeper
from incident_tracker.services.people.reading import Layout, Reason
from incident_tracker.services.work import working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.people_imports import BROKEN_OFF, FINISHED, READING, STOPPED, Counts, Reading

SILENT = timedelta(minutes=1)
"""Without a sign of life for so long, a reading was broken off."""
FAILED = phrase("A fault of the program ended the reading. Read the file again; nobody is added twice.")
_log = structlog.get_logger()


class ListIsBeingRead(Refusal):
    """Another list is being read into the same incident."""

    message = "A list is being read into %(reference)s right now. Wait until it is done, or stop it."


class ReadingIsOver(Refusal):
    """The reading to be stopped is not under way any more."""

    message = "This reading is over already. There is nothing to stop."


@dataclass(frozen=True, slots=True)
class Job:
    """A list about to be read: where it goes, how it is laid out, who reads it."""

    context: Context
    actor: Actor
    loaded: Loaded
    language: str
    import_id: str
    layout: Layout


def begin(context: Context, actor: Actor, reference: str, *, import_id: str, file_name: str, layout: Layout) -> Job:
    """Note that a list begins to be read; refuse while another is read into the same incident."""
    with context.database.writing(urgent=True) as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope, lock=True)
        must_take_people(context, session, actor, loaded)
        now = context.now()
        new = Reading(
            id=import_id,
            controller_id=loaded.incident.controller_id,
            incident_id=loaded.id,
            state=READING,
            file_name=safe_name(file_name),
            total_bytes=layout.size,
            **dict.fromkeys(Counts.__slots__, 0),
            shape=layout.plain(),
            trouble=[],
            imported_by=actor.name,
            started_at=now,
            beat_at=now,
            finished_at=None,
            removed_at=None,
        )
        readings.add(session, context.keyring, loaded.people_key, new)
        controller = controller_rows.get(session, context.keyring, loaded.incident.controller_id, None)
    return Job(context, actor, loaded, controller.language, import_id, layout)


def must_take_people(context: Context, session: Session, actor: Actor, loaded: Loaded) -> None:
    """Refuse people for an incident that is closed, not the actor's to work on, or being given a list right now."""
    actor.must(Act.WORK, loaded.incident.controller_id)
    must_be_open(loaded.incident)
    before = readings.of_incident(session, context.keyring, actor.scope, loaded.id)
    if any(one.state == READING for one in before):
        raise ListIsBeingRead(reference=loaded.incident.reference)


def run(job: Job, pieces: Iterable[bytes], told: Callable[[Counts], None] = lambda _: None) -> None:
    """Read the whole list. `told` hears after each piece how far it came.

    Whatever goes wrong, the reading ends in a state that its page can show, and the trouble is raised again.
    """
    try:
        state = _read(job, pieces, told)
    except Refusal as refusal:
        break_off(job, Reason(refusal.message, {name: Reason(str(value)) for name, value in refusal.params.items()}))
        raise
    except BaseException as error:
        _log.error("list_of_people_not_read", import_id=job.import_id, fault=type(error).__name__)
        break_off(job, Reason(FAILED))
        raise
    conclude(job.context, job.actor, job.import_id, state)


def stop(context: Context, actor: Actor, reference: str, import_id: str) -> None:
    """Stop a reading. What it kept so far stays; `remove` takes it off again."""
    with context.database.writing(urgent=True) as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        actor.must(Act.WORK, loaded.incident.controller_id)
        found = readings.get(session, context.keyring, actor.scope, loaded.id, import_id)
        if not readings.end(session, import_id, STOPPED, context.now()):
            raise ReadingIsOver
    if context.now() - found.beat_at > SILENT:  # nobody is there to write its entry
        conclude(context, actor, import_id, STOPPED)


def settle_silent(context: Context, now: datetime) -> int:
    """End readings whose process died, with their entry in the journal; return how many there were."""
    with context.database.reading() as session:
        found = readings.silent(session, now - SILENT)
    for import_id, state in found:
        conclude(context, CLOCK, import_id, BROKEN_OFF if state == READING else state)
    return len(found)


def conclude(context: Context, actor: Actor, import_id: str, state: str) -> None:
    """Write the one entry of a reading into the journal; the second to try writes nothing."""
    with working(context, actor, urgent=False) as work:
        readings.end(work.session, import_id, state, work.now)
        found = readings.find(work.session, work.keyring, None, import_id)
        if found is None or not readings.close(work.session, import_id, work.now):
            return
        event = PeopleImported(
            import_id=import_id,
            read=found.read,
            accepted=found.accepted,
            duplicates=found.duplicates,
            refused=found.refused,
            digest=str(found.shape.get("digest", "")),
            complete=found.state == FINISHED,
        )
        work.note_on(incident_rows.heads(work.session, [found.incident_id])[found.incident_id], event)


def break_off(job: Job, why: Reason) -> None:
    """Say in the register why a reading ended. Where even that fails, its silence says it."""
    context = job.context
    with suppress(Refusal):
        trouble = readings.seal_trouble(context.keyring, job.loaded.people_key, why.plain())
        with context.database.writing() as session:
            readings.end(session, job.import_id, BROKEN_OFF, context.now(), trouble)
        conclude(context, job.actor, job.import_id, BROKEN_OFF)


def _read(job: Job, pieces: Iterable[bytes], told: Callable[[Counts], None]) -> str:
    keeper = Keeper(job.context, job.loaded, job.import_id, job.layout, job.language)
    for counts in keeper.keep(pieces):
        told(counts)
    return STOPPED if keeper.stopped else FINISHED
