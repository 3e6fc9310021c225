"""The machine is gone. Ada restores last night's backup on a new one, and the 72 hours go on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.services import attachments, backup, journal, outbox, sign_in
from incident_tracker.store import backup_state
from incident_tracker.store.deliveries import State
from incident_tracker.store.tables.outbox import AttemptRow
from tests.backups import Machine, counts, make_machine
from tests.conftest import SQLITE_FILE
from tests.journeys.world import BEN, CLARA, World, dk
from tests.makers import make_user

MakeMachine = Callable[..., Machine]
GONE = {"sessions", "slowdowns"}


@pytest.fixture
def machine(either: World, database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Give an empty machine with the same kind of database."""
    folder = tmp_path / "new-machine"
    if database_kind == "sqlite":
        yield make_machine(either.context, folder, f"sqlite:///{folder / SQLITE_FILE}", either.clock)
        return
    databases: Any = request.getfixturevalue("postgres_databases")
    url = databases.create()
    yield make_machine(either.context, folder, url, either.clock)
    databases.drop(url)


def on(machine: Machine, world: World) -> World:
    """Start the service on the restored machine."""
    tracker = bootstrap.build(machine.settings, now=world.clock)
    return World(tracker, world.clock, world.provider, world.controller, world.contacts, "new-desk")


def test_last_nights_backup_brings_everything_back_and_the_clock_goes_on(
    either: World, machine: Machine, tmp_path: Path
) -> None:
    world = either
    reference = world.log("Alle adresser i Cc")
    world.beat()
    world.writes(BEN, "OK")
    world.beat()
    world.confirm(reference, at=dk("2026-11-20 16:45"))
    kept = attachments.add(world.context, world.ada, reference, file_name="log.txt", plain=[b"192.0.2.7 GET /\n"])
    ada = make_user(world.context, world.controller)
    secret = sign_in.begin(world.context, ada.id)

    world.clock.set(dk("2026-11-21 02:00"))
    made = backup.make(world.context, SHELL, tmp_path / "night.backup")
    before = counts(world.context)
    world.log("Noget, der sker efter sikkerhedskopien")
    world.tracker.close()

    world.clock.set(dk("2026-11-21 09:00"))
    restored = machine.restore(made.file)
    assert restored.verdict.result == "ok"
    assert (restored.rows, restored.files) == (made.rows, made.files)

    new = on(machine, world)
    try:
        after = counts(new.context)
        # The backup's own entry was written after it; the restore has one instead.
        assert {name: count for name, count in after.items() if name not in GONE | {"installation"}} == {
            name: count for name, count in before.items() if name not in GONE | {"installation"}
        }
        assert {"incident_opened", "alert_acknowledged", "became_aware", "attachment_added"} <= set(
            new.kinds(reference)
        )
        shown = new.shown(reference)
        assert (shown["title"], shown["status"]) == ("Alle adresser i Cc", "aware")
        found, pieces = attachments.read(new.context, new.ada, reference, kept.id)
        assert (found.file_name, b"".join(pieces)) == ("log.txt", b"192.0.2.7 GET /\n")
        told = [one.delivery for one in outbox.listing(new.context, SHELL, limit=100)]
        assert {one.state for one in told} <= {"accepted", "delivered", "cancelled"}
        with new.context.database.reading() as session:
            assert session.query(AttemptRow).count() == before["attempts"]
        assert sign_in.resume(new.context, secret) is None

        heard = new.walk(dk("2026-11-24 10:00"))
        said = " ".join(text for _, _, text in heard)
        assert f"{reference}: 11 t 45 min til anmeldelsesfristen" in said
        assert f"{reference}: fristen er overskredet" in said
        assert new.standing(reference, "notify_authority") == "overdue"
        assert journal.verify(new.context).result == "ok"
    finally:
        new.close()


def test_what_may_have_been_sent_since_the_backup_is_not_sent_again(
    either: World, machine: Machine, tmp_path: Path
) -> None:
    world = either
    world.log("Alle adresser i Cc")  # the message waits in the outbox, and goes out after the backup
    made = backup.make(world.context, SHELL, tmp_path / "night.backup")
    assert [phone for _, phone, _ in world.beat()] == [BEN]
    world.tracker.close()

    restored = machine.restore(made.file)
    assert restored.held == 1
    new = on(machine, world)
    try:
        # Whether Ben was told, nobody knows any more: the next one is, and what waited is kept for a person.
        assert [phone for _, phone, _ in new.beat(asking=False)] == [CLARA]
        held = outbox.listing(new.context, SHELL, states=[State.CANCELLED])
        assert [one.delivery.reason for one in held] == [backup_state.HELD]
        new.walk(world.clock() + timedelta(minutes=30), minutes=5)
        told = [(phone, text) for _, phone, text in new.heard()]
        assert len(told) == len(set(told)) > 2
    finally:
        new.close()
