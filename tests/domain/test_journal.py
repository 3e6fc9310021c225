from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import journal, periods
from incident_tracker.domain.journal import GENESIS, Entry, Head, link, seal, verify
from tests.domain.makers import make_anchor, make_journal

KEY = bytes(range(32))
CHAIN = make_journal(12)
ANCHORS = [make_anchor(CHAIN[3]), make_anchor(CHAIN[11])]
DIFFERENT: dict[str, Any] = {
    "seq": 900,
    "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
    "actor": "Dan",
    "incident": "2026-0099",
    "kind": "BecameAware",
    "key_id": "record-2",
    "payload": b"other",
    "previous_hash": bytes(31) + b"\x01",
    "hash": bytes(31) + b"\x02",
}


def test_an_untouched_chain_with_anchors_is_whole() -> None:
    verdict = verify(CHAIN, ANCHORS)
    assert (verdict.result, verdict.entries, verdict.first_bad_seq) == ("ok", 12, None)
    assert verdict.head == (12, CHAIN[-1].hash)
    assert verdict.why == journal.INTACT


@pytest.mark.parametrize("anchors", [None, []])
def test_without_anchors_a_chain_is_never_ok(anchors: list[journal.Anchor] | None) -> None:
    verdict = verify(CHAIN, anchors)
    assert verdict.result == "anchor_missing"
    assert verdict.entries == 12


@pytest.mark.parametrize("anchors", [None, []])
def test_an_empty_journal_needs_no_anchors(anchors: list[journal.Anchor] | None) -> None:
    verdict = verify([], anchors)
    assert (verdict.result, verdict.entries, verdict.head) == ("ok", 0, (0, GENESIS))


def test_an_emptied_journal_is_truncated_when_something_was_anchored() -> None:
    verdict = verify([], ANCHORS)
    assert (verdict.result, verdict.first_bad_seq) == ("truncated", 1)


@given(st.integers(0, 11), st.sampled_from([field.name for field in fields(Entry)]), st.booleans())
def test_any_single_change_to_any_field_of_any_entry_is_found_where_it_is(
    place: int,
    field: str,
    anchored: bool,  # noqa: FBT001 - drawn
) -> None:
    changed = [*CHAIN]
    changed[place] = replace(CHAIN[place], **{field: DIFFERENT[field]})
    verdict = verify(changed, ANCHORS if anchored else None)
    assert verdict.result == "broken"
    assert verdict.first_bad_seq == place + 1
    assert verdict.entries == place


@given(st.data())
def test_a_single_flipped_bit_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 11))
    name = data.draw(st.sampled_from(["payload", "previous_hash", "hash"]))
    original: bytes = getattr(CHAIN[place], name)
    bit = data.draw(st.integers(0, len(original) * 8 - 1))
    flipped = bytearray(original)
    flipped[bit // 8] ^= 1 << bit % 8
    changed = [*CHAIN]
    change: dict[str, Any] = {name: bytes(flipped)}
    changed[place] = replace(CHAIN[place], **change)
    assert verify(changed, ANCHORS).first_bad_seq == place + 1


@given(st.integers(0, 10), st.integers(1, 11))
def test_rows_deleted_from_the_middle_are_found_even_without_anchors(first: int, length: int) -> None:
    last = min(first + length, 11)
    verdict = verify([*CHAIN[:first], *CHAIN[last:]], None)
    assert (verdict.result, verdict.first_bad_seq, verdict.why) == ("broken", first + 1, journal.MISSING)


@given(st.permutations(CHAIN))
def test_any_other_order_is_found(shuffled: list[Entry]) -> None:
    verdict = verify(shuffled, ANCHORS)
    assert (verdict.result == "ok") == (shuffled == CHAIN)


def test_a_doubled_row_is_found() -> None:
    verdict = verify([*CHAIN[:5], CHAIN[4], *CHAIN[5:]], ANCHORS)
    assert (verdict.result, verdict.first_bad_seq) == ("broken", 6)


@given(st.integers(0, 11))
def test_a_cut_tail_is_found_only_with_anchors(kept: int) -> None:
    verdict = verify(CHAIN[:kept], ANCHORS)
    assert (verdict.result, verdict.first_bad_seq, verdict.why) == ("truncated", kept + 1, journal.CUT)
    assert verify(CHAIN[:kept], None).result != "truncated"


def test_entries_after_the_last_anchor_can_still_be_cut_unseen_so_anchors_must_be_fresh() -> None:
    assert verify(CHAIN[:4], ANCHORS[:1]).result == "ok"
    assert verify(CHAIN[:3], ANCHORS[:1]).result == "truncated"


def rewritten_from(place: int) -> list[Entry]:
    """Someone who can write the database changes one entry and links everything after it anew."""
    entries = [*CHAIN[:place]]
    head = Head(place, CHAIN[place - 1].hash) if place else journal.BEGINNING
    for old in CHAIN[place:]:
        payload = b"forged" if old.seq == place + 1 else old.payload
        new = link(head.hash, old.seq, old.recorded_at, old.actor, old.incident, old.kind, old.key_id, payload)
        entries.append(replace(old, payload=payload, previous_hash=head.hash, hash=new))
        head = Head(old.seq, new)
    return entries


@given(st.integers(0, 11))
def test_a_chain_linked_anew_is_found_at_the_first_anchor_after_the_change(place: int) -> None:
    verdict = verify(rewritten_from(place), ANCHORS)
    assert (verdict.result, verdict.why) == ("broken", journal.CONTRADICTED)
    assert verdict.first_bad_seq == (4 if place < 4 else 12)
    assert verify(rewritten_from(place), None).result == "anchor_missing"


def sealed(entry: Entry, key: bytes = KEY) -> journal.Anchor:
    return make_anchor(entry, seal(key, entry.seq, entry.hash, entry.recorded_at))


def test_sealed_anchors_are_accepted_with_the_key() -> None:
    assert verify(CHAIN, [sealed(CHAIN[3]), sealed(CHAIN[11])], key=KEY).result == "ok"


@pytest.mark.parametrize(
    "change", [{"seq": 3}, {"hash": bytes(32)}, {"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"mac": bytes(32)}]
)
def test_an_altered_anchor_does_not_count_and_is_never_ok(change: dict[str, Any]) -> None:
    altered = replace(sealed(CHAIN[11]), **change)
    verdict = verify(CHAIN, [sealed(CHAIN[3]), altered], key=KEY)
    assert (verdict.result, verdict.why) == ("anchor_missing", journal.FALSE_ANCHOR)


def test_anchors_rewritten_together_with_the_journal_are_found_by_their_seal() -> None:
    forged = rewritten_from(5)
    other_key = bytes(32)
    assert verify(forged, [sealed(forged[-1], other_key)], key=KEY).result == "anchor_missing"


def test_a_journal_can_be_verified_from_a_known_head() -> None:
    start = Head(6, CHAIN[5].hash)
    verdict = verify(CHAIN[6:], ANCHORS, start=start)
    assert (verdict.result, verdict.entries, verdict.head.seq) == ("ok", 6, 12)
    assert verify(CHAIN[5:], ANCHORS, start=start).first_bad_seq == 7
    assert verify(CHAIN[6:], ANCHORS, start=(6, bytes(32))).result == "broken"
    assert verify(CHAIN[4:], ANCHORS, start=(4, bytes(32))).first_bad_seq == 4


FIELDS = st.tuples(
    st.binary(min_size=32, max_size=32),
    st.integers(1, 10**9),
    st.datetimes(datetime(2018, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.text(max_size=8),
    st.text(max_size=8),
    st.binary(max_size=16),
)


@given(FIELDS, FIELDS)
def test_two_entries_have_the_same_hash_only_if_they_are_the_same(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    assert (link(*one) == link(*other)) == (one == other)


def test_letters_moved_from_one_field_to_the_next_give_another_hash() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    said = [
        link(GENESIS, 1, at, "ab", "c", "d", "e", b""),
        link(GENESIS, 1, at, "a", "bc", "d", "e", b""),
        link(GENESIS, 1, at, "ab", None, "cd", "e", b""),
        link(GENESIS, 1, at, "ab", "", "cd", "e", b""),
        link(GENESIS, 11, at, "ab", "c", "d", "", b"e"),
    ]
    assert len(set(said)) == len(said)


def test_the_hash_is_of_the_instant_not_of_its_offset_and_naive_times_are_refused() -> None:
    at = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
    rest = ("Ada", None, "NoteAdded", "k", b"")
    assert link(GENESIS, 1, at, *rest) == link(GENESIS, 1, at.astimezone(timezone(timedelta(hours=1))), *rest)
    assert link(GENESIS, 1, at, *rest) != link(GENESIS, 1, at + timedelta(microseconds=1), *rest)
    with pytest.raises(periods.TimeIsNaive):
        link(GENESIS, 1, at.replace(tzinfo=None), *rest)


def test_the_encoding_never_changes_or_no_old_journal_would_verify() -> None:
    at = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
    first = link(GENESIS, 1, at, "Ada", "2026-0001", "IncidentOpened", "record-1", b"\x00\x01")
    assert first.hex() == "930f4b1390d040637ee7e8511c333cf09cb88db592314902594b7321cf27c1d6"
    assert (
        link(first, 2, at, "Ben", None, "SignedIn", "year-2026", b"").hex()
        == "a0670649ede86e1baa58b73a607127d790dad72b8e049cf84a551307d831b6f3"
    )
    assert seal(KEY, 2, first, at).hex() == "4229211c0635ea362778a233b81b0b4703a1066d6487dac28b2a2717397ebc0c"


def test_a_row_with_a_time_that_cannot_be_hashed_is_broken_not_a_crash() -> None:
    naive = replace(CHAIN[2], recorded_at=CHAIN[2].recorded_at.replace(tzinfo=None))
    assert verify([*CHAIN[:2], naive], ANCHORS).first_bad_seq == 3


def test_verifying_reads_the_entries_as_they_come_and_stops_at_the_first_break() -> None:
    read = []

    def rows() -> Iterator[Entry]:
        for entry in CHAIN:
            read.append(entry.seq)
            yield replace(entry, actor="Dan") if entry.seq == 4 else entry

    assert verify(rows(), ANCHORS).first_bad_seq == 4
    assert read == [1, 2, 3, 4]
