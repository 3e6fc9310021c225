"""What the entry about a restored backup explains, and what it does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from incident_tracker.domain import journal
from incident_tracker.domain.journal import Anchor, Entry, Head, Restoration

KEY = bytes(range(32))
START = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
BACKED_UP = 5
RESTORED_AT = START + timedelta(hours=12)


def chain(*kinds: str, begin: datetime = START, after: Head = journal.BEGINNING) -> list[Entry]:
    """Link entries of these kinds, an hour apart."""
    entries: list[Entry] = []
    seq, previous = after
    for place, kind in enumerate(kinds):
        seq += 1
        at = begin + timedelta(hours=place)
        linked = journal.link(previous, seq, at, "shell", None, kind, "k", b"sealed")
        entries.append(
            Entry(
                seq=seq,
                recorded_at=at,
                actor="shell",
                incident=None,
                kind=kind,
                key_id="k",
                payload=b"sealed",
                previous_hash=previous,
                hash=linked,
            )
        )
        previous = linked
    return entries


BEFORE = chain(*["incident_opened"] * BACKED_UP)
HEAD = Head(BACKED_UP, BEFORE[-1].hash)
LOST = BEFORE + chain(*["became_aware"] * 4, begin=START + timedelta(hours=BACKED_UP), after=HEAD)
RESTORED = BEFORE + chain(journal.RESTORE, "reminder_taken", begin=RESTORED_AT, after=HEAD)


def anchor(entry: Entry) -> Anchor:
    mac = journal.seal(KEY, entry.seq, entry.hash, entry.recorded_at)
    return Anchor(seq=entry.seq, hash=entry.hash, at=entry.recorded_at, mac=mac)


def genuine(_entry: Entry) -> Restoration | None:
    return Restoration(HEAD, RESTORED_AT)


def verify(
    entries: list[Entry], anchors: list[Anchor], said: Callable[[Entry], Restoration | None] = genuine
) -> tuple[str, int | None]:
    found = journal.verify(entries, anchors, key=KEY, restoration=said)
    return found.result, found.first_bad_seq


def test_the_lost_tail_is_explained() -> None:
    found = journal.verify(RESTORED, [anchor(one) for one in LOST], key=KEY, restoration=genuine)
    assert (found.result, found.why) == ("ok", journal.RESTORED)


def test_a_restore_that_lost_nothing_needs_no_explaining() -> None:
    found = journal.verify(RESTORED, [anchor(one) for one in RESTORED], key=KEY, restoration=genuine)
    assert (found.result, found.why) == ("ok", journal.INTACT)


def test_without_its_entry_a_copied_back_file_is_truncated() -> None:
    assert verify(BEFORE, [anchor(one) for one in LOST]) == ("truncated", BACKED_UP + 1)


@pytest.mark.parametrize(
    "said",
    [
        None,
        Restoration(HEAD, None),
        Restoration(HEAD, RESTORED_AT - timedelta(hours=1)),
        Restoration(Head(BACKED_UP - 1, BEFORE[-2].hash), RESTORED_AT),
        Restoration(Head(BACKED_UP, bytes(32)), RESTORED_AT),
    ],
    ids=["does not open", "without a time", "of another time", "after another entry", "after another hash"],
)
def test_an_entry_that_the_master_key_did_not_write_here_breaks_the_chain(said: Restoration | None) -> None:
    assert verify(RESTORED, [anchor(one) for one in BEFORE], lambda _entry: said) == ("broken", BACKED_UP + 1)


def test_what_was_anchored_before_the_backup_still_counts() -> None:
    altered = replace(anchor(BEFORE[2]), hash=bytes(32))
    mac = journal.seal(KEY, altered.seq, altered.hash, altered.at)
    assert verify(RESTORED, [replace(altered, mac=mac)]) == ("broken", 3)


def test_a_tail_cut_off_after_the_restore_is_found() -> None:
    anchors = [anchor(one) for one in (*LOST, *RESTORED)]
    assert verify(RESTORED, anchors) == ("ok", None)
    assert verify(RESTORED[:-1], anchors) == ("truncated", len(RESTORED))


def test_an_old_machine_that_went_on_after_the_restore_is_found() -> None:
    went_on = chain("became_aware", begin=RESTORED_AT + timedelta(hours=1), after=HEAD)
    assert verify(RESTORED, [anchor(one) for one in (*BEFORE, *went_on)]) == ("broken", BACKED_UP + 1)
