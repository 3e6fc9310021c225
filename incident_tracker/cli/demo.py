"""`demo`: a house with five breaches of everyday to look around in. Nothing of it can leave this machine."""

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from incident_tracker.cli import serve as serving
from incident_tracker.cli.common import Shell, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker
    from incident_tracker.settings import Settings

MARK = "demo-world"
"""A file that says that a folder holds a demo world, and nothing that anybody needs; once it is whole, since when."""
_STEP = timedelta(minutes=15)
_SECRET_BYTES = 9
_OLD = timedelta(hours=1)


class FolderHoldsMore(Refusal):
    """A folder that holds something else than a demo world is left alone."""

    message = "%(where)s holds something else than a demo world. Choose an empty folder with --dir."


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demo world lies.",
)
@click.option("--fresh", is_flag=True, help="Throw the demo world away and begin anew.")
@click.option("--only-make", is_flag=True, help="Make the world and end; do not serve it.")
@pass_shell
def demo(shell: Shell, folder: Path, *, fresh: bool, only_make: bool) -> None:
    """Open a demo world: five exercises at different hours of their 72. Every message lands in /outbox."""
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing

    settings = _settings(shell, folder)
    _clear(settings, fresh=fresh)
    now = shell.now or bootstrap.system_now
    password = secrets.token_urlsafe(_SECRET_BYTES)
    stood_since = _whole_since(folder)
    if stood_since is None:
        shell.say(phrase("Making the demo world. This takes half a minute at most."))
    make(settings, now, password)
    shell.say(phrase("Demo world: %(folder)s. Nothing in it reaches a real person."), folder=folder.absolute())
    if stood_since is not None and now() - stood_since > _OLD:
        sentence = phrase("It was made %(when)s, and its deadlines have run on since. Begin anew with --fresh.")
        shell.say(sentence, when=shell.moment(stood_since))
    shell.say(
        phrase("Sign in as %(who)s. Password: %(password)s"),
        who="ada@example.dk, ben@example.dk, clara@example.dk, dan@example.dk",
        password=password,
    )
    if not only_make:
        serving.run(shell, settings)


def _settings(shell: Shell, folder: Path) -> "Settings":
    """Return the settings of the demo: address and port as set, everything else ours; no notifier is ever loaded."""
    from incident_tracker.settings import Settings, is_loopback  # noqa: PLC0415 - `--help` loads nothing

    server = shell.settings().server
    address = {"port": server.port} | ({"host": server.host} if is_loopback(server.host) else {})
    return Settings.model_validate({"data": {"dir": folder}, "server": address})


def _clear(settings: "Settings", *, fresh: bool) -> None:
    """Remove a demo world that shall be made anew, or was never made to its end; never one that is being served."""
    from incident_tracker.cli import installation  # noqa: PLC0415 - `--help` loads nothing

    folder = settings.data.dir
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARK).exists():
        raise FolderHoldsMore(where=folder.absolute())
    if fresh or _whole_since(folder) is None:
        with installation.only_clock(settings):
            shutil.rmtree(folder)


def _whole_since(folder: Path) -> datetime | None:
    """Return when the demo world of a folder was made; None where none was, or not to its end."""
    try:
        return datetime.fromisoformat((folder / MARK).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None


def make(settings: "Settings", now: Callable[[], datetime], password: str) -> None:
    """Make the demo world of these settings as it is `now`, or give everybody of one that stands a new password."""
    from incident_tracker.cli import installation  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import accounts, demo  # noqa: PLC0415

    settings.data.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.data.dir / MARK).touch()
    with installation.only_clock(settings):
        installation.upgrade(settings)
        ends = now()
        with _wound_by_hand(settings, ends) as (tracker, clock):
            if demo.is_played(tracker.context):
                for user in accounts.listing(tracker.context, SHELL):
                    accounts.set_password(tracker.context, SHELL, user.id, password)
                return
            stage = demo.Stage(tracker.context, clock.wind)
            clock.at = ends - demo.LONGEST
            demo.set_stage(stage, password)
            clock.between = lambda: demo.answer(stage) if clock.at <= ends - _STEP else None
            demo.play(stage, ends)
        (settings.data.dir / MARK).write_text(ends.isoformat(), "ascii")


class _Clock:
    """A clock that stands still until it is wound on; everything that falls due on the way happens."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.tracker: Tracker | None = None
        self.between: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        return self.at

    def wind(self, to: datetime) -> None:
        """Bring the clock to a time, a step at a time."""
        while self.at < to:
            self.at = min(to, self.at + _STEP)
            self._tick()
            self.between()

    def _tick(self) -> None:
        from incident_tracker.services import clock, notices  # noqa: PLC0415 - `--help` loads nothing

        if self.tracker is not None:
            notices.go_on(self.tracker.context, self.at)
            clock.tick(self.tracker.context, self.tracker.node)
            self.tracker.engine.drain(threading.Event())


@contextmanager
def _wound_by_hand(settings: "Settings", at: datetime) -> Iterator[tuple["Tracker", _Clock]]:
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing

    clock = _Clock(at)
    tracker = bootstrap.build(settings, now=clock)
    clock.tracker = tracker
    try:
        yield tracker, clock
    finally:
        tracker.close()
