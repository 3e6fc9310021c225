"""The append-only file that proves that no tail of the journal was cut off.

One line an anchor: `seq hash at mac`. The seal (HMAC) comes from the master key, so that whoever owns only the
database cannot write a line. Lines are appended with one write, so that several processes may share the file.
"""

import os
import threading
from datetime import datetime
from pathlib import Path

import structlog

from incident_tracker.domain import journal
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.facts import instant_text

_log = structlog.get_logger()


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
                self.file.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
                try:
                    os.write(handle, line.encode())
                    os.fsync(handle)
                finally:
                    os.close(handle)
            except OSError as error:
                _log.error("anchor_not_written", seq=seq, error=type(error).__name__)
                return False
            self._last = seq
            return True


def read(file: Path) -> list[journal.Anchor] | None:
    """Return the anchors of a file, None if there is no such file; an unfinished last line is ignored."""
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
        try:
            seq, head_hash, at, mac = line.split()
            anchors.append(
                journal.Anchor(
                    seq=int(seq),
                    hash=bytes.fromhex(head_hash),
                    at=datetime.fromisoformat(at),
                    mac=bytes.fromhex(mac),
                )
            )
        except ValueError:
            raise AnchorsUnreadable(where=file, line=number) from None
    return anchors
