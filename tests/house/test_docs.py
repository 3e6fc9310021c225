"""Every setting and every command is documented, and nothing is documented that is not there."""

import ast
import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from incident_tracker.cli import main
from incident_tracker.settings import Settings
from notifiers.support.settings import SettingsReader
from tests.house.tree import ROOT, kept_files, name, under

REFERENCE = ROOT / "docs" / "reference"
QUOTED = re.compile(r"`([^`\n]+)`")


def _parts(file: str) -> dict[str, str]:
    """Return what stands under each heading of a page, by the first thing quoted in the heading."""
    parts: dict[str, str] = {}
    for piece in re.split(r"^#{2,} ", (REFERENCE / file).read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = piece.partition("\n")
        if quoted := QUOTED.search(heading):
            parts[quoted[1]] = body
    return parts


def _settings() -> list[tuple[str, str]]:
    return [
        (section, key)
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for key in field.annotation.model_fields
    ]


@pytest.mark.parametrize(("section", "key"), _settings())
def test_every_setting_is_documented(section: str, key: str) -> None:
    assert key in QUOTED.findall(_parts("settings.md")[f"[{section}]"])


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = set(_settings())
    rows = [
        (heading.strip("[]"), key)
        for heading, body in _parts("settings.md").items()
        if heading.startswith("[") and not heading.startswith("[notifiers.")
        for key in re.findall(r"^\| `(\w+)`", body, re.MULTILINE)
    ]
    assert not set(rows) - known


def _notifier_settings() -> list[tuple[str, str]]:
    """Return what each notifier asks its section of the settings for."""
    questions = {question for question in vars(SettingsReader) if not question.startswith("_")} - {
        "mistake",
        "finish",
    }
    return sorted(
        {
            (name(path).split("/")[1].removesuffix(".py"), call.args[0].value)
            for path in under("notifiers", suffix=".py")
            for call in ast.walk(ast.parse(path.read_text()))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in questions
            if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
            if not name(path).startswith(("notifiers/support/", "notifiers/testing/"))
        }
    )


@pytest.mark.parametrize(("notifier", "key"), _notifier_settings())
def test_every_setting_of_a_notifier_is_documented(notifier: str, key: str) -> None:
    assert key in QUOTED.findall(_parts("settings.md")[f"[notifiers.{notifier}]"])


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            found += _commands(command, (*path, word))
        elif not command.hidden:
            found.append((" ".join((*path, word)), command))
    return found


COMMANDS = _commands(main)


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_command_is_documented_with_its_options(words: str, command: click.Command) -> None:
    body = _parts("commands.md")[words]
    options = {max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)}
    assert not {option for option in options if f"`{option}" not in body} - {"--help"}


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert not set(_parts("commands.md")) - {words for words, _ in COMMANDS}


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_every_command_says_what_it_does(words: str, command: click.Command) -> None:
    assert (command.help or "").strip(), words


PAGES = [path for path in kept_files() if path.suffix == ".md"]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_between_the_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", path.read_text())
    assert not [link for link in links if not (path.parent / link).exists()]
