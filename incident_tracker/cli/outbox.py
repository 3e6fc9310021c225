"""`outbox ...`: what left, what waits, what is in doubt, and what a person decides about it."""

from typing import Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase

STATES = ("pending", "sending", "accepted", "delivered", "failed", "in_doubt", "suppressed", "cancelled")
_PAGE = 200
_HEADS = (
    phrase("Message"),
    phrase("Purpose"),
    phrase("Incident"),
    phrase("Channel"),
    phrase("To"),
    phrase("State"),
    phrase("Attempts"),
    phrase("Sent"),
)


@click.group()
def outbox() -> None:
    """Look at messages, and settle those in doubt."""


@outbox.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be given again.")
@click.option("--incident", "reference", metavar="REF", help="Only messages about this incident.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many, newest first.")
@as_json
@pass_shell
def list_(shell: Shell, *, states: tuple[str, ...], reference: str | None, limit: int | None, as_json: bool) -> None:
    """List messages, newest first."""
    from incident_tracker.services import outbox as service  # noqa: PLC0415 - `--help` loads nothing

    wanted = tuple(service.State(state) for state in states)
    incident = None if reference is None else common.reference(reference)
    found: list[Any] = []
    with shell.context() as context:
        while limit is None or len(found) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            before = found[-1].delivery.id if found else None
            page = service.listing(context, SHELL, states=wanted, incident=incident, before=before, limit=size)
            found += page
            if len(page) < size:
                break
    if as_json:
        common.print_json([service.as_json(one) for one in found])
    elif not found:
        shell.say(phrase("No messages."))
    else:
        common.print_table([shell.gettext(head) for head in _HEADS], [_row(shell, one) for one in found])


@outbox.command("resend")
@click.argument("delivery_id", metavar="ID")
@click.option("--reason", default="", metavar="WHY", help="Why it goes again.")
@as_user
@pass_shell
def resend(shell: Shell, *, delivery_id: str, reason: str, as_email: str | None) -> None:
    """Send a message again that failed or is in doubt. Prints the id under which it goes."""
    from incident_tracker.services import outbox as service  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        new_id = service.resend(context, actor, _id(delivery_id), reason=reason)
        shell.say(phrase("It goes again as %(delivery)s."), delivery=new_id)


@outbox.command("resolve")
@click.argument("delivery_id", metavar="ID")
@click.option("--sent", "decision", flag_value="sent", help="It was sent: it counts as accepted.")
@click.option("--again", "decision", flag_value="again", help="It goes again, marked as a possible duplicate.")
@click.option("--reason", required=True, metavar="WHY", help="How you know.")
@as_user
@pass_shell
def resolve(shell: Shell, *, delivery_id: str, decision: str | None, reason: str, as_email: str | None) -> None:
    """Settle a message in doubt: it was sent, or it goes again."""
    if decision is None:
        raise click.UsageError("Say --sent or --again.")
    from incident_tracker.services import outbox as service  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        service.resolve(context, actor, _id(delivery_id), decision=service.Decision(decision), reason=reason)
        shell.say(phrase("Settled: %(delivery)s."), delivery=delivery_id.strip())


def _id(written: str) -> str:
    return written.strip()[:64]


def _row(shell: Shell, entry: Any) -> tuple[str, ...]:
    one = entry.delivery
    state = f"{one.state} (!)" if one.possible_duplicate else one.state
    sent = shell.moment(one.sent_at)
    return one.id, one.purpose, one.incident or "-", one.channel, entry.to or "-", state, str(one.attempts), sent
