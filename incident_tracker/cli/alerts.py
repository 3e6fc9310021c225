"""`alerts ...`: what went off and waits for somebody to take it."""

import click

from incident_tracker.cli import common, shapes
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase

_HEADS = (phrase("Incident"), phrase("Alert"), phrase("Kind"), phrase("Rung"), phrase("Step"), phrase("Raised"))


@click.group()
def alerts() -> None:
    """List open alerts, and take them."""


@alerts.command("list")
@as_json
@pass_shell
def list_(shell: Shell, *, as_json: bool) -> None:
    """List the alerts that nobody has taken, oldest first."""
    from incident_tracker.services import calling  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        found = calling.open_alerts(context, SHELL)
    if as_json:
        common.print_json([shapes.alert(one, reference) for one, reference in found])
    elif not found:
        shell.say(phrase("No open alerts."))
    else:
        rows = [
            (reference, one.id, one.kind, one.rung or "-", str(one.step + 1), shell.moment(one.raised_at))
            for one, reference in found
        ]
        common.print_table([shell.gettext(head) for head in _HEADS], rows)


@alerts.command("ack")
@click.argument("reference", metavar="REF")
@click.option("--alert", "alert_ids", multiple=True, metavar="ID", help="Only this alert; may be given again.")
@as_user
@pass_shell
def ack(shell: Shell, *, reference: str, alert_ids: tuple[str, ...], as_email: str | None) -> None:
    """Take the open alerts of an incident. The deadline runs on."""
    from incident_tracker.services import alerts as service  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        taken = service.acknowledge(context, actor, name, via="shell", alert_ids=alert_ids)
    if taken:
        shell.say(phrase("Acknowledged: %(reference)s. The deadline is still running."), reference=name)
    else:
        shell.say(phrase("%(reference)s has no open alert."), reference=name)
