"""The world of the outbox tests."""

from collections.abc import Iterator

import pytest

from incident_tracker.store.database import Database
from tests.delivery.world import World, make_world


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Give a world on a migrated database, once on SQLite and once on PostgreSQL."""
    made = make_world(database)
    yield made
    made.close()
