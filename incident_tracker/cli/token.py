"""`token ...`: let programs in, each with a token that does no more than it must."""

from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell, utc
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.tokens import SCOPES

if TYPE_CHECKING:
    from datetime import datetime

    from incident_tracker.services.tokens import Token

_HEADS = (phrase("Token"), phrase("Name"), phrase("Whose"), phrase("State"), phrase("Last used"), phrase("Scopes"))
GOOD, ENDED, REVOKED = phrase("good"), phrase("ended"), phrase("revoked")


@click.group()
def token() -> None:
    """Make tokens for programs, list and revoke them."""


@token.command("create")
@click.option("--email", required=True, help="Whose token it is: the program acts as this account.")
@click.option("--name", default="", help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(list(SCOPES)), help="What it may do; may be given again."
)
@click.option("--expires-days", "days", type=int, metavar="D", help="Days until it ends; without it, never.")
@as_json
@as_user
@pass_shell
def create(shell: Shell, *, email: str, as_json: bool, as_email: str | None, **asked: Any) -> None:
    """Make a token and print it, once. Without --scope it may only read."""
    from incident_tracker.services import accounts, tokens  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        made = tokens.create(context, actor, owner_id=accounts.find(context, email).id, **asked)
    if as_json:
        common.print_json({**_shape(made.token, email), "token": made.written})
        return
    click.echo(made.written)
    shell.warn(phrase("Keep it safe: it cannot be shown again. It may: %(acts)s."), acts=", ".join(made.token.scopes))


@token.command("list")
@as_json
@as_user
@pass_shell
def list_(shell: Shell, *, as_json: bool, as_email: str | None) -> None:
    """List tokens, newest first, without their secrets."""
    from incident_tracker.services import tokens  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        found = tokens.listing(context, common.acting(context, as_email))
        now = context.now()
    if as_json:
        common.print_json([_shape(one, owner.email) for one, owner in found])
    elif not found:
        shell.say(phrase("No tokens."))
    else:
        rows = [
            (
                one.id,
                one.name or "-",
                owner.email,
                shell.gettext(_state(one, now)),
                shell.moment(one.last_used_at),
                " ".join(one.scopes),
            )
            for one, owner in found
        ]
        common.print_table([shell.gettext(head) for head in _HEADS], rows)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@as_user
@pass_shell
def revoke(shell: Shell, *, token_id: str, as_email: str | None) -> None:
    """Let a token open nothing any more."""
    from incident_tracker.services import tokens  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        revoked = tokens.revoke(context, actor, token_id)
    said = phrase("Token %(id)s is revoked.") if revoked else phrase("Token %(id)s was revoked before.")
    shell.say(said, id=token_id)


def _state(one: "Token", now: "datetime") -> str:
    if one.revoked_at is not None:
        return REVOKED
    return GOOD if one.is_good(now) else ENDED


def _shape(one: "Token", email: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "email": email,
        "scopes": list(one.scopes),
        "created_at": utc(one.created_at),
        "expires_at": utc(one.expires_at),
        "last_used_at": utc(one.last_used_at),
        "revoked_at": utc(one.revoked_at),
    }
