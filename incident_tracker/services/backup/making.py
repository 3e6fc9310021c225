"""Making a backup: one moment of the register, its files, and the wrapped keys apart.

Nobody waits for it: a snapshot is read, not locked. The file is written beside its name, read again whole, and only
then put in its place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from incident_tracker import __version__
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.events import BackupMade
from incident_tracker.domain.facts import instant_text
from incident_tracker.services import attachments
from incident_tracker.services.backup import whole
from incident_tracker.services.backup.lateness import LAST_BACKUP
from incident_tracker.services.context import Context
from incident_tracker.services.work import working
from incident_tracker.store import backup_rows, installation, migrations
from incident_tracker.store.backup_file import BackupIsDamaged, Reader, Writer
from incident_tracker.store.backup_rows import Seen
from incident_tracker.store.ids import new_id

ENDING, KEYS_ENDING = ".backup", ".keys"
NAME = "incident-tracker"
FORMS = "authorities"
ANCHORS = "journal-anchors.txt"


class FileIsThere(Refusal):
    """Something has the name that the backup should get."""

    message = "%(where)s is there already. Name another file, name a folder, or add --overwrite."


class OlderBackupStays(Refusal):
    """The new backup is whole and noted; one that should make room for it could not be removed."""

    message = "The backup is written to %(file)s, but the older one %(where)s could not be removed: %(why)s."


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. `missing` names evidence whose file is not on the disk; the rest is in the backup."""

    id: str
    file: Path
    keys_file: Path
    made_at: datetime
    size: int
    head_seq: int
    head_hash: bytes
    rows: int
    files: int
    missing: tuple[str, ...]
    removed: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Moment:
    """What was read, and what was written about it."""

    seq: int
    hash: bytes
    rows: int
    files: int
    missing: tuple[str, ...]


def make(
    context: Context,
    actor: Actor,
    target: Path,
    *,
    keys_file: Path | None = None,
    overwrite: bool = False,
    keep: int | None = None,
) -> Made:
    """Write a backup to a file, or into a folder under a dated name, and its keys to a file of their own.

    `keep` is how many backups stay in the folder. The keys file is always the newest: it is overwritten, so that what
    was forgotten since does not come back. Raises FileIsThere, BackupNotWritten, BackupRuns and
    OlderBackupStays.
    """
    if not actor.may_anywhere(Act.ADMINISTER):
        raise NotAllowed(who="an administrator")
    now = context.now()
    file, keys = _names(target, keys_file, now)
    if file.exists() and not overwrite:
        raise FileIsThere(where=file)
    about = {
        "id": new_id(now),
        "made_at": instant_text(now),
        "version": __version__,
        "migration": migrations.current(context.database),
    }
    moment = _write(context, file, keys, about)
    size = file.stat().st_size
    with working(context, actor, urgent=False) as work:
        installation.put(work.session, LAST_BACKUP, instant_text(now), work.now)
        work.note(BackupMade(about["id"] or "", moment.seq, moment.hash.hex(), size))
    return Made(
        id=about["id"] or "",
        file=file,
        keys_file=keys,
        made_at=now,
        size=size,
        head_seq=moment.seq,
        head_hash=moment.hash,
        rows=moment.rows,
        files=moment.files,
        missing=moment.missing,
        removed=_remove_older(file, keep) if target.is_dir() and keep is not None else (),
    )


def _names(target: Path, keys_file: Path | None, now: datetime) -> tuple[Path, Path]:
    if target.is_dir():
        name = f"{NAME}-{now:%Y%m%dT%H%M%SZ}{ENDING}"
        return target / name, keys_file or target / f"{NAME}{KEYS_ENDING}"
    return target, keys_file or target.with_name(target.name + KEYS_ENDING)


def _write(context: Context, file: Path, keys_file: Path, about: dict[str, str | None]) -> _Moment:
    key = context.keyring.backup_key()
    with whole.unfinished(file) as out, whole.unfinished(keys_file) as keys_out:
        moment = _write_register(context, out, key, about, keys_out)
        for one, handle in ((file, out), (keys_file, keys_out)):
            whole.to_disk(handle)
            _look_again(one, key)
        whole.put(keys_file, file)
    return moment


def _write_register(
    context: Context, out: BinaryIO, key: bytes, about: dict[str, str | None], keys_out: BinaryIO
) -> _Moment:
    seen = Seen()
    anchors = _anchors(context)  # before the moment that is read: none of them may name a later entry
    writer = Writer(out, key)
    with context.database.snapshot() as session:
        seq, head = backup_rows.head(session)
        wrapped = backup_rows.dump_keys(session)
        writer.record(about=about | {"head_seq": seq, "head_hash": head.hex()})
        backup_rows.dump(session, writer.record, seen)
    found = list(_files(context, seen))
    for name, file in found:
        writer.file(name, *_content(file))
    for content in anchors:
        writer.file(ANCHORS, len(content), [content])
    kept = {name.removeprefix("attachments/") for name, _ in found}
    writer.record(end={"rows": seen.rows, "files": len(found) + len(anchors)})
    writer.finish()
    keys = Writer(keys_out, key)
    keys.record(about=about)
    keys.record(keys=wrapped)
    keys.record(end={"keys": len(wrapped)})
    keys.finish()
    rows = sum(seen.rows.values())
    return _Moment(seq, head, rows, len(found) + len(anchors), tuple(sorted(seen.files - kept)))


def _files(context: Context, seen: Seen) -> Iterator[tuple[str, Path]]:
    """Yield the files under `data.dir` that belong to the register: evidence and agreements, corrected forms."""
    folder = attachments.folder(context)
    for name in sorted(seen.files):
        if (folder / name).is_file():
            yield f"attachments/{name}", folder / name
    data = context.settings.data.dir
    forms = data / FORMS
    for file in sorted(forms.iterdir()) if forms.is_dir() else ():
        if file.is_file():
            yield f"{FORMS}/{file.name}", file


def _anchors(context: Context) -> list[bytes]:
    """Return the content of the anchor file, if there is one."""
    try:
        return [context.anchors.file.read_bytes()]
    except FileNotFoundError:
        return []


def _content(file: Path) -> tuple[int, Iterable[bytes]]:
    """Return size and bytes of a file; what is small is read at once, since it may grow meanwhile."""
    size = file.stat().st_size
    if file.parent.name != "attachments":
        content = file.read_bytes()
        return len(content), [content]
    return size, _pieces(file)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        yield from attachments.pieces_of(source)


def _look_again(file: Path, key: bytes) -> None:
    """Read what was written to its end: a piece that does not open is refused."""
    with whole.reread(file) as written:
        if not any("end" in one for one in Reader(written, key, file).records()):
            raise BackupIsDamaged(where=file)


def _remove_older(newest: Path, keep: int) -> tuple[Path, ...]:
    """Remove all but the newest backups of a folder; their names sort by time."""
    found = sorted(newest.parent.glob(f"{NAME}-*{ENDING}"))
    older = found[: max(0, len(found) - max(1, keep))]
    for file in older:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise OlderBackupStays(file=newest, where=file, why=whole.reason_of(error)) from error
    return tuple(older)
