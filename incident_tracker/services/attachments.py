"""Evidence: files kept with an incident, encrypted, never shown, only handed out again."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import AttachmentAdded
from incident_tracker.services.context import Context
from incident_tracker.services.work import working
from incident_tracker.store import attachments as rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import partners
from incident_tracker.store.attachments import (
    Attachment,
    AttachmentIsDamaged,
    AttachmentIsTooLarge,
    AttachmentNotSaved,
)
from incident_tracker.store.database import NotSaved
from incident_tracker.store.ids import new_id

__all__ = [
    "EVIDENCE",
    "RECEIPT",
    "Attachment",
    "AttachmentIsDamaged",
    "AttachmentIsTooLarge",
    "AttachmentNotSaved",
    "Check",
    "add",
    "check",
    "folder",
    "limit",
    "listing",
    "pieces_of",
    "read",
    "remove_unless_kept",
    "require",
    "safe_name",
    "sweep",
]

EVIDENCE, RECEIPT = "evidence", "receipt"
NAME_LIMIT = 255
_YOUNG = timedelta(hours=1)
"""A file this new may belong to an upload whose row comes in a moment."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """What is wrong between files and rows: `missing` and `damaged` are ids, `orphans` names of files."""

    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    orphans: tuple[str, ...]


def add(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    file_name: str,
    plain: Iterable[bytes],
    purpose: str = EVIDENCE,
) -> Attachment:
    """Keep a file with the incident; `plain` yields its bytes and is read once.

    The file is on the disk before its row, and is removed if the row cannot be kept. Its metadata stay in it: they
    are evidence. Raises AttachmentIsTooLarge and AttachmentNotSaved.
    """
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
    actor.must(Act.WORK, loaded.incident.controller_id)
    now = context.now()
    attachment_id = new_id(now)
    written = rows.write(folder(context), context.keyring, loaded.record_key, attachment_id, plain, limit(context))
    attachment = Attachment(
        id=attachment_id,
        controller_id=loaded.incident.controller_id,
        incident_id=loaded.id,
        purpose=purpose,
        file_name=safe_name(file_name),
        size=written.size,
        sha256=written.sha256,
        added_by=actor.name,
        added_at=now,
    )
    try:
        _keep(context, actor, reference, attachment)
    except BaseException:
        remove_unless_kept(context, attachment_id)
        raise
    return attachment


def listing(context: Context, actor: Actor, reference: str) -> tuple[Attachment, ...]:
    """Return the files of an incident, the newest first."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        return tuple(rows.of_incident(session, context.keyring, loaded.id, scope))


def read(context: Context, actor: Actor, reference: str, attachment_id: str) -> tuple[Attachment, Iterator[bytes]]:
    """Return a file and its plain bytes in pieces, after the whole of it was found to be what was written."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        found = rows.get(session, context.keyring, loaded.id, attachment_id, scope)
    for _ in rows.read(folder(context), context.keyring, loaded.record_key, found):
        pass
    return found, rows.read(folder(context), context.keyring, loaded.record_key, found)


def check(context: Context) -> Check:
    """Compare rows and files of the whole installation. Only sizes are compared; opening a file proves the rest."""
    with context.database.reading() as session:
        sizes = rows.sizes(session) | partners.agreement_sizes(session)
    stored = rows.stored(folder(context))
    oldest = (context.now() - _YOUNG).timestamp()
    return Check(
        missing=tuple(sorted(set(sizes) - set(stored))),
        damaged=tuple(
            name for name in sorted(sizes) if name in stored and stored[name].st_size != rows.sealed_size(sizes[name])
        ),
        orphans=tuple(name for name in sorted(set(stored) - set(sizes)) if stored[name].st_mtime < oldest),
    )


def sweep(context: Context) -> tuple[str, ...]:
    """Remove files without a row that are older than an hour, and return their names."""
    found = check(context).orphans
    for name in found:
        rows.remove(folder(context), name)
    return found


def folder(context: Context) -> Path:
    """Return where the encrypted files lie."""
    return context.settings.data.dir / "attachments"


def limit(context: Context) -> int:
    """Return the largest size of a file in bytes."""
    return context.settings.security.max_upload_megabytes * _MEGABYTE


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of an open file, a piece at a time."""
    while piece := stream.read(rows.CHUNK):
        yield piece


def safe_name(name: str) -> str:
    """Return a file's name as it may be shown: one line, at most 255 signs; what cannot be stored becomes U+FFFD."""
    plain = unicodedata.normalize("NFC", name)
    shown = "".join(
        "\ufffd" if unicodedata.category(sign) in {"Cc", "Cs", "Cf", "Zl", "Zp"} else sign for sign in plain
    )
    return shown.strip()[:NAME_LIMIT] or "-"


def _keep(context: Context, actor: Actor, reference: str, attachment: Attachment) -> None:
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        rows.add(work.session, work.keyring, loaded.record_key, attachment)
        event = AttachmentAdded(
            attachment_id=attachment.id,
            file_name=attachment.file_name,
            size=attachment.size,
            sha256=attachment.sha256,
            purpose=attachment.purpose,
        )
        work.record(loaded, event)


def remove_unless_kept(context: Context, attachment_id: str) -> None:
    """Remove the file of a failed upload. If nobody can tell whether its row was kept, the sweep decides later."""
    try:
        with context.database.reading() as session:
            kept = rows.exists(session, attachment_id) or partners.agreement_exists(session, attachment_id)
    except NotSaved:
        return
    if not kept:
        rows.remove(folder(context), attachment_id)


def require(context: Context, actor: Actor, reference: str, attachment_id: str, field: str) -> Attachment:
    """Return a file of this incident, or refuse with the form's field."""
    found = next((one for one in listing(context, actor, reference) if one.id == attachment_id), None)
    if found is None:
        raise NotFound(what=attachment_id, field=field)
    return found
