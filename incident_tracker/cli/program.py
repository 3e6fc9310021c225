"""The command itself: what goes wrong becomes one clear line on stderr and one of four exit codes."""

import os
import signal
import sys
from typing import Any, NoReturn

import click

from incident_tracker.cli import language
from incident_tracker.domain.errors import Refusal, TextHasForbiddenSigns, phrase

REFUSED = 1
BROKEN = 3
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE

_WRITTEN = f"{__name__}.written"

UNFORESEEN = phrase("Something is broken: %(kind)s. The log line above says where.")


class SomethingIsBroken(Refusal):
    """Not the person's fault: the installation cannot do its work. Subclasses say what is wrong; exit code 3."""


class Program(click.Group):
    """A group of commands in which no traceback reaches the reader."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was written, to be checked where a refusal can be said."""
        ctx.meta[_WRITTEN] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what it raises into a line and an exit code."""
        try:
            _must_be_readable(ctx.meta[_WRITTEN])
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _leave_the_pipe(ctx)
        except Exception as error:  # noqa: BLE001 - the last place where anything can be said
            spoken = getattr(ctx.obj, "language", "") or language.language_of(os.environ)
            lines, code = explain(error, spoken)
            for line in lines:
                click.echo(line, err=True)
            ctx.exit(code)
        return answer


def explain(error: Exception, spoken: str) -> tuple[list[str], int]:
    """Return what to print for an error, and the exit code. What nobody foresaw goes to the log without its text."""
    from incident_tracker.settings import SettingsError  # noqa: PLC0415 - needed only when something went wrong
    from notifiers.protocol import NotifierSettingsError  # noqa: PLC0415

    if isinstance(error, Refusal):
        return [language.translate(error, spoken)], BROKEN if is_broken(error) else REFUSED
    if isinstance(error, SettingsError | NotifierSettingsError):
        return [language.plain(mistake) for mistake in error.mistakes], BROKEN
    from incident_tracker.cli import log  # noqa: PLC0415 - as above

    log.unexpected(error)
    return [language.text(UNFORESEEN, spoken, {"kind": type(error).__name__})], BROKEN


def is_broken(refusal: Refusal) -> bool:
    """Return whether a refusal says that the installation is at fault, not the request."""
    from incident_tracker.domain.regimes import RulesAreWrong  # noqa: PLC0415 - needed only when something went wrong
    from incident_tracker.services.anchors import AnchorsUnreadable  # noqa: PLC0415
    from incident_tracker.services.backup.whole import BackupNotWritten  # noqa: PLC0415
    from incident_tracker.store.database import NotSaved  # noqa: PLC0415
    from incident_tracker.store.keys import MasterKeyUnusable, MasterKeyWrong  # noqa: PLC0415
    from incident_tracker.store.migrations import DatabaseIsNewer, DatabaseIsOld  # noqa: PLC0415

    return isinstance(
        refusal,
        SomethingIsBroken
        | BackupNotWritten
        | NotSaved
        | DatabaseIsOld
        | DatabaseIsNewer
        | MasterKeyUnusable
        | MasterKeyWrong
        | RulesAreWrong
        | AnchorsUnreadable,
    )


def _must_be_readable(arguments: tuple[str, ...]) -> None:
    """Refuse arguments that are not UTF-8; the shell hands them over as lone surrogates."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            bad = f"U+{ord(argument[error.start]):04X}"
            raise TextHasForbiddenSigns(names=bad) from None


def _leave_the_pipe(ctx: click.Context) -> NoReturn:
    """End quietly when the reader has gone: nothing may be flushed into the pipe at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    ctx.exit(BROKEN_PIPE)
