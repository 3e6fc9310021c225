"""`config ...`: whether the settings can be used, and what holds."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import click

from incident_tracker.cli import common
from incident_tracker.cli.common import Shell, as_json, pass_shell
from incident_tracker.domain.errors import phrase

MASK = "(hidden)"
_SHOWN_OF_NOTIFIERS = frozenset(
    {
        "account_sid",
        "api_base",
        "dir",
        "edge",
        "from_email",
        "from_name",
        "from_number",
        "host",
        "max_batch",
        "messaging_service_sid",
        "port",
        "region",
        "reply_to",
        "sandbox",
        "security",
        "username",
        "validity",
        "webhook_public_key",
    }
)
"""What may be printed of a notifier's section; everything else counts as secret, strangers' plugins included."""


@click.group()
def config() -> None:
    """Check and show the settings."""


@config.command("check")
@pass_shell
def check(shell: Shell) -> None:
    """Say every mistake in the settings and the configuration. Opens no database, sends nothing."""
    from incident_tracker import bootstrap  # noqa: PLC0415 - `--help` loads nothing

    common.quiet_log()
    bootstrap.check_configuration(shell.settings())
    shell.say(phrase("The settings can be used."))


@config.command("show")
@as_json
@pass_shell
def show(shell: Shell, *, as_json: bool) -> None:
    """Print the settings that hold, defaults included, without secrets."""
    shown = without_secrets(shell.settings().model_dump(mode="json"))
    if as_json:
        common.print_json(shown)
        return
    for line in _toml("", shown):
        click.echo(line)


def without_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with everything masked that opens something."""
    shown: dict[str, Any] = {name: dict(section) for name, section in settings.items()}
    shown["security"]["master_key"] = _masked(shown["security"]["master_key"])
    shown["database"]["url"] = _without_password(shown["database"]["url"])
    shown["clock"]["ping_url"] = _without_path(shown["clock"]["ping_url"])
    for name, section in shown["notifiers"].items():
        shown["notifiers"][name] = {
            key: value if key in _SHOWN_OF_NOTIFIERS else _masked(value) for key, value in section.items()
        }
    return shown


def _masked(value: object) -> str:
    return MASK if value else ""


def _without_password(url: str) -> str:
    """Return a database address without its password, and without its query, which may hold one too."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite" or not url:
        return url
    who, at, where = parts.netloc.rpartition("@")
    name = who.partition(":")[0]
    hidden = f"{name}:{MASK}" if ":" in who else name
    return parts._replace(netloc=f"{hidden}{at}{where}", query=MASK if parts.query else "").geturl()


def _without_path(url: str) -> str:
    """Return only where an address leads: who knows the path of a ping can send it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}/{MASK}" if url else ""


def _toml(name: str, section: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in section.items() if not isinstance(value, Mapping)}
    if plain:
        yield f"[{name}]"
        for key, value in plain.items():
            yield f"# {key} is not set" if value is None else f"{key} = {json.dumps(value, ensure_ascii=False)}"
        yield ""
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _toml(f"{name}.{key}" if name else key, value)
