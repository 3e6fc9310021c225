"""A file that stands under its name whole or not at all."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from incident_tracker.domain.errors import Refusal, phrase

_UNFINISHED = ".part"


class BackupNotWritten(Refusal):
    """The disk did not take the backup; what lay there before lies there still."""

    message = "The backup was not written: %(why)s (%(where)s). An older backup there is as it was."


class BackupRuns(Refusal):
    """Another backup into the same file is under way."""

    message = "Another backup is being written to %(where)s. Wait for it to end."


@contextmanager
def unfinished(file: Path) -> Iterator[BinaryIO]:
    """Give an open file beside `file`, for its owner only; on the disk when the block ends, gone if it fails.

    It has an unfinished name until `put` gives it the final one, inside the block. A second writer is refused
    meanwhile, and touches nothing.
    """
    beside = _beside(file)
    with told(file), os.fdopen(os.open(beside, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRuns(where=file) from None
        if not _is_still(out, beside):  # whoever wrote it has just given it its name
            raise BackupRuns(where=file)
        try:
            out.truncate(0)
            yield out
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise


def to_disk(out: BinaryIO) -> None:
    """Bring what was written so far onto the disk."""
    out.flush()
    os.fsync(out.fileno())


def reread(file: Path) -> BinaryIO:
    """Open what was written beside `file`, to look whether it is what it should be."""
    return _beside(file).open("rb")


def put(*files: Path) -> None:
    """Give the finished files their names, in this order; what stood there before is replaced."""
    for file in files:
        with told(file):
            _beside(file).rename(file)
    for folder in {file.parent for file in files}:
        with told(folder):
            sync(folder)


def sync(folder: Path) -> None:
    """Bring the names of a folder onto the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(where: Path) -> Iterator[None]:
    """Say in a refusal why the disk did not take something."""
    try:
        yield
    except OSError as error:
        raise BackupNotWritten(where=where, why=reason_of(error)) from error


def reason_of(error: OSError) -> str:
    """Return in words why the disk did not take something."""
    return _WHY.get(error.errno or 0, OTHER)


def _is_still(out: BinaryIO, beside: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(out.fileno()), beside.stat())
    except FileNotFoundError:
        return False


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}{_UNFINISHED}")


OTHER = phrase("the disk reports an error")
_WHY = {
    errno.ENOSPC: phrase("the disk is full"),
    errno.EDQUOT: phrase("the disk is full"),
    errno.EFBIG: phrase("the disk is full"),
    errno.EROFS: phrase("the disk is read-only"),
    errno.EACCES: phrase("it belongs to another user"),
    errno.EPERM: phrase("it belongs to another user"),
    errno.ENOENT: phrase("the folder does not exist"),
    errno.ENOTDIR: phrase("a file stands where a folder is needed"),
    errno.EISDIR: phrase("a folder stands where a file is needed"),
}
