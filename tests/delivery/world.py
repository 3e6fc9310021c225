"""A small world around the engine: a controller, an alert, people on call, and postmen that do as they are told."""

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from sqlalchemy import insert, select

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.incidents import AlertRow, IncidentRow
from incident_tracker.store.tables.outbox import AttemptRow, DeliveryRow, LaneRow
from incident_tracker.store.tables.parties import ContactRow, ControllerRow
from notifiers.protocol import (
    Accepted,
    Channel,
    Content,
    Deadline,
    Message,
    Outcome,
    Reply,
    ReportedState,
    StatusReport,
)

START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
PHONE = "+4534412345"
NEVER = threading.Event()
"""A stop that never comes."""
Answer = Callable[[Message], Outcome]


class Clock:
    """A clock wound by hand."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **length: float) -> None:
        self.at += timedelta(**length)


def apply_callbacks(engine: Engine) -> int:
    """Apply the stored reports alone, and return how many changed a delivery; `sweep` does it with all the rest."""
    return engine._inbox.apply()


def report(state: str, unique: str, **named: Any) -> StatusReport:
    """Return what a provider says of a message."""
    return StatusReport(ReportedState(state), unique, **named)


def accepted(message: Message) -> Outcome:
    return Accepted(message.attempt, f"SM{message.attempt}")


class Postman:
    """A notifier that answers as it is told and remembers what it carried."""

    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    max_batch = 50

    def __init__(self, name: str = "postman", channel: Channel = Channel.SMS, answer: Answer = accepted) -> None:
        self.name = name
        self.channel = channel
        self.answer = answer
        self.carried: list[Message] = []

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, channel: Channel) -> Self:
        return cls(settings["name"], channel)

    def send(self, messages: Sequence[Message], deadline: Deadline) -> Iterator[Outcome]:
        del deadline
        for message in messages:
            self.carried.append(message)
            yield self.answer(message)


class KnowingPostman(Postman):
    """A postman that can be asked."""

    def __init__(self, *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        self.known: list[StatusReport] = []
        self.letters: list[Reply] = []
        self.searched: list[Message] = []
        self.taken: set[str] = set()
        self.looked_up: list[str] = []
        self.asked_since: list[datetime] = []

    def look_up(self, provider_ids: Sequence[str], deadline: Deadline) -> Iterator[StatusReport]:
        del deadline
        self.looked_up.extend(provider_ids)
        yield from (report for report in self.known if report.provider_id in provider_ids)

    def search(
        self, messages: Sequence[Message], since: datetime, deadline: Deadline, taken: Collection[str] = ()
    ) -> Iterator[StatusReport]:
        del since, deadline
        self.searched.extend(messages)
        self.taken = set(taken)
        attempts = {message.attempt for message in messages}
        yield from (report for report in self.known if report.attempt in attempts)

    def replies(self, since: datetime, deadline: Deadline) -> Iterator[Reply]:
        del deadline
        self.asked_since.append(since)
        yield from self.letters


@dataclass
class World:
    """One controller with an incident, on a database that is the test's own."""

    database: Database
    keyring: Keyring
    clock: Clock
    controller: int = 1
    incident: int = 1
    routing: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"sms": ("postman",)})
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _engines: list[Engine] = field(default_factory=list)

    def engine(self, *postmen: Any, pace: Pace | None = None, **named: Any) -> Engine:
        made = Engine(
            self.database, self.keyring, postmen, self.clock, "node", Routing(self.routing), pace=pace, **named
        )
        self._engines.append(made)
        return made

    def close(self) -> None:
        for engine in self._engines:
            engine.close()

    def enqueue(self, number: int = 1, *, local_only: bool = False, **facts: Any) -> list[str]:
        key_id = self.keyring.year(self.clock())
        new = [self.delivery(**facts) for _ in range(number)]
        with self.database.writing() as session:
            return enqueue(
                session, self.keyring, key_id, self.clock(), Routing(self.routing), new, local_only=local_only
            )

    def delivery(self, **facts: Any) -> NewDelivery:
        values: dict[str, Any] = {
            "controller_id": self.controller,
            "incident_id": self.incident,
            "purpose": Purpose.ALERT,
            "once": f"once-{next(self._numbers)}",
            "channel": Channel.SMS,
            "address": PHONE,
            "address_hash": b"hash",
            "content": Content("2026-0001: {{left}}"),
            "values": {"left": "12 t"},
        }
        return NewDelivery(**(values | facts))

    def add_alert(self, step: int = 0) -> str:
        alert_id = f"alert-{next(self._numbers)}"
        with self.database.writing() as session:
            session.execute(
                insert(AlertRow).values(
                    id=alert_id,
                    controller_id=self.controller,
                    incident_id=self.incident,
                    kind="suspicion",
                    rung="",
                    raised_at=self.clock(),
                    state="open",
                    step=step,
                    stepped_at=self.clock(),
                    next_step_at=self.clock() + timedelta(minutes=5),
                )
            )
        return alert_id

    def add_contact(self) -> int:
        with self.database.writing() as session:
            session.execute(
                insert(ContactRow).values(
                    id=7,
                    controller_id=self.controller,
                    position=1,
                    name=b"",
                    phone=b"",
                    phone_hash=b"7",
                    language="da",
                    created_at=self.clock(),
                )
            )
        return 7

    def row(self, delivery_id: str) -> DeliveryRow:
        with self.database.reading() as session:
            return session.execute(select(DeliveryRow).where(DeliveryRow.id == delivery_id)).scalar_one()

    def states(self) -> dict[str, str]:
        with self.database.reading() as session:
            return {row.id: row.state for row in session.execute(select(DeliveryRow.id, DeliveryRow.state))}

    def attempts(self, delivery_id: str) -> list[AttemptRow]:
        with self.database.reading() as session:
            statement = select(AttemptRow).where(AttemptRow.delivery_id == delivery_id).order_by(AttemptRow.number)
            return list(session.scalars(statement))

    def alert(self, alert_id: str) -> AlertRow:
        with self.database.reading() as session:
            return session.execute(select(AlertRow).where(AlertRow.id == alert_id)).scalar_one()

    def contact(self, contact_id: int) -> ContactRow:
        with self.database.reading() as session:
            return session.execute(select(ContactRow).where(ContactRow.id == contact_id)).scalar_one()

    def lane(self, name: str = "postman") -> LaneRow:
        with self.database.reading() as session:
            return session.execute(select(LaneRow).where(LaneRow.notifier == name)).scalar_one()


def make_world(database: Database, clock: Clock | None = None) -> World:
    """Put a controller and an incident into an empty, migrated database."""
    clock = clock or Clock()
    keyring = Keyring(bytes(32), database)
    with database.writing() as session:
        session.execute(
            insert(ControllerRow).values(
                id=1,
                slug="nordlys",
                name="Nordlys ApS",
                cvr="00000000",
                time_zone="Europe/Copenhagen",
                language="da",
                sector="",
                reference_prefix="",
                details=b"",
                created_at=clock(),
            )
        )
        session.execute(
            insert(IncidentRow).values(
                id=1,
                controller_id=1,
                reference="2026-0001",
                title="Alle adresser i CC",
                role="controller",
                status="suspected",
                is_open=True,
                exercise=False,
                detected_at=clock(),
                awareness_version=0,
                version=1,
                facts=b"",
                record_key="",
                people_key="",
                created_at=clock(),
            )
        )
    return World(database, keyring, clock)
