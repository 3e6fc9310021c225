"""`duty ...`: settle by hand what the tracker cannot see: a duty met elsewhere, or set aside with a reason."""

from typing import Any

import click

from incident_tracker.cli import common, shapes
from incident_tracker.cli.common import Shell, as_user, moment_option, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase


class DutyName(click.ParamType[tuple[str, str]]):
    """A duty as lists show it: `gdpr.notify_people`."""

    name = "regime.duty"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return regime and duty."""
        regime, _, duty = str(value).partition(".")
        if not regime or not duty:
            self.fail("write it as regime.duty, for example gdpr.notify_people", param, ctx)
        return regime, duty


_duty = click.option(
    "--duty",
    "named",
    type=DutyName(),
    metavar="REGIME.DUTY",
    required=True,
    help="Which one, as `incident show` lists it, for example gdpr.notify_people.",
)


@click.group()
def duty() -> None:
    """Settle a duty by hand: met elsewhere, or set aside with a reason."""


@duty.command("met")
@click.argument("reference", metavar="REF")
@_duty
@moment_option("--at", required=True, help="When it was met.")
@click.option("--how", required=True, help="How, and where the proof lies.")
@as_user
@pass_shell
def met(shell: Shell, *, reference: str, named: tuple[str, str], at: str, how: str, as_email: str | None) -> None:
    """Record that a duty was met outside the tracker."""
    from incident_tracker.services import incidents, register  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name, when = common.reference(reference), common.needed_instant(at, "at")
        incidents.meet_duty(context, actor, name, regime=named[0], duty=named[1], at=when, how=how)
        shapes.print_incident(shell, register.overview(context, SHELL, name))


@duty.command("set-aside")
@click.argument("reference", metavar="REF")
@_duty
@click.option("--reason", metavar="WHY", required=True, help="Why it does not bind here.")
@as_user
@pass_shell
def set_aside(shell: Shell, *, reference: str, named: tuple[str, str], reason: str, as_email: str | None) -> None:
    """Record that a duty does not bind here; a duty of law takes a second pair of eyes first."""
    from incident_tracker.services import incidents, register  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        asked = incidents.set_duty_aside(context, actor, name, regime=named[0], duty=named[1], reason=reason)
        shapes.print_incident(shell, register.overview(context, SHELL, name))
    if asked:
        shell.say(phrase("A second pair of eyes is waited for. Until somebody else approves, the deadline runs."))


@duty.command("approve")
@click.argument("reference", metavar="REF")
@_duty
@click.option("--reject", is_flag=True, help="Say no instead; takes --reason.")
@click.option("--reason", metavar="WHY", default="", help="Your words; a no needs them.")
@as_user
@pass_shell
def approve(
    shell: Shell, *, reference: str, named: tuple[str, str], reject: bool, reason: str, as_email: str | None
) -> None:
    """Approve what `duty set-aside` asked for, as somebody else than who asked."""
    from incident_tracker.domain import approvals  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import approving, register  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        asked = approving.newest(context, actor, name).get(approvals.about_setting_aside(*named))
        if asked is None:
            raise approvals.NothingIsAsked
        (approving.reject if reject else approving.approve)(context, actor, asked[0].id, reason=reason)
        shapes.print_incident(shell, register.overview(context, SHELL, name))
