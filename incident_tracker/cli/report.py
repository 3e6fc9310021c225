"""`report ...`: the draft as a file, and what was filed by hand on the authority's portal."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_user, moment_option, pass_shell
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.services.context import Context

KINDS = (".pdf", ".html", ".json")
_authority = click.option("--authority", default="dk", show_default=True, help="Whose form: dk is Datatilsynet.")


class FileNotWritten(Refusal):
    """The file that was asked for cannot be written where it was asked for."""

    message = "%(where)s was not written: %(why)s."


@click.group()
def report() -> None:
    """Draft the report to the authority, and record that it was filed."""


@report.command("draft")
@click.argument("reference", metavar="REF")
@_authority
@click.option("--language", type=click.Choice(["da", "en"]), default="da", show_default=True, help="Of the draft.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    help="Where to write it; the ending says how: .pdf, .html or .json.",
)
@pass_shell
def draft(shell: Shell, *, reference: str, authority: str, language: str, out: Path) -> None:
    """Write the draft of the next report to a file, and say what is missing."""
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise click.BadParameter(f"the ending must be one of {', '.join(KINDS)}", param_hint="--out")
    from incident_tracker.services import reports  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        asked = (context, SHELL, common.reference(reference), authority, language)
        if kind == ".pdf":
            written = reports.pdf(*asked)
        elif kind == ".html":
            written = reports.html(*asked).encode()
        else:
            written = (json.dumps(reports.json(*asked), ensure_ascii=False, indent=2) + "\n").encode()
        missing = [question.label for question in reports.draft(*asked).questions if question.missing]
    _write(out, written)
    shell.say(phrase("Written: %(file)s."), file=out)
    if missing:
        shell.say(phrase("Still missing (%(count)s):"), count=len(missing))
        for label in missing:
            shell.say("- %(label)s", label=label)


@report.command("filed")
@click.argument("reference", metavar="REF")
@click.option("--version", type=click.IntRange(1), metavar="N", required=True, help="Which version was filed.")
@moment_option("--at", required=True, help="When it was filed.")
@click.option("--reference", "number", metavar="X", default="", help="The reference that the portal gave back.")
@click.option("--journal-number", metavar="J", default="", help="The authority's journal number.")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    metavar="FILE",
    help="The receipt; it is kept encrypted.",
)
@click.option("--no-receipt-reason", metavar="WHY", default="", help="Why there is no receipt.")
@click.option("--late-reason", metavar="WHY", default="", help="Why it comes late, if it does (Art. 33(1)).")
@click.option("--final", "is_final", is_flag=True, help="Nothing more will follow.")
@click.option("--withdrawn", is_flag=True, help="The notification is taken back.")
@_authority
@as_user
@pass_shell
def filed(shell: Shell, *, reference: str, at: str, receipt: Path | None, as_email: str | None, **said: Any) -> None:
    """Record that a version was filed by hand, and freeze it."""
    if (receipt is None) == (not said["no_receipt_reason"].strip()):
        raise click.UsageError("Give --receipt or --no-receipt-reason, one of them.")
    if said["is_final"] and said["withdrawn"]:
        raise click.UsageError("--final and --withdrawn exclude one another.")
    from incident_tracker.services import reports  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        name, when = common.reference(reference), common.needed_instant(at, "at")
        facts: dict[str, Any] = {
            "filed_at": when,
            "authority_reference": said["number"],
            "version": said["version"],
            "journal_number": said["journal_number"],
            "late_reason": said["late_reason"],
            "complete": said["is_final"],
            "withdrawn": said["withdrawn"],
            "authority": said["authority"],
        }
        if receipt is not None:
            reports.check_before_receipt(context, actor, name, **facts)
            facts["receipt"] = _keep(context, actor, name, receipt)
        facts["no_receipt_reason"] = said["no_receipt_reason"]
        frozen = reports.file_report(context, actor, name, **facts)
        sentence = phrase("Version %(version)s of %(reference)s is kept as it was filed.")
        shell.say(sentence, version=frozen.version, reference=name)


def _keep(context: "Context", actor: Actor, name: str, receipt: Path) -> str:
    from incident_tracker.services import attachments  # noqa: PLC0415 - `--help` loads nothing

    with receipt.open("rb") as stream:
        kept = attachments.add(
            context,
            actor,
            name,
            file_name=receipt.name,
            plain=attachments.pieces_of(stream),
            purpose=attachments.RECEIPT,
        )
    return kept.id


def _write(out: Path, content: bytes) -> None:
    """Write a file whole or not at all: what lay there before stays until the new one is on the disk."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(out)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise FileNotWritten(where=out, why=error.strerror or type(error).__name__) from None
