"""`deadline explain`: the arithmetic alone, for any date; no database is opened."""

import click

from incident_tracker.cli import common, language
from incident_tracker.cli.common import Shell, as_json, moment_option, pass_shell
from incident_tracker.domain.deadlines import explain
from incident_tracker.domain.regimes import rule_for


@click.group()
def deadline() -> None:
    """Count a deadline and say why."""


@deadline.command("explain")
@moment_option("--anchor", required=True, help="When the period begins: the moment you became aware.")
@click.option("--regime", default="gdpr", show_default=True, help="Which rules.")
@click.option("--duty", default="notify_authority", show_default=True, help="Which duty under them.")
@click.option("--zone", default=language.ZONE, show_default=True, help="Zone in which times are shown.")
@as_json
@pass_shell
def explain_(shell: Shell, *, anchor: str, regime: str, duty: str, zone: str, as_json: bool) -> None:
    """Print when a duty is due, the longer reading beside it, and why."""
    from incident_tracker.bootstrap import load_rules  # noqa: PLC0415 - `--help` loads nothing

    at = common.needed_instant(anchor, "anchor")
    found = explain(rule_for(load_rules(), regime, duty, at, zone=zone), at, zone)
    reasons = [language.text(one.msgid, shell.language, one.params, zone) for one in found.reasons]
    if as_json:
        answer = {
            "regime": found.regime,
            "duty": found.duty,
            "rule": found.rule_id,
            "anchor_at": common.utc(found.anchor_at),
            "due_at": common.utc(found.due_at),
            "outer_reading_at": common.utc(found.outer_reading_at),
            "zone": found.zone,
            "reasons": reasons,
        }
        common.print_json(answer)
        return
    rows = [
        (name, common.utc(at) or "-", "" if at is None else language.moment(at, shell.language, zone))
        for name, at in (
            ("anchor_at", found.anchor_at),
            ("due_at", found.due_at),
            ("outer_reading_at", found.outer_reading_at),
        )
    ]
    common.print_table((), rows)
    for reason in reasons:
        click.echo(f"- {language.plain(reason)}")
