"""The shell, called in the test's own process on a hand-wound clock, and as a real process."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from incident_tracker.cli import main
from incident_tracker.cli.common import Shell
from tests.makers import HandClock

PROGRAM = Path(sys.executable).with_name("incident-tracker")
PATIENCE = 60
"""Seconds that a real process may take on a busy machine; far more than it needs."""


class World:
    """An installation in a folder of its own, and the shell on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.now = HandClock()
        self.settings: dict[str, str] = {"DATA__DIR": str(self.data), "SERVER__PORT": "0"}

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of a shell without any settings but ours, speaking English."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("INCIDENT_", "LC_", "LANG"))
        }
        return (
            kept | {f"INCIDENT_TRACKER__{name}": value for name, value in self.settings.items()} | {"LANG": "C.UTF-8"}
        )

    def __call__(self, *arguments: str, language: str = "en", stdin: str = "") -> Result:
        """Call the program here, on the hand-wound clock."""
        wiped = {name: None for name in os.environ if name.startswith(("INCIDENT_", "LC_", "LANG"))}
        shell = Shell(language=language, now=self.now)
        return CliRunner().invoke(
            main, arguments, obj=shell, env={**wiped, **self.environment}, input=stdin, prog_name="incident-tracker"
        )

    def done(self, *arguments: str, stdin: str = "") -> str:
        """Call the program, see that it is done, and return what it printed."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 0, f"{arguments}: {result.output} {result.exception!r}"
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """Return the JSON that a command prints."""
        return json.loads(self.done(*arguments, "--json"))

    def refused(self, *arguments: str, code: int = 1, language: str = "en", stdin: str = "") -> str:
        """Call the program, see that it refuses with this exit code and one line on stderr, and return the line."""
        result = self(*arguments, language=language, stdin=stdin)
        assert result.exit_code == code, f"{arguments}: {result.exit_code} {result.output} {result.exception!r}"
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert "Traceback" not in result.stderr
        return lines[0]

    def install(self) -> None:
        """Make the database and the first controller."""
        self.done("db", "upgrade")
        self.done("controller", "create", "--name", "Nordlys ApS")

    def open(self, title: str = "Newsletter with every address in Cc", *more: str) -> str:
        """Log a suspicion and return its reference."""
        reference: str = self.json("incident", "open", "--title", title, *more)["reference"]
        return reference

    def process(
        self, *arguments: str, more: Mapping[str, str] | None = None, wrapped: tuple[str, ...] = (), **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the program as a process of its own and wait for it."""
        return subprocess.run(  # noqa: S603 - our own program
            [*wrapped, str(PROGRAM), *arguments],
            cwd=self.folder,
            env=self.environment | dict(more or {}),
            text=True,
            check=False,
            timeout=PATIENCE,
            **{"stdin": subprocess.DEVNULL, "capture_output": True, **options},
        )


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[World]:
    """Give a folder in which nothing was installed yet."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield World(tmp_path)
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an installation once, to be copied: a database and one controller, Nordlys ApS."""
    world = World(tmp_path_factory.mktemp("installed"))
    world.install()
    return world.data


@pytest.fixture
def run(bare: World, installed: Path) -> World:
    """Give an installation with one controller, Nordlys ApS."""
    shutil.copytree(installed, bare.data)
    return bare


@pytest.fixture
def started(bare: World) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a process that stays; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        with (bare.folder / f"stderr-{len(running)}").open("w") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [str(PROGRAM), *arguments],
                cwd=bare.folder,
                env=bare.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)
