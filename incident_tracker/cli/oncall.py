"""`oncall ...`: who is called when an alarm goes off, and in which order."""

from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import NotFound, Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.domain.parties import OnCallContact

_controller = click.option(
    "--controller", metavar="NAME", help="Short name of the controller, where there are several."
)


class NobodyIsOnCall(Refusal):
    """A test needs somebody to reach."""

    message = "Nobody is on call. Add someone with `incident-tracker oncall add`."


@click.group()
def oncall() -> None:
    """Say who is on call, and try whether a number is reached."""


@oncall.command("add")
@click.option("--name", required=True, help="Who it is.")
@click.option("--phone", required=True, help="Mobile phone; without a country code it is Danish.")
@click.option("--email", default="", help="For those who have muted the SMS.")
@click.option("--language", type=click.Choice(["da", "en"]), default="da", show_default=True, help="Of the SMS.")
@click.option("--verified", is_flag=True, help="You vouch that the number reaches this person.")
@_controller
@as_json
@as_user
@pass_shell
def add(shell: Shell, *, controller: str | None, as_json: bool, as_email: str | None, **facts: Any) -> None:
    """Put someone on call, last in the order of calling."""
    from incident_tracker.services import on_call  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        where = common.one_controller(context, actor, controller)
        new_id = on_call.add(context, actor, where.id, on_call.ContactFacts(**facts))
        new = next(one for one in on_call.listing(context, SHELL, where.id) if one.id == new_id)
    if as_json:
        common.print_json(_shape(new, where.slug))
    else:
        shell.say(phrase("%(name)s is on call, as number %(position)s."), name=new.name, position=new.position)


@oncall.command("show")
@_controller
@as_json
@pass_shell
def show(shell: Shell, *, controller: str | None, as_json: bool) -> None:
    """Show who is on call, in the order of calling."""
    from incident_tracker.services import controllers, on_call, phones  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        only = common.controller_id(context, SHELL, controller)
        found = [
            (contact, where.slug)
            for where in controllers.listing(context, SHELL)
            if only in (None, where.id)
            for contact in on_call.listing(context, SHELL, where.id)
        ]
    if as_json:
        common.print_json([_shape(*one) for one in found])
    elif not found:
        shell.say(phrase("Nobody is on call."))
    else:
        heads = ("", phrase("Controller"), phrase("Name"), phrase("Phone"), phrase("Verified"))
        rows = [
            (
                str(one.position),
                slug,
                one.name,
                phones.spoken(one.phone),
                shell.gettext(phrase("yes") if one.verified else phrase("no")),
            )
            for one, slug in found
        ]
        common.print_table([shell.gettext(head) if head else "" for head in heads], rows)


@oncall.command("test")
@click.option("--name", help="Only this person; without it, everybody on call.")
@_controller
@as_user
@pass_shell
def test(shell: Shell, *, name: str | None, controller: str | None, as_email: str | None) -> None:
    """Send the SMS of a test. It leaves when `serve` or `worker` runs."""
    from incident_tracker.cli.incident import warn_without_clock  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import on_call  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        where = common.one_controller(context, actor, controller)
        people = on_call.listing(context, actor, where.id)
        if not people:
            raise NobodyIsOnCall
        chosen = [one for one in people if name is None or one.name.casefold() == name.strip().casefold()]
        if not chosen:
            raise NotFound(what=name)
        for one in chosen:
            delivery = on_call.send_test(context, actor, one.id)
            shell.say(phrase("A test to %(name)s is in the outbox (%(delivery)s)."), name=one.name, delivery=delivery)
        warn_without_clock(shell, context)


def _shape(one: "OnCallContact", slug: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "controller": slug,
        "position": one.position,
        "name": one.name,
        "phone": one.phone,
        "email": one.email,
        "language": one.language,
        "verified": one.verified,
        "muted": one.muted,
    }
