"""The hash chain of the register: link an entry to the one before, verify all of them, name the first break."""

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, NamedTuple

from incident_tracker.domain import periods

GENESIS = bytes(32)
_NOTHING = b"\xff" * 8
_CHAIN = b"incident-tracker journal 1"
_ANCHOR = b"incident-tracker anchor 1"

RESTORE = "backup_restored"
"""The kind of entry that explains a lost tail."""

Result = Literal["ok", "broken", "truncated", "anchor_missing"]

INTACT = "Every entry is linked, and the anchors agree."
EMPTY = "The journal is empty."
MISSING = "An entry is missing here, or stands in the wrong place."
UNLINKED = "The entry does not follow the one before it."
ALTERED = "The entry was altered after it was recorded."
CONTRADICTED = "The entry is not the one that was anchored outside under this number."
CUT = "The journal ends before a number that was anchored outside: its tail was cut off."
NO_ANCHORS = "There are no anchors, so a cut tail would not be seen. Verify with the anchor file."
RESTORED = (
    "Every entry is linked. A backup was restored, and the journal says so: what was recorded between the backup and "
    "the restore is not here."
)
FALSE_RESTORE = "This entry says that a backup was restored here, but it was not written with the master key."
FALSE_ANCHOR = "An anchor carries no valid seal. Verify with an unaltered anchor file."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `payload` is the ciphertext, so the chain verifies after its key is destroyed."""

    seq: int
    recorded_at: datetime
    actor: str
    incident: str | None
    kind: str
    key_id: str
    payload: bytes
    previous_hash: bytes
    hash: bytes


class Head(NamedTuple):
    """The number and hash of the last entry; (0, GENESIS) when there is none."""

    seq: int
    hash: bytes


BEGINNING = Head(0, GENESIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A head that was noted outside the database at `at` (UTC), sealed with the installation's key."""

    seq: int
    hash: bytes
    at: datetime
    mac: bytes


class Restoration(NamedTuple):
    """What an entry about a restore says: the head that the backup held, and when it was restored (UTC)."""

    head: Head
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying found.

    `entries` counts the sound entries read, `head` is the last of them, `first_bad_seq` the first number at fault,
    `why` an English sentence that is also the key of the Danish one.
    """

    result: Result
    entries: int
    first_bad_seq: int | None
    head: Head
    why: str


def link(
    previous_hash: bytes,
    seq: int,
    recorded_at: datetime,
    actor: str,
    incident: str | None,
    kind: str,
    key_id: str,
    payload: bytes,
) -> bytes:
    """Return the hash (SHA-256) of an entry: over every field and the hash before, each with its length.

    The instant counts, not its offset: the same moment in another zone gives the same hash.
    """
    return sha256(
        _encoded(
            _CHAIN,
            previous_hash,
            b"%d" % seq,
            _instant(recorded_at),
            actor.encode(),
            None if incident is None else incident.encode(),
            kind.encode(),
            key_id.encode(),
            payload,
        )
    ).digest()


def seal(key: bytes, seq: int, head_hash: bytes, at: datetime) -> bytes:
    """Return the seal (HMAC-SHA-256) of an anchor, so that who rewrites the journal cannot rewrite it."""
    return hmac.digest(key, _encoded(_ANCHOR, b"%d" % seq, head_hash, _instant(at)), "sha256")


def verify(
    entries: Iterable[Entry],
    anchors: Sequence[Anchor] | None,
    *,
    start: tuple[int, bytes] = BEGINNING,
    key: bytes | None = None,
    restoration: Callable[[Entry], Restoration | None] | None = None,
) -> Verdict:
    """Walk the entries once, in the order given, and say whether the chain is whole and what breaks it first.

    `start` is the head before the first entry given; anchors before it are not looked at. Without anchors a chain
    that holds anything is never "ok". With `key`, an anchor without a valid seal does not count, and the result is
    then at best "anchor_missing".

    With `restoration`, which opens an entry about a restored backup (None: it does not open), a genuine one explains
    the anchors of the tail that was lost: those with its number or a later one that were noted before it. One that
    is not genuine breaks the chain.
    """
    given = tuple(anchors or ())
    genuine = [anchor for anchor in given if key is None or _is_sealed(anchor, key)]
    forged = len(genuine) < len(given)
    anchored = _by_number(genuine)
    head, count, restored = Head(*start), 0, False
    why = _contradiction(head, anchored)
    if why:
        return Verdict(result="broken", entries=0, first_bad_seq=head.seq, head=head, why=why)
    for entry in entries:
        why = _fault(entry, head)
        if not why and entry.kind == RESTORE and restoration is not None:
            before = len(genuine)
            why, genuine = _explained(entry, restoration(entry), genuine)
            anchored, restored = _by_number(genuine), restored or len(genuine) < before
        why = why or _contradiction(Head(entry.seq, entry.hash), anchored)
        if why:
            return Verdict(result="broken", entries=count, first_bad_seq=head.seq + 1, head=head, why=why)
        head = Head(entry.seq, entry.hash)
        count += 1
    return _ending(head, count, max(anchored, default=None), forged=forged, restored=restored)


def _by_number(anchors: Iterable[Anchor]) -> dict[int, set[bytes]]:
    anchored: dict[int, set[bytes]] = {}
    for anchor in anchors:
        anchored.setdefault(anchor.seq, set()).add(anchor.hash)
    return anchored


def _explained(entry: Entry, said: Restoration | None, anchors: list[Anchor]) -> tuple[str | None, list[Anchor]]:
    """Return the anchors that still count after a restore, or why the entry is no restore."""
    if said is None or said != Restoration(Head(entry.seq - 1, entry.previous_hash), entry.recorded_at):
        return FALSE_RESTORE, anchors
    return None, [one for one in anchors if one.seq < entry.seq or one.at >= entry.recorded_at]


def _ending(head: Head, count: int, last_anchor: int | None, *, forged: bool, restored: bool) -> Verdict:
    """Judge the end of an unbroken chain by the anchors."""
    result: Result = "ok"
    why, first_bad = (RESTORED if restored else INTACT), None
    if last_anchor is not None and last_anchor > head.seq:
        result, why, first_bad = "truncated", CUT, head.seq + 1
    elif forged:
        result, why = "anchor_missing", FALSE_ANCHOR
    elif head == BEGINNING:
        why = EMPTY
    elif last_anchor is None:
        result, why = "anchor_missing", NO_ANCHORS
    return Verdict(result=result, entries=count, first_bad_seq=first_bad, head=head, why=why)


def _fault(entry: Entry, head: Head) -> str | None:
    if entry.seq != head.seq + 1:
        return MISSING
    if entry.previous_hash != head.hash:
        return UNLINKED
    try:
        expected = link(
            entry.previous_hash,
            entry.seq,
            entry.recorded_at,
            entry.actor,
            entry.incident,
            entry.kind,
            entry.key_id,
            entry.payload,
        )
    except (ValueError, periods.TimeIsNaive):
        return ALTERED
    return None if entry.hash == expected else ALTERED


def _contradiction(head: Head, anchored: dict[int, set[bytes]]) -> str | None:
    return CONTRADICTED if anchored.get(head.seq, {head.hash}) != {head.hash} else None


def _is_sealed(anchor: Anchor, key: bytes) -> bool:
    return hmac.compare_digest(anchor.mac, seal(key, anchor.seq, anchor.hash, anchor.at))


def _encoded(*parts: bytes | None) -> bytes:
    """Join the parts so that no two different lists give the same bytes: each has its length before it."""
    pieces = []
    for part in parts:
        if part is None:
            pieces.append(_NOTHING)
        else:
            pieces += (len(part).to_bytes(8, "big"), part)
    return b"".join(pieces)


def _instant(value: datetime) -> bytes:
    periods.require_aware(value, "recorded_at")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds").encode()
