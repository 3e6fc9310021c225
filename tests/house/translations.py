"""The catalogue of Danish: which sentences the product says, and whether each has its Danish."""

import ast
import importlib
import io
import pkgutil
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import incident_tracker
from incident_tracker.domain.errors import Refusal

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "incident_tracker" / "web" / "translations" / "da" / "LC_MESSAGES"
PO = FOLDER / "messages.po"
MO = FOLDER / "messages.mo"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "_l": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "phrase": None,
}
_METHODS = [("templates/web/**.html", "jinja2.ext:babel_extract"), ("incident_tracker/**.py", "python")]
_OPTIONS = {"templates/web/**.html": {"trimmed": "true", "silent": "false"}}


def said() -> Catalog:
    """Return a catalogue of every sentence that the code can say."""
    catalog = Catalog(locale="da", domain="messages", fuzzy=False)
    found = extract_from_dir(ROOT, _METHODS, _OPTIONS, keywords=KEYWORDS, comment_tags=("i18n:",))
    for file, line, message, comments, context in found:
        catalog.add(message, None, [(file, line)], auto_comments=comments, context=context)
    for message, where in [*_refusals(), *_sentences(), *_reasons()]:
        catalog.add(message, None, [(where, 0)], flags=["python-format"] if "%(" in message else [])
    return catalog


def _refusals() -> Iterator[tuple[str, str]]:
    for module in pkgutil.walk_packages(incident_tracker.__path__, "incident_tracker."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("incident_tracker."):
            yield kind.message, kind.__module__.replace(".", "/") + ".py"


def _sentences() -> Iterator[tuple[str, str]]:
    """Yield the module-level sentences of the domain: reasons, notes, verdicts."""
    for file in sorted((ROOT / "incident_tracker" / "domain").glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for inner in ast.walk(node.value):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and _is_sentence(inner.value):
                        yield inner.value, str(file.relative_to(ROOT))


_OUTCOMES = frozenset({"NotSent", "Refused", "Unknown", "StatusReport"})
_REASON = re.compile(r"[a-zA-Z][A-Za-z0-9',:; -]+")


def _reasons() -> Iterator[tuple[str, str]]:
    """Yield the fixed reasons that notifiers and the outbox give for an outcome; the outbox page shows them."""
    files = [*(ROOT / "notifiers").rglob("*.py"), *(ROOT / "incident_tracker" / "delivery").glob("*.py")]
    for file in sorted(file for file in files if "testing" not in file.parts):
        tree = ast.parse(file.read_text("utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) in _OUTCOMES]
        for node in [tree] if file.name == "outcomes.py" else calls:
            yield from ((text, str(file.relative_to(ROOT))) for text in _fixed_words(node))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _fixed_words(tree: ast.AST) -> Iterator[str]:
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation | pieces:
            text = node.value
            if " " in text and _REASON.fullmatch(text):
                yield text


def _is_sentence(text: str) -> bool:
    begins = text[:1].isupper() or text.startswith("%(")
    return " " in text and begins and (text.rstrip().endswith((".", "?")) or text.startswith("Understood as"))


def danish() -> Catalog:
    """Return the Danish that is written so far."""
    with PO.open("rb") as file:
        return read_po(file, locale="da", domain="messages")


def update() -> Catalog:
    """Return the Danish catalogue in step with the code: new sentences empty, old ones gone, nothing guessed."""
    catalog = danish() if PO.exists() else Catalog(locale="da", domain="messages")
    catalog.update(said(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> bytes:
    """Return the catalogue as the file holds it: sorted, without dates that change at each run."""
    out = io.BytesIO()
    write_po(out, catalog, sort_output=True, omit_header=True, width=100, include_lineno=False)
    header = b'msgid ""\nmsgstr ""\n"Language: da\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return header + b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n' + out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return the compiled catalogue; it says nothing of when it was compiled, so that it stays the same."""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def gaps(catalog: Catalog) -> list[str]:
    """Return the sentences that lack their Danish, or whose placeholders differ."""
    missing = []
    for message in catalog:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(texts) or list(message.check(catalog)):
            missing.append(str(message.id))
    return missing


def main() -> None:
    """Update and compile the catalogue; with --check only say what is missing."""
    catalog = update()
    if "--check" not in sys.argv:
        FOLDER.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(written(catalog))
        MO.write_bytes(compiled(danish()))
    for message in gaps(catalog):
        print("no Danish:", message)  # noqa: T201 - this is a tool
    sys.exit(1 if gaps(catalog) else 0)


if __name__ == "__main__":
    main()
