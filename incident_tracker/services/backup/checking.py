"""Reading a backup from its first byte to its last before anything is touched, and finding the keys that fit."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from incident_tracker.domain.errors import Refusal
from incident_tracker.services.backup.making import ANCHORS, FORMS, KEYS_ENDING, NAME
from incident_tracker.store import migrations
from incident_tracker.store.backup_file import (
    BackupDoesNotOpen,
    BackupIsDamaged,
    BackupIsNewer,
    NotABackup,
    Reader,
)
from incident_tracker.store.backup_rows import Seen

_FOLDERS = ("attachments", FORMS)


class BackupIsMissing(Refusal):
    """There is no such file."""

    message = "There is no file %(where)s, or it cannot be read."


class KeysAreMissing(Refusal):
    """The keys of the backup are not beside it."""

    message = "The keys of this backup are not beside it (%(where)s). Name the newest keys file with --keys."


class KeysDoNotFit(Refusal):
    """The keys file lacks keys that the backup needs: it is older, or of another installation."""

    message = (
        "%(where)s lacks %(count)s keys that this backup needs: it is older than the backup, or belongs to another "
        "installation. Name the newest keys file with --keys."
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was read whole. `forgotten` are the keys that were destroyed, here or in a newer list."""

    file: Path
    id: str
    made_at: datetime
    migration: str
    head_seq: int
    head_hash: str
    rows: int
    counts: dict[str, int]
    files: int
    keys: list[dict[str, Any]]
    forgotten: frozenset[str]


def check(key: bytes, file: Path, keys_file: Path | None, forgotten: Collection[str]) -> Checked:
    """Read a backup and its keys to their ends, and refuse what could not be restored.

    `forgotten` are ids of keys known as destroyed; those that any keys file beside the backup lists come to them.
    """
    about, seen, files = _read(key, file)
    chosen = keys_file or _keys_beside(file)
    keys = _keys_of(key, chosen)
    lost = seen.keys - {one["id"] for one in keys}
    if lost:
        raise KeysDoNotFit(where=chosen, count=len(lost))
    gone = set(forgotten) | {one["id"] for one in keys if not one["wrapped"]}
    for other in sorted({*file.parent.glob(f"*{KEYS_ENDING}"), *chosen.parent.glob(f"*{KEYS_ENDING}")}):
        gone |= _forgotten_in(key, other)
    made_at = datetime.fromisoformat(about["made_at"])
    gone &= {one["id"] for one in keys}
    return Checked(
        file=file,
        id=about["id"],
        made_at=made_at,
        migration=about["migration"],
        head_seq=about["head_seq"],
        head_hash=about["head_hash"],
        rows=sum(seen.rows.values()),
        counts=seen.rows,
        files=files,
        keys=[_destroyed(one, about["made_at"]) if one["id"] in gone else one for one in keys],
        forgotten=frozenset(gone),
    )


def safe(name: str) -> str:
    """Return the name of a file in a backup, if it is one that a backup has."""
    parts = PurePosixPath(name).parts
    if name == ANCHORS or (len(parts) == 2 and parts[0] in _FOLDERS and parts[1] not in (".", "..")):  # noqa: PLR2004
        return name
    raise ValueError(name)


def _read(key: bytes, file: Path) -> tuple[dict[str, Any], Seen, int]:
    about: dict[str, Any] = {}
    end: dict[str, Any] = {}
    seen, files, name, columns = Seen(), 0, "", []
    for record in _records(key, file):
        if "about" in record:
            about = record["about"]
            if not migrations.known(about["migration"]):
                raise BackupIsNewer(where=file, found=about["version"])
        elif "keys" in record:
            raise NotABackup(where=file)
        elif "table" in record:
            name, columns = record["table"], [one for one, _ in record["columns"]]
        elif "rows" in record:
            seen.take(name, columns, record["rows"])
        elif "file" in record:
            safe(record["file"])
            files += 1
        end = record.get("end", {})
    if "head_seq" not in about or end != {"rows": seen.rows, "files": files}:
        raise BackupIsDamaged(where=file)
    return about, seen, files


def _keys_of(key: bytes, file: Path) -> list[dict[str, Any]]:
    records = list(_records(key, file))
    keys: list[dict[str, Any]] | None = next((one["keys"] for one in records if "keys" in one), None)
    if keys is None or records[-1].get("end") != {"keys": len(keys)}:
        raise NotABackup(where=file)
    return keys


def _keys_beside(file: Path) -> Path:
    beside = file.with_name(file.name + KEYS_ENDING)
    found = [one for one in (beside, file.with_name(NAME + KEYS_ENDING)) if one.is_file()]
    if not found:
        raise KeysAreMissing(where=beside)
    return found[0]


def _forgotten_in(key: bytes, file: Path) -> set[str]:
    try:
        return {one["id"] for one in _keys_of(key, file) if not one["wrapped"]}
    except (BackupIsMissing, NotABackup, BackupIsNewer, BackupDoesNotOpen, BackupIsDamaged):
        return set()  # of another installation, or not a keys file at all


def _destroyed(one: dict[str, Any], at: str) -> dict[str, Any]:
    return one | {"wrapped": None, "destroyed_at": one["destroyed_at"] or at}


def _records(key: bytes, file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as source:
            yield from Reader(source, key, file).records()
    except OSError as error:
        raise BackupIsMissing(where=file) from error
