"""`backup` and `restore` as they are typed."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import World


@pytest.fixture
def empty(run: World, tmp_path: Path) -> World:
    """Give another machine that has the master key and nothing else."""
    other = World(tmp_path / "other")
    other.data.mkdir(parents=True)
    shutil.copy(run.data / "master.key", other.data / "master.key")
    other.now = run.now
    return other


def test_a_backup_and_back_again(run: World, empty: World, tmp_path: Path) -> None:
    reference = run.open("Brev til den forkerte")
    made = run.json("backup", str(tmp_path / "night.backup"))
    assert made["keys_file"] == str(tmp_path / "night.backup.keys")
    assert made["made_at"] == "2026-11-20T13:00:00Z"
    assert (made["missing_files"], made["removed"]) == ([], [])

    done = empty.json("restore", str(tmp_path / "night.backup"))
    assert (done["journal"], done["rows"], done["head"]["seq"]) == ("ok", made["rows"], made["head"]["seq"] + 1)
    assert empty.json("incident", "show", reference)["title"] == "Brev til den forkerte"
    assert empty.json("journal", "verify")["result"] == "ok"
    empty.done("db", "check")


def test_what_was_done_is_said_in_a_sentence(run: World, empty: World, tmp_path: Path) -> None:
    said = run.done("backup", str(tmp_path / "night.backup"))
    assert said.startswith(f"Backup written to {tmp_path}/night.backup (")
    assert said.endswith("Keep the two apart.\n")
    told = empty.done("restore", str(tmp_path / "night.backup")).splitlines()
    assert told[0].endswith("Everybody signs in again.")
    assert "shut again" in told[1]
    assert told[2].startswith("Journal: ok: Every entry is linked")


def test_each_refusal_is_one_line(run: World, empty: World, tmp_path: Path) -> None:
    file = str(tmp_path / "night.backup")
    run.done("backup", file)
    there = f"{file} is there already. Name another file, name a folder, or add --overwrite."
    assert run.refused("backup", file) == there
    run.done("backup", file, "--overwrite")
    assert "the folder does not exist" in run.refused("backup", str(tmp_path / "nowhere" / "x"), code=3)
    assert "There is an installation here already" in run.refused("restore", file)
    assert "is not a backup" in empty.refused("restore", str(run.data / "master.key"))
    assert "There is no file" in empty.refused("restore", str(tmp_path / "nothing"))
    (empty.data / "master.key").unlink()
    assert "cannot be used: the file does not exist" in empty.refused("restore", file, code=3)


def test_a_restore_on_danish_says_it_in_danish(run: World, empty: World, tmp_path: Path) -> None:
    run.done("backup", str(tmp_path / "night.backup"))
    assert "findes ikke" in empty.refused("restore", str(tmp_path / "intet"), language="da")


def test_while_the_service_runs_a_backup_is_made_and_a_restore_is_refused(
    run: World, started: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    process = started("serve")
    assert process.stdout is not None
    process.stdout.readline()
    made = run.process("backup", str(tmp_path), "--keep", "3", "--json")
    assert made.returncode == 0, made.stderr
    written = json.loads(made.stdout)
    refused = run.process("restore", written["file"], "--keys", written["keys_file"], "--replace")
    assert refused.returncode == 1
    assert "Stop it first" in refused.stderr
    assert process.poll() is None


def test_only_an_administrator_makes_a_backup(run: World, tmp_path: Path) -> None:
    run.done(
        "user", "create", "--email", "dan@example.dk", "--role", "auditor", "--password-stdin",
        stdin="en gul cykel i regnvejr\n",
    )  # fmt: skip
    refused = run.refused("backup", str(tmp_path / "x"), "--as", "dan@example.dk")
    assert refused == "Your role does not allow this. Ask an administrator."
