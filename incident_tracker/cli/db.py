"""`db ...`: bring the database up to date, and look whether it is whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common, program
from incident_tracker.cli.common import Shell, as_json, pass_shell
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.settings import Settings
    from incident_tracker.store.database import Database


@click.group()
def db() -> None:
    """Make, upgrade and check the database."""


@db.command("upgrade")
@pass_shell
def upgrade(shell: Shell) -> None:
    """Create the database, or bring it up to date. A new installation gets its master key."""
    from incident_tracker.cli import installation  # noqa: PLC0415 - `--help` loads nothing

    common.quiet_log()
    settings = shell.settings()
    done = installation.upgrade(settings)
    if done.before == done.after:
        shell.say(phrase("The database is up to date (%(after)s)."), after=done.after)
    elif done.before is None:
        shell.say(phrase("The database was created (%(after)s)."), after=done.after)
    else:
        sentence = phrase("The database was brought from %(before)s to %(after)s.")
        shell.say(sentence, before=done.before, after=done.after)
    if done.made_key:
        sentence = phrase("A master key was made: %(file)s. Keep a copy elsewhere: without it, nothing can be read.")
        shell.say(sentence, file=settings.master_key_file.absolute())


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; no fault means that all is well."""

    name: str
    faults: list[str]


@db.command("check")
@as_json
@pass_shell
def check(shell: Shell, *, as_json: bool) -> None:
    """Look whether the database is whole. Changes nothing; exit code 3 if anything is wrong."""
    common.quiet_log()
    findings = _findings(shell, shell.settings())
    sound = not any(one.faults for one in findings)
    if as_json:
        checks = [{"check": one.name, "ok": not one.faults, "faults": one.faults} for one in findings]
        common.print_json({"result": "ok" if sound else "broken", "checks": checks})
    else:
        for one in findings:
            for line in one.faults or ["ok"]:
                click.echo(f"{one.name}: {line}", err=line != "ok")
    if not sound:
        raise click.exceptions.Exit(program.BROKEN)


def _findings(shell: Shell, settings: "Settings") -> list[Finding]:
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import soundness  # noqa: PLC0415
    from incident_tracker.store.soundness import engine_faults  # noqa: PLC0415

    database = bootstrap.open_database(settings)
    try:
        findings = [
            _look(shell, "integrity", lambda: engine_faults(database)),
            _look(shell, "migrations", lambda: _old_or_new(database)),
        ]
    finally:
        database.close()
    if findings[-1].faults:
        return findings
    try:
        with shell.context() as context:
            findings.append(_look(shell, "keyring", lambda: soundness.keyring_faults(context)))
            findings.append(_look(shell, "attachments", lambda: soundness.attachment_faults(context)))
    except Refusal as refusal:
        findings.append(Finding("keyring", [common.translate(refusal, shell.language)]))
    return findings


def _old_or_new(database: "Database") -> list[str]:
    from incident_tracker.store import migrations  # noqa: PLC0415 - `--help` loads nothing

    migrations.check(database)
    return []


def _look(shell: Shell, name: str, look: Callable[[], Any]) -> Finding:
    try:
        return Finding(name, look())
    except Refusal as refusal:
        return Finding(name, [common.translate(refusal, shell.language)])
