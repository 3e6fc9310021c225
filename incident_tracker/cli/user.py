"""`user ...`: accounts of staff, and the way back in for an administrator who forgot the password."""

import sys

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_user, pass_shell
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.parties import Role

_LONGEST = 8192
_email = click.option("--email", required=True, help="The e-mail one signs in with.")
_password = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, its first line."
)


@click.group()
def user() -> None:
    """Make and shut accounts of staff, and give new passwords."""


@user.command("create")
@_email
@click.option("--role", type=click.Choice([one.value for one in Role]), required=True, help="What it may do.")
@click.option("--controller", metavar="NAME", help="Short name of the controller, where there are several.")
@click.option("--name", help="The person's name; without it, the part of the e-mail before the @.")
@click.option("--language", type=click.Choice(["da", "en"]), default="da", show_default=True, help="Of the pages.")
@_password
@as_user
@pass_shell
def create(
    shell: Shell,
    *,
    email: str,
    role: str,
    controller: str | None,
    name: str | None,
    language: str,
    password_stdin: bool,
    as_email: str | None,
) -> None:
    """Make an account with a role for a controller."""
    from incident_tracker.services import accounts  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        where = common.one_controller(context, actor, controller)
        accounts.create(
            context,
            actor,
            name=email.partition("@")[0] if name is None else name,
            email=email,
            password=_read_password(use_stdin=password_stdin),
            grants={where.id: Role(role)},
            language=language,
        )
        shell.say(
            phrase("%(email)s has an account (%(role)s, %(controller)s)."),
            email=email,
            role=role,
            controller=where.slug,
        )


@user.command("disable")
@_email
@as_user
@pass_shell
def disable(shell: Shell, *, email: str, as_email: str | None) -> None:
    """Shut an account: every sign-in of it ends at once."""
    from incident_tracker.services import accounts  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        accounts.disable(context, actor, accounts.find(context, email).id)
        shell.say(phrase("The account of %(email)s is shut."), email=email)


@user.command("password")
@_email
@_password
@as_user
@pass_shell
def password(shell: Shell, *, email: str, password_stdin: bool, as_email: str | None) -> None:
    """Give an account a new password; all its sign-ins end."""
    from incident_tracker.services import accounts  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        found = accounts.find(context, email)
        new = _read_password(use_stdin=password_stdin)
        accounts.set_password(context, actor, found.id, new)
        shell.say(phrase("%(email)s has a new password."), email=email)


def _read_password(*, use_stdin: bool) -> str:
    """Return the password that was piped in, or typed twice on a terminal. It never stands on the command line."""
    if use_stdin:
        return sys.stdin.readline(_LONGEST).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Give the password with --password-stdin.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed
