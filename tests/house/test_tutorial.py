"""The tutorial quotes the pages as they are."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from incident_tracker import paths
from tests.house import translations
from tests.house.tree import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
QUOTED = re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])")
_PLACE = re.compile(r"%\\\(\w+\\\)s")
_OURS = {"English", "italics"}
"""Words that the pages show without the catalogue, and one that explains the type."""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _shown() -> list[str]:
    """Return everything that a Danish page can show of its own: the catalogue, and the labels of the forms."""
    found = [
        text
        for message in translations.danish()
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
        if text
    ]
    for file in paths.config().rglob("*.toml"):
        found += _texts(tomllib.loads(file.read_text("utf-8")))
    return found


PHRASES = sorted({one.rstrip(".") for one in QUOTED.findall(TUTORIAL.read_text("utf-8"))} - _OURS)


@pytest.fixture(scope="module")
def shown() -> list[str]:
    return _shown()


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_the_tutorial_quotes_stands_on_a_page(shown: list[str], phrase: str) -> None:
    assert any(text.startswith(phrase) or _could_be(text, phrase) for text in shown)


def _could_be(text: str, phrase: str) -> bool:
    """Say whether a sentence with places can read like this; one that is nearly all places proves nothing."""
    words = re.sub(r"%\(\w+\)s", "", text).strip(" .:")
    return len(words) > 5 and re.fullmatch(_PLACE.sub(".+", re.escape(text.rstrip("."))), phrase) is not None


def test_the_tutorial_shows_only_pictures_that_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TUTORIAL.read_text("utf-8"))
    assert len(pictures) == 4
    assert not [one for one in pictures if not (TUTORIAL.parent / one).is_file()]
