"""A notice and its crowd: people who are told one text, in the world of the outbox tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update

from incident_tracker.delivery.enqueue import ToRecipient, enqueue_shared, share
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.deliveries import Purpose, of_notices
from incident_tracker.store.keys import KeyKind
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import NoticeRow
from notifiers.protocol import Channel, Content
from tests.delivery.world import World

LETTER = Content(
    "Kære {{name}}. Dine oplysninger lå åbne. Nordlys ApS", "Om dine oplysninger", "<p>Kære {{name}}.</p>"
)
SHORT = Content("Nordlys ApS: {{name}}, dine oplysninger laa aabne. example.dk/notice")


@dataclass
class Crowd:
    """A notice that is sending, and how people are put into it."""

    world: World
    notice: int
    keys: dict[KeyKind, str]
    contents: dict[Channel, str] = field(default_factory=dict)

    def enqueue(
        self,
        numbers: range,
        channel: Channel = Channel.SMS,
        *,
        now: datetime | None = None,
        local_only: bool = False,
        content: Content | None = None,
    ) -> int:
        """Tell so many people; return how many messages are new."""
        now = now or self.world.clock()
        people = [self._person(number, channel) for number in numbers]
        with self.world.database.writing() as session:
            if channel not in self.contents:
                text = content or (SHORT if channel is Channel.SMS else LETTER)
                record = self.keys[KeyKind.RECORD]
                self.contents[channel] = share(session, self.world.keyring, record, now, 1, text)
            return enqueue_shared(
                session,
                self.world.keyring,
                self.keys[KeyKind.PEOPLE],
                now,
                Routing(self.world.routing),
                people,
                controller_id=1,
                incident_id=1,
                notice_id=self.notice,
                purpose=Purpose.NOTICE,
                channel=channel,
                content_id=self.contents[channel],
                local_only=local_only,
            )

    def _person(self, number: int, channel: Channel) -> ToRecipient:
        address = f"+453441{number:04d}" if channel is Channel.SMS else f"person{number}@example.dk"
        recipient = f"r{number:06d}"
        once = f"notice:{self.notice}:{recipient}:{channel}"
        return ToRecipient(recipient, once, address, address.encode(), {"name": f"Person {number}"})

    def turn(self, state: str) -> None:
        """Pause it, let it go on, stop it."""
        with self.world.database.writing() as session:
            session.execute(update(NoticeRow).where(NoticeRow.id == self.notice).values(state=state))

    def counts(self) -> dict[str, int]:
        """Return how many messages are in each state that one is in."""
        with self.world.database.reading() as session:
            found = of_notices.counts(session, None, [self.notice])[self.notice]
        return {state: number for state, number in found.items() if number}

    def ids(self, *states: str) -> Sequence[str]:
        """Return the ids of its deliveries (in these states)."""
        with self.world.database.reading() as session:
            statement = select(DeliveryRow.id).where(DeliveryRow.notice_id == self.notice)
            if states:
                statement = statement.where(DeliveryRow.state.in_(states))
            return session.scalars(statement.order_by(DeliveryRow.id)).all()


def make_crowd(world: World, notice: int = 1, *, state: str = "sending") -> Crowd:
    """Put a notice into the world."""
    with world.database.writing() as session:
        session.execute(
            insert(NoticeRow).values(
                id=notice,
                controller_id=1,
                incident_id=1,
                number=notice,
                public_reference=f"public-{notice}",
                audience="people",
                state=state,
                version=1,
                channels="sms email",
                wording=b"",
                digest="",
                written_by="ada",
                written_at=world.clock(),
            )
        )
    keys = world.keyring.ensure([KeyKind.PEOPLE, KeyKind.RECORD], "1", world.clock())
    return Crowd(world, notice, keys)
