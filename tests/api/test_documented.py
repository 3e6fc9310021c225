"""The page about the API names every address and every scope, and its example works as it is written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from incident_tracker.api.app import create_api
from incident_tracker.api.gate import gate_of
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import register
from tests.api.serving import serving
from tests.house.tree import ROOT
from tests.makers import HandClock, make_user

PAGE = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8072"
CURL = """#!{python}
import sys, urllib.request
words, headers, body = sys.argv[1:], {{}}, None
address = next(one for one in words if one.startswith("http"))
for option, value in zip(words, words[1:]):
    if option == "-H":
        headers.update([value.split(": ", 1)])
    elif option == "-d":
        body = value.encode()
with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
    print(answer.read().decode())
"""
"""Stands in for curl where it is not installed; it knows the options of the page."""


def _as_on_the_page(rule: str) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", rule.removeprefix("/v1"))


def test_every_address_stands_on_the_page_with_its_scope(tracker: Tracker) -> None:
    api = create_api(tracker)
    told = set(re.findall(r"^\| `([A-Z]+ /\S+)` \| `([\w:]+)` \|", PAGE, re.MULTILINE))
    known = {
        (f"{method} {_as_on_the_page(rule.rule)}", gate.scope)
        for rule in api.url_map.iter_rules()
        if (gate := gate_of(api, rule.endpoint)) is not None and gate.scope
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert told == known


def test_every_scope_is_explained() -> None:
    assert re.findall(r"^\| `(\w+:\w+)` \| ", PAGE, re.MULTILINE) == list(SCOPES)


def _environment(tracker: Tracker, folder: Path) -> dict[str, str]:
    """Return a shell in which the program and curl are found."""
    folder.mkdir()
    if shutil.which("curl") is None:
        (folder / "curl").write_text(CURL.format(python=sys.executable))
        (folder / "curl").chmod(0o755)
    path = os.pathsep.join((str(Path(sys.executable).parent), str(folder), os.environ["PATH"]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INCIDENT_")}
    return kept | {
        "PATH": path,
        "no_proxy": "127.0.0.1",
        "INCIDENT_TRACKER__DATA__DIR": str(tracker.settings.data.dir),
    }


@pytest.mark.timeout(180)
def test_the_example_works_as_it_is_written(
    tracker: Tracker, nordlys: Controller, clock: HandClock, tmp_path: Path
) -> None:
    make_user(tracker.context, nordlys, email="ada@example.dk")
    clock.advance(hours=2)
    example = PAGE.partition("## A first request")[2].partition("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", example, re.DOTALL))
    with serving(tracker) as address:
        done = subprocess.run(  # noqa: S603 - the words of our own page
            ["/bin/sh", "-c", "set -eu\n" + script.replace(ADDRESS, address)],
            env=_environment(tracker, tmp_path / "bin"),
            cwd=tmp_path,
            text=True,
            capture_output=True,
            timeout=150,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert '"due_at":"2026-11-23T13:10:00Z"' in done.stdout.replace('": "', '":"')
    (incident,) = register.listing(tracker.context, SHELL)
    assert (incident.reference, incident.status) == ("2026-0001", "aware")
