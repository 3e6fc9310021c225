"""`notice submit`, `approve`, `reject`: the second pair of eyes."""

import sys
from typing import TYPE_CHECKING

import click

from incident_tracker.cli.common import Shell, as_user, pass_shell
from incident_tracker.cli.notice import shared
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.services.context import Context

_LONGEST = 2048
ALL = "all"


class NothingToApprove(Refusal):
    """A notice for which nobody asked for approval."""

    message = "Nobody has asked for approval of this notice yet. Hand it over first: notice submit."


@click.command("submit")
@shared.argument
@click.option(
    "--tick", "ticked", metavar="ID", multiple=True, help="A check you vouch for, or all. May be given again."
)
@click.option(
    "--dismiss",
    "dismissed",
    metavar="ID=REASON",
    multiple=True,
    help="A warning that you set aside, with the reason. May be given again.",
)
@as_user
@pass_shell
def submit(
    shell: Shell, *, written: str, ticked: tuple[str, ...], dismissed: tuple[str, ...], as_email: str | None
) -> None:
    """Hand a notice over to a second pair of eyes. Prints the id of the approval."""
    reasons = dict(_pair(one) for one in dismissed)
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        chosen = _split(ticked)
        if ALL in chosen:
            chosen = [one.id for one in notices.checks(context, actor, number) if one.can_be_ticked]
        approval = notices.submit(context, actor, number, ticked=chosen, dismissed=reasons)
        shared.say(shell, notices.show(context, SHELL, number))
        shell.say(phrase("Approval asked for: %(approval)s."), approval=approval)


@click.command("approve")
@shared.argument
@shared.reason
@click.option("--alone", is_flag=True, help="Nobody else is there: with a reason, your password, and a wait.")
@click.option("--password-stdin", is_flag=True, help="Read your password from standard input (with --alone).")
@click.option("--outside", metavar="EMAIL", help="Send somebody outside a one-time link to decide.")
@click.option("--name", metavar="NAME", help="The name of who is outside.")
@as_user
@pass_shell
def approve(
    shell: Shell,
    *,
    written: str,
    reason: str,
    alone: bool,
    password_stdin: bool,
    outside: str | None,
    name: str | None,
    as_email: str | None,
) -> None:
    """Say yes as the second pair of eyes, or ask somebody outside. The shell itself never can: use --as EMAIL."""
    if (alone and outside) or (outside is None) != (name is None):
        raise click.UsageError("Give --alone, or --outside with --name, or neither.")
    password = _password(use_stdin=password_stdin) if alone else ""
    from incident_tracker.services import approving, notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        approval = _approval(context, number)
        if outside is not None:
            approving.invite(context, actor, approval, name=name or "", email=outside)
            shell.say(phrase("A one-time link is on its way to %(email)s."), email=outside)
            return
        if alone:
            approving.approve_alone(context, actor, approval, reason=reason, password=password)
        else:
            approving.approve(context, actor, approval, reason=reason)
        shared.say(shell, notices.show(context, SHELL, number))
        not_before = approving.show(context, actor, approval).approval.not_before
        if not_before is not None:
            shell.say(phrase("Approved alone: it can be sent from %(at)s on."), at=shell.moment(not_before))


@click.command("reject")
@shared.argument
@shared.needed_reason
@as_user
@pass_shell
def reject(shell: Shell, *, written: str, reason: str, as_email: str | None) -> None:
    """Say no as the second pair of eyes; the notice is a draft again."""
    from incident_tracker.services import approving, notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        approving.reject(context, actor, _approval(context, number), reason=reason)
        shared.say(shell, notices.show(context, SHELL, number))


def _approval(context: "Context", number: int) -> str:
    """Return the id of the newest approval of a notice."""
    from incident_tracker.domain.approvals import about_notice  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import approving, notices  # noqa: PLC0415

    one = notices.show(context, SHELL, number)
    found = approving.newest(context, SHELL, one.reference).get(about_notice(number))
    if found is None:
        raise NothingToApprove
    return found[0].id


def _pair(written: str) -> tuple[str, str]:
    check, equals, why = written.partition("=")
    if not equals or not why.strip():
        raise click.UsageError("--dismiss is written ID=REASON.")
    return check.strip(), why.strip()


def _split(ticked: tuple[str, ...]) -> list[str]:
    return [one.strip() for written in ticked for one in written.split(",") if one.strip()]


def _password(*, use_stdin: bool) -> str:
    if use_stdin:
        return sys.stdin.readline(_LONGEST).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Give the password with --password-stdin.")
    typed: str = click.prompt("Password", hide_input=True, err=True)
    return typed
