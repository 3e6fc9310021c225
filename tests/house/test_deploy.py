"""The recipes for a server name what exists: commands, options, settings, paths that fit together."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from incident_tracker import settings
from incident_tracker.cli import main
from tests.house.tree import ROOT

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = [one for one in UNITS if one.suffix == ".service"]
VERIFIERS = [one for one in (shutil.which("systemd-analyze"),) if one]
"""Where systemd is not installed, pytest names the test that has nothing to verify with."""
PROGRAM = "/opt/incident-tracker/.venv/bin/incident-tracker"


def unit(file: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[method-assign,assignment]
    found.read(file)
    return found


@pytest.mark.parametrize("file", SERVICES, ids=lambda one: one.name)
def test_a_unit_calls_a_command_with_options_that_exist(file: Path) -> None:
    program, *words = shlex.split(unit(file)["Service"]["ExecStart"])
    assert program == PROGRAM
    command = main.commands[words[0]]
    command.make_context(words[0], words[1:])  # raises where an option does not exist


@pytest.mark.parametrize("file", SERVICES, ids=lambda one: one.name)
def test_a_unit_writes_only_where_it_may(file: Path) -> None:
    service = unit(file)["Service"]
    assert service["ProtectSystem"] == "strict"
    may = {f"/var/lib/{name}" for name in service["StateDirectory"].split()} | set(
        service.get("ReadWritePaths", "").split()
    )
    written = [word for word in shlex.split(service["ExecStart"])[1:] if word.startswith("/")]
    assert all(any(word == place or word.startswith(f"{place}/") for place in may) for word in written)


def test_backups_and_their_keys_lie_in_different_places() -> None:
    words = shlex.split(unit(DEPLOY / "incident-tracker-backup.service")["Service"]["ExecStart"])
    backups, keys = Path(words[2]), Path(words[words.index("--keys") + 1])
    assert backups not in keys.parents


@pytest.mark.parametrize("file", SERVICES, ids=lambda one: one.name)
def test_both_units_use_the_settings_that_the_program_looks_for(file: Path) -> None:
    name, _, value = unit(file)["Service"]["Environment"].partition("=")
    assert name == settings.CONFIG_VARIABLE
    assert Path(value) in settings.PLACES


def test_the_service_starts_at_boot_and_again_whatever_happens() -> None:
    service = unit(DEPLOY / "incident-tracker.service")
    assert service["Install"]["WantedBy"] == "multi-user.target"
    assert service["Service"]["Restart"] == "always"
    assert service["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(service["Service"]["TimeoutStopSec"]) > 30


def test_the_timer_runs_each_day_and_makes_up_for_a_night_that_was_off() -> None:
    timer = unit(DEPLOY / "incident-tracker-backup.timer")
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Timer"]["OnCalendar"].startswith("*-*-* ")
    assert settings.Backup().alarm_after_hours > 24


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_a_proxy_leads_to_the_port_that_is_the_default(name: str) -> None:
    content = (DEPLOY / name).read_text()
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", content)) == {str(settings.Server().port)}


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_a_proxy_lets_the_largest_upload_through(name: str) -> None:
    content = (DEPLOY / name).read_text()
    megabytes = re.search(r"(?:max_size|client_max_body_size)\s+(\d+)", content)
    assert megabytes is not None
    assert int(megabytes.group(1)) > settings.Security().max_upload_megabytes


def test_nginx_writes_every_header_anew_that_the_program_believes() -> None:
    content = (DEPLOY / "nginx.conf").read_text()
    written = set(re.findall(r"proxy_set_header (\S+) \$(?!http_|proxy_add)", content))
    assert {"Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} <= written


@pytest.mark.parametrize("page", ["back-up-and-restore.md", "run-as-a-service.md", "reverse-proxy.md"])
def test_the_guides_name_settings_that_exist(page: str) -> None:
    content = (ROOT / "docs" / "how-to" / page).read_text()
    known = {
        f"{section}.{key}"
        for section, field in settings.Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, settings.Section)
        for key in field.annotation.model_fields
    }
    sections = {one.partition(".")[0] for one in known}
    named = {
        one for one in re.findall(r"`([a-z_]+\.[a-z_]+)`", content) if one.partition(".")[0] in sections - {"backup"}
    }
    named |= set(re.findall(r"`(backup\.alarm[a-z_]*)`", content))
    assert named - known == set()


@pytest.mark.parametrize("program", VERIFIERS)
def test_systemd_finds_nothing_wrong_with_the_units(program: str, tmp_path: Path) -> None:
    for file in UNITS:
        content = file.read_text().replace(PROGRAM, "/bin/true").replace("/opt/incident-tracker", "/")
        (tmp_path / file.name).write_text(content.replace("=incident-tracker\n", "=root\n"))
    command = [program, "verify", *(str(tmp_path / one.name) for one in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - as typed
    assert (done.returncode, done.stderr) == (0, "")
