"""Files kept as evidence: sealed in chunks, found out when changed, never a row without its file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import NotAllowed, NotFound
from incident_tracker.domain.parties import Role
from incident_tracker.services import attachments
from incident_tracker.services.attachments import (
    AttachmentIsDamaged,
    AttachmentIsTooLarge,
    AttachmentNotSaved,
)
from incident_tracker.store import attachments as store
from incident_tracker.store.attachments import CHUNK
from incident_tracker.store.database import NotSaved
from tests.makers import make_actor, make_controller
from tests.services.world import World

SEALED_CHUNK = CHUNK + 45


def _keep(world: World, reference: str, plain: bytes, name: str = "log.txt", actor: Actor = SHELL) -> str:
    return attachments.add(world.context, actor, reference, file_name=name, plain=[plain]).id


def _read(world: World, reference: str, attachment_id: str) -> bytes:
    return b"".join(attachments.read(world.context, SHELL, reference, attachment_id)[1])


def _file(world: World, attachment_id: str) -> Path:
    return attachments.folder(world.context) / attachment_id


def _left(world: World) -> list[str]:
    folder = attachments.folder(world.context)
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_a_file_comes_back_as_it_was(world: World, size: int) -> None:
    reference, plain = world.open(), os.urandom(size)
    kept = _keep(world, reference, plain)
    assert _read(world, reference, kept) == plain
    assert _file(world, kept).stat().st_size == store.sealed_size(size)
    assert attachments.check(world.context) == attachments.Check((), (), ())


def test_a_row_stands_in_the_journal_with_the_fingerprint(either: World) -> None:
    reference = either.open()
    kept = attachments.add(either.context, SHELL, reference, file_name="log.txt", plain=[b"ab", b"c"])
    assert kept.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert attachments.listing(either.context, SHELL, reference) == (kept,)
    assert either.kinds(reference)[-1] == "attachment_added"


def test_neither_the_bytes_nor_the_name_lie_open_on_the_disk(world: World) -> None:
    reference = world.open()
    kept = _keep(world, reference, b"hemmelig " * 40_000, "hemmelig-plan.txt")
    assert b"hemmelig" not in _file(world, kept).read_bytes()
    everything = b"".join(one.read_bytes() for one in world.context.settings.data.dir.glob("*.sqlite3*"))
    assert b"hemmelig-plan" not in everything


@pytest.mark.parametrize(
    "harm",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:SEALED_CHUNK],
        lambda sealed: sealed[: 2 * SEALED_CHUNK],
        lambda sealed: sealed + sealed[-SEALED_CHUNK:],
        lambda sealed: sealed[SEALED_CHUNK : 2 * SEALED_CHUNK] + sealed[:SEALED_CHUNK] + sealed[2 * SEALED_CHUNK :],
        lambda sealed: sealed[:SEALED_CHUNK] + sealed[2 * SEALED_CHUNK :],
        lambda sealed: sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:],
        lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:],
        lambda _sealed: b"",
        lambda _sealed: b"short",
    ],
    ids=[
        "cut",
        "first only",
        "last gone",
        "last twice",
        "swapped",
        "middle gone",
        "one bit",
        "mark",
        "empty",
        "short",
    ],
)
def test_a_changed_file_is_not_handed_out(world: World, harm: object) -> None:
    reference = world.open()
    kept = _keep(world, reference, os.urandom(2 * CHUNK + 1000))
    file = _file(world, kept)
    file.write_bytes(harm(file.read_bytes()))  # type: ignore[operator] # one of the functions above
    with pytest.raises(AttachmentIsDamaged):
        attachments.read(world.context, SHELL, reference, kept)


def test_two_files_that_changed_places_are_found_out(world: World) -> None:
    reference = world.open()
    one, other = _keep(world, reference, b"a" * 100), _keep(world, reference, b"b" * 100)
    first, second = _file(world, one).read_bytes(), _file(world, other).read_bytes()
    _file(world, one).write_bytes(second)
    _file(world, other).write_bytes(first)
    for kept in (one, other):
        with pytest.raises(AttachmentIsDamaged):
            attachments.read(world.context, SHELL, reference, kept)


def test_the_limit_is_counted_while_reading_and_leaves_nothing(world: World) -> None:
    reference, taken = world.open(), 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += CHUNK
            yield bytes(CHUNK)

    limit = world.context.settings.security.max_upload_megabytes * 1_000_000
    with pytest.raises(AttachmentIsTooLarge):
        attachments.add(world.context, SHELL, reference, file_name="x", plain=endless())
    assert taken <= limit + 2 * CHUNK
    assert _left(world) == []
    assert attachments.listing(world.context, SHELL, reference) == ()


def test_a_stream_that_breaks_leaves_nothing(world: World) -> None:
    reference = world.open()

    def broken() -> Iterator[bytes]:
        yield bytes(3 * CHUNK)
        raise ConnectionResetError

    with pytest.raises(AttachmentNotSaved):
        attachments.add(world.context, SHELL, reference, file_name="x", plain=broken())
    assert _left(world) == []
    assert attachments.listing(world.context, SHELL, reference) == ()


def test_a_row_that_cannot_be_kept_takes_its_file_along(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = world.open()

    def full(*_given: object) -> None:
        raise NotSaved(why="the disk is full")

    monkeypatch.setattr(store, "add", full)
    with pytest.raises(NotSaved):
        _keep(world, reference, b"abc")
    assert _left(world) == []


def test_a_full_disk_is_said_clearly_and_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = world.open()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("incident_tracker.store.attachments.os.fsync", full)
    with pytest.raises(AttachmentNotSaved) as refused:
        _keep(world, reference, b"abc")
    assert refused.value.params["why"] == "the disk is full"
    assert _left(world) == []
    assert "attachment_added" not in world.kinds(reference)


def test_a_file_is_on_the_disk_before_its_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = world.open()
    synced: list[int] = []
    whole = store.add

    def sync(handle: int) -> None:
        synced.append(handle)
        real(handle)

    def watched(session: object, keyring: object, key_id: str, new: store.Attachment) -> None:
        assert _file(world, new.id).stat().st_size == store.sealed_size(new.size)
        assert len(synced) == 2
        whole(session, keyring, key_id, new)  # type: ignore[arg-type] # passed on as they came

    real = os.fsync
    monkeypatch.setattr("incident_tracker.store.attachments.os.fsync", sync)
    monkeypatch.setattr(store, "add", watched)
    _keep(world, reference, b"abc")


def test_the_sweep_removes_old_files_without_a_row_and_nothing_else(world: World) -> None:
    reference = world.open()
    kept = _keep(world, reference, b"abc")
    folder = attachments.folder(world.context)
    now = world.clock().timestamp()
    for name, age in (("old", 3601), ("half.part", 7200), ("young", 60)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (now - age, now - age))
    assert attachments.sweep(world.context) == ("half.part", "old")
    assert _left(world) == sorted([kept, "young"])


def test_a_check_names_files_that_are_gone_or_cut(world: World) -> None:
    reference = world.open()
    gone, cut = _keep(world, reference, b"abc"), _keep(world, reference, b"def")
    _file(world, gone).unlink()
    os.truncate(_file(world, cut), 10)
    found = attachments.check(world.context)
    assert (found.missing, found.damaged) == ((gone,), (cut,))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=400))
def test_any_name_is_kept_as_words_and_never_used_as_a_path(world: World, name: str) -> None:
    reference = world.open()
    kept = attachments.add(world.context, SHELL, reference, file_name=name, plain=[b"x"])
    assert 1 <= len(kept.file_name) <= 255
    assert kept.id in _left(world)
    assert all(len(one) == 32 for one in _left(world))


def test_a_strange_name_stays_readable_on_one_line() -> None:
    assert attachments.safe_name("../../etc/passwd") == "../../etc/passwd"
    assert (
        attachments.safe_name("a\x00b\r\nSet-Cookie: x\u202etxt.exe")
        == "a\ufffdb\ufffd\ufffdSet-Cookie: x\ufffdtxt.exe"
    )
    assert attachments.safe_name("") == "-"
    assert len(attachments.safe_name("x" * 1000)) == 255


def test_only_who_works_on_the_incident_adds_and_only_who_may_read_reads(world: World) -> None:
    reference = world.open()
    dan = make_actor(world.controller, Role.AUDITOR)
    reporter = make_actor(world.controller, Role.REPORTER)
    with pytest.raises(NotAllowed):
        _keep(world, reference, b"x", actor=dan)
    assert _left(world) == []
    kept = _keep(world, reference, b"x")
    assert attachments.read(world.context, dan, reference, kept)[0].id == kept
    with pytest.raises(NotFound):
        attachments.read(world.context, reporter, reference, kept)


def test_a_file_of_another_incident_or_controller_answers_like_none(world: World) -> None:
    first, second = world.open(), world.open()
    kept = _keep(world, first, b"x")
    other = make_controller(world.context, "Skyhost A/S")
    stranger = Actor("user:9", {other.id: Role.ADMINISTRATOR})
    with pytest.raises(NotFound):
        attachments.read(world.context, SHELL, second, kept)
    with pytest.raises(NotFound):
        attachments.read(world.context, stranger, first, kept)
