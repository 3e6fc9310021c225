"""What the commands share: the tracker they work on, who acts, options, and how answers are printed."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import language
from incident_tracker.cli.language import translate
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker
    from incident_tracker.domain.parties import Controller
    from incident_tracker.services.context import Context
    from incident_tracker.settings import Settings

__all__ = ["Shell", "acting", "as_json", "as_user", "moment_option", "print_json", "print_table", "translate"]

_LONGEST_REFERENCE = 64
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
as_user = click.option(
    "--as", "as_email", metavar="EMAIL", help="Who acts: the account with this e-mail. Without it: the shell itself."
)


def moment_option(name: str, *, help: str, required: bool = False) -> Callable[..., Any]:  # noqa: A002 - click's word
    """Return an option that takes a time: ISO 8601 with offset. The command reads it with `Shell.instant`."""
    return click.option(name, metavar="TIME", required=required, help=f"{help} ISO 8601 with offset.")


@dataclass
class Shell:
    """One call of the program: its settings file, its language, and its clock (None: the machine's)."""

    config: Path | None = None
    language: str = field(default_factory=lambda: language.language_of(os.environ))
    now: Callable[[], datetime] | None = None

    def settings(self) -> "Settings":
        """Return the settings; every mistake in them is raised at once."""
        from incident_tracker import settings  # noqa: PLC0415 - `--help` loads nothing

        return settings.load(os.environ, self.config)

    @contextmanager
    def tracker(self, *, sends: bool = False) -> Iterator["Tracker"]:
        """Give the tracker, built on an existing database. Only what `sends` itself loads the notifiers."""
        from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing

        quiet_log()
        tracker = bootstrap.build(
            self.settings(), now=self.now or bootstrap.system_now, notifiers=None if sends else {}
        )
        try:
            yield tracker
        finally:
            tracker.close()

    @contextmanager
    def context(self) -> Iterator["Context"]:
        """Give what services need."""
        with self.tracker() as tracker:
            yield tracker.context

    @contextmanager
    def writing(self, email: str | None) -> Iterator[tuple["Context", Actor]]:
        """Give what services need and who acts; what was written is anchored outside the database at the end."""
        with self.context() as context:
            from incident_tracker.services import journal  # noqa: PLC0415 - `--help` loads nothing

            yield context, acting(context, email)
            journal.anchor(context, context.now())

    def say(self, msgid: str, **params: object) -> None:
        """Print one of our sentences in the reader's language."""
        click.echo(language.plain(language.text(msgid, self.language, params)))

    def warn(self, msgid: str, **params: object) -> None:
        """Print a sentence on stderr."""
        click.echo(language.plain(language.text(msgid, self.language, params)), err=True)

    def gettext(self, msgid: str) -> str:
        """Return a word or a sentence of ours in the reader's language."""
        return language.text(msgid, self.language)

    def moment(self, at: datetime | None) -> str:
        """Return an instant in words, `-` where there is none."""
        return "-" if at is None else language.moment(at, self.language)


pass_shell: Callable[..., Any] = click.make_pass_decorator(Shell)


def quiet_log() -> None:
    """Let only errors through: a command answers, it does not chat."""
    import logging  # noqa: PLC0415 - `--help` loads nothing

    from incident_tracker.cli import log  # noqa: PLC0415

    log.configure(logging.ERROR)


def acting(context: "Context", email: str | None) -> Actor:
    """Return who acts: the account with that e-mail, or the shell itself."""
    if email is None:
        return SHELL
    from incident_tracker.services import accounts  # noqa: PLC0415 - `--help` loads nothing

    user = accounts.find(context, email)
    if user.is_disabled:
        raise NotAllowed(who="an administrator")
    return Actor(f"user:{user.id}", user.grants, user.id)


def instant(text: str | None, name: str) -> datetime | None:
    """Return the instant that was written, None if nothing was; a time without offset is refused, never guessed."""
    from incident_tracker.domain import periods  # noqa: PLC0415 - `--help` loads nothing

    return None if text is None else periods.parse_iso(text, name)


def needed_instant(text: str, name: str) -> datetime:
    """Return the instant that was written."""
    from incident_tracker.domain import periods  # noqa: PLC0415 - `--help` loads nothing

    return periods.parse_iso(text, name)


def controller_id(context: "Context", actor: Actor, name: str | None) -> int | None:
    """Return the id of the controller with that short name (or that whole name), None if none was named."""
    if name is None:
        return None
    from incident_tracker.services import controllers  # noqa: PLC0415 - `--help` loads nothing

    for one in controllers.listing(context, actor):
        if name.strip().casefold() in (one.slug, one.name.casefold()):
            return one.id
    raise NotFound(what=name.strip()[:_LONGEST_REFERENCE])


def one_controller(context: "Context", actor: Actor, name: str | None) -> "Controller":
    """Return the controller that was named, or the only one there is."""
    from incident_tracker.domain.incident import NoController, WhichController  # noqa: PLC0415 - as above
    from incident_tracker.services import controllers  # noqa: PLC0415

    named = controller_id(context, actor, name)
    found = [one for one in controllers.listing(context, actor) if named in (None, one.id)]
    if not found:
        raise NoController
    if len(found) > 1:
        raise WhichController(names=", ".join(one.slug for one in found))
    return found[0]


def reference(text: str) -> str:
    """Return a reference as it is kept; nothing longer than one is looked up."""
    written = text.strip().upper()
    if not written or len(written) > _LONGEST_REFERENCE:
        raise NotFound(what=written[:_LONGEST_REFERENCE])
    return written


def utc(at: datetime | None) -> str | None:
    """Return an instant as scripts read it: UTC with `Z`."""
    from incident_tracker.domain.facts import instant_text  # noqa: PLC0415 - `--help` loads nothing

    return None if at is None else instant_text(at)


def print_json(value: object) -> None:
    """Print JSON for scripts: instants in UTC with `Z`, keys in a stable order."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell, under their heads if there are any."""
    cells = [[language.plain(cell) for cell in row] for row in (heads, *rows) if row]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
