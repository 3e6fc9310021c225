"""The anchor file survives a full disk, a crash in the middle of a line, and several writers."""

import os
from pathlib import Path

import pytest

from incident_tracker.services.anchors import Anchors, AnchorsUnreadable, read
from tests.makers import START, in_threads

KEY = bytes(32)
HEAD = bytes(range(32))


def numbers(file: Path) -> list[int]:
    return [one.seq for one in read(file) or []]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "anchors.txt"


def test_a_write_cut_short_by_a_full_disk_leaves_nothing_behind(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anchors = Anchors(file, KEY)
    assert anchors.add(1, HEAD, START)
    whole, real = file.read_bytes(), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, line: real(handle, line[:40]))
        assert not anchors.add(2, HEAD, START)
    assert file.read_bytes() == whole
    assert anchors.add(2, HEAD, START)
    assert numbers(file) == [1, 2]


def test_whatever_a_crash_left_of_a_line_is_stepped_over(file: Path) -> None:
    Anchors(file, KEY).add(1, HEAD, START)
    whole = file.read_bytes()
    for left in range(1, len(whole)):
        file.write_bytes(whole + whole[:left])
        assert Anchors(file, KEY).add(2, HEAD, START)
        finished = [1] if left == len(whole) - 1 else []
        assert numbers(file) == [1, *finished, 2]
        assert {len(one.mac) for one in read(file) or []} == {32}


def test_a_line_that_is_no_beginning_of_an_anchor_is_still_refused(file: Path) -> None:
    Anchors(file, KEY).add(1, HEAD, START)
    with file.open("a") as opened:
        opened.write("hello\n")
    Anchors(file, KEY).add(2, HEAD, START)
    with pytest.raises(AnchorsUnreadable) as refused:
        read(file)
    assert refused.value.params["line"] == 2


def test_several_writers_share_the_file(file: Path) -> None:
    in_threads(8, lambda index: Anchors(file, KEY).add(index + 1, HEAD, START))
    assert sorted(numbers(file)) == list(range(1, 9))
