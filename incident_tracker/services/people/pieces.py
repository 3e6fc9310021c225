"""The rows of a list, kept a piece at a time: checked, told apart from those there already, sealed, counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from incident_tracker.domain import people as rules
from incident_tracker.domain.errors import phrase
from incident_tracker.services.context import Context
from incident_tracker.services.people import addresses
from incident_tracker.services.people.checking import Checked, Checker
from incident_tracker.services.people.reading import Layout, Reason, Row, rows_of
from incident_tracker.store import people as rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.ids import new_ids
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.people import NewPerson, SealedPerson
from incident_tracker.store.people_imports import Counts

AT_ONCE = 2_000
"""Rows of a piece, at most."""
_SIGNS_AT_ONCE = 2_000_000
"""Signs of a piece, about; so that a list of long rows takes no more memory."""
_CELLS_KEPT, _SIGNS_KEPT = 100, 1_000
SAME_ADDRESS = phrase(
    "the same address stands on the list already under another name (»%(name)s«); it is told once, under that name"
)
REFUSED, WARNING, DUPLICATE = "refused", "warning", "duplicate"


class Hashes(NamedTuple):
    """The keyed hashes of a person: the one by which she stands in the list once, and those of her addresses."""

    own: bytes
    email: bytes | None
    phone: bytes | None


@dataclass(slots=True)
class _Piece:
    """What comes of some rows."""

    people: list[NewPerson] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0
    refused: int = 0
    warned: int = 0


class _Stopped(Exception):  # noqa: N818 - nothing is wrong
    """Somebody stopped the reading; what the transaction wrote is taken back."""


class Keeper:
    """Keeps the rows of one list. Each piece is one short transaction of people, refused rows and counts."""

    def __init__(self, context: Context, loaded: Loaded, import_id: str, layout: Layout, language: str) -> None:
        """Begin with nothing kept; `language` is for people whose own is not given."""
        self.stopped = False
        self._context = context
        self._loaded = loaded
        self._import_id = import_id
        self._layout = layout
        self._checker = Checker(layout.columns, language, context.settings.people.phone_countries)
        self._counts = Counts()
        self._taken = 0

    def keep(self, pieces: Iterable[bytes]) -> Iterator[Counts]:
        """Read the bytes of the file to its end, or until somebody stops it; yield how far it came."""
        try:
            for some in _some_at_once(rows_of(self._counted(pieces), self._layout)):
                self._keep(some)
                yield self._counts
            self._write(replace(self._counts, read_bytes=self._layout.size), _Piece(), self._context.now())
            yield self._counts
        except _Stopped:
            self.stopped = True

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._taken += len(piece)
            yield piece

    def _keep(self, some: Sequence[Row]) -> None:
        now = self._context.now()
        piece = self._checked(some, now)
        done = self._counts
        counts = Counts(
            read_bytes=self._taken,
            read=done.read + len(some),
            accepted=done.accepted + len(piece.people),
            duplicates=done.duplicates + piece.duplicates,
            refused=done.refused + piece.refused,
            warned=done.warned + piece.warned,
        )
        self._write(counts, piece, now)

    def _write(self, counts: Counts, piece: _Piece, now: datetime) -> None:
        context, controller_id = self._context, self._loaded.incident.controller_id
        with context.database.writing() as session:
            raced = len(rows.add(session, (controller_id, self._loaded.id, self._import_id), piece.people, now))
            if raced:
                counts = replace(counts, accepted=counts.accepted - raced, duplicates=counts.duplicates + raced)
            readings.keep_refused(
                session, context.keyring, self._loaded.people_key, controller_id, self._import_id, piece.listed
            )
            if not readings.advance(session, self._import_id, counts, now):
                raise _Stopped
        self._counts = counts

    def _checked(self, some: Sequence[Row], now: datetime) -> _Piece:
        """Check rows, find those who stand in the list already, and seal the others."""
        piece = _Piece()
        fit: list[tuple[Row, Checked]] = []
        for row in some:
            checked = row.wrong or self._checker.check(row.cells)
            if isinstance(checked, Reason):
                piece.refused += 1
                piece.listed.append(_listed(row, REFUSED, checked))
            else:
                fit.append((row, checked))
        hashes = hashes_of(self._context, self._loaded, [one for _, one in fit], now)
        new: dict[bytes, tuple[Checked, Hashes]] = {}
        before = self._names_before({one.own for one in hashes})
        for (row, checked), own in zip(fit, hashes, strict=True):
            if own.own in new or own.own in before:
                name = new[own.own][0].name if own.own in new else before[own.own]
                _note_duplicate(piece, row, checked, name)
                continue
            new[own.own] = (checked, own)
            piece.warned += bool(checked.left_out)
            piece.listed += [_listed(row, WARNING, one) for one in checked.left_out]
        piece.people = sealed(self._context, self._loaded, list(new.values()), now)
        piece.listed.sort(key=lambda one: int(one["line"]))
        return piece

    def _names_before(self, hashes: set[bytes]) -> dict[bytes, str]:
        """Return the names of those among these who stand in the list already."""
        with self._context.database.reading() as session:
            known = rows.known(session, self._loaded.id, hashes)
        return {own: self._name(one) for own, one in known.items()}

    def _name(self, one: SealedPerson) -> str:
        return rows.open_person(self._context.keyring, one).name


def hashes_of(context: Context, loaded: Loaded, people: Sequence[Checked], now: datetime) -> list[Hashes]:
    """Return the keyed hashes of people, in their order."""
    keys = [rules.email_key(one.email) for one in people if one.email]
    keys += [one.phone for one in people if one.phone]
    found = iter(addresses.fingerprints(context, loaded.incident.controller_id, keys, now))
    emails = [next(found) if one.email else None for one in people]
    phones = [next(found) if one.phone else None for one in people]
    return [Hashes(email or phone or b"", email, phone) for email, phone in zip(emails, phones, strict=True)]


def sealed(
    context: Context, loaded: Loaded, people: Sequence[tuple[Checked, Hashes]], now: datetime
) -> list[NewPerson]:
    """Return people as they are kept, with ids in their order."""
    plain = (rows.plain(one.name, one.email, one.phone, one.fields) for one, _ in people)
    closed = context.keyring.seal_many(loaded.people_key, rows.PLACE, plain)
    return [
        NewPerson(new_id, own.email, own.phone, one.language, seal)
        for new_id, (one, own), seal in zip(sorted(new_ids(now, len(people))), people, closed, strict=True)
    ]


def _note_duplicate(piece: _Piece, row: Row, checked: Checked, name: str) -> None:
    """Count somebody who stands in the list already, and list her if it is under another name."""
    piece.duplicates += 1
    if name and checked.name and rules.name_key(name) != rules.name_key(checked.name):
        piece.listed.append(_listed(row, DUPLICATE, Reason(SAME_ADDRESS, {"name": name})))


def _listed(row: Row, kind: str, why: Reason) -> dict[str, Any]:
    """Return a row as the list of refused rows keeps it; what does not decode is kept as a sign that says so."""
    cells = [
        cell[:_SIGNS_KEPT].encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
        for cell in row.cells[:_CELLS_KEPT]
    ]
    return {"line": row.line, "kind": kind, "why": why.plain(), "cells": cells}


def _some_at_once(found: Iterator[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    signs = 0
    for row in found:
        some.append(row)
        signs += sum(map(len, row.cells))
        if len(some) == AT_ONCE or signs > _SIGNS_AT_ONCE:
            yield some
            some, signs = [], 0
    if some:
        yield some
