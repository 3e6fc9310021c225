"""The append-only file that proves that no tail of the journal was cut off.

One line an anchor: `seq hash at mac`. The seal (HMAC) comes from the master key, so that whoever owns only the
database cannot write a line. Lines are appended with one write under a lock, so that several processes may share
the file. What a full disk or a crash left of a line is stepped over.
"""

import errno
import fcntl
import os
import re
import threading
from datetime import datetime
from pathlib import Path

import structlog

from incident_tracker.domain import journal
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.facts import instant_text

_log = structlog.get_logger()
_BEGINNING = re.compile(r"[0-9]+( ([0-9a-f]{0,64}|[0-9a-f]{64} ([-+:.TZ0-9]*|[-+:.TZ0-9]+ [0-9a-f]{0,63})))?")
"""What may be left of a line that was not written to its end."""


class AnchorsUnreadable(Refusal):
    """The anchor file holds something else than anchors."""

    message = "Line %(line)s of %(where)s is not an anchor. Use the file as it was written."


class Anchors:
    """The anchor file of this installation."""

    def __init__(self, file: Path, key: bytes) -> None:
        """Use `file`; nothing is written yet."""
        self.file = file
        self.key = key
        self._lock = threading.Lock()
        self._last: int = 0

    def add(self, seq: int, head_hash: bytes, at: datetime) -> bool:
        """Append a line for a head that is newer than the last one; return whether it is written to the disk.

        What was committed stays committed if the file cannot be written; that is logged as trouble.
        """
        with self._lock:
            if seq <= self._last:
                return True
            mac = journal.seal(self.key, seq, head_hash, at)
            line = f"{seq} {head_hash.hex()} {instant_text(at)} {mac.hex()}\n"
            try:
                self._append(line.encode())
            except OSError as error:
                _log.error("anchor_not_written", seq=seq, error=type(error).__name__)
                return False
            self._last = seq
            return True

    def _append(self, line: bytes) -> None:
        """Put a line on the disk, whole or not at all, on a line of its own whatever stands before it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.file, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            try:
                _write_whole(handle, line)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)


def read(file: Path) -> list[journal.Anchor] | None:
    """Return the anchors of a file, None if there is no such file; unfinished lines are ignored."""
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise AnchorsUnreadable(where=file, line=1) from None
    anchors = []
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not line.endswith("\n"):
            break
        if _BEGINNING.fullmatch(line.removesuffix("\n")):
            continue
        try:
            anchors.append(_anchor(line))
        except ValueError:
            raise AnchorsUnreadable(where=file, line=number) from None
    return anchors


def _write_whole(handle: int, line: bytes) -> None:
    if os.write(handle, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(handle)


def _anchor(line: str) -> journal.Anchor:
    seq, head_hash, at, mac = line.split()
    return journal.Anchor(
        seq=int(seq), hash=bytes.fromhex(head_hash), at=datetime.fromisoformat(at), mac=bytes.fromhex(mac)
    )
