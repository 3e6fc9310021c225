"""`serve`, `web`, `worker`: the processes that stay. All is checked before the first page and the first tick."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli.common import Shell, pass_shell
from incident_tracker.cli.program import SomethingIsBroken
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker
    from incident_tracker.scheduler import Clock
    from incident_tracker.settings import Settings

DRAIN_SECONDS = 24
"""For what the clock has in flight; the pages take at most 5 more, so that all ends within 30."""
_MEGABYTE = 1_048_576
_IDLE_SECONDS = 60
_LOOK_SECONDS = 1.0


class AddressIsTaken(Refusal):
    """The pages cannot listen where the settings say."""

    message = (
        "Nothing can listen on %(host)s port %(port)s: %(why)s. Stop what runs there, or choose another port: "
        "INCIDENT_TRACKER__SERVER__PORT=8090"
    )


class VersionIsTooOld(SomethingIsBroken):
    """A newer version has closed the database to this one while it ran."""

    message = "A newer version has closed the database to this one, so the clock stopped. Install the newer version."


class Stopped(SystemExit):
    """The process was told to end (SIGTERM or SIGINT)."""


@click.command()
@pass_shell
def serve(shell: Shell) -> None:
    """Run pages, clock and outbox in one process. Brings the database up to date first."""
    run(shell, shell.settings())


def run(shell: Shell, settings: "Settings") -> None:
    """Run pages, clock and outbox with these settings until the process is told to stop."""
    from incident_tracker.cli import installation  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.scheduler import Clock  # noqa: PLC0415

    _log_everything()
    with installation.only_clock(settings), _socket(settings) as door:
        installation.upgrade(settings)
        with _tracker(shell, _at(settings, door)) as tracker:
            server = _server(tracker, door)
            clock = Clock(tracker, when_too_old=_end_this_process)
            _greet(shell, tracker)
            with _told_to_stop():
                clock.start()
                server.run()
            too_old = clock.is_stopped
            server.close()
            clock.stop(DRAIN_SECONDS)
            if too_old:
                raise VersionIsTooOld


@click.command()
@pass_shell
def web(shell: Shell) -> None:
    """Run the pages alone. A `worker` elsewhere runs the clock."""
    _log_everything()
    settings = shell.settings()
    with _socket(settings) as door, _tracker(shell, _at(settings, door)) as tracker:
        server = _server(tracker, door)
        _greet(shell, tracker)
        with _told_to_stop():
            server.run()
        server.close()


@click.command()
@pass_shell
def worker(shell: Shell) -> None:
    """Run clock and outbox alone; any number of workers share one PostgreSQL."""
    from incident_tracker.cli import installation  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.scheduler import Clock  # noqa: PLC0415

    _log_everything()
    settings = shell.settings()
    with installation.only_clock(settings), _tracker(shell, settings) as tracker:
        clock = Clock(tracker)
        with _told_to_stop():
            clock.start()
            shell.say(phrase("The clock runs."))
            _until_stopped(clock)
        too_old = clock.is_stopped
        clock.stop(DRAIN_SECONDS)
        if too_old:
            raise VersionIsTooOld


def _end_this_process() -> None:
    """Interrupt the main thread where it serves pages."""
    os.kill(os.getpid(), signal.SIGTERM)


def _until_stopped(clock: "Clock") -> None:
    pause = threading.Event()
    while not clock.is_stopped:
        pause.wait(_LOOK_SECONDS)


def _log_everything() -> None:
    from incident_tracker.cli import log  # noqa: PLC0415 - `--help` loads nothing

    log.configure(logging.INFO)


@contextmanager
def _tracker(shell: Shell, settings: "Settings") -> Iterator["Tracker"]:
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing

    tracker = bootstrap.build(settings, now=shell.now or bootstrap.system_now)
    try:
        yield tracker
    finally:
        tracker.close()


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Run the block until SIGTERM or SIGINT; a second signal ends the process at once."""
    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except Stopped:
        pass
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


def _stop(_number: int, _frame: object) -> None:
    raise Stopped(0)


@contextmanager
def _socket(settings: "Settings") -> Iterator[socket.socket]:
    """Take the address before anything else is touched; it does not listen yet."""
    host, port = settings.server.host, settings.server.port
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        door = socket.socket(family, kind, protocol)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(place)
    except OSError as error:
        raise AddressIsTaken(host=host, port=port, why=error.strerror or type(error).__name__) from None
    with door:
        yield door


def _at(settings: "Settings", door: socket.socket) -> "Settings":
    """Return the settings with the port that was really taken."""
    server = settings.server.model_copy(update={"port": door.getsockname()[1]})
    return settings.model_copy(update={"server": server})


def _server(tracker: "Tracker", door: socket.socket) -> Any:
    import waitress  # noqa: PLC0415 - `--help` loads nothing

    from incident_tracker.wsgi import create_wsgi  # noqa: PLC0415

    settings = tracker.settings
    return waitress.create_server(
        create_wsgi(tracker),
        sockets=[door],
        threads=settings.server.threads,
        ident=None,
        channel_timeout=_IDLE_SECONDS,
        max_request_body_size=(settings.security.max_upload_megabytes + 1) * _MEGABYTE,
        url_scheme="https" if settings.server.is_https else "http",
        clear_untrusted_proxy_headers=not settings.server.trusted_proxies,
    )


def _greet(shell: Shell, tracker: "Tracker") -> None:
    from incident_tracker.services import first_run  # noqa: PLC0415 - `--help` loads nothing

    shell.say(phrase("Pages: %(address)s"), address=tracker.settings.public_url)
    link = first_run.ensure_link(tracker.context)
    if link is not None:
        shell.say(phrase("First run, for the first administrator: %(link)s"), link=link)
