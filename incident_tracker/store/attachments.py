"""Files kept as evidence: their rows, and their bytes, encrypted in chunks outside the database.

A file is a row of sealed chunks under the incident's record key. Each chunk is bound to the file's id, its place in
the row and whether it is the last, so that a file which was cut off, re-ordered, swapped or extended does not open.
"""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.store.keys import Keyring
from incident_tracker.store.tables.incidents import AttachmentRow

CHUNK = 256 * 1024
"""Bytes sealed together."""
_SEAL = 45
"""Bytes that a seal adds: version, key id, nonce and tag."""
_PLACE = "attachments.file"
_NAME = "attachments.file_name"
_UNFINISHED = ".part"


class AttachmentNotSaved(Refusal):
    """The file could not be written; neither file nor row was kept."""

    message = "The file was not saved: %(why)s. Everything else is as it was. Make room, and attach it again."


class AttachmentIsTooLarge(Refusal):
    """The file is larger than this installation takes."""

    message = "The file is too large; at most %(limit)s megabytes are kept. Split it, or ask an administrator."


class AttachmentIsDamaged(Refusal):
    """The bytes on the disk are not those that were written."""

    message = "The stored file is damaged or was changed, and is not handed out. Restore it from a backup."


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of a file. `size` and `sha256` are those of its plain bytes."""

    id: str
    controller_id: int
    incident_id: int
    purpose: str
    file_name: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


class OnDisk(Protocol):
    """What must be known of a file to read it back."""

    @property
    def id(self) -> str:
        """Return the name of the file."""

    @property
    def size(self) -> int:
        """Return the number of its plain bytes."""

    @property
    def sha256(self) -> str:
        """Return the digest of its plain bytes."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a file."""

    size: int
    sha256: str


def add(session: Session, keyring: Keyring, key_id: str, new: Attachment) -> None:
    """Insert the row of a file that lies on the disk already."""
    session.execute(
        insert(AttachmentRow).values(
            id=new.id,
            controller_id=new.controller_id,
            incident_id=new.incident_id,
            purpose=new.purpose,
            file_name=keyring.seal_text(key_id, _NAME, new.file_name),
            size=new.size,
            sha256=new.sha256,
            added_by=new.added_by,
            added_at=new.added_at,
        )
    )


def of_incident(session: Session, keyring: Keyring, incident_id: int, scope: Scope) -> list[Attachment]:
    """Return the files of an incident, the newest first."""
    statement = select(AttachmentRow).where(AttachmentRow.incident_id == incident_id)
    if scope is not None:
        statement = statement.where(AttachmentRow.controller_id.in_(scope))
    return [_attachment(keyring, row) for row in session.scalars(statement.order_by(AttachmentRow.id.desc()))]


def get(session: Session, keyring: Keyring, incident_id: int, attachment_id: str, scope: Scope) -> Attachment:
    """Return one file's row, or refuse alike whether it is missing or belongs elsewhere."""
    statement = select(AttachmentRow).where(
        AttachmentRow.incident_id == incident_id, AttachmentRow.id == attachment_id
    )
    if scope is not None:
        statement = statement.where(AttachmentRow.controller_id.in_(scope))
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound(what=attachment_id)
    return _attachment(keyring, row)


def exists(session: Session, attachment_id: str) -> bool:
    """Return whether a file has a row."""
    return session.execute(select(AttachmentRow.id).where(AttachmentRow.id == attachment_id)).first() is not None


def sizes(session: Session) -> dict[str, int]:
    """Return id and plain size of every file, of all controllers."""
    return {row.id: row.size for row in session.execute(select(AttachmentRow.id, AttachmentRow.size))}


def write(
    folder: Path, keyring: Keyring, key_id: str, attachment_id: str, plain: Iterable[bytes], limit: int
) -> Written:
    """Seal a stream of bytes into the folder; when this returns, the file is on the disk under its id.

    `limit` is the largest plain size in bytes. Raises AttachmentIsTooLarge and AttachmentNotSaved; nothing is left.
    """
    unfinished = folder / (attachment_id + _UNFINISHED)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as out:
            written = _seal_into(out, keyring, key_id, attachment_id, plain, limit)
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(folder / attachment_id)
        _sync(folder)
    except OSError as error:
        _discard(unfinished, folder / attachment_id)
        raise AttachmentNotSaved(field="file", why=_why(error)) from error
    except BaseException:
        _discard(unfinished)
        raise
    return written


def read(folder: Path, keyring: Keyring, key_id: str, attachment: OnDisk) -> Iterator[bytes]:
    """Yield the plain bytes, chunk by chunk; raise AttachmentIsDamaged where they are not what was written."""
    seen, total = hashlib.sha256(), 0
    try:
        with (folder / attachment.id).open("rb") as sealed:
            for chunk in _opened(sealed, keyring, key_id, attachment.id):
                seen.update(chunk)
                total += len(chunk)
                yield chunk
    except OSError as error:
        raise AttachmentIsDamaged from error
    if total != attachment.size or seen.hexdigest() != attachment.sha256:
        raise AttachmentIsDamaged


def remove(folder: Path, attachment_id: str) -> None:
    """Delete a file that has no row."""
    _discard(folder / attachment_id)


def stored(folder: Path) -> dict[str, os.stat_result]:
    """Return what lies in the folder, by file name; unfinished files keep their ending."""
    if not folder.is_dir():
        return {}
    return {entry.name: entry.stat() for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)}


def sealed_size(size: int) -> int:
    """Return how many bytes on the disk a file of `size` plain bytes has."""
    chunks = max(1, -(-size // CHUNK))
    return size + chunks * _SEAL


def _seal_into(
    out: BinaryIO, keyring: Keyring, key_id: str, attachment_id: str, plain: Iterable[bytes], limit: int
) -> Written:
    seen, total, index = hashlib.sha256(), 0, 0
    waiting: bytes | None = None
    for chunk in _in_chunks(plain):
        seen.update(chunk)
        total += len(chunk)
        if total > limit:
            raise AttachmentIsTooLarge(field="file", limit=limit // 1_000_000)
        if waiting is not None:
            out.write(keyring.seal(key_id, _bound(attachment_id, index, last=False), waiting))
            index += 1
        waiting = chunk
    out.write(keyring.seal(key_id, _bound(attachment_id, index, last=True), waiting or b""))
    return Written(total, seen.hexdigest())


def _in_chunks(plain: Iterable[bytes]) -> Iterator[bytes]:
    """Yield full chunks, and what is left at the end; nothing for an empty stream."""
    gathered = bytearray()
    for piece in plain:
        gathered += piece
        while len(gathered) >= CHUNK:
            yield bytes(gathered[:CHUNK])
            del gathered[:CHUNK]
    if gathered:
        yield bytes(gathered)


def _opened(sealed: BinaryIO, keyring: Keyring, key_id: str, attachment_id: str) -> Iterator[bytes]:
    chunk, index = sealed.read(CHUNK + _SEAL), 0
    while True:
        following = sealed.read(CHUNK + _SEAL)
        if len(chunk) < _SEAL or not keyring.is_sealed_by(key_id, chunk):
            raise AttachmentIsDamaged
        try:
            yield keyring.open(_bound(attachment_id, index, last=not following), chunk)
        except (InvalidTag, ValueError) as error:
            raise AttachmentIsDamaged from error
        if not following:
            return
        chunk, index = following, index + 1


def _bound(attachment_id: str, index: int, *, last: bool) -> str:
    return f"{_PLACE} {attachment_id} {index} {'last' if last else 'more'}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(*files: Path) -> None:
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError:  # the sweep of orphans finds it
            continue


def _why(error: OSError) -> str:
    return {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk is full",
        errno.EFBIG: "the disk is full",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "the folder of the attachments cannot be written",
        errno.EPERM: "the folder of the attachments cannot be written",
    }.get(error.errno or 0, "the disk reports an error")


def _attachment(keyring: Keyring, row: AttachmentRow) -> Attachment:
    return Attachment(
        id=row.id,
        controller_id=row.controller_id,
        incident_id=row.incident_id,
        purpose=row.purpose,
        file_name=keyring.open_text(_NAME, row.file_name),
        size=row.size,
        sha256=row.sha256,
        added_by=row.added_by,
        added_at=row.added_at,
    )
