"""In which encoding a list was written, told from all of its bytes; what is no text is refused with the way on.

A file is looked through once, in pieces, before it is read. UTF-8 proves itself. Of the older encodings the one is
taken in which the bytes beyond ASCII are the letters of Danish names; where two are as likely, the file is refused.
"""

import codecs
import hashlib
from collections import Counter
from collections.abc import Mapping

from incident_tracker.domain.errors import Refusal

HEAD = 65_536
"""Bytes of the beginning that are kept, for the heads of the columns."""
NAMES: Mapping[str, str] = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "mac_roman": "MacRoman",
    "cp850": "DOS (850/865)",
}
"""The encodings that are read, as people call them."""
_SPREADSHEETS = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")
_OTHER_KINDS = (
    b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8",
    b"\x7fELF", b"SQLite format 3", b"{\\rtf", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
_MARKS_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OLD = ("cp1252", "mac_roman", "cp850")
_DANISH = "æøåÆØÅ"
_COMMON = "éüöäÖÄÉÜèáóíëôçñß"
_PUNCTUATION = "’‘“”–—…€´`§°«»·½\u00a0"  # noqa: RUF001 - what Windows writes into names and notes
_HARDLY_LETTERS = frozenset(b"\x85\x92\x96")
"""Windows' ellipsis, apostrophe and dash: in the older encodings signs that no Danish name has inside (à, Æ, û)."""
_BINARY_FROM = 0.01
"""Share of NULs and control characters from which a file is no text."""
_FEW_CONTROLS = 16
"""So many cost their rows, not the file."""
_ENOUGH = 3
"""Letters of Danish, different ones, that prove an encoding Windows does not write; fewer may be chance."""
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 26})
_ASCII = bytes(range(128))


class FileIsEmpty(Refusal):
    """There is nothing in the file."""

    message = "The file is empty. Export the list again."


class FileIsASpreadsheet(Refusal):
    """The file is a workbook of Excel or another spreadsheet, whatever its name says."""

    message = (
        "This is a spreadsheet, not a CSV file. Open it, choose File, Save as, »CSV UTF-8 (comma delimited)«, "
        "and import that file."
    )


class FileIsNotText(Refusal):
    """The file is packed, a picture, a document or otherwise no text."""

    message = "This is not a CSV file: it holds no text. Unpack it, or export the list as CSV (UTF-8)."


class EncodingIsUnclear(Refusal):
    """The bytes beyond ASCII make sense in none of the encodings, or in two."""

    message = (
        "It cannot be told how letters such as æ, ø and å are written in this file, and names would be spoilt. "
        "Save the list as CSV UTF-8, and import that file."
    )


class Examined:
    """What is found out about a file while its pieces pass by."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.head = b""
        self.size = 0
        self._sum = hashlib.sha256()
        self._high: Counter[int] = Counter()
        self._controls = 0
        self._good = self._bad = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return self._sum.hexdigest()

    def feed(self, piece: bytes) -> None:
        """Look at the next bytes."""
        if len(self.head) < HEAD:
            self.head += piece[: HEAD - len(self.head)]
        self.size += len(piece)
        self._sum.update(piece)
        self._controls += len(piece) - len(piece.translate(None, _CONTROLS))
        if not piece.isascii():
            self._high.update(piece.translate(None, _ASCII))
        self._count(self._utf8.decode(piece))

    def encoding(self) -> str:
        """Return the name of Python's codec for the whole file; refuse what cannot be read without spoiling names."""
        self._count(self._utf8.decode(b"", final=True))
        if not self.size:
            raise FileIsEmpty(field="file")
        if self.head.startswith(_SPREADSHEETS):
            raise FileIsASpreadsheet(field="file")
        if self.head.startswith(_OTHER_KINDS):
            raise FileIsNotText(field="file")
        if self.head.startswith(_MARKS_16):
            return "utf-16"
        if self._controls > max(_FEW_CONTROLS, self.size * _BINARY_FROM):
            raise FileIsNotText(field="file")
        if not self._bad or self._good > self._bad:
            return "utf-8-sig"
        return _likeliest(self._high)

    def _count(self, text: str) -> None:
        if text.isascii():
            return
        beyond = len(text) - len(text.encode("ascii", "ignore"))
        broken = len(text) - len(text.encode("utf-8", "ignore").decode())
        self._bad += broken
        self._good += beyond - broken


def _likeliest(high: Counter[int]) -> str:
    found = [_Reading(high, name) for name in _OLD]
    windows, *others = found
    best, next_best = sorted(others, key=lambda one: one.score, reverse=True)
    if windows.makes_sense and (windows.score >= best.score or set(high) <= _HARDLY_LETTERS):
        return windows.name
    sure = best.proven or (not windows.makes_sense and best.score >= 2 * next_best.score)
    if best.makes_sense and sure and best.score > max(windows.score, next_best.score):
        return best.name
    raise EncodingIsUnclear(field="file")


class _Reading:
    """How the bytes beyond ASCII would read in one encoding."""

    def __init__(self, high: Counter[int], name: str) -> None:
        self.name = name
        signs = {bytes([one]).decode(name, "replace"): times for one, times in high.items()}
        letters = {sign: times for sign, times in signs.items() if sign.isalpha() and sign != "\ufffd"}
        odd = sum(times for sign, times in signs.items() if sign not in letters and sign not in _PUNCTUATION)
        rare = sum(times for sign, times in letters.items() if sign not in _DANISH + _COMMON)
        total = sum(high.values())
        self.makes_sense = odd + rare <= total * 0.02 or (not odd and rare <= total * 0.5)
        self.score = sum(_weight(sign) * times for sign, times in signs.items())
        self.proven = sum(sign in _DANISH for sign in signs) >= _ENOUGH


def _weight(sign: str) -> int:
    if sign in _DANISH:
        return 4
    if sign in _COMMON:
        return 2
    if sign in _PUNCTUATION:
        return 0
    return 1 if sign.isalpha() else -4
