"""`notice create`, `change`, `list`, `check`, `preview`, `test`: before anybody gets it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.cli.notice import shared
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase

if TYPE_CHECKING:
    from incident_tracker.domain.notices import NoticeText

_file = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
_text = click.option(
    "--text",
    "file",
    type=_file,
    metavar="FILE",
    required=True,
    help="The text: first line `Subject: ...`, perhaps a line `SMS: ...`, then light Markdown.",
)
_language = click.option(
    "--language", type=click.Choice(shared.LANGUAGES), default="da", show_default=True, help="Language of --text."
)
_also = click.option(
    "--also",
    "others",
    metavar="LANGUAGE=FILE",
    multiple=True,
    help="The same in another language, for example en=notice-en.md. May be given again.",
)
_channels = click.option(
    "--channels",
    default="email",
    show_default=True,
    metavar="LIST",
    help="email, sms or both with a comma; each person is told over the first by which she can be.",
)


@click.command("create")
@click.argument("reference", metavar="REF")
@_text
@_language
@_also
@_channels
@click.option(
    "--audience",
    type=click.Choice(["people", "partners"]),
    default="people",
    show_default=True,
    help="Who is told.",
)
@click.option("--corrects", type=click.IntRange(1), metavar="NUMBER", help="The sent notice that it corrects.")
@as_json
@as_user
@pass_shell
def create(
    shell: Shell,
    *,
    reference: str,
    file: Path,
    language: str,
    others: tuple[str, ...],
    channels: str,
    audience: str,
    corrects: int | None,
    as_json: bool,
    as_email: str | None,
) -> None:
    """Keep a draft. Prints its number for the other commands."""
    texts = _texts(file, language, others)
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        made = notices.create(
            context,
            actor,
            common.reference(reference),
            texts=texts,
            channels=_ways(channels),
            audience=audience,
            corrects=corrects,
        )
        _print(shell, notices.show(context, SHELL, made), as_json=as_json)


@click.command("change")
@shared.argument
@_text
@_language
@_also
@click.option("--channels", metavar="LIST", help="email, sms or both; without it, as before.")
@as_json
@as_user
@pass_shell
def change(
    shell: Shell,
    *,
    written: str,
    file: Path,
    language: str,
    others: tuple[str, ...],
    channels: str | None,
    as_json: bool,
    as_email: str | None,
) -> None:
    """Write a new version. What was approved is not any more."""
    texts = _texts(file, language, others)
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        before = notices.show(context, actor, shared.notice_id(context, written))
        ways = before.channels if channels is None else _ways(channels)
        notices.change(context, actor, before.id, texts=texts, channels=ways, after_version=before.version)
        _print(shell, notices.show(context, SHELL, before.id), as_json=as_json)


@click.command("list")
@click.argument("reference", metavar="REF")
@as_json
@pass_shell
def list_(shell: Shell, *, reference: str, as_json: bool) -> None:
    """List the notices of an incident."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        found = notices.of_incident(context, SHELL, common.reference(reference))
    if as_json:
        common.print_json([shared.as_json(one) for one in found])
    elif not found:
        shell.say(phrase("No notices."))
    else:
        for one in found:
            shared.say(shell, one)


@click.command("check")
@shared.argument
@as_json
@pass_shell
def check(shell: Shell, *, written: str, as_json: bool) -> None:
    """Say what a notice must and should have, and what is still open."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        number = shared.notice_id(context, written)
        found = notices.checks(context, SHELL, number, language=shell.language)
    if as_json:
        keys = ("id", "group", "level", "method", "rule", "ok", "found", "ticked", "dismissed")
        common.print_json([{key: getattr(one, key) for key in keys} for one in found])
        return
    words = {"must": phrase("must"), "should": phrase("should")}
    rows = [
        (
            shell.gettext(phrase("ok") if one.ok else phrase("open")),
            shell.gettext(words[one.level]),
            shell.gettext(phrase("tick") if one.can_be_ticked else "-"),
            one.id,
            one.rule + (f" ({'; '.join(one.found)})" if one.found else ""),
        )
        for one in found
    ]
    common.print_table((), rows)


@click.command("preview")
@shared.argument
@click.option("--language", type=click.Choice(shared.LANGUAGES), help="Which text; without it, the first.")
@click.option("--channel", type=click.Choice(["email", "sms"]), help="As mail or as SMS; without it, both.")
@click.option("--sample", type=click.IntRange(0), default=0, help="Which sample person, from 0.")
@as_json
@pass_shell
def preview(
    shell: Shell, *, written: str, language: str | None, channel: str | None, sample: int, as_json: bool
) -> None:
    """Show a notice as somebody on the list gets it, and whom it reaches."""
    from incident_tracker.services import notices  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        one = notices.show(context, SHELL, shared.notice_id(context, written))
        spoken = language or next(iter(one.texts))
        shown = [
            (way, notices.preview(context, SHELL, one.id, language=spoken, channel=way, sample=sample))
            for way in ([channel] if channel else one.channels)
        ]
        reach = notices.audience(context, SHELL, one.id)
    if as_json:
        _print_preview(shown, reach)
        return
    for way, seen in shown:
        _show(shell, way, seen)
    shell.say(
        phrase("Reaches %(count)s; %(out)s cannot be reached over these channels."),
        count=reach.recipients,
        out=reach.unreachable,
    )


@click.command("test")
@shared.argument
@as_user
@pass_shell
def test(shell: Shell, *, written: str, as_email: str | None) -> None:
    """Send a notice to your own e-mail. Say who you are with --as EMAIL."""
    from incident_tracker.cli.incident import warn_without_clock  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import notices  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        for delivery in notices.send_test(context, actor, shared.notice_id(context, written)):
            shell.say(phrase("A test to yourself is in the outbox (%(delivery)s)."), delivery=delivery)
        warn_without_clock(shell, context)


def _texts(file: Path, language: str, others: tuple[str, ...]) -> dict[str, "NoticeText"]:
    texts = {language: shared.text_of(file)}
    for other in others:
        name, equals, path = other.partition("=")
        if not equals or name not in shared.LANGUAGES or name in texts:
            raise click.UsageError("--also is written LANGUAGE=FILE, each language once: en=notice-en.md.")
        texts[name] = shared.text_of(_file.convert(path, None, None))
    return texts


def _ways(channels: str) -> list[str]:
    return [one.strip() for one in channels.split(",") if one.strip()]


def _print(shell: Shell, one: Any, *, as_json: bool) -> None:
    if as_json:
        common.print_json(shared.as_json(one))
    else:
        shared.say(shell, one)


def _show(shell: Shell, channel: str, seen: Any) -> None:
    shell.say(phrase("To: %(to)s"), to=seen.to)
    if channel == "email":
        shell.say(phrase("Subject: %(subject)s"), subject=seen.subject)
    else:
        shell.say(phrase("SMS in %(parts)s parts (%(encoding)s)"), parts=seen.segments, encoding=seen.encoding)
    click.echo("")
    for line in seen.text.splitlines():
        shell.say("%(line)s", line=line)
    click.echo("")


def _print_preview(shown: Any, reach: Any) -> None:
    common.print_json(
        {
            "previews": [
                {
                    "channel": way,
                    "to": seen.to,
                    "subject": seen.subject,
                    "text": seen.text,
                    "html": seen.html,
                    "segments": seen.segments,
                    "encoding": seen.encoding,
                }
                for way, seen in shown
            ],
            "recipients": reach.recipients,
            "unreachable": reach.unreachable,
            "by_language": dict(reach.by_language),
            "by_channel": dict(reach.by_channel),
            "segments": {
                name: {"fewest": one.fewest, "most": one.most, "encoding": one.encoding}
                for name, one in reach.segments.items()
            },
        }
    )
