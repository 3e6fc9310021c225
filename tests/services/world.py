"""A whole tracker on a clock wound by hand, with postmen that do as they are told."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.deadlines import Obligation
from incident_tracker.domain.parties import Controller, OnCallContact
from incident_tracker.services import clock, incidents, register, replies
from incident_tracker.services.context import Context
from incident_tracker.services.register import Overview
from incident_tracker.store import alerts as alert_rows
from incident_tracker.store.alerts import Alert
from incident_tracker.store.tables import KEYRING, Table
from incident_tracker.store.tables.incidents import AlarmRow
from incident_tracker.store.tables.outbox import CallbackRow, DeliveryRow
from notifiers.outbox import OutboxNotifier
from notifiers.protocol import Channel, Message, Reply
from tests.delivery.world import NEVER, KnowingPostman
from tests.makers import PHONES, START, HandClock, make_contact, make_controller, make_tracker

BEN, CLARA = PHONES
ROUTES = {"sms": ["postman"], "email": ["postman"]}


@dataclass
class World:
    """Nordlys with whoever is on call. Nothing happens by itself: `tick` raises, sends and answers."""

    tracker: Tracker
    clock: HandClock
    sms: KnowingPostman
    mail: KnowingPostman
    controller: Controller
    contacts: list[OnCallContact] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def context(self) -> Context:
        return self.tracker.context

    def put_on_call(self, *people: tuple[str, str], **facts: Any) -> None:
        for name, phone in people:
            self.contacts.append(make_contact(self.context, self.controller, name, phone, **facts))

    def open(self, title: str = "Alle adresser i CC", **facts: Any) -> str:
        return incidents.open_incident(self.context, facts.pop("actor", SHELL), title=title, **facts)

    def aware(self, reference: str, at: datetime | None = None, reason: str = "Set i loggen") -> None:
        incidents.record_awareness(self.context, SHELL, reference, at=at or self.clock(), reason=reason)

    def tick(self) -> list[tuple[str, str]]:
        """Let the clock tick once and the outbox send; return (address, text) of each message carried."""
        before = len(self.sms.carried), len(self.mail.carried)
        clock.tick(self.context, "node")
        self.tracker.engine.drain(NEVER)
        new: list[Message] = self.sms.carried[before[0] :] + self.mail.carried[before[1] :]
        return [(one.address, one.text()) for one in new]

    def advance(self, **length: float) -> list[tuple[str, str]]:
        """Wind the clock on and tick once."""
        self.clock.advance(**length)
        return self.tick()

    def reply(self, text: str, phone: str = BEN, at: datetime | None = None, notifier: str = "postman") -> list[str]:
        """Let somebody write back; return what was answered."""
        before = len(self.sms.carried)
        reply = Reply(phone, text, f"reply-{next(self._numbers)}", PHONES[1], at)
        self.tracker.engine.receive(notifier, [reply])
        replies.apply(self.context)
        self.tracker.engine.drain(NEVER)
        return [one.text() for one in self.sms.carried[before:]]

    def reply_results(self) -> list[str]:
        with self.context.database.reading() as session:
            return list(session.scalars(select(CallbackRow.result).order_by(CallbackRow.id)))

    def overview(self, reference: str) -> Overview:
        return register.overview(self.context, SHELL, reference)

    def duty(self, reference: str, duty: str) -> Obligation:
        return next(one for one, _ in self.overview(reference).obligations if one.duty == duty)

    def standing(self, reference: str, duty: str) -> str:
        return next(str(how) for one, how in self.overview(reference).obligations if one.duty == duty)

    def alerts(self, reference: str) -> list[Alert]:
        return list(self.overview(reference).alerts)

    def open_alerts(self) -> list[Alert]:
        with self.context.database.reading() as session:
            return alert_rows.open_alerts(session, None)

    def kinds(self, reference: str) -> list[str]:
        return [one.kind for one in register.history(self.context, SHELL, reference)]

    def alarms(self, state: str = "planned") -> list[AlarmRow]:
        with self.context.database.reading() as session:
            statement = select(AlarmRow).where(AlarmRow.state == state).order_by(AlarmRow.fire_at, AlarmRow.id)
            return list(session.scalars(statement))

    def deliveries(self) -> list[DeliveryRow]:
        with self.context.database.reading() as session:
            return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.created_at, DeliveryRow.id)))

    def snapshot(self) -> dict[str, list[Any]]:
        """Return every row of every table but the keys."""
        with self.context.database.reading() as session:
            return {
                name: sorted(map(repr, session.execute(select(table)).all()))
                for name, table in Table.metadata.tables.items()
                if table.schema != KEYRING
            }

    def close(self) -> None:
        self.tracker.close()


def make_world(folder: Path, database_url: str | None = None, start: datetime = START, **sections: Any) -> World:
    """Put Nordlys into a database; with `database_url` it must be migrated, and its key file lie in `folder`."""
    clock_by_hand = HandClock(start)
    sms, mail = KnowingPostman("postman", Channel.SMS), KnowingPostman("postman", Channel.EMAIL)
    carriers: dict[tuple[str, Channel], Any] = {("postman", one.channel): one for one in (sms, mail)}
    for channel in (Channel.SMS, Channel.EMAIL):
        carriers["outbox", channel] = OutboxNotifier(folder / "outbox", channel)
    values = {"routing": ROUTES} | sections
    if database_url is not None:
        values["data"] = {"dir": folder}
    tracker = make_tracker(folder, clock_by_hand, database_url, notifiers=carriers, **values)
    return World(tracker, clock_by_hand, sms, mail, make_controller(tracker.context))
