"""`notice send`, `pause`, `resume`, `stop`, `retry`, `doubts`, `status`, `ledger`: on its way."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.cli.notice import shared
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.services.context import Context
    from incident_tracker.services.notices import Status

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
"""How long a clock may be missing while somebody waits for it."""
_STATES = ("pending", "sending", "accepted", "delivered", "failed", "in_doubt", "suppressed", "cancelled")
_PAGE = 200


class SendingWasPaused(Refusal):
    """Somebody paused it, or something was wrong, before it was over."""

    message = "The sending was paused: %(why)s."


class SendingWasStopped(Refusal):
    """Somebody ended it before it was over."""

    message = "The sending was stopped for good. `notice status` says what was sent."


class NobodySends(Refusal):
    """A sending was begun where no clock runs."""

    message = (
        "The sending has begun, but no clock runs: nothing leaves before `incident-tracker serve` or"
        " `incident-tracker worker` is started."
    )


class ReferenceIsAnother(Refusal):
    """What was typed to confirm is not the incident's reference."""

    message = "This stops notice %(notice)s of %(reference)s for good. To confirm, add --confirm %(reference)s."


@click.command("send")
@shared.argument
@click.option("--wait", is_flag=True, help="Return when no message is open any more, or the sending was paused.")
@as_user
@pass_shell
def send(shell: Shell, *, written: str, wait: bool, as_email: str | None) -> None:
    """Begin to send what was approved. The messages leave where `serve` or `worker` runs."""
    from incident_tracker.cli.incident import warn_without_clock  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import notices  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        already = notices.show(context, actor, number).has_begun
        if not (wait and already):
            notices.begin(context, actor, number)
            shared.say(shell, notices.show(context, SHELL, number))
        if not wait:
            warn_without_clock(shell, context)
    if wait:
        with shell.context() as context:
            _print(shell, _wait(context, number))


def _wait(context: "Context", number: int) -> "Status":
    """Return how a sending stands once it is over; refuse where it was paused or stopped, or nobody sends."""
    from incident_tracker.services import health, notices  # noqa: PLC0415 - `--help` loads nothing

    never, missing_since = threading.Event(), time.monotonic()
    while True:
        status = notices.status(context, SHELL, number)
        if status.state == "finished":
            return status
        if status.state == "paused":
            raise SendingWasPaused(why=status.held_up or "-")
        if status.state == "stopped":
            raise SendingWasStopped
        if health.clock_state(context).running:
            missing_since = time.monotonic()
        elif time.monotonic() - missing_since > PATIENCE_SECONDS:
            raise NobodySends
        never.wait(LOOK_SECONDS)


@click.command("pause")
@shared.argument
@shared.reason
@as_user
@pass_shell
def pause(shell: Shell, *, written: str, reason: str, as_email: str | None) -> None:
    """Let nothing more go until it is resumed."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    _steer(shell, written, as_email, lambda context, actor, one: notices.pause(context, actor, one, reason=reason))


@click.command("resume")
@shared.argument
@shared.reason
@as_user
@pass_shell
def resume(shell: Shell, *, written: str, reason: str, as_email: str | None) -> None:
    """Let a paused sending go on."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    _steer(shell, written, as_email, lambda context, actor, one: notices.resume(context, actor, one, reason=reason))


@click.command("stop")
@shared.argument
@shared.needed_reason
@click.option("--confirm", metavar="REF", default="", help="The incident's reference, typed to confirm.")
@as_user
@pass_shell
def stop(shell: Shell, *, written: str, reason: str, confirm: str, as_email: str | None) -> None:
    """End a sending for good: what waits is cancelled, what was sent stays in the ledger."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    def ended(context: "Context", actor: Any, one: int) -> None:
        reference = notices.show(context, actor, one).reference
        if confirm.strip().upper() != reference:
            raise ReferenceIsAnother(field="confirm", notice=one, reference=reference)
        notices.stop(context, actor, one, reason=reason)

    _steer(shell, written, as_email, ended)


@click.command("retry")
@shared.argument
@click.option("--channel", type=click.Choice(["email", "sms"]), required=True, help="Over which channel.")
@shared.reason
@as_user
@pass_shell
def retry(shell: Shell, *, written: str, channel: str, reason: str, as_email: str | None) -> None:
    """Tell those whom nothing has reached over another channel."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        told = notices.retry(context, actor, number, channel=channel, reason=reason)
        shell.say(phrase("%(count)s messages are written."), count=told)


@click.command("doubts")
@shared.argument
@click.option("--sent", "decision", flag_value="sent", help="They were sent: they count as accepted.")
@click.option("--again", "decision", flag_value="again", help="They go again, marked as possible duplicates.")
@shared.needed_reason
@as_user
@pass_shell
def doubts(shell: Shell, *, written: str, decision: str | None, reason: str, as_email: str | None) -> None:
    """Settle all messages of a notice that are in doubt."""
    if decision is None:
        raise click.UsageError("Say --sent or --again.")
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        said = notices.Decision(decision)
        settled = notices.settle_doubts(context, actor, number, decision=said, reason=reason)
        shell.say(phrase("%(count)s messages in doubt are settled."), count=settled)


@click.command("status")
@shared.argument
@as_json
@pass_shell
def status(shell: Shell, *, written: str, as_json: bool) -> None:
    """Say how a sending stands: counts, rate, the time that is left."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        found = notices.status(context, SHELL, shared.notice_id(context, written))
    if as_json:
        common.print_json(notices.as_json(found))
    else:
        _print(shell, found)


@click.command("ledger")
@shared.argument
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only these; may be given again.")
@as_json
@pass_shell
def ledger(shell: Shell, *, written: str, states: tuple[str, ...], as_json: bool) -> None:
    """List what was sent to whom, and what became of it."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    found: list[Any] = []
    with shell.context() as context:
        number = shared.notice_id(context, written)
        while True:
            after = found[-1].delivery.id if found else ""
            page = notices.ledger(context, SHELL, number, after=after, states=states, limit=_PAGE)
            found += page
            if len(page) < _PAGE:
                break
    if as_json:
        common.print_json([_entry(one) for one in found])
    elif not found:
        shell.say(phrase("No messages."))
    else:
        heads = (phrase("Message"), phrase("To"), phrase("Channel"), phrase("State"), phrase("Sent"))
        common.print_table(
            [shell.gettext(head) for head in heads],
            [
                (
                    one.delivery.id,
                    one.name or "-",
                    one.delivery.channel,
                    f"{one.delivery.state} (!)" if one.delivery.possible_duplicate else one.delivery.state,
                    shell.moment(one.delivery.sent_at),
                )
                for one in found
            ],
        )


def _steer(shell: Shell, written: str, as_email: str | None, step: Callable[["Context", Any, int], None]) -> None:
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        number = shared.notice_id(context, written)
        step(context, actor, number)
        shared.say(shell, notices.show(context, SHELL, number))


def _entry(one: Any) -> dict[str, Any]:
    row = one.delivery
    return {
        "id": row.id,
        "recipient": row.recipient_id,
        "name": one.name,
        "channel": row.channel,
        "notifier": row.notifier,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": common.utc(row.created_at),
        "sent_at": common.utc(row.sent_at),
        "finished_at": common.utc(row.finished_at),
        "provider_id": row.provider_id,
        "possible_duplicate": row.possible_duplicate,
        "reason": row.reason,
        "code": row.code,
    }


def _print(shell: Shell, found: "Status") -> None:
    shared.say(shell, found.notice)
    shell.say(
        phrase("%(reached)s of %(recipients)s reached; %(unreachable)s have no address that can be used."),
        reached=found.reached,
        recipients=found.recipients,
        unreachable=found.unreachable,
    )
    for name, count in found.counts.items():
        if count:
            shell.say("  %(state)s: %(count)s", state=name, count=count)
    if found.remaining_seconds is not None:
        sentence = phrase("%(rate)s a second, about %(seconds)s s left.")
        shell.say(sentence, rate=found.rate_per_second, seconds=round(found.remaining_seconds))
    if found.came_later:
        shell.say(
            phrase("On the list now, and not told by this notice: %(count)s. `notice retry` tells them."),
            count=found.came_later,
        )
    if found.kept_here:
        shell.say(
            phrase("In the outbox of this machine: %(count)s. They did not leave it, so they reached nobody."),
            count=found.kept_here,
        )
    if found.held_up:
        shell.say(phrase("It is held up: %(why)s."), why=shell.gettext(found.held_up))
