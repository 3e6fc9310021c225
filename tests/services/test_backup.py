"""Backups: what is in them, what they refuse, and what happens to the machine meanwhile: nothing."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from incident_tracker import bootstrap
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.events import BackupMade, event_from
from incident_tracker.domain.parties import ContactPoint, Role
from incident_tracker.services import (
    approving,
    attachments,
    backup,
    daily_mail,
    incidents,
    journal,
    notices,
    partners,
)
from incident_tracker.services.backup import checking, making, places, restoring, whole
from incident_tracker.services.partners import PartnerFacts
from incident_tracker.store import backup_file, backup_rows, backup_state, heartbeats, migrations
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store.keys import make_master_key_file
from incident_tracker.store.plain import from_json
from incident_tracker.store.tables.incidents import IncidentRow, JournalRow
from incident_tracker.store.tables.keys import DataKey
from incident_tracker.store.tables.outbox import DeliveryRow
from incident_tracker.store.tables.telling import ApprovalRow, NoticeRow
from tests.backups import Machine, counts, make_machine
from tests.conftest import SQLITE_FILE
from tests.delivery.world import NEVER
from tests.makers import destroy_key, make_actor, make_user
from tests.notices import TICKS, begin, crowd, make_notice, make_people, second, writer
from tests.services.world import World

SECRET = "Kundekartoteket lå åbent"


@pytest.fixture
def machine(world: World, tmp_path: Path) -> Machine:
    """Give an empty machine with SQLite beside the quick world."""
    folder = tmp_path / "new-machine"
    return make_machine(world.context, folder, f"sqlite:///{folder / SQLITE_FILE}", world.clock)


def made(world: World, folder: Path, name: str = "night.backup", **choices: Any) -> backup.Made:
    return backup.make(world.context, SHELL, folder / name, **choices)


def untouched(machine: Machine, refusal: type[Refusal], *arguments: Any, **choices: Any) -> Refusal:
    """See that the machine refuses, and that nothing on it changed."""
    before = machine.files()
    with pytest.raises(refusal) as caught:
        machine.restore(*arguments, **choices)
    assert machine.files() == before
    assert str(caught.value)
    return caught.value


def test_whoever_finds_the_files_reads_nothing(world: World, tmp_path: Path) -> None:
    world.open(SECRET)
    done = made(world, tmp_path)
    for file in (done.file, done.keys_file):
        content = file.read_bytes()
        assert SECRET.encode() not in content
        assert b"Nordlys" not in content
        assert b"controllers" not in content
        assert file.stat().st_mode & 0o777 == 0o600


def test_two_backups_of_the_same_moment_do_not_look_alike(world: World, tmp_path: Path) -> None:
    first, second = made(world, tmp_path, "a"), made(world, tmp_path, "b")
    assert first.file.read_bytes()[100:1000] != second.file.read_bytes()[100:1000]


def test_the_journal_says_that_a_backup_was_made_and_at_which_entry(world: World, tmp_path: Path) -> None:
    world.open()
    head = journal.head(world.context)
    done = made(world, tmp_path)
    with world.context.database.reading() as session:
        row = session.scalars(select(JournalRow).order_by(JournalRow.seq.desc()).limit(1)).one()
    event = event_from(row.kind, from_json(world.context.keyring.open("journal.payload", row.payload)))
    assert event == BackupMade(done.id, head[0], head[1].hex(), done.file.stat().st_size)
    assert backup.state(world.context).last_at == world.clock()


def test_a_backup_that_is_there_is_replaced_only_when_asked(world: World, tmp_path: Path) -> None:
    first = made(world, tmp_path).file.read_bytes()
    with pytest.raises(making.FileIsThere):
        made(world, tmp_path)
    assert (tmp_path / "night.backup").read_bytes() == first
    made(world, tmp_path, overwrite=True)
    assert (tmp_path / "night.backup").read_bytes() != first


def test_a_folder_gets_dated_names_and_keeps_the_newest(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "holiday.backup").write_text("something of mine")
    for _ in range(4):
        backup.make(world.context, SHELL, folder, keep=2)
        world.clock.advance(days=1)
    assert sorted(one.name for one in folder.iterdir()) == [
        "holiday.backup",
        "incident-tracker-20261122T130000Z.backup",
        "incident-tracker-20261123T130000Z.backup",
        "incident-tracker.keys",
    ]


def test_an_older_backup_that_cannot_be_removed_does_not_unmake_the_new_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.make(world.context, SHELL, tmp_path, keep=1)
    world.clock.advance(days=1)

    def stays(_file: Path, **_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", stays)
    with pytest.raises(making.OlderBackupStays, match="belongs to another user"):
        backup.make(world.context, SHELL, tmp_path, keep=1)
    assert len(list(tmp_path.glob("*.backup"))) == 2
    assert backup.state(world.context).last_at == world.clock()


def test_only_an_administrator_makes_a_backup(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        backup.make(world.context, make_actor(world.controller, Role.RESPONDER), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_full_disk_leaves_the_old_backup_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = made(world, tmp_path)
    before = done.file.read_bytes(), done.keys_file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(whole.BackupNotWritten, match="the disk is full"):
        made(world, tmp_path, overwrite=True)
    assert (done.file.read_bytes(), done.keys_file.read_bytes()) == before
    assert not list(tmp_path.glob(".*"))


def test_evidence_that_is_gone_is_named_and_the_rest_is_kept(world: World, tmp_path: Path) -> None:
    reference = world.open()
    kept = attachments.add(world.context, SHELL, reference, file_name="a.txt", plain=[b"a"])
    lost = attachments.add(world.context, SHELL, reference, file_name="b.txt", plain=[b"b"])
    (attachments.folder(world.context) / lost.id).unlink()
    done = made(world, tmp_path)
    assert done.missing == (lost.id,)
    assert done.files >= 1
    assert kept.id not in done.missing


def test_another_master_key_does_not_open_it(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    (machine.folder / "master.key").unlink()
    make_master_key_file(machine.folder / "master.key")
    untouched(machine, backup_file.BackupDoesNotOpen, done.file)


def test_without_its_keys_nothing_is_restored(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    done.keys_file.unlink()
    untouched(machine, checking.KeysAreMissing, done.file)
    untouched(machine, backup_file.NotABackup, done.file, keys_file=done.file)


def test_keys_older_than_the_backup_do_not_fit(world: World, machine: Machine, tmp_path: Path) -> None:
    older = made(world, tmp_path, "older.backup")
    world.open()
    newer = made(world, tmp_path, "newer.backup")
    untouched(machine, checking.KeysDoNotFit, newer.file, keys_file=older.keys_file)
    assert machine.restore(older.file, keys_file=newer.keys_file).verdict.result == "ok"


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_bit_is_found_wherever_it_is(world: World, machine: Machine, tmp_path: Path, where: float) -> None:
    done = made(world, tmp_path)
    content = bytearray(done.file.read_bytes())
    content[100 + int((len(content) - 101) * where)] ^= 1
    done.file.write_bytes(content)
    untouched(machine, backup_file.BackupIsDamaged, done.file)


@pytest.mark.parametrize("left", [0, 10, 40, 80, 500, -1])
def test_a_file_that_was_cut_off_is_found(world: World, machine: Machine, tmp_path: Path, left: int) -> None:
    done = made(world, tmp_path)
    done.file.write_bytes(done.file.read_bytes()[:left])
    untouched(machine, Refusal, done.file)


def test_a_file_cut_between_two_chunks_is_found(world: World, machine: Machine, tmp_path: Path) -> None:
    reference = world.open()
    attachments.add(world.context, SHELL, reference, file_name="a", plain=[os.urandom(600_000)])
    done = made(world, tmp_path)
    content = done.file.read_bytes()
    first_line = content.index(b"\n") + 1 + 32 + 16
    length = int.from_bytes(content[first_line : first_line + 4], "big")
    done.file.write_bytes(content[: first_line + 4 + length])
    untouched(machine, backup_file.BackupIsDamaged, done.file)


def test_something_appended_is_found(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    with done.file.open("ab") as out:
        out.write(b"\x00\x00\x00\x20" + bytes(32))
    untouched(machine, backup_file.BackupIsDamaged, done.file)


def test_a_newer_format_and_a_newer_database_are_refused(
    world: World, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = made(world, tmp_path)
    newer = tmp_path / "newer.backup"
    newer.write_bytes(done.file.read_bytes().replace(b"backup 1\n", b"backup 2\n", 1))
    untouched(machine, backup_file.BackupIsNewer, newer)
    monkeypatch.setattr(migrations, "known", lambda revision: revision == "0001")
    untouched(machine, backup_file.BackupIsNewer, done.file)


def test_an_installation_that_is_there_is_not_overwritten(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    machine.restore(done.file)
    untouched(machine, places.NotEmpty, done.file)
    world.clock.advance(hours=1)
    again = machine.restore(done.file, replace=True)
    assert again.aside is not None
    assert {one.name for one in again.aside.iterdir()} >= {SQLITE_FILE, "keys.sqlite3", "journal-anchors.txt"}


def test_a_service_that_was_only_started_can_be_restored_into(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    context = machine.context_of(machine.settings)
    migrations.upgrade(context.database)
    context.keyring.year(world.clock())
    context.database.close()
    assert machine.restore(done.file).verdict.result == "ok"


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    world: World, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open()
    old = {"partners", "notices", "tokens"}  # tables that the first version did not have
    monkeypatch.setattr(migrations, "current", lambda _database: "0001")
    with monkeypatch.context() as patch:
        patch.setattr(backup_rows, "tables", _tables_of_the_first_version)
        patch.setattr(backup_rows, "_dump", _without_new_columns(backup_rows._dump))
        done = made(world, tmp_path)
    monkeypatch.undo()
    assert machine.restore(done.file).verdict.result == "ok"
    context = machine.context_of(machine.settings)
    migrations.check(context.database)
    assert old <= set(counts(context))
    context.database.close()


def _tables_of_the_first_version() -> list[Any]:
    from incident_tracker.store.tables import KEYRING, Table, outside, telling  # noqa: PLC0415 - for this alone  # noqa: PLC0415

    new = {
        kind.__tablename__
        for module in (outside, telling)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Table) and kind is not Table
    }
    return [one for one in Table.metadata.sorted_tables if one.schema != KEYRING and one.name not in new]


NEW_COLUMNS = {
    "controllers": {"four_eyes", "colour"},
    "deliveries": {"notice_id", "recipient_id", "content_id"},
}


def _without_new_columns(dump: Callable[..., None]) -> Callable[..., None]:
    def older(session: Any, one: Any, write: Callable[..., None], seen: Any) -> None:
        gone = NEW_COLUMNS.get(one.name, set())
        places_kept = [place for place, column in enumerate(one.columns) if column.name not in gone]

        def write_older(**record: Any) -> None:
            if "columns" in record:
                record["columns"] = [record["columns"][place] for place in places_kept]
            else:
                record["rows"] = [[row[place] for place in places_kept] for row in record["rows"]]
            write(**record)

        dump(session, one, write_older, seen)

    return older


def test_a_key_that_was_destroyed_does_not_come_back_with_older_keys(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    reference = world.open(SECRET)
    older = made(world, tmp_path, "older.backup")
    with world.context.database.writing() as session:
        key_id = session.scalars(select(IncidentRow.record_key)).one()
        destroy_key(session, key_id, world.clock())
    made(world, tmp_path, "newer.backup")  # its keys file lies beside, and lists what was forgotten

    restored = machine.restore(older.file, keys_file=older.keys_file)
    assert restored.forgotten == 1
    context = machine.context_of(machine.settings)
    with context.database.reading() as session:
        assert session.scalars(select(DataKey.wrapped).where(DataKey.id == key_id)).one() is None
        assert session.scalars(select(IncidentRow.title).where(IncidentRow.reference == reference)).one() == ""
    assert journal.verify(context).result == "ok"
    context.database.close()


def test_a_destroyed_key_stays_destroyed_where_its_installation_is_replaced(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    world.open()
    done = made(world, tmp_path)
    machine.restore(done.file)
    context = machine.context_of(machine.settings)
    with context.database.writing() as session:
        destroy_key(session, session.scalars(select(IncidentRow.people_key)).one(), world.clock())
    context.database.close()
    world.clock.advance(minutes=1)
    assert machine.restore(done.file, replace=True).forgotten == 1


def test_what_was_not_begun_is_decided_anew_and_a_sending_is_paused(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    reference = world.open()
    _plan_notices(world, reference, "sending", "approved", "submitted", "draft", "finished")
    restored = machine.restore(made(world, tmp_path).file)
    assert restored.held == 3  # the alert in the outbox, and two notices that somebody had handed over
    context = machine.context_of(machine.settings)
    with context.database.reading() as session:
        rows = session.scalars(select(NoticeRow).order_by(NoticeRow.id)).all()
        assert [one.state for one in rows] == ["paused", "draft", "draft", "draft", "finished"]
        reasons = [context.keyring.open_text("notices.pause_reason", one.pause_reason or b"") for one in rows[:4]]
        assert reasons == [backup_state.RESTORED] * 4
        assert rows[4].pause_reason is None
        assert set(session.scalars(select(ApprovalRow.state))) == {"withdrawn"}
        assert set(session.scalars(select(ApprovalRow.invite_hash))) == {None}
    halted = [one.event.change for one in world_history(context, reference) if one.kind == "notice_halted"]
    assert halted == ["paused", "taken_back", "taken_back", "taken_back"]
    assert backup.restored_from(context) == world.clock()
    context.database.close()


def test_a_notice_that_waited_for_approval_is_not_sent_by_an_approval_from_before(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    reference = world.open()
    world.aware(reference)
    make_people(world.context, reference, crowd(2))
    notice_id = make_notice(world.context, reference)
    approval = notices.submit(world.context, writer(world.controller), notice_id, ticked=TICKS, dismissed={})
    done = made(world, tmp_path)
    approving.approve(world.context, second(world.controller), approval)
    notices.begin(world.context, writer(world.controller), notice_id)  # nobody knows of this after the restore

    world.clock.advance(hours=1)
    machine.restore(done.file)
    context = machine.context_of(machine.settings)
    with pytest.raises(Refusal):
        approving.approve(context, second(world.controller), approval)
    with pytest.raises(Refusal):
        notices.begin(context, writer(world.controller), notice_id)
    assert notices.status(context, writer(world.controller), notice_id).held_up == backup_state.RESTORED

    again = notices.submit(context, writer(world.controller), notice_id, ticked=TICKS, dismissed={})
    assert again != approval
    approving.approve(context, second(world.controller), again)
    notices.begin(context, writer(world.controller), notice_id)
    assert notices.show(context, writer(world.controller), notice_id).pause_reason == ""
    context.database.close()


def test_agreements_come_back_and_can_be_read(world: World, machine: Machine, tmp_path: Path) -> None:
    point = ContactPoint("", "vagt@example.org", "")
    skyhost = partners.add(world.context, SHELL, world.controller.id, PartnerFacts("Skyhost A/S", contact=point))
    kept = partners.keep_agreement(world.context, SHELL, skyhost, file_name="aftale.pdf", plain=[b"Databehandler"])
    done = made(world, tmp_path)
    assert not done.missing
    machine.restore(done.file)
    context = machine.context_of(machine.settings)
    found, pieces = partners.read_agreement(context, SHELL, skyhost, kept.id)
    assert (found.file_name, b"".join(pieces)) == ("aftale.pdf", b"Databehandler")
    assert b"Databehandler" not in (attachments.folder(context) / kept.id).read_bytes()
    context.database.close()


def test_a_backup_that_is_refused_meanwhile_leaves_the_one_under_way_alone(world: World, tmp_path: Path) -> None:
    keys = tmp_path / "shared.keys"
    with whole.unfinished(keys) as out:
        out.write(b"first")
        with pytest.raises(whole.BackupRuns):
            made(world, tmp_path, keys_file=keys)
        assert sorted(one.name for one in tmp_path.glob(".*.part")) == [".shared.keys.part"]
        whole.to_disk(out)
        whole.put(keys)
    assert keys.read_bytes() == b"first"


def test_a_file_that_got_its_name_while_another_waited_is_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "night.backup"
    lock = fcntl.flock

    def after_the_first_ended(handle: Any, how: int) -> None:
        whole.put(file)
        lock(handle, how)

    beside = tmp_path / ".night.backup.part"
    beside.write_bytes(b"first")
    monkeypatch.setattr(fcntl, "flock", after_the_first_ended)
    with pytest.raises(whole.BackupRuns), whole.unfinished(file):
        pass
    assert file.read_bytes() == b"first"


def test_a_keys_file_is_not_taken_for_a_damaged_backup(world: World, machine: Machine, tmp_path: Path) -> None:
    done = made(world, tmp_path)
    untouched(machine, backup_file.NotABackup, done.keys_file, keys_file=done.keys_file)


def world_history(context: Any, reference: str) -> Any:
    from incident_tracker.services import register  # noqa: PLC0415 - for this alone

    return register.history(context, SHELL, reference)


def _plan_notices(world: World, reference: str, *states: str) -> None:
    """Put notices in some states into the register; what they say does not matter here."""
    keyring, now = world.context.keyring, world.clock()
    with world.context.database.reading() as session:
        loaded = incident_rows.load(session, keyring, reference, None)
    from incident_tracker.store import notices  # noqa: PLC0415 - for this alone

    with world.context.database.writing() as session:
        for number, state in enumerate(states, start=1):
            sealed = notices._seal_wording(keyring, loaded.record_key, {}, (), {})
            session.add(
                NoticeRow(
                    controller_id=world.controller.id,
                    incident_id=loaded.id,
                    number=number,
                    public_reference=f"R{number}",
                    audience="people",
                    state=state,
                    version=1,
                    channels="email",
                    wording=sealed,
                    digest="0" * 64,
                    written_by="shell",
                    written_at=now,
                )
            )
        session.flush()
        for row in session.scalars(select(NoticeRow).where(NoticeRow.state.in_(["approved", "submitted"]))):
            session.add(
                ApprovalRow(
                    id=f"a{row.number}",
                    controller_id=world.controller.id,
                    incident_id=loaded.id,
                    subject=f"notice:{row.id}",
                    digest="0" * 64,
                    state="approved" if row.state == "approved" else "waiting",
                    asked_by="shell",
                    asked_at=now,
                    invite_hash=f"x{row.number}".encode(),
                    sealed=b"",
                )
            )


def test_people_who_were_told_after_the_backup_are_not_told_again(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    reference = world.open()
    world.aware(reference)
    make_people(world.context, reference, crowd(6))
    world.tick()
    notice_id = begin(world.context, reference, world.controller)
    notices.go_on(world.context, world.clock())
    done = made(world, tmp_path)
    world.tick()
    told = [one.address for one in world.mail.carried if one.address.startswith("person")]
    assert len(told) == len(set(told)) == 6

    machine.restore(done.file)
    tracker = bootstrap.build(machine.settings, now=world.clock, notifiers=world.tracker.carriers)
    for _ in range(4):
        notices.go_on(tracker.context, world.clock())
        tracker.engine.drain(NEVER)
        tracker.engine.sweep()
        world.clock.advance(hours=1)
    assert [one.address for one in world.mail.carried if one.address.startswith("person")] == told
    status = notices.status(tracker.context, writer(world.controller), notice_id)
    assert (status.state, status.counts["pending"], status.held_up) == ("paused", 6, backup_state.RESTORED)
    ledger = notices.ledger(tracker.context, writer(world.controller), notice_id, after="", states=(), limit=50)
    assert len(ledger) == 6
    tracker.close()


def test_what_was_in_flight_waits_for_a_person(world: World, machine: Machine, tmp_path: Path) -> None:
    world.open()
    with world.context.database.writing() as session:
        session.execute(update(DeliveryRow).values(state="sending", lease_until=world.clock() + timedelta(minutes=1)))
    machine.restore(made(world, tmp_path).file)
    context = machine.context_of(machine.settings)
    with context.database.reading() as session:
        row = session.scalars(select(DeliveryRow)).one()
    assert (row.state, row.reason) == ("in_doubt", backup_state.HELD)
    assert row.not_before > world.clock() + timedelta(days=365)
    context.database.close()


def test_anchors_from_after_the_backup_are_explained_by_the_restore_and_only_by_it(
    world: World, machine: Machine, tmp_path: Path
) -> None:
    world.open()
    done = made(world, tmp_path)
    world.clock.advance(hours=1)
    for _ in range(5):
        world.open()
    journal.anchor(world.context, world.clock())
    outside = tmp_path / "kept-elsewhere.txt"
    outside.write_bytes(world.context.anchors.file.read_bytes())

    world.clock.advance(hours=1)
    machine.restore(done.file)
    context = machine.context_of(machine.settings)
    assert journal.verify(context).result == "ok"
    explained = journal.verify(context, outside)
    assert (explained.result, explained.why[:18]) == ("ok", "Every entry is lin")
    assert "A backup was restored" in explained.why

    # A tail that was cut off without a restore is not explained.
    raw = context.database.file
    context.database.close()
    assert raw is not None
    _cut_tail(raw, keep=done.head_seq)
    context = machine.context_of(machine.settings)
    assert journal.verify(context, outside).result == "truncated"
    context.database.close()


def _cut_tail(file: Path, keep: int) -> None:
    import sqlite3  # noqa: PLC0415 - as an intruder would

    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER journal_refuses_delete")
        connection.execute("DELETE FROM journal WHERE seq > ?", (keep,))
        last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        connection.execute("UPDATE journal_head SET seq = ?, hash = ?", last)
    connection.close()


def test_a_backup_made_while_somebody_writes_is_one_moment(either: World, tmp_path: Path) -> None:
    stop = threading.Event()
    wrong: list[BaseException] = []

    def hammer() -> None:
        try:
            while not stop.wait(0.02):
                incidents.open_incident(either.context, SHELL, title="Endnu en")
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)

    threads = [threading.Thread(target=hammer) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        files = [backup.make(either.context, SHELL, tmp_path / f"{number}.backup") for number in range(2)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not wrong
    for done in files:
        folder = tmp_path / f"machine-{done.file.stem}"
        machine = make_machine(either.context, folder, f"sqlite:///{folder / SQLITE_FILE}", either.clock)
        restored = machine.restore(done.file)
        assert restored.verdict.result == "ok"
        assert restored.head[0] == done.head_seq + 1
        context = machine.context_of(machine.settings)
        found = counts(context)
        assert found["incidents"] <= found["journal"]
        assert found["alerts"] == found["incidents"]
        context.database.close()


@pytest.mark.postgresql
def test_a_backup_of_one_kind_of_database_goes_into_the_other(
    world: World, tmp_path: Path, postgres_url: str
) -> None:
    reference = world.open()
    done = made(world, tmp_path)
    there = make_machine(world.context, tmp_path / "there", postgres_url, world.clock)
    context = there.context_of(there.settings)
    migrations.upgrade(context.database)
    with context.database.writing() as session:
        heartbeats.start(session, "desk", "0.2.0", world.clock())
    with pytest.raises(places.ServiceRuns):
        there.restore(done.file)
    world.clock.advance(minutes=1)
    assert there.restore(done.file).verdict.result == "ok"
    new = incidents.open_incident(context, SHELL, title="Nummer to")  # numbers go on after those that were restored
    assert new != reference
    with pytest.raises(restoring.PostgreSqlKeeps):
        there.restore(done.file, replace=True)
    second = backup.make(context, SHELL, tmp_path / "second.backup")
    context.database.close()
    folder = tmp_path / "back"
    back = make_machine(world.context, folder, f"sqlite:///{folder / SQLITE_FILE}", world.clock)
    assert back.restore(second.file).verdict.result == "ok"


def test_a_process_killed_in_the_middle_leaves_no_half_backup(world: World, tmp_path: Path) -> None:
    reference = world.open()
    attachments.add(world.context, SHELL, reference, file_name="a", plain=[os.urandom(2_000_000)])
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from incident_tracker import bootstrap, settings\n"
        "from incident_tracker.services import backup\n"
        "from incident_tracker.store import backup_file\n"
        "from incident_tracker.domain.access import SHELL\n"
        "seal = backup_file.Writer._seal\n"
        "def dying(self, plain, *, last):\n"
        "    seal(self, plain, last=last)\n"
        "    self._out.flush()\n"
        "    if self._number == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "backup_file.Writer._seal = dying\n"
        "tracker = bootstrap.build(settings.load(os.environ), notifiers={})\n"
        "backup.make(tracker.context, SHELL, Path(sys.argv[1]))\n"
    )
    settings = world.context.settings
    environment = os.environ | {
        "INCIDENT_TRACKER__DATA__DIR": str(settings.data.dir),
        "INCIDENT_TRACKER__DATABASE__URL": settings.database_url,
    }
    target = tmp_path / "night.backup"
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script, str(target)], env=environment, cwd=Path.cwd(), timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert not target.exists()
    assert not target.with_name("night.backup.keys").exists()
    assert backup.state(world.context).last_at is None
    made(world, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["night.backup", "night.backup.keys"]


class TestLateness:
    """When a backup stays away."""

    def test_the_first_day_is_free_and_then_it_counts(self, world: World) -> None:
        world.clock.advance(hours=26)
        assert not backup.state(world.context).late
        world.clock.advance(minutes=1)
        assert backup.state(world.context).late

    def test_a_backup_is_too_old_after_the_hours_that_are_set(self, world: World, tmp_path: Path) -> None:
        made(world, tmp_path)
        world.clock.advance(hours=26)
        assert not backup.state(world.context).late
        world.clock.advance(minutes=1)
        assert backup.state(world.context).late
        made(world, tmp_path, overwrite=True)
        assert not backup.state(world.context).late

    def test_each_administrator_gets_one_mail_a_day_until_there_is_a_backup(
        self, world: World, tmp_path: Path
    ) -> None:
        make_user(world.context, world.controller)
        make_user(world.context, world.controller, Role.AUDITOR, "dan@example.dk", "Dan")
        world.clock.advance(days=2)
        assert [backup.tell_administrators(world.context, world.clock()) for _ in range(3)] == [1, 0, 0]
        assert [to for to, _ in world.tick()] == ["ada@example.dk"]
        world.clock.advance(days=1)
        assert backup.tell_administrators(world.context, world.clock()) == 1
        made(world, tmp_path)
        world.clock.advance(hours=25)
        assert backup.tell_administrators(world.context, world.clock()) == 0

    def test_the_daily_mail_says_it_too(self, world: World, tmp_path: Path) -> None:
        said = "sikkerhedskopi"
        daily_mail.send(world.context, world.controller, world.clock())
        assert [said in text for _, text in world.tick()] == [False]
        world.clock.advance(days=2)
        daily_mail.send(world.context, world.controller, world.clock())
        assert [text.count(f"ingen {said}") for _, text in world.tick()] == [1]
        made(world, tmp_path)
        world.clock.advance(days=2)
        daily_mail.send(world.context, world.controller, world.clock())
        assert ["Sidste sikkerhedskopi er fra søndag" in text for _, text in world.tick()] == [True]

    def test_whoever_only_practises_is_left_in_peace(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        from incident_tracker.services.backup import lateness  # noqa: PLC0415 - for this alone

        monkeypatch.setattr(lateness, "_is_local", lambda _context: True)
        world.open(exercise=True)
        world.clock.advance(days=3)
        assert not backup.state(world.context).late
        world.open()
        assert backup.state(world.context).late

    def test_a_restore_counts_the_backup_that_it_came_from(
        self, world: World, machine: Machine, tmp_path: Path
    ) -> None:
        done = made(world, tmp_path)
        world.clock.advance(hours=5)
        machine.restore(done.file)
        context = machine.context_of(machine.settings)
        assert backup.state(context).last_at == done.made_at
        context.database.close()
