"""Proof that nothing in the journal was altered, taken out or cut off."""

from datetime import datetime
from pathlib import Path

from incident_tracker.domain import journal
from incident_tracker.services import anchors
from incident_tracker.services.context import Context
from incident_tracker.store import journal as rows


def verify(context: Context, anchor_file: Path | None = None) -> journal.Verdict:
    """Walk the whole chain and hold it against the anchors (those of this installation if none are named)."""
    known = anchors.read(anchor_file or context.anchors.file)
    with context.database.reading() as session:
        return journal.verify(
            rows.entries(session),
            known,
            key=context.keyring.anchor_key(),
            restoration=lambda entry: rows.restoration(context.keyring, entry),
        )


def anchor(context: Context, now: datetime) -> bool:
    """Write the head of the chain into the anchor file; return whether that worked."""
    with context.database.reading() as session:
        seq, head_hash = rows.head(session)
    return seq == 0 or context.anchors.add(seq, head_hash, now)


def head(context: Context) -> tuple[int, bytes]:
    """Return number and hash of the newest entry, as documents print it in their foot."""
    with context.database.reading() as session:
        return rows.head(session)
