"""The canonical fields of a breach report, and what all plain records of them share.

A record is a plain mapping of canonical keys (`nature.cause`, `people.count`) to what JSON can hold: texts, codes,
lists of codes, instants as ISO 8601 in UTC with `Z`, counts as `{"low": 200, "high": 400}`. The fields and codes are
data (`config/edpb/fields.toml`), after the EDPB's common template of 2026.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from incident_tracker.domain.parties import LANGUAGES


class CanonicalFieldsAreBroken(ValueError):  # noqa: N818 - named for what is wrong
    """The shipped or corrected file of fields cannot be used; `mistakes` lists every one."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """Keep all mistakes, so that they are repaired in one go."""
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class CanonicalField:
    """One field: its labels, and for coded fields the codes with theirs, in the order of the template.

    `codes` maps a code to its labels by language; `incomplete_only` are the codes that may stand only while the
    notification is incomplete.
    """

    key: str
    section: str
    kind: str
    label: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    incomplete_only: frozenset[str]


@dataclass(frozen=True, slots=True)
class CanonicalFields:
    """All fields by key, in order, and the titles of the sections."""

    fields: Mapping[str, CanonicalField]
    sections: Mapping[str, Mapping[str, str]]

    def label(self, key: str, language: str) -> str:
        """Return what a field is called; an unknown key is shown as it is."""
        field = self.fields.get(key)
        return key if field is None else field.label[language]

    def word(self, key: str, code: str, language: str) -> str:
        """Return what a code of a field means; an unknown code is shown as it is."""
        field = self.fields.get(key)
        words = None if field is None else field.codes.get(code)
        return code if words is None else words[language]

    def choices(self, key: str, language: str) -> tuple[tuple[str, str], ...]:
        """Return the codes of a field with their words, for a form."""
        return tuple((code, words[language]) for code, words in self.fields[key].codes.items())


def fields_from(mapping: Mapping[str, Any]) -> CanonicalFields:
    """Return the fields that the parsed `config/edpb/fields.toml` describes.

    Raises CanonicalFieldsAreBroken with all mistakes: a field twice, a label without one of the languages.
    """
    mistakes: list[str] = []
    fields: dict[str, CanonicalField] = {}
    sections: dict[str, Mapping[str, str]] = {}
    for section in mapping.get("sections", ()):
        sections[section["id"]] = _labels(section.get("title"), f"section {section['id']}", mistakes)
        for raw in section.get("fields", ()):
            field = _field(section["id"], raw, mistakes)
            if field.key in fields:
                mistakes.append(f"{field.key}: is there twice")
            fields[field.key] = field
    if not fields:
        mistakes.append("sections: there are no fields")
    if mistakes:
        raise CanonicalFieldsAreBroken(mistakes)
    return CanonicalFields(MappingProxyType(fields), MappingProxyType(sections))


def _field(section: str, raw: Mapping[str, Any], mistakes: list[str]) -> CanonicalField:
    key = str(raw.get("key", ""))
    if not key:
        mistakes.append(f"section {section}: a field has no key")
    values = raw.get("values", ())
    return CanonicalField(
        key=key,
        section=section,
        kind=str(raw.get("kind", "text")),
        label=_labels(raw.get("label"), key, mistakes),
        codes=MappingProxyType(
            {value["code"]: _labels(value, f"{key} {value['code']}", mistakes) for value in values}
        ),
        incomplete_only=frozenset(value["code"] for value in values if value.get("incomplete_only")),
    )


def _labels(raw: Mapping[str, str] | None, where: str, mistakes: list[str]) -> Mapping[str, str]:
    labels = {language: str((raw or {}).get(language, "")) for language in LANGUAGES}
    mistakes.extend(f"{where}: no label in {language!r}" for language, text in labels.items() if not text.strip())
    return MappingProxyType(labels)


@dataclass(frozen=True, slots=True)
class Change:
    """What one key of a record said before and says now; None where it said nothing."""

    key: str
    before: object
    after: object


def difference(older: Mapping[str, object], newer: Mapping[str, object]) -> tuple[Change, ...]:
    """Return what changed between two records, in the order of the newer one; silence equals an empty answer."""
    keys = [*newer, *(key for key in older if key not in newer)]
    return tuple(
        Change(key, _said(older.get(key)), _said(newer.get(key)))
        for key in keys
        if _said(older.get(key)) != _said(newer.get(key))
    )


def _said(value: object) -> object:
    return None if value in (None, "", [], {}) else value


def canonical_json(record: Mapping[str, object]) -> bytes:
    """Return the one way to write a record down: keys sorted, no spaces, UTF-8. Numbers are whole.

    Raises TypeError for what JSON cannot hold or another program would write differently (fractions).
    """
    _refuse_fractions(record)
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def digest(record: Mapping[str, object]) -> str:
    """Return the SHA-256 of a record as 64 hexadecimal characters; equal records have equal digests."""
    return hashlib.sha256(canonical_json(record)).hexdigest()


def _refuse_fractions(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"a record holds whole numbers only, not {value!r}")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a record's keys are texts, not {key!r}")
            _refuse_fractions(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_fractions(item)
