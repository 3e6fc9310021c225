"""`controller ...`: the organisations whose incidents are kept here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, as_user, pass_shell
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.errors import phrase

if TYPE_CHECKING:
    from incident_tracker.domain.parties import Controller
    from incident_tracker.services.controllers import ControllerFacts


_EYES = "Who is the second pair of eyes: colleague, or alone (also nobody, with a wait)."
_COLOUR = "Of its public pages, dark enough for white text."
_POINTS = {"contact": "Contact point", "dpo": "Data protection officer"}
_Command = Callable[..., Any]


def _points(command: _Command) -> _Command:
    """Give a command the options for who can be asked: notices name the officer, or else the contact point."""
    for point, words in reversed(_POINTS.items()):
        for part in ("phone", "email", "name"):
            option = click.option(f"--{point}-{part}", default=None, help=f"{words}: {part}.")
            command = option(command)
    return command


def _put(before: "ControllerFacts", said: dict[str, Any]) -> "ControllerFacts":
    """Return the facts with the parts of the contact points that were named."""
    from dataclasses import replace  # noqa: PLC0415 - `--help` loads nothing

    for point in _POINTS:
        parts = {part: said.pop(f"{point}_{part}") for part in ("name", "email", "phone")}
        named = {part: value for part, value in parts.items() if value is not None}
        before = replace(before, **{point: replace(getattr(before, point), **named)})
    return before


@click.group()
def controller() -> None:
    """Make and list controllers."""


@controller.command("create")
@click.option("--name", required=True, help="Name of the organisation.")
@click.option("--cvr", default="", help="Danish company number, eight digits.")
@click.option("--slug", default="", metavar="NAME", help="Short name for addresses and options; made from the name.")
@click.option("--prefix", default="", metavar="LETTERS", help="What its references begin with; the first needs none.")
@click.option("--time-zone", default="Europe/Copenhagen", show_default=True, help="Zone in which times are shown.")
@click.option("--language", default="da", show_default=True, help="Of its SMS: da or en.")
@click.option("--sector", default="private", show_default=True, help="private or public.")
@click.option("--four-eyes", default="colleague", show_default=True, help=_EYES)
@click.option("--colour", default="", metavar="#RRGGBB", help=_COLOUR)
@_points
@as_json
@as_user
@pass_shell
def create(shell: Shell, *, slug: str, prefix: str, as_json: bool, as_email: str | None, **facts: Any) -> None:
    """Keep the incidents of an organisation. The first has references like 2026-0001."""
    from incident_tracker.services import controllers  # noqa: PLC0415 - `--help` loads nothing

    with shell.writing(as_email) as (context, actor):
        points = {name: facts.pop(name) for name in tuple(facts) if name.partition("_")[0] in _POINTS}
        known = _put(controllers.ControllerFacts(**facts), points)
        made = controllers.create(context, actor, known, slug=slug, reference_prefix=prefix)
    if as_json:
        common.print_json(_shape(made))
    else:
        shell.say(phrase("%(name)s is kept here as %(slug)s."), name=made.name, slug=made.slug)


@controller.command("change")
@click.argument("slug", metavar="NAME")
@click.option("--four-eyes", default=None, help=_EYES)
@click.option("--colour", default=None, metavar="#RRGGBB", help=_COLOUR)
@_points
@as_json
@as_user
@pass_shell
def change(
    shell: Shell,
    *,
    slug: str,
    four_eyes: str | None,
    colour: str | None,
    as_json: bool,
    as_email: str | None,
    **points: Any,
) -> None:
    """Change who is the second pair of eyes, who can be asked, or the colour; what is not named stays."""
    from dataclasses import fields, replace  # noqa: PLC0415 - `--help` loads nothing

    from incident_tracker.services import controllers  # noqa: PLC0415

    with shell.writing(as_email) as (context, actor):
        before = controllers.by_slug(context, actor, slug)
        parts = fields(controllers.ControllerFacts)
        facts = controllers.ControllerFacts(**{part.name: getattr(before, part.name) for part in parts})
        said: dict[str, Any] = {"four_eyes": four_eyes, "colour": colour}
        facts = _put(replace(facts, **{name: value for name, value in said.items() if value is not None}), points)
        controllers.change(context, actor, before.id, facts)
        after = controllers.by_slug(context, actor, slug)
    if as_json:
        common.print_json(_shape(after))
    else:
        shell.say(phrase("%(name)s is changed."), name=after.name)


@controller.command("list")
@as_json
@pass_shell
def list_(shell: Shell, *, as_json: bool) -> None:
    """List the controllers, oldest first."""
    from incident_tracker.services import controllers  # noqa: PLC0415 - `--help` loads nothing

    with shell.context() as context:
        found = controllers.listing(context, SHELL)
    if as_json:
        common.print_json([_shape(one) for one in found])
    elif not found:
        shell.say(phrase("No controllers."))
    else:
        heads = (phrase("Short name"), phrase("Name"), "CVR", phrase("References"))
        rows = [(one.slug, one.name, one.cvr or "-", f"{one.reference_prefix}...") for one in found]
        common.print_table([shell.gettext(head) for head in heads], rows)


def _shape(one: "Controller") -> dict[str, Any]:
    return {
        "slug": one.slug,
        "name": one.name,
        "cvr": one.cvr,
        "time_zone": one.time_zone,
        "language": one.language,
        "sector": one.sector,
        "reference_prefix": one.reference_prefix,
        "four_eyes": one.four_eyes,
        "colour": one.colour,
    }
