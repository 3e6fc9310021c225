"""Makers of domain facts: a test names only what matters to it."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tracker.domain.deadlines import Obligation
from incident_tracker.domain.journal import BEGINNING, Anchor, Entry, Head, link
from incident_tracker.domain.regimes import DutyFacts, Rule, rules_from

ROOT = Path(__file__).parents[2]
DETECTED = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
HOURS = timedelta(hours=1)


def parsed(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "config" / name).read_text(encoding="utf-8"))


RULES = rules_from(*(parsed(f"regimes/{regime}.toml") for regime in ("gdpr", "promise", "internal")))
BY_DUTY = {rule.duty: rule for rule in RULES}


def make_facts(**changes: Any) -> DutyFacts:
    facts: dict[str, Any] = {"role": "controller", "detected_at": DETECTED}
    return DutyFacts(**facts | changes)


def make_obligation(rule: Rule, anchor: datetime | None = DETECTED, **changes: Any) -> Obligation:
    due = anchor + rule.period_hours * HOURS if anchor and rule.period_hours else None
    fields: dict[str, Any] = {
        "rule_id": rule.id,
        "regime": rule.regime,
        "duty": rule.duty,
        "article": rule.article,
        "addressee": rule.addressee,
        "anchor_at": anchor,
        "due_at": due,
    }
    return Obligation(**fields | changes)


def make_journal(length: int, *, after: Head = BEGINNING) -> list[Entry]:
    entries = []
    head = after
    for number in range(1, length + 1):
        payload = bytes([number % 256]) * 40
        said = ("Ada", "2026-0001" if number % 2 else None, "NoteAdded", "record-1", payload)
        at = DETECTED + number * HOURS
        new = link(head.hash, head.seq + 1, at, *said)
        actor, incident, kind, key_id, _ = said
        entries.append(
            Entry(
                seq=head.seq + 1,
                recorded_at=at,
                actor=actor,
                incident=incident,
                kind=kind,
                key_id=key_id,
                payload=payload,
                previous_hash=head.hash,
                hash=new,
            )
        )
        head = Head(head.seq + 1, new)
    return entries


def make_anchor(entry: Entry, mac: bytes = b"") -> Anchor:
    return Anchor(seq=entry.seq, hash=entry.hash, at=entry.recorded_at, mac=mac)
