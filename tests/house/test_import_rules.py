"""The import rules are kept, and each of them can be broken."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, name, under

LINT = Path(sys.executable).with_name("lint-imports")

# Parts of the standard library that read the clock, the machine or chance, or reach outside the process.
# fmt: off
WORLDLY = frozenset({
    "asyncio", "concurrent", "ctypes", "email", "fcntl", "fileinput", "ftplib", "getpass", "glob", "http",
    "imaplib", "importlib", "io", "locale", "logging", "mmap", "multiprocessing", "os", "pathlib", "platform",
    "poplib", "pty", "pwd", "queue", "random", "resource", "sched", "secrets", "select", "selectors", "shelve",
    "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "syslog",
    "tempfile", "threading", "time", "tomllib", "urllib", "webbrowser",
})
# fmt: on


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    # The folder's own packages must be the ones that are read, wherever the project itself is installed.
    return subprocess.run(  # noqa: S603 - our own tool
        [str(LINT), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_import_rules_are_kept() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def copy_of_the_house(tmp_path: Path) -> Path:
    for path in under(*PACKAGES, suffix=".py"):
        target = tmp_path / name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ({"incident_tracker/planted.py": ""}, "A floor stands on the floors below it"),
        (
            {"incident_tracker/domain/planted.py": "import incident_tracker.paths"},
            "A floor stands on the floors below",
        ),
        ({"incident_tracker/domain/planted.py": "import sqlalchemy"}, "The domain stands on the standard library"),
        ({"notifiers/planted.py": ""}, "Notifiers do not know one another"),
        ({"notifiers/protocol.py": "import flask"}, "A notifier has never heard of incidents, pages or tables"),
        (
            {"notifiers/planted.py": "", "incident_tracker/store/planted.py": "import notifiers.planted"},
            "The core meets notifiers through the protocol",
        ),
        ({"incident_tracker/web/planted.py": "import sqlalchemy"}, "Pages and API never open a table"),
        ({"incident_tracker/api/planted.py": "import sqlalchemy"}, "Pages and API never open a table"),
        ({"incident_tracker/web/planted.py": "import incident_tracker.store"}, "Pages and API never open a table"),
        (
            {
                "incident_tracker/domain/planted.py": "import incident_tracker.domain.replanted",
                "incident_tracker/domain/replanted.py": "import incident_tracker.domain.planted",
            },
            "No circles",
        ),
    ],
)
def test_each_rule_notices_when_it_is_broken(copy_of_the_house: Path, planted: dict[str, str], rule: str) -> None:
    for file, text in planted.items():
        (copy_of_the_house / file).write_text(text + "\n")
    result = _lint(copy_of_the_house)
    assert result.returncode == 1, result.stderr
    assert [line for line in result.stdout.splitlines() if line.startswith(rule) and " BROKEN" in line]


@pytest.mark.parametrize("path", under("incident_tracker/domain", suffix=".py"), ids=name)
def test_the_domain_needs_neither_packages_nor_the_world(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {
        module
        for module in imported
        if not module.startswith("incident_tracker.domain")
        and (module.split(".")[0] not in sys.stdlib_module_names or module.split(".")[0] in WORLDLY)
    }
    assert not foreign
    called = {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input", "exec", "eval", "__import__"}
