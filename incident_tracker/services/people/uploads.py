"""Lists that come through a page or from a file of the machine, and the threads that read them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from incident_tracker.domain.access import Actor
from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.services.context import Context
from incident_tracker.services.people import importing
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.importing import FAILED, Job
from incident_tracker.services.people.reading import Layout, Reason, layout_of
from incident_tracker.store import attachments as files
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.attachments import Attachment
from incident_tracker.store.database import NotSaved
from incident_tracker.store.ids import new_id
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.people_imports import Counts, Reading

_PIECE = 262_144
_MEGABYTE = 1_000_000
_YOUNG = timedelta(hours=1)
"""No list takes so long to be uploaded and read."""
_threads: dict[str, threading.Thread] = {}
"""The readings of this process that are under way."""


class FileCannotBeRead(Refusal):
    """The machine does not give the file."""

    message = "%(file)s cannot be read: %(why)s."


class FileChanged(Refusal):
    """The file was changed between the two times it is read."""

    message = "%(file)s was changed while it was being read. Nobody else was added; read it again."


def start(
    context: Context, actor: Actor, reference: str, *, file_name: str, pieces: Iterable[bytes], size: int
) -> str:
    """Begin to read a list that was uploaded, in a thread of this process; return the id of the reading.

    `pieces` are its bytes, read once; `size` is how many there should be. The file lies sealed under the incident's
    people key until it is read. Whatever is wrong with the file as a whole is refused here and now.
    """
    del size  # what came counts, not what was announced
    loaded = _load(context, actor, reference)
    import_id = new_id(context.now())
    examined = Examined()
    limit = context.settings.security.max_upload_megabytes * _MEGABYTE
    written = files.write(
        folder(context), context.keyring, loaded.people_key, import_id, _watched(pieces, examined), limit
    )
    kept = Attachment(
        import_id,
        loaded.incident.controller_id,
        loaded.id,
        "people",
        "",
        written.size,
        written.sha256,
        actor.name,
        context.now(),
    )
    try:
        layout = layout_of(examined)
        job = importing.begin(context, actor, reference, import_id=import_id, file_name=file_name, layout=layout)
    except BaseException:
        files.remove(folder(context), import_id)
        raise
    _in_a_thread(job, kept)
    return import_id


def read_file(
    context: Context, actor: Actor, reference: str, *, file: Path, told: Callable[[Counts], None] = lambda _: None
) -> Reading:
    """Read a list from a file of this machine, to its end; return what came of it.

    `told` hears after each piece how far it came.
    """
    loaded = _load(context, actor, reference)
    examined = Examined()
    for _ in _watched(_bytes_of(file), examined):
        pass
    layout = layout_of(examined)
    import_id = new_id(context.now())
    job = importing.begin(context, actor, reference, import_id=import_id, file_name=file.name, layout=layout)
    importing.run(job, _unchanged(file, layout), told)
    with context.database.reading() as session:
        return readings.get(session, context.keyring, actor.scope, loaded.id, import_id)


def wait(import_id: str, patience: float) -> bool:
    """Wait until this process no longer reads that list, at most so many seconds; return whether it is so."""
    thread = _threads.get(import_id)
    if thread is not None:
        thread.join(patience)
    return thread is None or not thread.is_alive()


def folder(context: Context) -> Path:
    """Return where lists lie, sealed, until they are read."""
    return context.settings.data.dir / "uploads"


def sweep(context: Context) -> None:
    """Remove uploaded lists of an hour ago that nobody reads any more: their process died."""
    oldest = (context.now() - _YOUNG).timestamp()
    for name, found in files.stored(folder(context)).items():
        if found.st_mtime < oldest and name not in _threads:
            files.remove(folder(context), name)


def _load(context: Context, actor: Actor, reference: str) -> Loaded:
    """Return the incident, if the actor may add people to it right now."""
    importing.settle_silent(context, context.now())
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        importing.must_take_people(context, session, actor, loaded)
    return loaded


def _in_a_thread(job: Job, kept: Attachment) -> None:
    def read() -> None:
        try:
            importing.run(job, files.read(folder(job.context), job.context.keyring, job.loaded.people_key, kept))
        except Exception:  # noqa: BLE001 - its page says why, and the log names the fault
            return
        finally:
            files.remove(folder(job.context), kept.id)
            _threads.pop(job.import_id, None)

    thread = threading.Thread(target=read, name=f"people-{job.import_id}", daemon=True)
    _threads[job.import_id] = thread
    try:
        thread.start()
    except RuntimeError as error:  # the machine gives no thread
        files.remove(folder(job.context), kept.id)
        del _threads[job.import_id]
        importing.break_off(job, Reason(FAILED))
        raise NotSaved(why=phrase("the machine is too busy")) from error


def _watched(pieces: Iterable[bytes], examined: Examined) -> Iterator[bytes]:
    for piece in pieces:
        examined.feed(piece)
        yield piece


def _bytes_of(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                yield piece
    except OSError as error:
        raise FileCannotBeRead(file=file.name, why=_why(error)) from error


def _unchanged(file: Path, layout: Layout) -> Iterator[bytes]:
    """Yield the bytes of a file that was looked through before; refuse at the end if they are others now."""
    again = Examined()
    yield from _watched(_bytes_of(file), again)
    if again.digest != layout.digest:
        raise FileChanged(file=file.name)


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return phrase("there is no such file")
    if isinstance(error, IsADirectoryError):
        return phrase("it is a folder")
    return phrase("the machine does not give it")
