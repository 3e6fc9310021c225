"""`notice ...`: write what people are told, have it approved, send it, and see what became of it."""

import click

from incident_tracker.cli.notice import approving, sending, writing


@click.group()
def notice() -> None:
    """Tell people: write, check, approve, send, follow, prove."""


for _command in (
    writing.create,
    writing.change,
    writing.list_,
    writing.check,
    writing.preview,
    writing.test,
    approving.submit,
    approving.approve,
    approving.reject,
    sending.send,
    sending.pause,
    sending.resume,
    sending.stop,
    sending.retry,
    sending.doubts,
    sending.status,
    sending.ledger,
):
    notice.add_command(_command)
