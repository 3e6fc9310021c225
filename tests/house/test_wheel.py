"""What is shipped holds everything the code needs and nothing else, and works away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, name, under

HERE = Path(sys.executable).parent


def _run(folder: Path, *command: str | Path) -> str:
    """Run a command without a trace of the checkout in its environment, and return what it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "INCIDENT_", "VIRTUAL"))}
    result = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(ROOT, HERE / "hatchling", "build", "--target", "wheel", "--directory", folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_the_packages_is_shipped(shipped: set[str], package: str) -> None:
    assert {name(path) for path in under(package)} <= shipped


@pytest.mark.parametrize("folder", ["templates", "config"])
def test_templates_and_configuration_travel_inside_the_package(shipped: set[str], folder: str) -> None:
    inside = {f"incident_tracker/_{name(path)}" for path in under(folder)}
    assert inside
    assert inside <= shipped


def test_nothing_else_is_shipped(shipped: set[str]) -> None:
    roofs = {path.split("/")[0].rsplit("-", 1)[0] for path in shipped if ".dist-info/" not in path}
    assert roofs == set(PACKAGES)
    assert not [
        path for path in shipped if "/tests/" in path or "__pycache__" in path or path.endswith((".db", ".key"))
    ]


def test_styles_types_and_both_languages_are_shipped(shipped: set[str]) -> None:
    assert "incident_tracker/py.typed" in shipped
    assert "notifiers/py.typed" in shipped
    assert [path for path in shipped if path.startswith("incident_tracker/web/static/") and path.endswith(".css")]
    assert [path for path in shipped if "/translations/da/" in path and path.endswith((".po", ".mo"))]
    assert [path for path in shipped if path.startswith("incident_tracker/store/migrations/")]


def _installer(python: Path) -> list[str | Path]:
    """Return a command that installs into another environment: uv, or the pip of this one or of the one below it."""
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--offline", "--python", python]
    candidates = [sys.executable, getattr(sys, "_base_executable", sys.executable)]
    for candidate in candidates:
        found = subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True, check=False)  # noqa: S603
        if found.returncode == 0:
            return [candidate, "-m", "pip", "--python", python, "install", "--no-index"]
    raise AssertionError("neither uv nor pip is here to install the wheel with")


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an empty environment that borrows this one's dependencies, and return its commands."""
    home = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    _run(home, *_installer(python), "--no-deps", wheel)
    own = Path(_run(home, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    borrowed = _run(home, HERE / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (own / "borrowed.pth").write_text(f"{borrowed}\n")
    return home / "bin"


def test_the_installed_package_finds_its_files_from_any_folder(elsewhere: Path, tmp_path: Path) -> None:
    script = """
import incident_tracker, json
from incident_tracker import paths
print(json.dumps([incident_tracker.__file__, str(paths.templates()), str(paths.config())]))
"""
    found = json.loads(_run(tmp_path, elsewhere / "python", "-c", script))
    assert all(place.startswith(str(elsewhere.parent)) for place in found)
    assert all(Path(place).exists() for place in found)


def test_the_installed_notifiers_are_found_by_entry_point(elsewhere: Path, tmp_path: Path) -> None:
    script = """
from importlib.metadata import entry_points
for point in sorted(entry_points(group="incident_tracker.notifiers")):
    print(point.name, point.load().__module__.split(".")[0])
"""
    found = _run(tmp_path, elsewhere / "python", "-c", script).split("\n")[:-1]
    assert found == [
        f"{notifier} notifiers"
        for notifier in ["datatilsynet", "outbox", "sendgrid_email", "smtp_email", "twilio_sms"]
    ]


def test_the_command_answers_from_any_folder(elsewhere: Path, tmp_path: Path) -> None:
    assert "incident" in _run(tmp_path, elsewhere / "incident-tracker", "--help")


def test_an_incident_is_opened_from_another_folder(elsewhere: Path, tmp_path: Path) -> None:
    command = elsewhere / "incident-tracker"
    _run(tmp_path, command, "db", "upgrade")
    _run(tmp_path, command, "controller", "create", "--name", "Nordlys ApS")
    title = "Nyhedsbrev sendt med alle adresser i Cc"
    opened = json.loads(_run(tmp_path, command, "incident", "open", "--title", title, "--json"))
    assert opened["status"] == "suspected"
    assert opened["reference"] in _run(tmp_path, command, "incident", "list")
    assert json.loads(_run(tmp_path, command, "journal", "verify", "--json"))["result"] == "ok"
