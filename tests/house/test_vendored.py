"""What is vendored is what was fetched: checksums, licences, and nothing that nobody recorded."""

import hashlib
import re
import tomllib

import pytest

from tests.house.tree import ROOT

STATIC = ROOT / "incident_tracker" / "web" / "static"
PACKAGES = tomllib.loads((STATIC / "vendored.toml").read_text())["package"]
FILES = [(package, file) for package in PACKAGES for file in package["file"]]
OUR_OWN = {"app.css", "app.js", "dial.svg", "tokens.css", "vendored.toml", "public.css", "public.js"}
FONT_BUDGET = 120_000


@pytest.mark.parametrize(("package", "file"), FILES, ids=[file["name"] for _, file in FILES])
def test_a_vendored_file_is_the_one_that_was_fetched(package: dict[str, str], file: dict[str, str]) -> None:
    digest = hashlib.sha256((STATIC / file["name"]).read_bytes()).hexdigest()
    assert digest == file["sha256"], f"{file['name']} of {package['name']}: run script/vendor"


@pytest.mark.parametrize("package", PACKAGES, ids=[package["name"] for package in PACKAGES])
def test_every_package_has_its_licence_beside_it(package: dict[str, list[dict[str, str]]]) -> None:
    licences = [file["name"] for file in package["file"] if "LICENSE" in file["name"]]
    assert licences
    assert all(len((STATIC / name).read_text()) > 300 for name in licences)


def test_every_file_is_ours_or_recorded() -> None:
    recorded = {file["name"] for _, file in FILES}
    present = {path.name for path in STATIC.iterdir() if path.is_file()}
    assert present - OUR_OWN == recorded


def test_the_faces_stay_within_their_budget() -> None:
    assert sum(path.stat().st_size for path in STATIC.glob("*.woff2")) <= FONT_BUDGET


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = set()
    for path in (ROOT / "templates" / "web").rglob("*.html"):
        named |= set(re.findall(r"\bicon\(\"([\w-]+)\"", path.read_text()))
    assert named
    assert named <= sprite


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name in ("app.css", "tokens.css", "app.js"):
        text = (STATIC / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|data:", text), name
