"""The worlds of the services' tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SQLITE_FILE
from tests.services.world import BEN, CLARA, World, make_world

MakeWorld = Callable[..., World]


@pytest.fixture
def make_quick_world(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeWorld]:
    """Give a maker of worlds on SQLite, each on a database of its own, with Ben on call and Clara after him."""
    made: list[World] = []

    def make(**sections: Any) -> World:
        folder = tmp_path_factory.mktemp("world")
        shutil.copytree(migrated_sqlite, folder, dirs_exist_ok=True)
        world = make_world(folder, f"sqlite:///{folder / SQLITE_FILE}", **sections)
        world.put_on_call(("Ben", BEN), ("Clara", CLARA))
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_quick_world: MakeWorld) -> World:
    """Give a world on SQLite."""
    return make_quick_world()


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Give a world once on SQLite and once on PostgreSQL."""
    made = make_world(tmp_path, database_url)
    made.put_on_call(("Ben", BEN), ("Clara", CLARA))
    yield made
    made.close()
