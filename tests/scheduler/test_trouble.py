"""When the database or a notifier fails, people are told, and the watch over the clock never ends or holds it up."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from incident_tracker.scheduler import trouble
from incident_tracker.scheduler.trouble import Watch
from incident_tracker.store.tables.incidents import JournalRow
from notifiers.protocol import Message, NotSent, Outcome, RefusalKind, Refused
from tests.delivery.world import accepted
from tests.services.world import BEN, CLARA, World, make_world

PATIENCE = 30
ROUTES = {"sms": ["postman", "outbox"], "email": ["postman"]}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "PATIENCE_SECONDS", 0.0)


@pytest.fixture
def two_ways(tmp_path: Path) -> Iterator[World]:
    """Give a world whose SMS go by the postman and, where he fails, into the outbox."""
    made = make_world(tmp_path, routing=ROUTES)
    made.put_on_call(("Ben", BEN), email="ben@example.dk")
    made.put_on_call(("Clara", CLARA), email="clara@example.dk")
    yield made
    made.close()


def watch_over(world: World) -> Watch:
    made = Watch(world.tracker)
    made.remember_contacts()
    return made


def broken() -> None:
    raise RuntimeError("planted 0101014711")


def fine() -> None:
    pass


def told(watch: Watch) -> None:
    """Wait until people were told."""
    assert watch._telling is not None
    watch._telling.join(PATIENCE)
    assert not watch._telling.is_alive()


def in_the_outbox(folder: Path) -> list[str]:
    return sorted(json.loads(file.read_text())["to"] for file in (folder / "outbox").glob("*.json"))


def notes(world: World) -> int:
    with world.context.database.reading() as session:
        return len(session.scalars(select(JournalRow.seq).where(JournalRow.kind == "clock_stopped")).all())


def test_what_cannot_be_noted_yet_is_noted_once_the_database_is_back(world: World) -> None:
    watch = watch_over(world)
    watch.over("tick", broken)
    told(watch)
    file = world.context.database.file
    assert file is not None
    away = file.rename(file.with_suffix(".away"))
    watch.over("tick", fine)
    away.rename(file)
    assert notes(world) == 0
    watch.over("tick", fine)
    watch.over("tick", fine)
    assert notes(world) == 1


def test_who_is_on_call_is_told_without_the_database(world: World) -> None:
    watch = watch_over(world)
    file = world.context.database.file
    assert file is not None
    file.rename(file.with_suffix(".away"))
    watch.over("tick", world.tick)
    told(watch)
    assert sorted(one.address for one in world.sms.carried) == sorted([BEN, CLARA])


def test_a_notifier_that_raises_does_not_end_the_clock_and_the_next_is_tried(two_ways: World, tmp_path: Path) -> None:
    def raising(_: Message) -> Outcome:
        raise RuntimeError("planted")

    two_ways.sms.answer = raising
    watch = watch_over(two_ways)
    watch.over("tick", broken)
    told(watch)
    assert in_the_outbox(tmp_path) == sorted([BEN, CLARA])


def test_a_notifier_that_hangs_holds_up_neither_the_clock_nor_the_next_notifier(
    two_ways: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(trouble, "_GRACE_SECONDS", 0.0)
    released = threading.Event()

    def hanging(message: Message) -> Outcome:
        released.wait(PATIENCE)
        return accepted(message)

    two_ways.sms.answer = hanging
    watch = watch_over(two_ways)
    try:
        watch.over("tick", broken)
        assert not released.is_set()
        told(watch)
        assert in_the_outbox(tmp_path) == sorted([BEN, CLARA])
        assert len(two_ways.mail.carried) == 2
        assert len(two_ways.sms.carried) == 1
    finally:
        released.set()


def test_each_person_is_told_by_the_first_notifier_that_takes_the_message(two_ways: World, tmp_path: Path) -> None:
    def only_ben(message: Message) -> Outcome:
        if message.address == BEN:
            return accepted(message)
        return Refused(message.attempt, RefusalKind.ADDRESS, "no such number")

    two_ways.sms.answer = only_ben
    watch = watch_over(two_ways)
    with structlog.testing.capture_logs() as logs:
        watch.over("tick", broken)
        told(watch)
    assert in_the_outbox(tmp_path) == [CLARA]
    counted = [(one["notifier"], one["channel"], one["people"]) for one in logs if one["event"] == "trouble_told"]
    assert counted == [("postman", "sms", 1), ("outbox", "sms", 1), ("postman", "email", 2)]


def test_it_is_said_once_an_hour_but_sooner_while_nobody_is_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "SOONER_SECONDS", 0.0)
    world.sms.answer = lambda message: NotSent(message.attempt, "no way out")
    watch = watch_over(world)
    for _ in range(2):
        watch.over("tick", broken)
        told(watch)
    assert len(world.sms.carried) == 4
    world.sms.answer = accepted
    for _ in range(3):
        watch.over("tick", broken)
        told(watch)
    assert len(world.sms.carried) == 6


def test_the_log_names_what_went_wrong_but_not_what_was_written(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        Watch(world.tracker).over("tick", broken)
    (entry,) = [one for one in logs if one["event"] == "clock_duty_failed"]
    assert (entry["duty"], entry["error"]) == ("tick", "RuntimeError")
    assert "0101014711" not in repr(logs)
