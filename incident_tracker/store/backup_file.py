"""The file of a backup: one encrypted stream of records, each a line of JSON or the bytes of a file.

First line in plain: `incident-tracker backup 1`. Then a salt, a check of the key, and sealed chunks of compressed
records. AES-256-GCM with a key of the file's own (HKDF of the installation's backup key and the salt). The nonce of
a chunk is its number and whether it is the last, so that a file which was cut off, re-ordered or extended does not
open.
"""

import contextlib
import hmac
import io
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from incident_tracker.domain.errors import Refusal

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 256 * 1024
"""Bytes sealed together."""
_NAME = b"incident-tracker backup "
_FIRST_LINE = _NAME + b"1\n"
_SALT_BYTES = 32
_CHECK_BYTES = 16
_TAG_BYTES = 16
_LENGTH_BYTES = 4


class NotABackup(Refusal):
    """The file is something else."""

    message = "%(where)s is not a backup of this program. Name the file that `incident-tracker backup` wrote."


class BackupIsNewer(Refusal):
    """A newer version wrote the backup; this one would lose what it does not know."""

    message = (
        "%(where)s was written by a newer version (%(found)s). Install that version, or a later one, then restore."
    )


class BackupDoesNotOpen(Refusal):
    """The master key is not the one under which the backup was made."""

    message = (
        "This master key does not open %(where)s. Use the key on the recovery sheet of that installation. "
        "If it is the right key, the beginning of the file is damaged."
    )


class BackupIsDamaged(Refusal):
    """The bytes are not those that were written."""

    message = "%(where)s is damaged or was cut off. Nothing was changed. Use another copy, or an older backup."


class Writer:
    """Writes records into an open file; only `finish` makes the file one that opens."""

    def __init__(self, out: BinaryIO, key: bytes) -> None:
        """Write the beginning; `key` is the backup key of the installation."""
        salt = secrets.token_bytes(_SALT_BYTES)
        self._out = out
        self._start = _FIRST_LINE + salt + _check(key, salt)
        self._cipher = AESGCM(_file_key(key, salt))
        self._packer = zlib.compressobj(level=1)
        self._gathered = bytearray()
        self._number = 0
        out.write(self._start)

    def record(self, **facts: Any) -> None:
        """Write a record: a line of JSON."""
        self._pack(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def file(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """Write a file of `size` bytes; raise ValueError where the pieces are not as many."""
        self.record(file=name, size=size)
        left = size
        for piece in pieces:
            left -= len(piece)
            self._pack(piece)
        if left:
            raise ValueError("the file changed while it was read")

    def finish(self) -> None:
        """Write the last chunk. Flushing to the disk is the caller's."""
        self._gathered += self._packer.flush()
        self._seal_full()
        self._seal(bytes(self._gathered), last=True)

    def _pack(self, plain: bytes) -> None:
        self._gathered += self._packer.compress(plain)
        self._seal_full()

    def _seal_full(self) -> None:
        while len(self._gathered) > CHUNK:
            self._seal(bytes(self._gathered[:CHUNK]), last=False)
            del self._gathered[:CHUNK]

    def _seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), plain, self._start)
        self._out.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
        self._number += 1


class Reader:
    """Reads the records of a backup in order. Whatever is not as it was written raises BackupIsDamaged."""

    def __init__(self, source: BinaryIO, key: bytes, where: object) -> None:
        """Read the beginning; refuse another file, a newer format and a wrong key."""
        self._where = where
        first = source.readline(len(_FIRST_LINE) + 8)
        if not first.startswith(_NAME):
            raise NotABackup(where=where)
        if first != _FIRST_LINE:
            raise BackupIsNewer(where=where, found=first.removeprefix(_NAME).decode("ascii", "replace").strip())
        salt, check = source.read(_SALT_BYTES), source.read(_CHECK_BYTES)
        if len(check) < _CHECK_BYTES:
            raise BackupIsDamaged(where=where)
        if not hmac.compare_digest(check, _check(key, salt)):
            raise BackupDoesNotOpen(where=where)
        with self._found_whole():
            opened = _Opened(source, AESGCM(_file_key(key, salt)), first + salt + check)
        self._plain = io.BufferedReader(opened, CHUNK)
        self._left = 0

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield every record; after one of a file, take its bytes with `pieces` before the next."""
        with self._found_whole():
            while line := self._plain.readline():
                record = json.loads(line)
                self._left = record.get("size", 0) if "file" in record else 0
                yield record
                for _ in self.pieces():
                    pass

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the file whose record came last."""
        with self._found_whole():
            while self._left:
                piece = self._plain.read(min(CHUNK, self._left))
                if not piece:
                    raise ValueError("the file ends too early")
                self._left -= len(piece)
                yield piece

    @contextlib.contextmanager
    def _found_whole(self) -> Iterator[None]:
        try:
            yield
        except (InvalidTag, zlib.error, ValueError, EOFError) as error:
            raise BackupIsDamaged(where=self._where) from error


class _Opened(io.RawIOBase):
    """The plain bytes behind the chunks."""

    def __init__(self, source: BinaryIO, cipher: AESGCM, start: bytes) -> None:
        self._source, self._cipher, self._start = source, cipher, start
        self._unpacker = zlib.decompressobj()
        self._number = 0
        self._next: bytes | None = self._sealed()
        self._waiting = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer).cast("B")
        while not self._waiting:
            if self._next is None:
                if not self._unpacker.eof:
                    raise EOFError
                return 0
            self._waiting = memoryview(self._unpacker.decompress(self._chunk()))
        count = min(len(room), len(self._waiting))
        room[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count

    def _chunk(self) -> bytes:
        sealed, self._next = self._next or b"", self._sealed()
        nonce = _nonce(self._number, last=self._next is None)
        self._number += 1
        return self._cipher.decrypt(nonce, sealed, self._start)

    def _sealed(self) -> bytes | None:
        head = self._source.read(_LENGTH_BYTES)
        if not head:
            return None
        length = int.from_bytes(head, "big")
        sealed = self._source.read(length) if length <= CHUNK + _TAG_BYTES else b""
        if len(head) < _LENGTH_BYTES or len(sealed) != length or not length:
            raise EOFError
        return sealed


def _file_key(key: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt, info=b"incident-tracker backup file").derive(key)


def _check(key: bytes, salt: bytes) -> bytes:
    return hmac.digest(key, b"incident-tracker backup check" + salt, "sha256")[:_CHECK_BYTES]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
