"""The inbox: what providers and people tell us is stored first, sealed, and applied afterwards."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from incident_tracker.delivery import reports
from incident_tracker.delivery.parcel import UNREADABLE
from incident_tracker.delivery.reports import Target
from incident_tracker.store import callbacks
from incident_tracker.store.callbacks import Waiting
from incident_tracker.store.database import Database
from incident_tracker.store.keys import Keyring
from notifiers.protocol import CallbackEvent, Reply, ReportedState, StatusReport

_log = structlog.get_logger()

PLACE = "callbacks.sealed"
_STATUS, _REPLY = "status", "reply"
_SIZE = 200
_NOTHING = Reply("", "", "")
"""What is left of a reply that can no longer be opened."""
_OVERTAKES = timedelta(minutes=5)
"""So long a report that names only the provider's id may come before our own commit of that id."""


@dataclass(frozen=True, slots=True)
class WaitingReply:
    """What a person wrote to us, not dealt with yet."""

    id: int
    notifier: str
    received_at: datetime
    reply: Reply


class Inbox:
    """Stores callbacks under a unique key and applies them."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        now: Callable[[], datetime],
        look_up_after: Callable[[str], timedelta | None],
    ) -> None:
        """`look_up_after` says for a notifier when an accepted message is asked for again."""
        self._database = database
        self._keyring = keyring
        self._now = now
        self._look_up_after = look_up_after

    def receive(self, notifier: str, events: Sequence[CallbackEvent]) -> None:
        """Store events before anything is done with them; the same event twice makes one row."""
        if not events:
            return
        now = self._now()
        key_id = self._keyring.year(now)
        rows = [
            {
                "notifier": notifier,
                "kind": _STATUS if isinstance(event, StatusReport) else _REPLY,
                "unique_key": event.unique,
                "received_at": now,
                "sealed": self._keyring.seal_text(key_id, PLACE, _packed(event)),
            }
            for event in events
        ]
        with self._database.writing(urgent=True) as session:
            callbacks.add(session, rows)

    def apply(self) -> int:
        """Apply the stored reports; return how many changed a delivery.

        One that names nothing of ours is put aside; one that may only be early waits a little.
        """
        changed, after = 0, 0
        while True:
            with self._database.writing(urgent=True) as session:
                waiting = callbacks.waiting(session, _STATUS, after, _SIZE)
                changed += self._apply_all(session, waiting)
            if len(waiting) < _SIZE:
                return changed
            after = waiting[-1].id

    def _apply_all(self, session: Session, waiting: Sequence[Waiting]) -> int:
        told = [(one, _report(self._keyring, one.sealed)) for one in waiting]
        callbacks.mark(session, [one.id for one, report in told if report is None], self._now(), "unreadable")
        readable: dict[str, list[tuple[Waiting, StatusReport]]] = {}
        for one, report in told:
            if report is not None:
                readable.setdefault(one.notifier, []).append((one, report))
        found = {
            notifier: reports.targets(session, notifier, [report for _, report in pairs])
            for notifier, pairs in readable.items()
        }
        reports.mind_alerts(
            session,
            [
                (target, report)
                for name, pairs in readable.items()
                for target, (_, report) in zip(found[name], pairs, strict=True)
            ],
        )
        return sum(self._apply_for(session, name, pairs, found[name]) for name, pairs in readable.items())

    def _apply_for(
        self,
        session: Session,
        notifier: str,
        readable: Sequence[tuple[Waiting, StatusReport]],
        found: Sequence[Target | None],
    ) -> int:
        now = self._now()
        pairs = [(target, report) for target, (_, report) in zip(found, readable, strict=True) if target is not None]
        changed = reports.apply(session, pairs, now, self._look_up_after(notifier))
        done = [one.id for target, (one, _) in zip(found, readable, strict=True) if target is not None]
        unknown = [
            one.id
            for target, (one, report) in zip(found, readable, strict=True)
            if target is None and (report.attempt or one.received_at + _OVERTAKES <= now)
        ]
        callbacks.mark(session, done, now, "applied")
        callbacks.mark(session, unknown, now, "unknown")
        if unknown:
            _log.warning("callbacks_about_nothing_of_ours", notifier=notifier, number=len(unknown))
        return changed


def waiting_replies(session: Session, keyring: Keyring, limit: int = 100) -> list[WaitingReply]:
    """Return what people wrote to us and nobody dealt with, oldest first."""
    found = []
    for one in callbacks.waiting(session, _REPLY, 0, limit):
        try:
            reply = _reply(keyring.open_text(PLACE, one.sealed))
        except UNREADABLE:
            reply = _NOTHING
        found.append(WaitingReply(one.id, one.notifier, one.received_at, reply))
    return found


def still_waits(session: Session, reply_id: int) -> bool:
    """Return whether nobody has dealt with a reply yet, and let nobody else do it before this transaction ends."""
    return callbacks.is_waiting(session, reply_id)


def mark_applied(session: Session, reply_ids: Collection[int], now: datetime, result: str) -> None:
    """Remember that replies were dealt with; `result` is a word for the log (`acknowledged`, `unknown_sender`)."""
    callbacks.mark(session, reply_ids, now, result)


def _packed(event: CallbackEvent) -> str:
    if isinstance(event, StatusReport):
        fields = [
            event.state.value,
            event.unique,
            event.attempt,
            event.provider_id,
            event.reason,
            event.code,
            event.opted_out,
        ]
        return json.dumps(fields)
    at = event.at.isoformat() if event.at else None
    return json.dumps([event.from_address, event.text, event.unique, event.to_address, at])


def _reply(opened: str) -> Reply:
    from_address, text, unique, to_address, at = json.loads(opened)
    return Reply(from_address, text, unique, to_address, datetime.fromisoformat(at) if at else None)


def _report(keyring: Keyring, sealed: bytes) -> StatusReport | None:
    try:
        state, unique, attempt, provider_id, reason, code, opted_out = json.loads(keyring.open_text(PLACE, sealed))
        return StatusReport(ReportedState(state), unique, attempt, provider_id, reason, code, opted_out)
    except UNREADABLE:
        return None
