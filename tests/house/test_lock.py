"""The lock files hold what pyproject.toml asks for, by hash, and say nothing of where it was fetched."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["postgresql"]
DEV = PROJECT["dependency-groups"]["dev"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, Version]:
    return {canonicalize_name(found): Version(version) for found, version in PIN.findall((ROOT / lock).read_text())}


@pytest.mark.parametrize(
    ("asked", "lock"),
    [(asked, LOCKS[0]) for asked in RUNTIME] + [(asked, LOCKS[1]) for asked in RUNTIME + DEV],
)
def test_what_is_asked_for_is_pinned_to_a_version_that_fits(asked: str, lock: str) -> None:
    requirement = Requirement(asked)
    pinned = _pins(lock)[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned), f"{pinned} is pinned: run script/lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_hashes(lock: str) -> None:
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    assert not [entry.split()[0] for entry in entries if PIN.match(entry) and "--hash=sha256:" not in entry]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    assert not re.findall(r"://|^-i\b|^--[\w-]*(?:index|find-links|host)\S*", (ROOT / lock).read_text(), re.MULTILINE)


def test_the_tests_run_on_the_versions_that_are_shipped() -> None:
    dev = _pins(LOCKS[1])
    assert {name: dev.get(name) for name in _pins(LOCKS[0])} == _pins(LOCKS[0])
