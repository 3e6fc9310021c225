"""`incident ...`: log a suspicion, decide, contain, close."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common, shapes
from incident_tracker.cli.common import Shell, as_json, as_user, moment_option, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.parties import PartyRole

if TYPE_CHECKING:
    from incident_tracker.services.context import Context

NO_CLOCK = phrase(
    "Warning: no clock is running, so nobody is alerted until `incident-tracker serve` or"
    " `incident-tracker worker` runs."
)
STATUSES = ("open", *shapes.STATUSES)
_HEADS = (phrase("Incident"), phrase("Status"), phrase("Next deadline"), phrase("Title"))
_PAGE = 200
_reason = click.option("--reason", metavar="WHY", required=True, help="Why; it must be readable in two years.")


@click.group()
def incident() -> None:
    """Log a suspicion, decide, contain, close; list and show."""


@incident.command("open")
@click.option("--title", required=True, help="What it is called in lists. No names of people.")
@click.option("--what", "what_happened", default="", help="What happened, in your own words.")
@moment_option("--detected-at", help="When it was noticed; without it, now.")
@click.option(
    "--role",
    type=click.Choice([one.value for one in PartyRole]),
    default="controller",
    show_default=True,
    help="In which role you meet it.",
)
@click.option("--place", default="", help="Where: a system, a partner, a place.")
@moment_option("--aware-at", help="When you became aware of a breach, if that is decided already.")
@click.option("--aware-reason", metavar="WHY", help="Why it is a breach since then.")
@click.option("--controller", metavar="NAME", help="Short name of the controller, where there are several.")
@click.option("--exercise", is_flag=True, help="A drill: nothing of it leaves this machine.")
@as_json
@as_user
@pass_shell
def open_(
    shell: Shell,
    *,
    role: str,
    detected_at: str | None,
    aware_at: str | None,
    aware_reason: str | None,
    controller: str | None,
    as_json: bool,
    as_email: str | None,
    **words: Any,
) -> None:
    """Log a suspected breach and alert the on-call contact. Prints the reference."""
    if aware_reason is not None and aware_at is None:
        raise click.UsageError("--aware-reason goes with --aware-at.")
    from incident_tracker.services import incidents, register  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        reference = incidents.open_incident(
            context,
            actor,
            **words,
            role=PartyRole(role),
            detected_at=common.instant(detected_at, "detected_at"),
            aware_at=common.instant(aware_at, "aware_at"),
            aware_reason=aware_reason or "",
            controller_id=common.controller_id(context, actor, controller),
        )
        if as_json:
            common.print_json(shapes.incident(register.overview(context, SHELL, reference)))
        else:
            shell.say(phrase("Logged as %(reference)s."), reference=reference)
        warn_without_clock(shell, context)


@incident.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only these; open is suspected and aware.")
@click.option("--search", default="", metavar="TEXT", help="Part of the title or the reference.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many, newest first.")
@as_json
@pass_shell
def list_(shell: Shell, *, status: str | None, search: str, limit: int | None, as_json: bool) -> None:
    """List incidents, newest first."""
    from incident_tracker.services import controllers  # noqa: PLC0415

    with shell.context() as context:
        found = _pages(context, status, search, limit)
        slugs = {one.id: one.slug for one in controllers.listing(context, SHELL)}
    if as_json:
        common.print_json([shapes.listed(one, slugs) for one in found])
    elif not found:
        shell.say(phrase("No incidents."))
    else:
        heads = [shell.gettext(head) for head in _HEADS]
        rows = [
            (one.reference, shell.gettext(shapes.STATUSES[one.status]), shell.moment(one.next_due_at), one.title)
            for one in found
        ]
        common.print_table(heads, rows)


@incident.command("show")
@click.argument("reference", metavar="REF")
@as_json
@pass_shell
def show(shell: Shell, *, reference: str, as_json: bool) -> None:
    """Show an incident with its duties."""
    with shell.context() as context:
        _show(shell, context, common.reference(reference), as_json=as_json)


@incident.command("aware")
@click.argument("reference", metavar="REF")
@moment_option("--at", required=True, help="Since when you are aware of a breach; the 72 hours count from here.")
@_reason
@as_user
@pass_shell
def aware(shell: Shell, *, reference: str, at: str, reason: str, as_email: str | None) -> None:
    """Decide that it is a breach. Starts the 72 hours, or moves them."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name, since = common.reference(reference), common.needed_instant(at, "at")
        incidents.record_awareness(context, actor, name, at=since, reason=reason)
        _show(shell, context, name)


@incident.command("not-a-breach")
@click.argument("reference", metavar="REF")
@moment_option("--at", help="When that was found; without it, now.")
@_reason
@as_user
@pass_shell
def not_a_breach(shell: Shell, *, reference: str, at: str | None, reason: str, as_email: str | None) -> None:
    """Decide that it is no breach. It stays in the register with the reason."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name, found_at = common.reference(reference), common.instant(at, "at")
        incidents.find_not_a_breach(context, actor, name, reason=reason, at=found_at)
        _show(shell, context, name)


@incident.command("assess")
@click.argument("reference", metavar="REF")
@click.option("--description", required=True, help="What got out, of whom, and in what state. No names of people.")
@click.option("--people", "people_count", metavar="COUNT", help="How many: 300, about 300, 200-400, unknown.")
@as_user
@pass_shell
def assess(shell: Shell, *, reference: str, description: str, people_count: str | None, as_email: str | None) -> None:
    """Keep a new version of the scope; what else is known stays. The page Scope takes the rest."""
    from incident_tracker.domain.counts import CountRange  # noqa: PLC0415 - `--help` loads nothing
    from incident_tracker.services import register, scope  # noqa: PLC0415
    from incident_tracker.services.texts import clean  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        before = register.overview(context, SHELL, name).incident
        known = replace(scope.known(before), description=clean(description, "description"))
        if people_count is not None:
            known = replace(known, people_count=CountRange.read(people_count, "people_count"))
        version = scope.assess(context, actor, name, known, after_version=before.assessment_version)
        shell.say(phrase("Scope of %(reference)s kept as version %(version)s."), reference=name, version=version)


@incident.command("contain")
@click.argument("reference", metavar="REF")
@moment_option("--at", required=True, help="Since when the damage no longer grows.")
@click.option("--how", required=True, help="What was done.")
@as_user
@pass_shell
def contain(shell: Shell, *, reference: str, at: str, how: str, as_email: str | None) -> None:
    """Record that the damage no longer grows."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name, since = common.reference(reference), common.needed_instant(at, "at")
        incidents.contain(context, actor, name, at=since, how=how)
        _show(shell, context, name)


@incident.command("close")
@click.argument("reference", metavar="REF")
@_reason
@as_user
@pass_shell
def close(shell: Shell, *, reference: str, reason: str, as_email: str | None) -> None:
    """Close an incident whose duties are all met or set aside."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        incidents.close(context, actor, name, reason=reason)
        _show(shell, context, name)


@incident.command("reopen")
@click.argument("reference", metavar="REF")
@_reason
@as_user
@pass_shell
def reopen(shell: Shell, *, reference: str, reason: str, as_email: str | None) -> None:
    """Take up an incident again that was closed or found not to be a breach."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        incidents.reopen(context, actor, name, reason=reason)
        _show(shell, context, name)


@incident.command("note")
@click.argument("reference", metavar="REF")
@click.option("--text", required=True, help="What to write down.")
@as_user
@pass_shell
def note(shell: Shell, *, reference: str, text: str, as_email: str | None) -> None:
    """Write something down on an incident."""
    from incident_tracker.services import incidents  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        name = common.reference(reference)
        incidents.add_note(context, actor, name, text=text)
        shell.say(phrase("Noted on %(reference)s."), reference=name)


def warn_without_clock(shell: Shell, context: "Context") -> None:
    """Say on stderr that no clock is running: what was just asked for will not leave the house."""
    from incident_tracker.services import health  # noqa: PLC0415 - `--help` loads nothing

    if not health.clock_state(context).running:
        shell.warn(NO_CLOCK)


def _show(shell: Shell, context: "Context", reference: str, *, as_json: bool = False) -> None:
    from incident_tracker.services import register  # noqa: PLC0415

    overview = register.overview(context, SHELL, reference)
    if as_json:
        common.print_json(shapes.incident(overview))
    else:
        shapes.print_incident(shell, overview)


def _pages(context: "Context", status: str | None, search: str, limit: int | None) -> list[Any]:
    """Return the whole list, or its first `limit` lines, fetched a page at a time."""
    from incident_tracker.services import register  # noqa: PLC0415

    found: list[Any] = []
    while limit is None or len(found) < limit:
        size = _PAGE if limit is None else min(_PAGE, limit - len(found))
        after = found[-1].id if found else None
        page = register.listing(context, SHELL, status=status, search=search, after_id=after, limit=size)
        found += page
        if len(page) < size:
            break
    return found
