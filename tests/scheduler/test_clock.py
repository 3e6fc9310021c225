"""The clock's own duties: what it does at its start, each minute, and when its time is over."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import ContactPoint, Controller
from incident_tracker.scheduler import Clock
from incident_tracker.scheduler import clock as module
from incident_tracker.services import attachments, daily_mail, health, housekeeping, journal, on_call
from incident_tracker.services.context import Context
from incident_tracker.store.tables.outbox import DeliveryRow
from tests.delivery.world import NEVER
from tests.makers import make_controller
from tests.services.world import BEN, World

PATIENCE = 30
MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def mails(world: World) -> list[str]:
    with world.context.database.reading() as session:
        return sorted(session.scalars(select(DeliveryRow.once).where(DeliveryRow.once.startswith("daily:"))))


def planted(*_: object) -> None:
    raise RuntimeError("planted")


def test_who_is_on_call_is_known_from_the_first_moment(world: World) -> None:
    running = Clock(world.tracker)
    running.start()
    try:
        assert [one.name for one in running._watch._contacts] == ["Ben", "Clara"]
    finally:
        assert running.stop()


def test_a_name_with_braces_stops_no_daily_mail(world: World) -> None:
    make_controller(world.context, "Nordlys {{x}} ApS")
    world.clock.set(MORNING)
    Clock(world.tracker)._minute()
    assert len(mails(world)) == 2
    world.tracker.engine.drain(NEVER)
    assert any("Nordlys ((x)) ApS" in one.subject() + one.text() for one in world.mail.carried)
    Clock(world.tracker)._minute()
    assert len(mails(world)) == 2


def test_one_minute_duty_that_fails_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    second = make_controller(world.context, contact=ContactPoint("Ada", "ada@example.org", BEN))
    real = daily_mail.send

    def all_but_the_first(context: Context, controller: Controller, now: datetime) -> None:
        if controller.id != second.id:
            planted()
        real(context, controller, now)

    monkeypatch.setattr(daily_mail, "send", all_but_the_first)
    for owner, name in ((journal, "anchor"), (housekeeping, "tidy"), (housekeeping, "tidy_files")):
        monkeypatch.setattr(owner, name, planted)
    world.clock.set(MORNING)
    running = Clock(world.tracker)
    running._minute()
    assert mails(world) == [f"daily:{second.id}:2026-11-21"]
    assert len(running._watch._contacts) == 2


def test_a_version_that_is_too_old_stops_everything_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MINUTE_SECONDS", 0.05)
    monkeypatch.setattr(health, "newer_version_wanted", lambda _: "9.9.0")
    ended = threading.Event()
    running = Clock(world.tracker, when_too_old=ended.set)
    running.start()
    assert ended.wait(PATIENCE)
    assert running.is_stopped
    assert not running._metronome.running
    assert running.stop()


def asked(world: World) -> bool:
    """Let the clock poll, and return whether the provider was asked for what people wrote."""
    world.sms.asked_since.clear()
    world.mail.asked_since.clear()
    Clock(world.tracker)._poll()
    return bool(world.sms.asked_since or world.mail.asked_since)


def test_the_answer_to_a_test_is_fetched_without_a_public_address(world: World) -> None:
    assert not asked(world)
    on_call.send_test(world.context, SHELL, world.contacts[0].id)
    assert asked(world)
    world.clock.advance(minutes=29)
    assert asked(world)
    world.clock.advance(minutes=2)
    assert not asked(world)


def test_start_is_fetched_while_somebody_is_muted(world: World) -> None:
    world.reply("STOP")
    assert asked(world)
    world.reply("START")
    assert not asked(world)


def test_what_was_written_long_ago_is_done_but_not_answered(world: World) -> None:
    reference = world.open()
    world.tick()
    written_at = world.clock.advance(minutes=1)
    world.clock.advance(minutes=16)
    assert world.reply("OK", at=written_at) == []
    assert [one.state for one in world.alerts(reference)] == ["acknowledged"]


def test_files_without_a_row_are_removed_once_an_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = attachments.folder(world.context)
    folder.mkdir(parents=True)
    running = Clock(world.tracker)

    def left_behind() -> bool:
        (folder / "half.part").write_bytes(b"x")
        long_ago = (world.clock() - timedelta(hours=2)).timestamp()
        os.utime(folder / "half.part", (long_ago, long_ago))
        running._minute()
        return (folder / "half.part").exists()

    assert not left_behind()
    assert left_behind()
    monkeypatch.setattr(module, "FILES_SECONDS", 0)
    assert not left_behind()
