"""A unit of work: everything that one request changes, and its entries in the journal, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from incident_tracker.domain import incident as incidents
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import STATUTORY, Event, IncidentOpened, kind_of, payload_of
from incident_tracker.services import obligations
from incident_tracker.services.context import Context
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import journal as journal_rows
from incident_tracker.store.incidents import Head, Loaded
from incident_tracker.store.plain import to_json


class ChangedMeanwhile(Refusal):
    """The incident is no longer as the form showed it."""

    message = (
        "%(reference)s was changed by somebody else while you were writing. Nothing was saved, and your words are "
        "still here. Look at what changed, then send it again."
    )


class Work:
    """One transaction. Entries are collected and linked to the chain as the last thing before the commit."""

    def __init__(self, context: Context, actor: Actor, session: Session, now: datetime) -> None:
        """Begin; `now` stays the same for the whole transaction."""
        self.context = context
        self.actor = actor
        self.session = session
        self.now = now
        self.keyring = context.keyring
        self._entries: list[journal_rows.NewEntry] = []
        self._statutory = False

    def load(self, reference: str, act: Act, version: int | None = None) -> Loaded:
        """Return an incident, locked, if the actor may do `act` to it, and it still is as at `version` (if given)."""
        loaded = incident_rows.load(self.session, self.keyring, reference, self.actor.scope, lock=True)
        self.actor.must(act, loaded.incident.controller_id)
        if version is not None and version != loaded.version:
            raise ChangedMeanwhile(reference=reference)
        return loaded

    def open(self, event: IncidentOpened, keys: tuple[str, str]) -> Loaded:
        """Record a new incident: its first event, its row, its obligations and their alarms."""
        loaded = incident_rows.add(self.session, self.keyring, incidents.opened(event), keys, self.now)
        self._enter(loaded, event)
        obligations.plan(self.context, self.session, loaded, self.now)
        return loaded

    def record(self, loaded: Loaded, *events: Event) -> Loaded:
        """Apply events to an incident: row, journal, obligations and alarms."""
        after = loaded.incident
        for event in events:
            after = incidents.apply(after, event)
            self._enter(loaded, event)
        if after == loaded.incident:
            return loaded
        replanned = obligations.facts_of(after) != obligations.facts_of(loaded.incident)
        saved = incident_rows.save(self.session, self.keyring, loaded, after)
        if replanned:
            obligations.plan(self.context, self.session, saved, self.now)
        return saved

    def note(self, event: Event, controller_id: int | None = None, *, by: str = "") -> None:
        """Record an event that belongs to no incident; it is sealed with the key of the year.

        `by` is who did it where that is not the actor: one phone may be that of several contacts.
        """
        self._append(event, controller_id, None, self.keyring.year(self.now), by)

    def note_on(self, head: Head, event: Event, *, by: str = "") -> None:
        """Record an event of an incident that changes none of its facts; `by` as for `note`."""
        self._append(event, head.controller_id, head.id, head.record_key, by)

    def finish(self) -> tuple[int, bytes] | None:
        """Link the collected entries; return the new head if it must be anchored outside at once."""
        if not self._entries:
            return None
        head = journal_rows.append(self.session, self._entries, self.now)
        return head if self._statutory else None

    def _enter(self, loaded: Loaded, event: Event) -> None:
        self._append(event, loaded.incident.controller_id, loaded.id, loaded.record_key)

    def _append(
        self, event: Event, controller_id: int | None, incident_id: int | None, key_id: str, by: str = ""
    ) -> None:
        kind = kind_of(event)
        self._statutory = self._statutory or kind in STATUTORY
        payload = self.keyring.seal(key_id, journal_rows.PLACE, to_json(payload_of(event)))
        self._entries.append(
            journal_rows.NewEntry(by or self.actor.name, controller_id, incident_id, kind, key_id, payload)
        )


@contextmanager
def working(context: Context, actor: Actor, *, urgent: bool = True) -> Iterator[Work]:
    """Give a unit of work; commit it at the end, anchor the journal where the law wants proof, wake the clock."""
    now = context.now()
    context.keyring.year(now)
    with context.database.writing(urgent=urgent) as session:
        work = Work(context, actor, session, now)
        yield work
        head = work.finish()
    if head is not None:
        context.anchors.add(*head, now)
    context.wake()
