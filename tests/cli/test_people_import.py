"""`people import`: what it prints, the file of refused rows, and a reading that is killed."""

import csv
import signal
import stat
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incident_tracker.services import people
from tests.cli.conftest import PATIENCE, PROGRAM, World

HEAD = "navn;e-mail;telefon;sprog\n"
LIST = HEAD + "Søren Åse;soren@example.dk;34412345;da\nBo;forkert;;\nSøren Åse;SOREN@example.dk;;\n=1+1;@x;;\n"


@pytest.fixture
def file(run: World) -> Path:
    found = run.folder / "kunder.csv"
    found.write_text(LIST, "utf-8")
    return found


def test_it_prints_counts_for_scripts(run: World, file: Path) -> None:
    reference = run.open()
    assert run.json("people", "import", reference, str(file)) == {
        "read": 4,
        "accepted": 1,
        "duplicates": 1,
        "refused": 2,
        "warned": 0,
        "refused_file": str(run.folder / "kunder.refused.csv"),
        "complete": True,
    }


def test_it_says_in_words_what_it_did(run: World, file: Path) -> None:
    reference = run.open()
    said = run.done("people", "import", reference, str(file)).splitlines()
    assert said == [
        "Read as UTF-8, columns divided by »;«.",
        "4 rows read: 1 added, 1 on the list already, 2 refused.",
        (
            f"Rows to look at, each with its line and the reason, are in {run.folder / 'kunder.refused.csv'}: "
            "refused, added with something left out, or with an address that is on the list under another name. "
            "Whoever shares an address is told once."
        ),
    ]


def test_refused_rows_are_beside_the_list_for_its_owner_alone(run: World, file: Path) -> None:
    run.done("people", "import", run.open(), str(file))
    written = run.folder / "kunder.refused.csv"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    with written.open(encoding="utf-8-sig", newline="") as opened:
        head, first, second = csv.reader(opened, delimiter=";")
    assert head == ["line", "reason", "navn", "e-mail", "telefon", "sprog"]
    assert first == ["3", "Refused: »forkert« is not an e-mail address", "Bo", "forkert", "", ""]
    assert second[0] == "5"
    assert second[2:] == ["'=1+1", "'@x", "", ""]


def test_an_earlier_file_of_refused_rows_is_replaced_and_then_removed(run: World, file: Path) -> None:
    reference = run.open()
    written = run.folder / "kunder.refused.csv"
    written.write_text("old", "utf-8")
    written.chmod(0o644)
    run.done("people", "import", reference, str(file))
    assert "old" not in written.read_text("utf-8")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    file.write_text(HEAD + "Ib;ib@example.dk;;\n", "utf-8")
    assert run.json("people", "import", reference, str(file))["refused_file"] is None
    assert not written.exists()


def test_refused_rows_go_where_they_are_wanted(run: World, file: Path) -> None:
    target = run.folder / "til-retning.csv"
    found = run.json("people", "import", run.open(), str(file), "--refused", str(target))
    assert found["refused_file"] == str(target)
    assert target.exists()


def test_the_list_itself_is_never_overwritten(run: World, file: Path) -> None:
    assert run("people", "import", run.open(), str(file), "--refused", str(file)).exit_code == 2
    assert file.read_text("utf-8") == LIST
    (run.folder / "under").mkdir()
    same = run.folder / "under" / ".." / file.name
    assert run("people", "import", run.open(), str(file), "--refused", str(same)).exit_code == 2
    assert file.read_text("utf-8") == LIST


@pytest.mark.parametrize(
    ("state", "words"), [("stopped", "Somebody stopped the reading"), ("broken_off", "gave no sign of life")]
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_list_that_was_not_read_to_the_end_is_no_success(
    run: World, file: Path, state: str, words: str, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = people.read_file

    def ended(*given: Any, **named: Any) -> people.Reading:
        return replace(read(*given, **named), state=state)

    monkeypatch.setattr(people, "read_file", ended)
    result = run("people", "import", run.open(), str(file), *options)
    assert result.exit_code == 1
    assert words in result.stderr
    assert ('"complete": false' if options else "4 rows read") in result.stdout


def test_refused_rows_that_cannot_be_written_are_said_and_the_people_stay(run: World, file: Path) -> None:
    reference = run.open()
    (run.folder / "folder").mkdir()
    assert "cannot be written" in run.refused(
        "people", "import", reference, str(file), "--refused", str(run.folder / "folder")
    )
    assert run.json("people", "import", reference, str(file))["duplicates"] == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tom.csv", b"", "The file is empty"),
        ("kunder.xlsx", b"PK\x03\x04" + b"\x00" * 9, "CSV UTF-8"),
        ("kunder.csv", b"\x1f\x8b\x08" + b"\x00" * 9, "it holds no text"),
        ("kunder.csv", b"Ada;ada@example.dk\n", "navn;e-mail;telefon;sprog"),
        ("kunder.csv", b"\x91\x94;e-mail\n\x91;a@example.dk\n", "cannot be told"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_line(run: World, name: str, content: bytes, words: str) -> None:
    (run.folder / name).write_bytes(content)
    assert words in run.refused("people", "import", run.open(), str(run.folder / name))


def test_a_file_that_is_not_there_is_refused(run: World) -> None:
    assert "there is no such file" in run.refused("people", "import", run.open(), str(run.folder / "nope.csv"))
    assert "it is a folder" in run.refused("people", "import", run.open(), str(run.folder))


def test_an_incident_that_is_not_there_is_refused(run: World, file: Path) -> None:
    assert "nothing called 2026-4711" in run.refused("people", "import", "2026-4711", str(file))


def test_a_reading_killed_at_any_moment_is_repeated_without_doubles(run: World) -> None:
    reference = run.open()
    file = run.folder / "lang.csv"
    rows = 20_000
    file.write_text(HEAD + "".join(f"P{one};p{one}@example.dk;;\n" for one in range(rows)), "utf-8")
    with subprocess.Popen(  # noqa: S603 - our own program
        [str(PROGRAM), "people", "import", reference, str(file)],
        cwd=run.folder,
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        database = run.data / "incident-tracker.sqlite3-wal"
        start = database.stat().st_size if database.exists() else 0
        while process.poll() is None and not (database.exists() and database.stat().st_size > start + 1_000_000):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert "is being read" in run.refused("people", "import", reference, str(file))
    run.now.set(run.now.at.replace(year=run.now.at.year + 1))
    found = run.json("people", "import", reference, str(file))
    assert found["duplicates"] > 0
    assert found["accepted"] + found["duplicates"] == found["read"] == rows
    again = run.json("people", "import", reference, str(file))
    assert (again["accepted"], again["duplicates"]) == (0, rows)
