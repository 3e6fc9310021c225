"""Reading a list row by row, whatever is wrong in it: nothing is guessed, no row is lost, memory stays flat.

Quotes follow RFC 4180. A quote that is never closed would swallow the rest of the file; here it costs one line: the
lines after it are read again on their own.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from incident_tracker.domain import people as rules
from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.domain.people import Columns
from incident_tracker.services.people.encodings import HEAD, NAMES, Examined

LINE_LIMIT = 32_768
"""Signs of a line, and of a row that goes over several lines."""
_LINES_OF_A_ROW = 25
_COLUMNS_LIMIT = 500
_DELIMITERS = ";,\t|"
_SHOWN = 200
"""Signs of a line that cannot be read, as they are kept."""

TOO_LONG = phrase("the line is longer than %(limit)s signs")
QUOTES_ARE_WRONG = phrase("the quotation marks are wrong: one is never closed, or stands inside a cell")


class HeaderIsMissing(Refusal):
    """The first line does not say what the columns hold."""

    message = (
        "The first line must say what the columns hold, and one must be an e-mail address or a phone number, like: "
        "navn;e-mail;telefon;sprog"
    )


class HeaderIsTooWide(Refusal):
    """The first line has far more columns than any list of people."""

    message = "The first line is not a list of columns: there are more than %(limit)s, or it never ends."


class ListIsEmpty(Refusal):
    """There is a header, and nobody below it."""

    message = "There is nobody in the file: only the line with the names of the columns."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was not taken over, or not wholly: a sentence of the catalogue and what fills it."""

    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def plain(self) -> list[Any]:
        """Return it as plain lists; a reason may stand inside a reason."""
        return [self.message, {name: _plain(value) for name, value in self.params.items()}]

    @staticmethod
    def say(plain: Sequence[Any], gettext: Callable[[str], str]) -> str:
        """Return in words what `plain` gave."""
        message, params = plain
        said = {
            name: Reason.say(value, gettext) if isinstance(value, list) else value for name, value in params.items()
        }
        return gettext(message) % said if said else gettext(message)


def _plain(value: object) -> object:
    return value.plain() if isinstance(value, Reason) else value


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file. `line` counts from 1, as editors do; `wrong` says why it could not be read."""

    line: int
    cells: list[str]
    wrong: Reason | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out; `lines` are those up to the first row of people."""

    encoding: str
    delimiter: str
    columns: Columns
    lines: int
    digest: str
    size: int

    def plain(self) -> dict[str, Any]:
        """Return what is kept of it with the reading."""
        return {
            "encoding": NAMES[self.encoding],
            "delimiter": self.delimiter,
            "heads": [head[: rules.COLUMN_LIMIT] for head in self.columns.heads[:_COLUMNS_LIMIT]],
            "columns": list(self.columns.further),
            "left_out": list(self.columns.left_out),
            "digest": self.digest,
        }


def layout_of(examined: Examined) -> Layout:
    """Return how a file is laid out, after all of it was looked through; refuse what is no list of people."""
    encoding = examined.encoding()
    head = examined.head.decode(encoding, "replace")
    lines = io.StringIO(head.removeprefix("\ufeff"), newline=None)
    said = _said_delimiter(lines)
    start = lines.tell()
    complete = examined.size <= HEAD
    read = {sign: _header(lines, start, sign, complete=complete) for sign in (said or _DELIMITERS)}
    delimiter = max(read, key=lambda sign: (rules.known_heads(read[sign].cells), len(read[sign].cells)))
    row = read[delimiter]
    columns = rules.columns_of([rules.meant(cell) for cell in row.cells])
    if row.wrong or not columns.can_be_told or any("@" in cell for cell in row.cells):
        raise HeaderIsMissing(field="file")
    skipped = row.line - 1 + (1 if said else 0)
    layout = Layout(encoding, delimiter, columns, skipped, examined.digest, examined.size)
    if complete and not any(any(map(str.strip, one.cells)) for one in rows_of([examined.head], layout)):
        raise ListIsEmpty(field="file")
    return layout


def rows_of(pieces: Iterable[bytes], layout: Layout) -> Iterator[Row]:
    """Yield the rows below the header, blank ones left out; `pieces` are the bytes of the file in order."""
    raw = io.BufferedReader(_Stream(iter(pieces)), 262_144)
    broken = "replace" if layout.encoding != "utf-8-sig" else "surrogateescape"
    with io.TextIOWrapper(raw, layout.encoding, errors=broken) as text:
        rows = _Rows(text, layout.delimiter)
        if layout.lines and not rows.skip(layout.lines):
            return
        first = next(iter(rows), None)  # the header itself
        if first is not None:
            yield from rows


class _Rows:
    """The rows of a text. A line that cannot be part of the row before it begins one of its own."""

    def __init__(self, text: TextIO, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._line = 0
        self._again: list[tuple[int, str]] = []

    def skip(self, number: int) -> bool:
        """Pass over lines; return False at the end of the text."""
        return all(self._next_line() for _ in range(number))

    def __iter__(self) -> Iterator[Row]:
        delimiter = self._delimiter
        while got := self._next_line():
            number, line = got
            if len(line) > LINE_LIMIT:
                yield Row(number, [line[:_SHOWN]], Reason(TOO_LONG, {"limit": LINE_LIMIT}))
            elif '"' in line:
                yield self._quoted(number, line)
            elif line and not line.isspace():
                cells = line.split(delimiter)
                if any(cells):
                    yield Row(number, cells)

    def _quoted(self, number: int, line: str) -> Row:
        """Return a row with quotes in it, which may go over several lines; only a line with a quote can end it."""
        gathered, whole = [(number, line)], line
        while True:
            cells, open_at_end = self._parsed(whole)
            if cells is not None:
                return Row(number, cells)
            before = len(gathered)
            if open_at_end:
                gathered += self._up_to_a_quote(_LINES_OF_A_ROW - before)
            whole = "\n".join(one for _, one in gathered)
            if len(gathered) == before or '"' not in gathered[-1][1] or len(whole) > LINE_LIMIT:
                break
        self._again = gathered[1:] + self._again
        return Row(number, [line[:_SHOWN]], Reason(QUOTES_ARE_WRONG))

    def _up_to_a_quote(self, limit: int) -> Iterator[tuple[int, str]]:
        for _ in range(limit):
            following = self._next_line()
            if following is None:
                return
            yield following
            if '"' in following[1]:
                return

    def _parsed(self, text: str) -> tuple[list[str] | None, bool]:
        """Return the cells of a row, None if it has none; and whether a quote is open at its end."""
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True)), False
        except csv.Error as error:
            return None, "unexpected end of data" in str(error)

    def _next_line(self) -> tuple[int, str] | None:
        """Return the next line without its end, with its number; one that is too long comes cut, with a sign more."""
        if self._again:
            return self._again.pop(0)
        line = self._text.readline(LINE_LIMIT + 1)
        if not line:
            return None
        self._line += 1
        if line[-1] == "\n":
            return self._line, line[:-1]
        if len(line) > LINE_LIMIT:
            rest = line
            while rest and rest[-1] != "\n":
                rest = self._text.readline(LINE_LIMIT)
        return self._line, line


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _said_delimiter(lines: io.StringIO) -> str:
    """Return the delimiter that Excel's own first line `sep=;` names, and pass that line; empty if there is none."""
    line = lines.readline().strip().strip('"')
    if line[:4].casefold() == "sep=" and line[4:5] in _DELIMITERS and len(line) <= 5:  # noqa: PLR2004
        return line[4:5] or "\t"
    lines.seek(0)
    return ""


def _header(lines: io.StringIO, start: int, delimiter: str, *, complete: bool) -> Row:
    lines.seek(start)
    row = next(iter(_Rows(lines, delimiter)), None)
    if row is None:
        if complete:
            raise HeaderIsMissing(field="file")
        raise HeaderIsTooWide(field="file", limit=_COLUMNS_LIMIT)
    too_long = row.wrong is not None and row.wrong.message == TOO_LONG
    if too_long or len(row.cells) > _COLUMNS_LIMIT:
        raise HeaderIsTooWide(field="file", limit=_COLUMNS_LIMIT)
    return row


def same_as(heads: Sequence[str], cells: Sequence[str]) -> bool:
    """Return whether a row is the header once more."""
    return [cell.strip() for cell in cells] == [head.strip() for head in heads]
