"""The demo world: five exercises in a house whose messages stay on this machine."""

import shutil
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker import bootstrap, settings
from incident_tracker.cli import demo, installation
from incident_tracker.domain.access import SHELL
from incident_tracker.services import clock, notices, partners, people, register, sign_in
from incident_tracker.services.demo import playing
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.cli.conftest import World
from tests.delivery.world import NEVER

TITLES = ("Cc", "forkert person", "uden kryptering", "ransomware", "kan gættes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a demo world once, to be copied."""
    world = World(tmp_path_factory.mktemp("made"))
    world.done("demo", "--dir", str(world.folder / "demo"), "--only-make")
    return world.folder / "demo"


@pytest.fixture
def folder(bare: World, made: Path) -> Path:
    """Give a demo world and return its folder."""
    shutil.copytree(made, bare.folder / "demo")
    return bare.folder / "demo"


@pytest.fixture
def tracker(folder: Path, bare: World) -> Any:
    found = bootstrap.build(settings.Settings.model_validate({"data": {"dir": folder}}), now=bare.now)
    yield found
    found.close()


def test_five_breaches_of_everyday_stand_at_different_hours_of_their_72(tracker: Any, bare: World) -> None:
    listed = register.listing(tracker.context, SHELL)
    assert len(listed) == 5
    assert all(any(words in one.title for one in listed) for words in TITLES)
    assert all(one.exercise for one in listed)
    left = sorted(one.next_due_at - bare.now() for one in listed if one.next_due_at is not None)
    assert len(left) == 4
    assert timedelta(0) < left[0] < timedelta(hours=3)
    assert left[-1] > timedelta(hours=60)
    assert all(later - sooner > timedelta(hours=10) for sooner, later in pairwise(left))
    undecided = [one for one in listed if one.became_aware_at is None]
    assert ["ransomware" in one.title for one in undecided] == [True]


def test_every_message_of_the_demo_lies_in_the_local_outbox(tracker: Any) -> None:
    with tracker.context.database.reading() as session:
        rows = session.execute(select(DeliveryRow.notifier, DeliveryRow.local_only, DeliveryRow.purpose)).all()
    assert {row.notifier for row in rows} == {"outbox"}
    assert all(row.local_only for row in rows if row.purpose in ("alert", "escalation", "notice"))
    assert {row.purpose for row in rows} >= {"alert", "notice"}


def test_people_were_told_in_the_demo_and_others_wait_for_approval(tracker: Any) -> None:
    found = {one.title: one.reference for one in register.listing(tracker.context, SHELL)}
    laptop = next(reference for title, reference in found.items() if "uden kryptering" in title)
    newsletter = next(reference for title, reference in found.items() if "Cc" in title)
    assert people.count(tracker.context, SHELL, laptop) == 31
    assert [one.state for one in notices.of_incident(tracker.context, SHELL, laptop)] == ["finished"]
    assert [one.state for one in notices.of_incident(tracker.context, SHELL, newsletter)] == ["submitted"]
    met = {one.duty for one, stands in register.overview(tracker.context, SHELL, laptop).obligations if one.met_at}
    assert {"notify_people", "inform_parties"} <= met
    assert len(partners.listing(tracker.context, SHELL, 1)) == 2


def test_the_demo_is_kept_and_its_password_is_new_each_time(bare: World, folder: Path) -> None:
    said = [bare.done("demo", "--dir", str(folder), "--only-make") for _ in range(2)]
    words = [one.strip().rpartition(" ")[2] for one in said]
    assert words[0] != words[1]
    tracker = bootstrap.build(settings.Settings.model_validate({"data": {"dir": folder}}), now=bare.now)
    try:
        assert len(register.listing(tracker.context, SHELL)) == 5
        assert sign_in.prove(tracker.context, email="ada@example.dk", password=words[1], address="192.0.2.1")
    finally:
        tracker.close()


def test_a_fresh_demo_begins_anew(bare: World, folder: Path) -> None:
    key = (folder / "master.key").read_text()
    bare.done("demo", "--dir", str(folder), "--only-make", "--fresh")
    assert (folder / "master.key").read_text() != key


def test_a_demo_that_was_broken_off_in_the_making_is_made_anew(
    bare: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    ours = settings.Settings.model_validate({"data": {"dir": folder}})
    with monkeypatch.context() as patch:
        patch.setattr(playing, "_play", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            demo.make(ours, bare.now, "a password of the demo")
    assert (folder / demo.MARK).read_text() == ""
    bare.done("demo", "--dir", str(folder), "--only-make")
    tracker = bootstrap.build(ours, now=bare.now)
    assert len(register.listing(tracker.context, SHELL)) == 5
    tracker.close()


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_demo_of_yesterday_says_that_it_is_and_still_runs(bare: World, folder: Path) -> None:
    made_at = bare.now()
    assert "--fresh" not in bare.done("demo", "--dir", str(folder), "--only-make")
    bare.now.advance(hours=30)
    assert "--fresh" in bare.done("demo", "--dir", str(folder), "--only-make")
    tracker = bootstrap.build(settings.Settings.model_validate({"data": {"dir": folder}}), now=bare.now)
    try:
        clock.tick(tracker.context, tracker.node)
        tracker.engine.drain(NEVER)
        with tracker.context.database.reading() as session:
            late = session.scalars(select(DeliveryRow).where(DeliveryRow.created_at > made_at)).all()
        assert late
        assert {one.notifier for one in late} == {"outbox"}
        overdue = [
            one for one in register.listing(tracker.context, SHELL) if (one.next_due_at or made_at) < bare.now()
        ]
        assert len(overdue) >= 2
        assert len([one for one in late if one.purpose == "alert"]) <= 2  # bundled for each person, not one a rung
    finally:
        tracker.close()


def test_a_demo_that_is_served_is_not_thrown_away(bare: World, folder: Path) -> None:
    with installation.only_clock(settings.Settings.model_validate({"data": {"dir": folder}})):
        bare.refused("demo", "--dir", str(folder), "--fresh", "--only-make")
    assert (folder / "master.key").exists()


def test_a_folder_that_holds_something_else_is_left_alone(bare: World, tmp_path: Path) -> None:
    (tmp_path / "important.txt").write_text("x")
    assert "--dir" in bare.refused("demo", "--dir", str(tmp_path), "--fresh", "--only-make")
    assert (tmp_path / "important.txt").read_text() == "x"


def test_the_journal_of_the_demo_verifies(bare: World, folder: Path) -> None:
    bare.settings["DATA__DIR"] = str(folder)
    assert bare.json("journal", "verify")["result"] == "ok"
