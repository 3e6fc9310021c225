"""PostgreSQL goes away while messages are out: what came back is kept and written when it is there again."""

from collections.abc import Iterator

import pytest

from incident_tracker.delivery.pace import Pace
from incident_tracker.store import migrations
from incident_tracker.store.database import Database, NotSaved
from notifiers.protocol import Message, Outcome
from tests.delivery.world import NEVER, Postman, World, accepted, make_world
from tests.postgresql import Databases, PostgresServer

pytestmark = pytest.mark.postgresql


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as started:
        yield started


@pytest.fixture
def world(server: PostgresServer) -> Iterator[World]:
    database = Database(Databases(server.url).create())
    migrations.upgrade(database)
    made = make_world(database)
    yield made
    made.close()
    database.close()


def test_results_outlive_a_crash_of_the_server(world: World, server: PostgresServer) -> None:
    ids = world.enqueue(6)
    crashes = [True]

    def answer(message: Message) -> Outcome:
        if crashes:
            crashes.clear()
            server.crash()
        return accepted(message)

    postman = Postman(answer=answer)
    engine = world.engine(postman, pace=Pace(workers=1, claim=3))
    with pytest.raises(NotSaved):
        engine.drain(NEVER)
    server.start()
    engine.drain(NEVER)
    engine.sweep()

    assert {world.row(one).state for one in ids} == {"accepted"}
    assert sorted(message.delivery for message in postman.carried) == sorted(ids)
    assert not any(world.row(one).possible_duplicate for one in ids)
