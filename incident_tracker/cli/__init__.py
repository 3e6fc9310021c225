"""Floor 7: the command line. Thin: it reads words, asks a service, prints the answer."""

from pathlib import Path

import click

from incident_tracker import __version__
from incident_tracker.cli import (
    alerts,
    backup,
    config,
    controller,
    db,
    deadline,
    demo,
    duty,
    incident,
    journal,
    notice,
    oncall,
    outbox,
    people,
    report,
    serve,
    token,
    user,
)
from incident_tracker.cli.common import Shell
from incident_tracker.cli.program import Program


@click.group(cls=Program)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file. Otherwise $INCIDENT_TRACKER_CONFIG, ./incident-tracker.toml, then"
    " /etc/incident-tracker/incident-tracker.toml.",
)
@click.version_option(__version__, prog_name="incident-tracker")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Track personal data breaches: the 72 hours, the alarms, the report and the proof."""
    shell = ctx.ensure_object(Shell)
    shell.config = config or shell.config


for _noun in (
    serve.serve,
    serve.web,
    serve.worker,
    db.db,
    config.config,
    user.user,
    token.token,
    controller.controller,
    incident.incident,
    duty.duty,
    deadline.deadline,
    report.report,
    people.people,
    notice.notice,
    oncall.oncall,
    outbox.outbox,
    alerts.alerts,
    backup.backup,
    backup.restore,
    journal.journal,
    demo.demo,
):
    main.add_command(_noun)
