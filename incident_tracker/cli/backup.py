"""`backup` and `restore`: the installation as one encrypted file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from incident_tracker.cli import common, program
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell, utc
from incident_tracker.domain.errors import phrase

if TYPE_CHECKING:
    from incident_tracker.services.backup import Restored

_PATH = click.Path(path_type=Path)
_keys = click.option("--keys", "keys_file", type=_PATH, metavar="FILE", help="The keys file, kept apart.")


@click.command()
@click.argument("target", metavar="FILE", type=_PATH)
@click.option("--overwrite", is_flag=True, help="Replace a backup of that name once the new one is whole.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="In a folder: keep the newest N backups.")
@_keys
@as_user
@as_json
@pass_shell
def backup(
    shell: Shell,
    *,
    target: Path,
    overwrite: bool,
    keep: int | None,
    keys_file: Path | None,
    as_email: str | None,
    as_json: bool,
) -> None:
    """Write an encrypted backup, also while the service runs. FILE may be a folder: the name is then the date."""
    from incident_tracker.services import backup as service  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        made = service.make(context, actor, target, keys_file=keys_file, overwrite=overwrite, keep=keep)
    for one in made.missing:
        shell.warn(phrase("The file of attachment %(id)s is not on the disk, so it is not in the backup."), id=one)
    if as_json:
        answer = {
            "backup": made.id,
            "file": str(made.file),
            "keys_file": str(made.keys_file),
            "made_at": utc(made.made_at),
            "size": made.size,
            "rows": made.rows,
            "files": made.files,
            "missing_files": list(made.missing),
            "removed": [str(one) for one in made.removed],
            "head": {"seq": made.head_seq, "hash": made.head_hash.hex()},
        }
        common.print_json(answer)
        return
    sentence = phrase(
        "Backup written to %(file)s (%(rows)s rows, %(files)s files), its keys to %(keys)s. Keep the two apart."
    )
    shell.say(sentence, file=made.file, rows=made.rows, files=made.files, keys=made.keys_file)


@click.command()
@click.argument("file", metavar="FILE", type=_PATH)
@click.option("--replace", is_flag=True, help="Move the SQLite installation that is here aside first.")
@_keys
@as_json
@pass_shell
def restore(shell: Shell, *, file: Path, replace: bool, keys_file: Path | None, as_json: bool) -> None:
    """Bring an installation back from a backup, on an empty machine with its master key.

    Nothing that may have been sent after the backup was made is sent again by itself.
    """
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.cli import installation  # noqa: PLC0415
    from incident_tracker.services import backup as service  # noqa: PLC0415
    from incident_tracker.store.keys import backup_key  # noqa: PLC0415

    common.quiet_log()
    settings = shell.settings()
    now = shell.now or bootstrap.system_now
    key = backup_key(bootstrap.master_key(settings))
    with installation.only_clock(settings):
        done = service.restore(
            settings,
            key,
            file,
            keys_file=keys_file,
            replace=replace,
            now=now(),
            context_of=lambda found: bootstrap.context_of(found, now=now),
        )
    if as_json:
        answer = {
            "backup": done.id,
            "made_at": utc(done.made_at),
            "rows": done.rows,
            "files": done.files,
            "held": done.held,
            "forgotten_keys": done.forgotten,
            "replaced": None if done.aside is None else str(done.aside),
            "journal": done.verdict.result,
            "head": {"seq": done.head[0], "hash": done.head[1].hex()},
        }
        common.print_json(answer)
    else:
        _say(shell, done)
    if done.verdict.result != "ok":
        raise click.exceptions.Exit(program.BROKEN)


def _say(shell: Shell, done: "Restored") -> None:
    sentence = phrase(
        "The backup of %(made)s is restored (%(rows)s rows, %(files)s files). Messages held for you to decide: "
        "%(held)s; see the outbox. Everybody signs in again."
    )
    shell.say(sentence, made=shell.moment(done.made_at), rows=done.rows, files=done.files, held=done.held)
    shell.say(phrase("Accounts, tokens and links are as they were then: shut again what was shut since."))
    shell.say(phrase("Journal: %(result)s: %(why)s"), result=done.verdict.result, why=shell.gettext(done.verdict.why))
    if done.aside is not None:
        shell.say(phrase("What was here before lies in %(where)s."), where=done.aside)
