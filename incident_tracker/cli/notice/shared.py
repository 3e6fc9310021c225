"""What the commands about notices share: which notice is meant, and how one is said."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell
from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.errors import NotFound, Refusal, phrase

if TYPE_CHECKING:
    from incident_tracker.domain.notices import Notice, NoticeText
    from incident_tracker.services.context import Context

LANGUAGES = ("da", "en")
argument = click.argument("written", metavar="N")
reason = click.option("--reason", metavar="WHY", default="", help="Why; it stands in the journal.")
needed_reason = click.option("--reason", metavar="WHY", required=True, help="Why; it stands in the journal.")
_LONGEST_ID = 9
_LONGEST_FILE = 200_000
STATES = {
    "draft": phrase("Draft"),
    "submitted": phrase("Waiting for approval"),
    "approved": phrase("Approved"),
    "sending": phrase("Being sent"),
    "paused": phrase("Paused"),
    "stopped": phrase("Stopped"),
    "finished": phrase("Finished"),
}


class FileIsNotAText(Refusal):
    """A file that cannot be read as UTF-8, or is far too large to be a notice."""

    message = "%(file)s cannot be read as a notice: it must be text in UTF-8, at most 200 kB."


class SubjectComesFirst(Refusal):
    """A text file whose first line is no subject."""

    message = "%(file)s must begin with the line “Subject: ...”; the text follows after it."


def notice_id(context: "Context", written: str, actor: Actor = SHELL) -> int:
    """Return which notice is meant: its id, or `2026-0001/2`, the second notice of an incident."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    plain = written.strip()
    reference, slash, number = plain.rpartition("/")
    if not slash and plain.isdecimal() and len(plain) <= _LONGEST_ID:
        return int(plain)
    if slash and number.isdecimal():
        for one in notices.of_incident(context, actor, common.reference(reference)):
            if str(one.number) == number.lstrip("0"):
                return one.id
    raise NotFound(what=plain[:40])


def text_of(file: Path) -> "NoticeText":
    """Return the notice that a file holds: `Subject: ...`, perhaps `SMS: ...`, then the text in light Markdown."""
    from incident_tracker.domain.notices import NoticeText  # noqa: PLC0415 - `--help` loads nothing

    try:
        raw = file.read_bytes()
        written = raw.decode("utf-8-sig") if len(raw) <= _LONGEST_FILE else ""
    except (OSError, UnicodeDecodeError):
        written = ""
    if not written:
        raise FileIsNotAText(field="text", file=file.name)
    first, _, rest = written.lstrip().replace("\r\n", "\n").partition("\n")
    name, colon, subject = first.partition(":")
    if not colon or name.strip().casefold() not in ("subject", "emne"):
        raise SubjectComesFirst(field="text", file=file.name)
    second, _, body = rest.lstrip("\n").partition("\n")
    name, colon, sms = second.partition(":")
    if colon and name.strip().casefold() == "sms":
        return NoticeText(subject.strip(), body.strip(), sms.strip())
    return NoticeText(subject.strip(), rest.strip())


def as_json(one: "Notice") -> dict[str, Any]:
    """Return a notice as scripts read it."""
    return {
        "notice": one.id,
        "number": one.number,
        "incident": one.reference,
        "reference": one.public_reference,
        "state": one.state.value,
        "version": one.version,
        "audience": one.audience,
        "channels": list(one.channels),
        "languages": list(one.texts),
        "digest": one.digest,
        "corrects": one.corrects,
        "exercise": one.exercise,
        "begun_at": common.utc(one.begun_at),
        "finished_at": common.utc(one.finished_at),
    }


def say(shell: Shell, one: "Notice") -> None:
    """Print one line about a notice."""
    shell.say(
        phrase("Notice %(id)s (%(incident)s, reference %(reference)s): %(state)s."),
        id=one.id,
        incident=f"{one.reference}/{one.number}",
        reference=one.public_reference,
        state=shell.gettext(STATES[one.state.value]).casefold(),
    )
