"""The worlds of the journeys."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notifiers.testing import ScriptedProvider
from tests.conftest import SQLITE_FILE
from tests.journeys.world import World, dk, make_world
from tests.makers import HandClock

MakeWorld = Callable[..., World]
FRIDAY = "2026-11-20 16:45"


@pytest.fixture
def hand() -> HandClock:
    """Give the clock that a journey winds; it stands at a Friday, 16.45 Danish time."""
    return HandClock(dk(FRIDAY))


@pytest.fixture
def provider(hand: HandClock) -> Iterator[ScriptedProvider]:
    """Give Twilio's stand-in, with the same time."""
    with ScriptedProvider(hand) as server:
        yield server


@pytest.fixture
def make(migrated_sqlite: Path, tmp_path: Path, provider: ScriptedProvider, hand: HandClock) -> Iterator[MakeWorld]:
    """Give a maker of the world on SQLite; with `public_url` the provider can call us."""
    made: list[World] = []

    def one(public_url: str = "") -> World:
        shutil.copytree(migrated_sqlite, tmp_path, dirs_exist_ok=True)
        made.append(make_world(tmp_path, f"sqlite:///{tmp_path / SQLITE_FILE}", provider, hand, public_url))
        return made[-1]

    yield one
    for world in made:
        world.close()


@pytest.fixture
def world(make: MakeWorld) -> World:
    """Give the world of a shop behind a router: no public address, replies are asked for."""
    return make()


@pytest.fixture
def either(database_url: str, tmp_path: Path, provider: ScriptedProvider, hand: HandClock) -> Iterator[World]:
    """Give the same world once on SQLite and once on PostgreSQL."""
    made = make_world(tmp_path, database_url, provider, hand)
    yield made
    made.close()
