import shutil
import sqlite3
from pathlib import Path

import pytest

from incident_tracker.store import migrations
from tests.cli.conftest import World

OTHER_KEY = "-".join(["AAAA"] * 13)


def _sqlite(run: World, statement: str, file: str = "incident-tracker.sqlite3") -> None:
    connection = sqlite3.connect(run.data / file)
    with connection:
        connection.execute(statement)
    connection.close()


def test_upgrading_makes_the_database_and_its_master_key_once(bare: World) -> None:
    first = bare.done("db", "upgrade")
    key = (bare.data / "master.key").read_text()
    assert "was created" in first
    assert "master.key" in first
    assert bare.done("db", "upgrade") == f"The database is up to date ({migrations.head()}).\n"
    assert (bare.data / "master.key").read_text() == key
    assert (bare.data / "master.key").stat().st_mode & 0o777 == 0o600


def test_a_lost_master_key_is_never_replaced_by_a_new_one(run: World) -> None:
    (run.data / "master.key").unlink()
    run.done("db", "upgrade")
    assert not (run.data / "master.key").exists()
    assert "the file does not exist" in run.refused("incident", "list", code=3)


def test_a_lost_database_is_never_replaced_by_an_empty_one(run: World) -> None:
    (run.data / "incident-tracker.sqlite3").unlink()
    line = run.refused("db", "upgrade", code=3)
    assert "but its keys lie in" in line
    assert not (run.data / "incident-tracker.sqlite3").exists()


def test_without_a_database_the_way_to_make_one_is_named(bare: World) -> None:
    assert "`incident-tracker db upgrade` creates the database" in bare.refused("incident", "list", code=3)
    assert not bare.data.exists()


def test_an_old_database_is_refused_with_the_way_out(run: World) -> None:
    _sqlite(run, "DELETE FROM alembic_version")
    assert "Run `incident-tracker db upgrade`" in run.refused("incident", "list", code=3)


def test_a_migration_that_fails_halfway_leaves_nothing_of_itself(run: World) -> None:
    run.open()
    _sqlite(run, "DELETE FROM alembic_version")
    _sqlite(run, "DROP TABLE heartbeats")
    before = _tables(run)
    result = run("db", "upgrade")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("The database could not be brought up to date")
    assert _tables(run) == before


def _tables(run: World) -> list[tuple[str]]:
    connection = sqlite3.connect(run.data / "incident-tracker.sqlite3")
    found = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
    connection.close()
    return found


def test_an_empty_database_is_old(bare: World) -> None:
    bare.data.mkdir()
    for file in ("incident-tracker.sqlite3", "keys.sqlite3"):
        (bare.data / file).touch()
    assert "older than this version" in bare.refused("incident", "list", code=3)
    bare.done("db", "upgrade")
    assert bare.json("incident", "list") == []


def test_a_newer_database_is_refused_and_left_alone(run: World) -> None:
    _sqlite(run, "UPDATE alembic_version SET version_num = '9999'")
    _sqlite(run, "UPDATE installation SET value = '99.0.0' WHERE name = 'minimum_version'")
    for command in (("incident", "list"), ("db", "upgrade")):
        assert "made by a newer version (9999)" in run.refused(*command, code=3)


def test_a_newer_database_that_lets_this_version_work_is_left_as_it_is(run: World) -> None:
    _sqlite(run, "UPDATE alembic_version SET version_num = '9999'")
    assert run.done("db", "upgrade") == "The database is up to date (9999).\n"
    assert run.json("incident", "list") == []


def test_a_migration_that_fails_leaves_the_database_as_it_was(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.command.upgrade", fail)
        result = bare("db", "upgrade")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("The database could not be brought up to date (LookupError)")
    assert not (bare.data / "master.key").exists()
    bare.done("db", "upgrade")


def test_another_installations_master_key_opens_nothing(run: World) -> None:
    run.open()
    (run.data / "master.key").write_text(OTHER_KEY)
    line = run.refused("incident", "list", code=3)
    assert line.startswith("This master key does not open this database.")


@pytest.mark.parametrize("written", ["", "not a key!", "ABCD-EFGH", "æøå"])
def test_what_is_no_master_key_is_said_to_be_none(run: World, written: str) -> None:
    (run.data / "master.key").write_text(written)
    assert "cannot be used" in run.refused("incident", "open", "--title", "x", code=3)


def test_a_whole_database_is_said_to_be_whole(run: World) -> None:
    run.open()
    answer = run.json("db", "check")
    assert answer["result"] == "ok"
    assert [one["check"] for one in answer["checks"]] == ["integrity", "migrations", "keyring", "attachments"]


def _checked(run: World) -> dict[str, list[str]]:
    import json  # noqa: PLC0415

    result = run("db", "check", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["result"]) == (3, "broken")
    return {one["check"]: one["faults"] for one in answer["checks"] if not one["ok"]}


def test_a_reference_that_leads_nowhere_is_found(run: World) -> None:
    run.open()
    _sqlite(run, "UPDATE incidents SET controller_id = 99")
    assert any("controllers" in fault for fault in _checked(run)["integrity"])


def test_a_damaged_page_is_found(run: World) -> None:
    for number in range(20):
        run.open(f"Number {number}")
    _sqlite(run, "PRAGMA wal_checkpoint(TRUNCATE)")
    file = run.data / "incident-tracker.sqlite3"
    content = bytearray(file.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 + 8 : page * 4096 + 200] = b"\xff" * 192
    file.write_bytes(content)
    assert _checked(run)["integrity"]


def test_a_missing_data_key_is_found(run: World) -> None:
    run.open()
    _sqlite(run, "DELETE FROM data_keys WHERE kind = 'record'", "keys.sqlite3")
    assert any("is missing" in fault for fault in _checked(run)["keyring"])


def test_a_key_of_another_installation_is_found(run: World) -> None:
    run.open()
    (run.data / "master.key").write_text(OTHER_KEY)
    assert "does not open this database" in _checked(run)["keyring"][0]


def test_an_attachment_without_its_file_and_a_file_without_its_row_are_found(run: World, tmp_path: Path) -> None:
    reference = run.open()
    at = "2026-11-20T13:00:00Z"
    run.done("incident", "aware", reference, "--at", at, "--reason", "Seen")
    receipt = tmp_path / "kvittering.pdf"
    receipt.write_bytes(b"%PDF-1.7")
    run.done(
        "report", "filed", reference, "--version", "1", "--at", at, "--reference", "V-1", "--receipt", str(receipt)
    )
    assert run.json("db", "check")["result"] == "ok"
    (kept,) = (run.data / "attachments").iterdir()
    kept.rename(kept.with_name("0" * 32))
    run.now.advance(days=3650)
    faults = _checked(run)["attachments"]
    assert faults == [f"attachment {kept.name} has no file", f"file {'0' * 32} belongs to no incident"]


def test_checking_changes_nothing(run: World) -> None:
    run.open()
    before = {file.name for file in run.data.iterdir()}
    copy = run.folder / "copy"
    shutil.copytree(run.data, copy)
    run.done("db", "check")
    assert {file.name for file in run.data.iterdir()} == before
    assert (copy / "journal-anchors.txt").read_bytes() == (run.data / "journal-anchors.txt").read_bytes()
