"""`journal verify`: proof that nothing in the register was altered, taken out or cut off."""

from pathlib import Path

import click

from incident_tracker.cli import common, program, shapes
from incident_tracker.cli.common import Shell, as_json, pass_shell
from incident_tracker.domain.errors import phrase


@click.group()
def journal() -> None:
    """Verify the journal."""


@journal.command("verify")
@click.option(
    "--anchors",
    "anchor_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Anchors that were kept elsewhere; without it, those of this installation.",
)
@as_json
@pass_shell
def verify(shell: Shell, *, anchor_file: Path | None, as_json: bool) -> None:
    """Walk the whole chain and hold it against the anchors. Exit code 3 if it is not whole."""
    from incident_tracker.services import journal as service  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        verdict = service.verify(context, anchor_file)
    if as_json:
        common.print_json(shapes.verdict(verdict, shell.gettext(verdict.why)))
    else:
        shell.say(
            phrase("%(result)s: %(why)s %(entries)s entries, head %(seq)s %(hash)s."),
            result=verdict.result,
            why=shell.gettext(verdict.why),
            entries=verdict.entries,
            seq=verdict.head.seq,
            hash=verdict.head.hash.hex(),
        )
    if verdict.result != "ok":
        raise click.exceptions.Exit(program.BROKEN)
