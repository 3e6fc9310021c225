"""What is played: the house and its five exercises, read from `config/demo`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tracker import paths

FOLDER = "demo"
LONGEST = timedelta(hours=72)
"""How long before now the house stands: before the oldest exercise."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One incident: how it is logged, how long ago (hours), and what is done about it."""

    key: str
    ago: float
    by: str
    title: str
    what: str
    place: str
    ongoing: str
    people: str
    partner: str
    steps: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that happens at an instant: the logging of an exercise (no step), or a step of it."""

    at: datetime
    exercise: Exercise
    step: Mapping[str, Any] | None


def world() -> dict[str, Any]:
    """Return the house: controller, staff, on call, partners."""
    return tomllib.loads((paths.config() / FOLDER / "world.toml").read_text("utf-8"))


def exercises() -> tuple[Exercise, ...]:
    """Return the exercises."""
    found = tomllib.loads((paths.config() / FOLDER / "exercises.toml").read_text("utf-8"))["exercise"]
    return tuple(_exercise(one) for one in found)


def cues(now: datetime) -> tuple[Cue, ...]:
    """Return everything that happens until `now`, in order."""
    found = []
    for one in exercises():
        begun = now - timedelta(hours=one.ago)
        found.append(Cue(begun, one, None))
        found += [Cue(begun + timedelta(hours=step["after"]), one, step) for step in one.steps]
    return tuple(sorted((one for one in found if one.at <= now), key=lambda one: one.at))


def list_of_people(name: str) -> Path:
    """Return the file of a list of people."""
    return paths.config() / FOLDER / "people" / name


def notice(name: str, language: str) -> str:
    """Return the text of a notice as people write it: a first line with the subject, then Markdown."""
    return (paths.config() / FOLDER / "notices" / f"{name}.{language}.md").read_text("utf-8")


def _exercise(plain: Mapping[str, Any]) -> Exercise:
    values = {name: plain.get(name, "") for name in Exercise.__slots__ if name != "steps"}
    return Exercise(**values, steps=tuple(plain.get("step", ())))
