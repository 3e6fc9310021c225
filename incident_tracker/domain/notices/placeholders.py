"""Values in text that people write: the few placeholders there are, and how they are put in.

`{{name}}`, `{{reference}}`, `{{contact}}` and `{{field.<column>}}`, nothing else. Filling is one pass over the text:
what a value says is never read as a placeholder, and braces of any other kind are printed as they are.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.notices import VALUE_LIMIT

NAME, REFERENCE, CONTACT = "name", "reference", "contact"
FIXED = (NAME, REFERENCE, CONTACT)
FIELD = "field."
MOST = 100
"""How often a text may call for a value; with the limit of a value it bounds every message."""
_ANY = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_SPACED_NAME = re.compile(r"[ \t]+\{\{\s*name\s*\}\}", re.IGNORECASE)
SPACED = "spaced_name"


class PlaceholderUnknown(Refusal):
    """Double braces that name no value."""

    message = "“{{%(name)s}}” is not a placeholder. These work: %(known)s."


class TooManyPlaceholders(Refusal):
    """A text that is mostly placeholders."""

    message = "The text has %(count)s placeholders, at most %(limit)s. Use fewer."


def known(columns: Collection[str]) -> tuple[str, ...]:
    """Return the placeholders that work with a list that has these further columns, as they are written."""
    return tuple(f"{{{{{name}}}}}" for name in (*FIXED, *(f"{FIELD}{column}" for column in columns)))


def check(text: str, columns: Collection[str], field: str) -> None:
    """Refuse anything in double braces that is not a placeholder, naming those that are; `field` is the form's."""
    names = [_plain(found) for found in _ANY.findall(text)]
    if len(names) > MOST:
        raise TooManyPlaceholders(field=field, count=len(names), limit=MOST)
    for name in names:
        if name not in FIXED and column_of(name, columns) is None:
            raise PlaceholderUnknown(field=field, name=name[:40], known=known(columns))
    left = _ANY.sub("", text)
    if "{{" in left or "}}" in left:
        raise PlaceholderUnknown(field=field, name="", known=known(columns))


def column_of(name: str, columns: Collection[str]) -> str | None:
    """Return the column of the list that `field.<column>` names, whatever its case; None where there is none."""
    if not name.casefold().startswith(FIELD):
        return None
    wanted = " ".join(name[len(FIELD) :].split()).casefold()
    return next((column for column in columns if " ".join(column.split()).casefold() == wanted), None)


def columns_used(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what stands after `field.` in some texts, in alphabetical order, in lower case."""
    names = {_plain(found) for text in texts for found in _ANY.findall(text)}
    return tuple(sorted(" ".join(one[len(FIELD) :].split()).casefold() for one in names if one.startswith(FIELD)))


def compiled(text: str, fixed: Mapping[str, str], columns: Collection[str]) -> str:
    """Return a checked text as the outbox fills it: what is the same for everybody is put in already.

    `fixed` holds reference and contact. Columns become `{{f1}}`, `{{f2}}` in the order of `columns`, since a column
    may have any name. A blank before the name belongs to it, so that without a name nothing stands before the comma.
    """
    order = {column.casefold(): f"f{number}" for number, column in enumerate(columns, 1)}

    def put(found: re.Match[str]) -> str:
        name = _plain(found[1])
        if name in fixed:
            return harmless(fixed[name])
        if name.startswith(FIELD):
            return f"{{{{{order[' '.join(name[len(FIELD) :].split()).casefold()]}}}}}"
        return f"{{{{{name}}}}}"

    return _ANY.sub(put, _SPACED_NAME.sub(f"{{{{{SPACED}}}}}", text))


def values(name: str, fields: Mapping[str, str], columns: Collection[str]) -> dict[str, str]:
    """Return one person's values for a compiled text; what she has no value for is empty."""
    said = cut(name)
    by_column = {" ".join(column.split()).casefold(): value for column, value in fields.items()}
    found = {NAME: said, SPACED: f" {said}" if said else ""}
    return found | {
        f"f{number}": cut(by_column.get(column.casefold(), "")) for number, column in enumerate(columns, 1)
    }


def fill(text: str, given: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Return a compiled text with its values; what has no value stays as it is."""
    return _ANY.sub(lambda found: escape(given[found[1]]) if found[1] in given else found[0], text)


def cut(value: str) -> str:
    """Return a value on one line and no longer than allowed."""
    line = " ".join(value.split())
    return line if len(line) <= VALUE_LIMIT else f"{line[: VALUE_LIMIT - 3]}..."


def harmless(value: str) -> str:
    """Return a value of ours without what would be read as a placeholder."""
    return value.replace("{{", "((").replace("}}", "))")


def without(text: str, instead: str = "x") -> str:
    """Return a text with one word for each placeholder, for measuring."""
    return _ANY.sub(instead, text)


def _plain(found: str) -> str:
    name = " ".join(found.split())
    return name.casefold() if name.casefold() in FIXED or name.casefold().startswith(FIELD) else name
