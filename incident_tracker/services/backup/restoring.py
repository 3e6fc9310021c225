"""Bringing an installation back from a backup, on a machine where nothing is.

The whole backup is read and checked before anything is touched. On SQLite the new files are built in a folder beside
and moved into place at the end; on PostgreSQL everything is one transaction. What may have been sent after the backup
was made is not sent by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from incident_tracker.domain import journal as chain
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import BackupRestored, NoticeHalted
from incident_tracker.domain.facts import instant_text
from incident_tracker.domain.notices import State
from incident_tracker.services import journal, obligations
from incident_tracker.services.backup import checking, places, whole
from incident_tracker.services.backup.checking import Checked
from incident_tracker.services.backup.lateness import LAST_BACKUP
from incident_tracker.services.context import Context
from incident_tracker.services.notices import telling
from incident_tracker.services.work import Work
from incident_tracker.settings import Settings
from incident_tracker.store import backup_rows, backup_state, installation, migrations
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import journal as journal_rows
from incident_tracker.store import notices as notice_rows
from incident_tracker.store.backup_file import BackupIsDamaged, Reader
from incident_tracker.store.backup_rows import Seen
from incident_tracker.store.keys import KeyIsGone

__all__ = ["Restored", "restore", "restored_from"]

_RESTORED_FROM = "restored_from"


class PostgreSqlKeeps(Refusal):
    """A PostgreSQL database is never cleared from here."""

    message = (
        "The database is in use. Make an empty PostgreSQL database, name it in database.url, and restore into that; "
        "the old one stays as it is."
    )


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back. `aside` is where the old files lie now, `forgotten` counts keys that stay destroyed."""

    id: str
    made_at: datetime
    rows: int
    files: int
    held: int
    forgotten: int
    head: tuple[int, bytes]
    aside: Path | None
    verdict: chain.Verdict


def restored_from(context: Context) -> datetime | None:
    """Return when the backup was made from which this installation was restored last; None if it never was."""
    with context.database.reading() as session:
        written = installation.get(session, _RESTORED_FROM)
    return None if written is None else datetime.fromisoformat(written)


def restore(
    settings: Settings,
    key: bytes,
    file: Path,
    *,
    keys_file: Path | None = None,
    replace: bool = False,
    now: datetime,
    context_of: Callable[[Settings], Context],
) -> Restored:
    """Bring an installation back; refuse before anything is touched.

    `key` is the backup key of the master key, `context_of` puts together what services need on a database that is
    still to be filled. `replace` moves what is in the data folder aside first; a PostgreSQL database must be empty.
    """
    checked = checking.check(key, file, keys_file, places.live_forgotten(settings))
    in_use = places.in_use(settings, now)
    if in_use is not None and (not replace or in_use == places.POSTGRESQL):
        raise PostgreSqlKeeps if in_use == places.POSTGRESQL else places.NotEmpty(where=in_use)
    with places.stage(settings) as staged:
        context = context_of(staged)
        try:
            done = _fill(context, key, checked, lambda: places.move_in(settings, staged, context.now()))
        finally:
            context.database.close()
        if context.database.is_sqlite:
            done = done[0], places.move_in(settings, staged, context.now())
    (held, head), aside = done
    context = context_of(settings)
    try:
        verdict = journal.verify(context)
    finally:
        context.database.close()
    return Restored(
        id=checked.id,
        made_at=checked.made_at,
        rows=checked.rows,
        files=checked.files,
        held=held,
        forgotten=len(checked.forgotten),
        head=head,
        aside=aside,
        verdict=verdict,
    )


def _fill(
    context: Context, key: bytes, checked: Checked, move: Callable[[], Path | None]
) -> tuple[tuple[int, tuple[int, bytes]], Path | None]:
    """Put keys, rows and files into the staged installation; return what is held, the head, and what moved aside."""
    database, now = context.database, context.now()
    migrations.upgrade(database, checked.migration)
    with database.writing() as session:
        backup_rows.load_keys(session, checked.keys)
    context.keyring.year(now)
    aside = None
    with database.writing() as session:
        database.take_time(session)
        _load(context, session, key, checked)
        migrations.upgrade_in(session)
        held, head = _settle(context, session, checked, now)
        if not context.anchors.add(*head, now):
            raise whole.BackupNotWritten(where=context.anchors.file, why=whole.OTHER)
        if not database.is_sqlite:
            aside = move()
    database.empty_log()
    return (held, head), aside


def _load(context: Context, session: Session, key: bytes, checked: Checked) -> None:
    """Read the backup a second time, now into tables and files."""
    backup_rows.empty(session)
    seen = Seen()
    with checked.file.open("rb") as source:
        reader = Reader(source, key, checked.file)
        name, columns = "", []
        for record in reader.records():
            if "table" in record:
                name, columns = record["table"], record["columns"]
            elif "rows" in record:
                seen.take(name, [one for one, _ in columns], record["rows"])
                backup_rows.load(session, name, columns, record["rows"])
            elif "file" in record:
                _unpack(context.settings.data.dir, record["file"], reader)
    if seen.rows != checked.counts:
        raise BackupIsDamaged(where=checked.file)
    backup_rows.go_on_counting(context.database, session)


def _unpack(folder: Path, name: str, reader: Reader) -> None:
    target = folder / checking.safe(name)
    with whole.told(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _new(target) as out:
            for piece in reader.pieces():
                out(piece)


@contextmanager
def _new(target: Path) -> Iterator[Callable[[bytes], int]]:
    with target.open("xb") as out:
        target.chmod(0o600)
        yield out.write
        whole.to_disk(out)


def _settle(context: Context, session: Session, checked: Checked, now: datetime) -> tuple[int, tuple[int, bytes]]:
    """Hold what may have been sent, end what people hold in hand, plan the alarms anew, and write it down."""
    not_begun, decided = backup_state.take_back(session)
    held = backup_state.hold(session, now) + decided
    backup_state.end_sign_ins(session)
    backup_state.forget_titles(session, checked.forgotten)
    backup_state.hurry_alerts(session, now)
    for reference in backup_state.open_references(session):
        try:
            loaded = incident_rows.load(session, context.keyring, reference, None)
        except KeyIsGone:
            continue
        obligations.plan(context, session, loaded, now)
    for name in (LAST_BACKUP, _RESTORED_FROM):
        installation.put(session, name, instant_text(checked.made_at), now)
    work = Work(context, SHELL, session, now)
    work.note(BackupRestored(checked.id, checked.made_at, checked.head_seq, checked.head_hash, held, restored_at=now))
    work.finish()  # right after the head of the backup; what is done to notices follows
    work = Work(context, SHELL, session, now)
    _pause_notices(work)
    _mark_notices(work, not_begun)
    work.finish()
    return held, journal_rows.head(session)


def _pause_notices(work: Work) -> None:
    """Pause every sending, until a person resumes it."""
    for notice_id, _ in notice_rows.sending(work.session):
        try:
            notice = notice_rows.get(work.session, work.keyring, notice_id, None, lock=True)
            loaded = incident_rows.load(work.session, work.keyring, notice.reference, None, lock=True)
        except KeyIsGone:
            was = (State.SENDING,)
            notice_rows.move(work.session, notice_id, was=was, state=State.PAUSED, paused_at=work.now)
            continue
        telling.halt(work, loaded, notice, backup_state.RESTORED)


def _mark_notices(work: Work, notice_ids: Sequence[int]) -> None:
    """Write on every notice that was not begun why it must be decided anew; its page says so until it is sent."""
    for notice_id in notice_ids:
        try:
            notice = notice_rows.get(work.session, work.keyring, notice_id, None, lock=True)
            loaded = incident_rows.load(work.session, work.keyring, notice.reference, None, lock=True)
        except KeyIsGone:
            continue
        reason = notice_rows.seal_reason(work.keyring, loaded.record_key, backup_state.RESTORED)
        notice_rows.move(work.session, notice_id, was=(State.DRAFT,), state=State.DRAFT, pause_reason=reason)
        work.record(loaded, NoticeHalted(notice.id, notice.number, "taken_back", backup_state.RESTORED))
