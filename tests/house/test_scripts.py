"""The scripts that a newcomer calls first: they say what is wrong, and do nothing twice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, name, under

SCRIPTS = under("script", ".ci")

# Stands in for uv: notes what it is asked, and makes an environment out of the running interpreter.
UV = f"""#!/bin/sh
echo "$*" >>"$ASKED"
[ "$1" = venv ] || exit 0
mkdir -p .venv/bin
ln -s "{sys.executable}" .venv/bin/python
"""


def _call(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own scripts
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_is_well_formed_and_can_be_run(path: Path) -> None:
    language = path.read_text().splitlines()[0].removeprefix("#!").split()[-1].rsplit("/", 1)[-1]
    assert os.access(path, os.X_OK)
    assert language in {"sh", "bash", "python", "python3"}
    if language.startswith("python"):
        compile(path.read_text(), str(path), "exec")
    else:
        result = _call(ROOT, language, "-n", str(path))
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("file", ["script/bootstrap", "script/server", "script/test", ".ci/run"])
def test_what_a_newcomer_calls_needs_no_bash(file: str) -> None:
    assert (ROOT / file).read_text().startswith("#!/bin/sh\n")


@pytest.mark.parametrize("arguments", [["--without", "thinking"], ["--without"], ["--quick"], ["tests/domain"]])
def test_a_wrong_call_of_the_tests_is_told_apart_from_a_failed_test(arguments: list[str]) -> None:
    result = _call(ROOT, "script/test", *arguments)
    assert result.returncode == 2
    assert "--without postgresql" in result.stderr


def test_everything_that_can_be_left_out_is_a_mark_of_the_tests(pytestconfig: pytest.Config) -> None:
    marks = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    told = {
        line.split()[2] for line in (ROOT / "script/test").read_text().splitlines() if line.startswith("#   --wi")
    }
    assert told == {"browser", "postgresql", "privileged", "pdf"}
    assert told | {"long"} <= marks


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / "script").mkdir(parents=True)
    for file in ["script/bootstrap", "requirements.lock", "requirements-dev.lock", "pyproject.toml"]:
        shutil.copy(ROOT / file, folder / file)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    return folder


def _bootstrap(clone: Path, *arguments: str) -> list[str]:
    """Return what the first word of each request to uv was, in one call of the script."""
    asked = clone / "asked"
    asked.write_text("")
    path = f"{clone.parent / 'tools'}:{os.environ['PATH']}"
    result = _call(clone, "script/bootstrap", *arguments, PATH=path, ASKED=str(asked), PYTHON=sys.executable)
    assert result.returncode == 0, result.stderr
    return [line.split()[0] for line in asked.read_text().splitlines()]


def test_the_second_start_installs_nothing(clone: Path) -> None:
    assert _bootstrap(clone) == ["venv", "pip", "pip"]
    assert _bootstrap(clone) == []


def test_what_the_tests_need_is_enough_to_run(clone: Path) -> None:
    _bootstrap(clone, "--dev")
    assert _bootstrap(clone) == []


def test_a_changed_lock_is_installed_into_the_same_environment(clone: Path) -> None:
    _bootstrap(clone)
    with (clone / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert _bootstrap(clone) == ["pip", "pip"]


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Path) -> None:
    _bootstrap(clone)
    python = clone / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert _bootstrap(clone) == ["venv", "pip", "pip"]


def test_a_moved_checkout_gets_an_environment_of_its_own(clone: Path) -> None:
    _bootstrap(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert _bootstrap(moved) == ["venv", "pip", "pip"]


def test_installing_again_goes_on_where_it_was_cut_off(clone: Path) -> None:
    tools = clone.parent / "tools" / "uv"
    whole = tools.read_text()
    tools.write_text(whole.replace('[ "$1" = venv ] || exit 0', '[ "$1" = venv ] || exit 7'))
    with pytest.raises(AssertionError):
        _bootstrap(clone)
    tools.write_text(whole)
    assert _bootstrap(clone) == ["pip", "pip"]


def test_an_old_python_is_named_with_the_way_out(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && exec echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    result = _call(clone, "script/bootstrap", PYTHON=str(old))
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr
    assert "Python 3.9.2" in result.stderr
    assert not (clone / ".venv").exists()


def test_the_server_starts_after_the_bootstrap_and_is_given_what_was_asked(tmp_path: Path) -> None:
    for file, line in {
        "script/bootstrap": 'echo "bootstrap $*"',
        ".venv/bin/incident-tracker": 'echo "incident-tracker $*"',
    }.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / file).chmod(0o755)
    shutil.copy(ROOT / "script/server", tmp_path / "script/server")
    result = _call(tmp_path.parent, str(tmp_path / "script/server"), "--help")
    assert result.stdout.splitlines() == ["bootstrap ", "incident-tracker serve --help"]
    demo = _call(tmp_path.parent, str(tmp_path / "script/server"), "--demo", "--fresh")
    assert demo.stdout.splitlines() == ["bootstrap ", "incident-tracker demo --fresh"]
