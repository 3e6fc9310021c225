"""What staff does with a report from outside: read it, make it an incident, add it to one, or dismiss it."""

from dataclasses import dataclass
from datetime import datetime

from incident_tracker import rendering
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound, Refusal, phrase
from incident_tracker.domain.events import NoteAdded, SuspicionSettled
from incident_tracker.domain.incident import must_be_open
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.suspicions import read_receipt
from incident_tracker.services import incidents
from incident_tracker.services.context import Context
from incident_tracker.services.suspicions import paging
from incident_tracker.services.suspicions.receiving import Told, opened, receipt_of, sealed
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import suspicions as rows
from incident_tracker.store.database import NotSaved
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.suspicions import Suspicion

REASON_LIMIT = 2000


class SettledMeanwhile(Refusal):
    """Somebody else has settled the report already."""

    message = "Somebody has settled this report already. Nothing was changed; look at what became of it."


@dataclass(frozen=True, slots=True)
class Shown:
    """A report as staff reads it. `told` is None where it is forgotten; `reference` is that of its incident."""

    id: str
    receipt: str
    controller: Controller
    source: str
    state: str
    received_at: datetime
    paged_at: datetime | None
    seen_at: datetime | None
    told: Told | None
    settled_by: str = ""
    settled_at: datetime | None = None
    reason: str = ""
    reference: str = ""


def listing(
    context: Context, actor: Actor, *, settled: bool = False, before: str | None = None, limit: int = 50
) -> list[Shown]:
    """Return open (or settled) reports, newest first, by keyset: those before the id `before`."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        found = rows.listing(session, scope, settled=settled, before=before, limit=limit)
    return _shown(context, actor, found)


def find(context: Context, actor: Actor, receipt: str) -> list[Shown]:
    """Return the report that its sender speaks of by a receipt number; nothing where there is none."""
    bits = read_receipt(receipt)
    if not bits:
        return []
    with context.database.reading() as session:
        found = rows.listing(session, actor.scope_for(Act.READ), settled=False, receipt=bits)
    return _shown(context, actor, found)


def count_open(context: Context, actor: Actor) -> int:
    """Return how many reports nobody has settled."""
    with context.database.reading() as session:
        return rows.count_open(session, actor.scope_for(Act.READ))


def show(context: Context, actor: Actor, suspicion_id: str, *, look: bool = True) -> Shown:
    """Return one report. When somebody looks who may settle it, nobody else on call is told of it any more."""
    with context.database.reading() as session:
        found = rows.get(session, suspicion_id, actor.scope_for(Act.READ))
    if look and found.seen_at is None and found.state == "open" and actor.may(Act.WORK, found.controller_id):
        _note_seen(context, actor, found)
    return _shown(context, actor, [found])[0]


def accept(context: Context, actor: Actor, suspicion_id: str, *, title: str) -> str:
    """Open an incident from a report and return its reference.

    It counts as detected when the report came in; whether and since when we are aware of a breach stays to be
    decided. Incident and report are settled in one transaction: of two people who try, one gets it.
    """
    one = _open(context, actor, suspicion_id)
    told = opened(context.keyring, one)

    def settle(work: Work, loaded: Loaded) -> None:
        _settle_into(work, loaded, one, told, words=False)

    return incidents.open_incident(
        context,
        actor,
        title=title,
        what_happened=told.what,
        detected_at=one.received_at,
        place=told.where,
        controller_id=one.controller_id,
        also=settle,
    )


def add_to_incident(context: Context, actor: Actor, suspicion_id: str, *, to: str) -> None:
    """Write a report as a note on the incident with the reference `to` that is open already."""
    one = _open(context, actor, suspicion_id)
    told = opened(context.keyring, one)
    with working(context, actor) as work:
        loaded = work.load(to, Act.WORK)
        if loaded.incident.controller_id != one.controller_id:
            raise NotFound(what=to)
        must_be_open(loaded.incident)
        _settle_into(work, loaded, one, told, words=True)


def dismiss(context: Context, actor: Actor, suspicion_id: str, *, reason: str) -> None:
    """Settle a report without an incident, for the written reason; it stays in the inbox with it."""
    one = _open(context, actor, suspicion_id)
    reason = clean(reason, "reason", limit=REASON_LIMIT)
    with working(context, actor) as work:
        key_id = work.keyring.year(work.now)
        kept = work.keyring.seal_text(key_id, rows.REASON, reason)
        if not rows.settle(work.session, one.id, state="dismissed", by=actor.name, now=work.now, reason=kept):
            raise SettledMeanwhile
        work.note(SuspicionSettled(one.id, one.controller_id, accepted=False, reason=reason), one.controller_id)
        paging.call_off(work, one.controller_id)


def _open(context: Context, actor: Actor, suspicion_id: str) -> Suspicion:
    """Return a report that the actor may settle and that nobody has settled."""
    with context.database.reading() as session:
        one = rows.get(session, suspicion_id, actor.scope)
    actor.must(Act.WORK, one.controller_id)
    if one.state != "open":
        raise SettledMeanwhile
    return one


def _settle_into(work: Work, loaded: Loaded, one: Suspicion, told: Told, *, words: bool) -> None:
    """Let a report become part of an incident: its words are sealed with the incident's key from now on."""
    settled = rows.settle(
        work.session,
        one.id,
        state="accepted",
        by=work.actor.name,
        now=work.now,
        incident_id=loaded.id,
        sealed=sealed(work.keyring, loaded.record_key, told),
    )
    if not settled:
        raise SettledMeanwhile
    reference = loaded.incident.reference
    work.note_on(loaded.head, SuspicionSettled(one.id, one.controller_id, accepted=True, reference=reference))
    work.record(loaded, NoteAdded(_note(work, one, told, words=words)))
    paging.call_off(work, one.controller_id)


def _note(work: Work, one: Suspicion, told: Told, *, words: bool) -> str:
    """Return a report as a note in the controller's language, with what was seen where it stands nowhere else."""
    controller = controller_rows.get(work.session, work.keyring, one.controller_id, None)
    say = rendering.translations(controller.language).gettext
    at = rendering.moment(one.received_at, controller.time_zone, controller.language)
    head = say(phrase("Report from outside %(receipt)s, received %(at)s.")) % {
        "receipt": receipt_of(one.id),
        "at": at,
    }
    contact = ", ".join(part for part in (told.email, told.phone) if part)
    facts = (
        (say(phrase("Where")), told.where),
        (say(phrase("When")), told.when),
        (say(phrase("Contact")), contact or say(phrase("none given"))),
    )
    lines = [f"{label}: {value}" for label, value in facts if value]
    return "\n\n".join([head, *([told.what] if words else []), "\n".join(lines)])


def _note_seen(context: Context, actor: Actor, one: Suspicion) -> None:
    """Note that somebody looked. What is only good to know never keeps anybody from a page."""
    try:
        with working(context, actor) as work:
            rows.mark_seen(work.session, one.id, work.now)
            paging.call_off(work, one.controller_id)
    except NotSaved:
        return


def _shown(context: Context, actor: Actor, found: list[Suspicion]) -> list[Shown]:
    with context.database.reading() as session:
        references = rows.references(session, found, actor.scope)
        controllers = {one.id: one for one in controller_rows.listing(session, context.keyring, actor.scope)}
    return [
        Shown(
            id=one.id,
            receipt=receipt_of(one.id),
            controller=controllers[one.controller_id],
            source=one.source,
            state=one.state,
            received_at=one.received_at,
            paged_at=one.paged_at,
            seen_at=one.seen_at,
            told=_told(context, one),
            settled_by=one.settled_by or "",
            settled_at=one.settled_at,
            reason="" if one.reason is None else context.keyring.open_text(rows.REASON, one.reason),
            reference=references.get(one.incident_id or 0, ""),
        )
        for one in found
    ]


def _told(context: Context, one: Suspicion) -> Told | None:
    try:
        return opened(context.keyring, one)
    except KeyIsGone:
        return None
