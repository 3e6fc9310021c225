"""The words of the house, and what may not be left lying in it."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, VENDORED, kept_files, name, under

# Product words that say nothing, or something else than this field says.
NAMELESS = {"ticket", "tickets", "manager", "handler", "helper", "helpers", "util", "utils", "info"}
IN_TEXT = re.compile(
    r"\b(tickets?|clients?|managers?|handlers?|helpers?|utils?|info)\b"
    r"|\b(?:the|this|your|new|open|closed) case\b(?! of)",
    re.IGNORECASE,
)
IN_DANISH_TEXT = re.compile(
    r"\b(sag(en|er|erne)?|ticket|case|databrud|scope|notifikation(er)?|notificere)\b", re.IGNORECASE
)
LEGITIMATE = re.compile(r"password managers?|mail clients?|official (\w+ )?clients?", re.IGNORECASE)

CODE = [path for path in under(*PACKAGES, suffix=".py") if "/migrations/" not in name(path)]
PAGES = [path for path in under("templates") if path.suffix in {".html", ".txt", ".md", ".typ", ".j2"}]
PROSE = [path for path in kept_files() if path.suffix == ".md"]


def _words(identifier: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


@pytest.mark.parametrize("path", CODE, ids=name)
def test_names_in_code_say_what_a_thing_is(path: Path) -> None:
    defined = [path.stem] + [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not [identifier for identifier in defined if _words(identifier) & NAMELESS]


def _translated_texts(path: Path) -> list[str]:
    """Return the texts a Python file hands to the reader: messages of refusals and what is marked for gettext."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and "_" in node.func.id.rstrip("lgn"):
            texts += [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        is_message = isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == [
            "message"
        ]
        if is_message and isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            texts.append(str(node.value.value))
    return texts


@pytest.mark.parametrize("path", CODE, ids=name)
def test_texts_in_code_use_the_fields_own_words(path: Path) -> None:
    assert not [text for text in _translated_texts(path) if IN_TEXT.search(LEGITIMATE.sub("", text))]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_pages_use_the_fields_own_words(path: Path) -> None:
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>|\{#.*?#\}", " ", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}", " ", text, flags=re.DOTALL)
    pattern = IN_DANISH_TEXT if re.search(r"[._-]da\b", path.name) else IN_TEXT
    # Inside {{ ... }} only the quoted texts are for a reader; names of variables are not.
    text = re.sub(
        r"\{\{(.*?)\}\}", lambda found: " ".join(re.findall(r"\"([^\"]* [^\"]*)\"", found[1])), text, flags=re.DOTALL
    )
    assert not pattern.findall(LEGITIMATE.sub("", text))


@pytest.mark.parametrize("path", PROSE, ids=name)
def test_prose_uses_the_fields_own_words(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", " ", path.read_text(), flags=re.DOTALL)
    found = re.findall(r"\b(tickets?|managers?|helpers?|utils?|info)\b", LEGITIMATE.sub("", text), re.IGNORECASE)
    assert not found


def test_no_catalogue_uses_a_word_that_danish_has_a_better_one_for() -> None:
    wrong = []
    for path in under("incident_tracker", suffix=".po"):
        for written in re.findall(r"^msgstr(?:\[\d\])? ((?:\"[^\n]*\"\n?)+)", path.read_text(), re.MULTILINE):
            wrong += [written] if IN_DANISH_TEXT.search(written) else []
    assert not wrong


# Written with a bracket inside, so that this file does not find itself.
PROMISES = re.compile(r"\bT[O]DO\b|\bF[I]XME\b|\bX[X]X\b|\bH[A]CK\b|NotImpl[e]mentedError")
IDLE_TESTS = re.compile(r"pytest\.mark\.s[k]ip|\bx[f]ail\b|pytest\.s[k]ip\(|assert T[r]ue\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/w[o]rk/|/r[o]ot/|/h[o]me/(?!you\b)\w+/")


def test_no_promises_are_left_in_code() -> None:
    left = [name(path) for path in kept_files() if path.suffix == ".py" and PROMISES.search(path.read_text())]
    assert not left


def test_no_test_is_left_idle() -> None:
    assert not [name(path) for path in under("tests", suffix=".py") if IDLE_TESTS.search(path.read_text())]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    known = []
    for path in kept_files():
        if name(path).startswith(VENDORED):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture or a font
        known += [f"{name(path)}: {found[0]}" for found in MACHINE_PATHS.finditer(text)]
    assert not known
