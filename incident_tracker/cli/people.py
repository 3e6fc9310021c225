"""`people ...`: the list of those affected by an incident, read from a file."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.services.people import Counts, Reading

_ENDING = ".refused.csv"
_COUNTS = phrase("%(read)s rows read: %(accepted)s added, %(duplicates)s on the list already, %(refused)s refused.")
_WARNED = phrase("Of those added, %(warned)s lack something that was left out.")
_LISTED = phrase(
    "Rows to look at, each with its line and the reason, are in %(file)s: refused, added with something left out, or "
    "with an address that is on the list under another name. Whoever shares an address is told once."
)
_UNDERSTOOD = phrase("Read as %(encoding)s, columns divided by »%(delimiter)s«.")
_LEFT_OUT = phrase("Not kept: the columns %(columns)s.")


class ReadingWasStopped(Refusal):
    """Somebody stopped the reading on the page."""

    message = "Somebody stopped the reading. What was added so far stays."


class ReadingWentSilent(Refusal):
    """The reading took so long for a piece that the clock counted it as dead."""

    message = (
        "The reading gave no sign of life for a minute and counts as broken off. What was added so far stays. "
        "Read the file again; nobody is added twice."
    )


_NOT_TO_THE_END: Mapping[str, type[Refusal]] = {"stopped": ReadingWasStopped, "broken_off": ReadingWentSilent}


class RefusedFileNotWritten(Refusal):
    """The file for refused rows cannot be written."""

    message = "The list was read, but %(file)s cannot be written: %(why)s. The page of the people has those rows too."


@click.group()
def people() -> None:
    """Read the list of the people affected by an incident."""


@people.command("import")
@click.argument("reference", metavar="REF")
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where refused rows are written. Otherwise beside the list, as <name>.refused.csv.",
)
@as_json
@as_user
@pass_shell
def import_(
    shell: Shell, *, reference: str, file: Path, refused_file: Path | None, as_json: bool, as_email: str | None
) -> None:
    """Read a list of people from a CSV file with name, e-mail, phone and language.

    The first line says what the columns hold. Reading the same file again adds nobody twice.
    """
    from incident_tracker.services import people as service  # noqa: PLC0415 - `--help` loads nothing

    if refused_file is not None and refused_file.resolve() == file.resolve():
        raise click.UsageError("--refused must be another file than the list.")
    name = common.reference(reference)
    with shell.writing(as_email) as (context, actor):
        found = service.read_file(context, actor, name, file=file, told=_tell)
        lines = service.refused_rows(context, actor, name, found.id, gettext=shell.gettext)
        target = refused_file or file.with_name(f"{file.stem}{_ENDING}")
        written = _write(target, lines)
    if as_json:
        common.print_json(_shape(found, target if written else None))
    else:
        _say(shell, found)
        if written:
            shell.say(_LISTED, file=target)
    if found.state in _NOT_TO_THE_END:
        raise _NOT_TO_THE_END[found.state]


def _shape(found: "Reading", refused_file: Path | None) -> dict[str, Any]:
    return {
        "read": found.read,
        "accepted": found.accepted,
        "duplicates": found.duplicates,
        "refused": found.refused,
        "warned": found.warned,
        "refused_file": None if refused_file is None else str(refused_file),
        "complete": found.state == "finished",
    }


def _say(shell: Shell, found: "Reading") -> None:
    delimiter = {"\t": "tab"}.get(found.shape["delimiter"], found.shape["delimiter"])
    shell.say(_UNDERSTOOD, encoding=found.shape["encoding"], delimiter=delimiter)
    if found.shape["left_out"]:
        shell.say(_LEFT_OUT, columns=", ".join(f"»{one}«" for one in found.shape["left_out"]))
    shell.say(_COUNTS, read=found.read, accepted=found.accepted, duplicates=found.duplicates, refused=found.refused)
    if found.warned:
        shell.say(_WARNED, warned=found.warned)


def _tell(counts: "Counts") -> None:
    """Show on a terminal how far the reading came, on a line that what follows writes over; elsewhere nothing."""
    if os.isatty(2):
        click.echo(f"\r{counts.read}\r", nl=False, err=True)


def _write(target: Path, lines: Iterator[str]) -> bool:
    """Write the refused rows into a file that only its owner can read; return whether there were any."""
    first = next(lines, None)
    try:
        if first is None:
            if target.name.endswith(_ENDING):  # that of an earlier reading would mislead
                target.unlink(missing_ok=True)
            return False
        handle = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(first)
            out.writelines(lines)
    except OSError as error:
        raise RefusedFileNotWritten(file=target, why=error.strerror or type(error).__name__) from error
    return True
