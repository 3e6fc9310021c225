"""Whatever is typed, and whatever the disk does: a clear line, the documented exit code, nothing half-written."""

import json
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import World

NOW = "2026-11-20T13:00:00Z"
NAUGHTY = [
    "'; DROP TABLE incidents; --",
    '<script>alert(1)</script> & "x"',
    "{{ 7 * 7 }} {% raw %} %(reference)s %s ${HOME} $(id)",
    "../../etc/passwd",
    "\\u0000 \\x00 %00",
    "Ærø, Åse & Øjvind; naïve façade",
    "مرحبا שלום 你好 ✓ 🧑\u200d🚒",
    "Z̸̧̢a̶̛l̷̡g̵o̴",
    "NULL",
    "-1e308",
    "é",
    "\u00a0non-breaking\u00a0",
    "#REF! =1+1 @SUM(A1)",
]
FORBIDDEN = ["\x01", "\x1b[31mred", "a\x7fb", "\u202eright to left", "\ud800"]
EMPTY = ["", " ", "\t\n", "\u00a0", "\u3000"]
NOT_PHONES = [
    "",
    "Ben",
    "+45",
    "112",
    "+45 34 41 23 4",
    "+45 34 41 23 455",
    "+45 00 00 00 00",
    "34412345 ext. 5",
    "+4534412345;ext=5",
    "\uff0b\uff14\uff15\uff13\uff14\uff14\uff11\uff12\uff13\uff14\uff15",
    "+800 1234 5678",
    "+881 6 12345678",
    "tel:+4534412345",
    "0" * 500,
]


@pytest.fixture
def reference(run: World) -> Iterator[str]:
    """Give an incident; whatever the test does to it, the journal verifies and the list stays as long as it was."""
    name = run.open()
    entries = run.json("journal", "verify")["entries"]
    yield name
    verdict = run.json("journal", "verify")
    assert (verdict["result"], verdict["entries"]) == ("ok", entries)
    assert [one["reference"] for one in run.json("incident", "list")] == [name]


NOT_TIMES = [
    ("2026-11-20T13:00:00", "has no offset"),
    ("2026-11-20", "has no offset"),
    ("2026-10-25T02:30", "has no offset"),
    ("2026-03-29T02:30", "has no offset"),
    ("2026-11-20T13:00:01Z", "has not happened yet"),
    ("2199-01-01T00:00Z", "has not happened yet"),
    ("9999-12-31T23:59Z", "too far away"),
    ("0001-01-01T00:00Z", "too far away"),
    ("2026-02-29T12:00Z", "no day 2026-02-29"),
    ("2026-11-20T25:00Z", "is not a time"),
    ("2026-11-20T12:00+99:00", "is not a time"),
    ("now", "is not a time"),
    ("", "is not a time"),
    ("1" * 5000, "is not a time"),
]


@pytest.mark.parametrize(
    "command",
    [
        ("incident", "aware", "{}", "--reason", "Seen", "--at"),
        ("incident", "contain", "{}", "--how", "Recalled", "--at"),
        ("incident", "not-a-breach", "{}", "--reason", "No", "--at"),
        ("incident", "open", "--title", "Another", "--detected-at"),
        ("incident", "open", "--title", "Another", "--aware-reason", "Seen", "--aware-at"),
    ],
    ids=lambda command: " ".join(command[:2]) + command[-1],
)
def test_a_time_that_names_no_past_instant_is_refused(run: World, reference: str, command: tuple[str, ...]) -> None:
    for written, words in NOT_TIMES:
        assert words in run.refused(*(part.format(reference) for part in command), written)


def test_the_offset_tells_the_two_passings_of_a_doubled_hour_apart(run: World) -> None:
    first, second = (run.open(f"Number {number}", "--detected-at", f"2026-10-25T02:30{offset}")
                     for number, offset in enumerate(("+02:00", "+01:00")))  # fmt: skip
    assert run.json("incident", "show", first)["detected_at"] == "2026-10-25T00:30:00Z"
    assert run.json("incident", "show", second)["detected_at"] == "2026-10-25T01:30:00Z"


@pytest.mark.parametrize(
    "command",
    [
        ("incident", "open", "--title"),
        ("incident", "note", "{}", "--text"),
        ("incident", "aware", "{}", "--at", NOW, "--reason"),
        ("incident", "not-a-breach", "{}", "--reason"),
        ("incident", "contain", "{}", "--at", NOW, "--how"),
        ("duty", "set-aside", "{}", "--duty", "internal.assess", "--reason"),
        ("oncall", "add", "--phone", "34412345", "--name"),
        ("controller", "create", "--prefix", "B", "--name"),
    ],
    ids=" ".join,
)
def test_an_empty_text_is_refused(run: World, reference: str, command: tuple[str, ...]) -> None:
    for text in EMPTY:
        run.refused(*(part.format(reference) for part in command), text)


@pytest.mark.parametrize("option", ["--title", "--what", "--place"])
def test_signs_that_cannot_be_kept_are_refused_by_their_number(run: World, reference: str, option: str) -> None:
    title = () if option == "--title" else ("--title", "Another")
    for text in FORBIDDEN:
        line = run.refused("incident", "open", *title, option, f"a{text}b")
        assert "control characters" in line
        assert "\x1b" not in line
    assert reference


def test_strange_texts_are_kept_as_they_were_typed(run: World) -> None:
    for text in NAUGHTY:
        shown = run.json("incident", "open", "--title", text, "--what", text, "--place", text)
        assert shown["title"] == " ".join(text.split())
        run.done("incident", "note", shown["reference"], "--text", text)
        run.done("incident", "show", shown["reference"])
        run.json("incident", "list", "--search", text)
    assert run.json("journal", "verify")["result"] == "ok"


@pytest.mark.parametrize("command", ["incident show", "alerts ack", "outbox resend", "incident note --text x"])
def test_a_reference_that_is_none_is_not_found(run: World, reference: str, command: str) -> None:
    for text in (*NAUGHTY, *FORBIDDEN, *EMPTY, "x" * 100_000):
        assert len(run.refused(*command.split(), "--", text)) < 300
    assert reference


@pytest.mark.parametrize(("option", "limit"), [("--title", 200), ("--place", 500), ("--what", 20_000)])
def test_a_text_is_kept_up_to_its_limit_and_refused_above(run: World, option: str, limit: int) -> None:
    title = () if option == "--title" else ("--title", "Another")
    run.done("incident", "open", *title, option, "å" * limit)
    assert "too long" in run.refused("incident", "open", *title, option, "å" * (limit + 1))
    assert "too long" in run.refused("incident", "open", *title, option, "å" * 5_000_000)
    assert len(run.json("incident", "list")) == 1


def test_a_phone_that_only_looks_like_one_is_refused(run: World) -> None:
    for phone in NOT_PHONES:
        run.refused("oncall", "add", "--name", "Ben", "--phone", phone)
    assert run.json("oncall", "show") == []
    assert run.json("journal", "verify")["entries"] == 1


def test_arguments_that_are_not_utf_8_are_refused(run: World) -> None:
    for arguments in (("incident", "open", "--title"), ("incident", "show"), ("incident", "list", "--search")):
        done = run.process(*arguments, b"\xff\xfe")  # type: ignore[arg-type]
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            "The text holds control characters that cannot be stored (U+DCFF). Remove them."
        ]
    assert run.json("incident", "list") == []


def _whole(run: World, incidents: int) -> None:
    """See that nothing half-written is left, and that work goes on."""
    assert run.json("db", "check")["result"] == "ok"
    assert run.json("journal", "verify")["result"] == "ok"
    assert len(run.json("incident", "list")) == incidents
    run.open("Afterwards")
    assert len(run.json("incident", "list")) == incidents + 1


def test_a_file_that_may_not_grow_keeps_nothing_half_written(run: World) -> None:
    run.open()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = run.process("incident", "open", "--title", "x", "--what", "å" * 20_000, preexec_fn=small_files)
    assert done.returncode == 3
    assert done.stderr.startswith("Not saved: ")
    assert len(done.stderr.splitlines()) == 1
    _whole(run, 1)


def test_an_installation_that_may_not_grow_is_not_half_made(bare: World) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = bare.process("db", "upgrade", preexec_fn=small_files)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    bare.install()
    _whole(bare, 0)


def _mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)  # noqa: S603, S607


@pytest.fixture
def small(bare: World) -> Iterator[World]:
    """Give an installation on a disk of 3 MB."""
    bare.data.mkdir()
    _mount(bare.data, "size=3m")
    try:
        bare.install()
        yield bare
    finally:
        subprocess.run(["umount", "-l", str(bare.data)], check=True)  # noqa: S603, S607


@pytest.mark.privileged
def test_a_full_disk_refuses_and_keeps_what_was_there(small: World) -> None:
    small.open()
    ballast = small.data / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as out:
        while out.write(b"x" * 4096):
            pass
    refused = [small.process("incident", "open", "--title", "x", "--what", "å" * 20_000) for _ in range(2)]
    for done in refused:
        assert done.returncode == 3
        assert done.stderr.splitlines()[-1] == (
            "Not saved: the disk is full. What you wrote is still here. Try again, or copy the text."
        )
    ballast.unlink()
    _whole(small, 1)


@pytest.mark.privileged
def test_a_read_only_disk_refuses_and_keeps_what_was_there(small: World) -> None:
    small.open()
    subprocess.run(["mount", "-o", "remount,ro", str(small.data)], check=True)  # noqa: S603, S607
    for command in (("incident", "open", "--title", "x"), ("serve",), ("db", "upgrade")):
        done = small.process(*command)
        assert done.returncode == 3, (command, done)
        assert "read-only" in done.stderr or "cannot be" in done.stderr
        assert "Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(small.data)], check=True)  # noqa: S603, S607
    _whole(small, 1)


@pytest.mark.parametrize("file", ["incident-tracker.sqlite3", "keys.sqlite3"])
def test_a_file_that_is_no_database_is_never_written_to(run: World, file: str) -> None:
    letter = b"Dear Ada, this is not a database. " * 200
    (run.data / file).write_bytes(letter)
    for suffix in ("-wal", "-shm"):
        (run.data / (file + suffix)).unlink(missing_ok=True)
    done = run("incident", "open", "--title", "x")
    assert done.exit_code == 3
    assert "not a database" in done.stderr
    assert (run.data / file).read_bytes() == letter


def test_a_folder_that_is_a_file_is_named(bare: World) -> None:
    bare.data.write_text("I was here first")
    line = bare.refused("db", "upgrade", code=3)
    assert str(bare.data) in line
    assert json.dumps(bare.data.read_text()) == '"I was here first"'


def test_a_database_replaced_under_a_command_is_broken_not_refused(
    run: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incident_tracker.services import incidents  # noqa: PLC0415

    real = incidents.open_incident
    file = run.data / "incident-tracker.sqlite3"

    def replaced(*given: object, **named: object) -> str:
        file.rename(run.data / "moved.sqlite3")
        file.touch()
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(incidents, "open_incident", replaced)
    line = run.refused("incident", "open", "--title", "x", code=3)
    assert "was removed or replaced while running" in line
    assert file.read_bytes() == b""
