"""`script/test` names what it cannot run, leaves out only what it is told to, and is red when anything is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

NEEDED = ["sh", "dirname", "sed", "cat", "cp"]
OUTSIDE = ["chromium", "strace", "pdftotext", "qpdf"]
INSIDE = ["ruff", "mypy", "lint-imports", "pytest"]


class Bench:
    """A checkout with stand-ins for every tool: each notes its call, and fails if it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.notes = folder / "notes"
        for place in ["script", ".venv/bin", "tools"]:
            (folder / place).mkdir(parents=True)
        shutil.copy(ROOT / "script/test", folder / "script/test")
        for tool in NEEDED:
            (self.tools / tool).symlink_to(shutil.which(tool) or tool)
        self.stand_in("script/bootstrap")
        for tool in INSIDE:
            self.stand_in(f".venv/bin/{tool}")
        for tool in OUTSIDE:
            self.stand_in(f"tools/{tool}")
        self.user(0)

    def stand_in(self, file: str, does: str = "") -> None:
        path = self.folder / file
        path.write_text(f'#!/bin/sh\necho "{path.name} $*" >>"{self.notes}"\n{does}\n')
        path.chmod(0o755)

    def user(self, number: int) -> None:
        self.stand_in("tools/id", f"echo {number}")

    def lacks(self, *tools: str) -> None:
        for tool in tools:
            (self.tools / tool).unlink()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.notes.write_text("")
        return subprocess.run(  # noqa: S603 - our own script
            [str(self.folder / "script/test"), *arguments],
            env={"PATH": str(self.tools), "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def called(self, tool: str) -> list[str]:
        return [
            line.removeprefix(f"{tool} ") for line in self.notes.read_text().splitlines() if line.startswith(tool)
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_everything_runs_and_the_tests_come_last(bench: Bench) -> None:
    result = bench.run()
    assert result.returncode == 0, result.stderr
    order = [line.split()[0] for line in bench.notes.read_text().splitlines() if line.split()[0] != "id"]
    assert order == ["bootstrap", "ruff", "ruff", "mypy", "lint-imports", "pytest"]
    assert bench.called("pytest")[0].endswith("-m not long")


def test_what_is_left_out_by_name_is_left_out_and_said(bench: Bench) -> None:
    bench.lacks("chromium")
    result = bench.run("--without", "browser", "--without", "postgresql", "--long", "--", "-x", "tests/domain")
    assert result.returncode == 0, result.stderr
    assert bench.called("pytest")[0].endswith("-m not browser and not postgresql -x tests/domain")
    assert "left out by name: browser postgresql" in result.stderr


@pytest.mark.parametrize(
    ("tool", "left_out"), [("chromium", "browser"), ("strace", "privileged"), ("pdftotext", "pdf"), ("qpdf", "pdf")]
)
def test_a_missing_tool_is_named_and_fails(bench: Bench, tool: str, left_out: str) -> None:
    bench.lacks(tool)
    result = bench.run()
    assert result.returncode == 1
    assert f"--without {left_out}" in result.stderr
    assert not bench.called("pytest")
    assert bench.run("--without", left_out).returncode == 0


def test_faults_that_need_root_are_named_to_others(bench: Bench) -> None:
    bench.user(1000)
    result = bench.run()
    assert result.returncode == 1
    assert "privileged: run as root" in result.stderr
    assert bench.run("--without", "privileged").returncode == 0


def test_root_gets_the_missing_tools_through_apt(bench: Bench) -> None:
    bench.lacks("qpdf", "chromium")
    brings = " ".join(f'"{bench.tools}/{tool}"' for tool in ["qpdf", "chromium"])
    bench.stand_in("tools/apt-get", f'[ "$1" = install ] || exit 0\nfor tool in {brings}; do cp "$0" "$tool"; done')
    result = bench.run()
    assert result.returncode == 0, result.stderr
    assert bench.called("apt-get") == ["update -qq", "install -y -qq --no-install-recommends chromium qpdf"]


def test_nobody_else_is_asked_for_a_password(bench: Bench) -> None:
    bench.user(1000)
    bench.lacks("qpdf")
    bench.stand_in("tools/apt-get")
    bench.run("--without", "privileged")
    assert bench.called("apt-get") == []


@pytest.mark.parametrize("tool", ["ruff", "mypy", "lint-imports"])
def test_a_fault_found_before_the_tests_makes_the_run_red_and_the_tests_run_all_the_same(
    bench: Bench, tool: str
) -> None:
    bench.stand_in(f".venv/bin/{tool}", "exit 3")
    result = bench.run()
    assert result.returncode == 1
    assert bench.called("pytest")
    assert tool in result.stderr.splitlines()[-1]


def test_the_verdict_of_the_tests_is_the_verdict(bench: Bench) -> None:
    bench.stand_in(".venv/bin/pytest", "exit 5")
    assert bench.run().returncode == 5
