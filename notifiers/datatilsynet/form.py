"""The form as data: sections, questions, values and conditions, read from parsed TOML with all mistakes at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifiers.datatilsynet.conditions import Condition, ConditionIsUnknownError, read
from notifiers.protocol import NotifierSettingsError

LANGUAGES = ("da", "en")
_TIMES = ("datetime", "datetime_or_unknown", "datetime_or_ongoing")
KINDS = frozenset((*_TIMES, "text", "enum", "multi", "bool", "contact", "list", "int_or_range_or_unknown"))

LEVELS = ("submission", "incident", "case")

Words = Mapping[str, str]
"""A text by language."""
Values = Mapping[str, Words]
"""Codes with their words."""


@dataclass(frozen=True, slots=True)
class Part:
    """A further field of the record that belongs to an answer; `label` is empty where it needs none."""

    key: str
    label: Words


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. `source` is the record's key that answers it, if any; `canonical` is that key where it is one."""

    key: str
    section: str
    label: Words
    hint: Words
    kind: str
    canonical: str | None
    source: str | None
    also: tuple[Part, ...]
    derived_from: Condition | None
    required: Condition | None
    values: Values
    pattern: re.Pattern[str] | None
    max_length: int | None
    own_words: bool
    blocks: bool
    contact: bool


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number that the authority gives; `patterns` say what it usually looks like.

    `level` is `submission` (each report has its own), `incident` (ours) or `case` (the authority's journal number).
    """

    key: str
    level: str
    label: Words
    patterns: tuple[re.Pattern[str], ...]
    on_mismatch: Words


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form."""

    name: str
    banner: Words
    checked: bool
    form_url: str
    notes: tuple[Words, ...]
    sections: tuple[tuple[str, Words], ...]
    fields: tuple[FormField, ...]
    identifiers: tuple[Identifier, ...]
    values: Mapping[str, Values]


def form_from(raw: Mapping[str, Any]) -> Form:
    """Return the form that the parsed file describes; raise NotifierSettingsError with every mistake."""
    return _Reader(raw).form()


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._mistakes: list[str] = []

    def form(self) -> Form:
        raw = self._raw
        sections = tuple(
            (str(part.get("id", "")), self._words(part.get("title"), f"section {part.get('id')}"))
            for part in self._tables(raw, "sections")
        )
        fields = tuple(self._fields())
        form = Form(
            name=str(raw.get("name", "Datatilsynet")),
            banner=self._words(raw.get("banner"), "banner"),
            checked=self._checked(),
            form_url=next((str(one["url"]) for one in self._tables(raw, "channels") if "url" in one), ""),
            notes=tuple(self._words(raw[name], name) for name in ("no_subject_data", "receipt") if name in raw),
            sections=sections,
            fields=fields,
            identifiers=tuple(self._identifier(one) for one in self._tables(raw, "identifiers")),
            values=self._value_lists(fields),
        )
        self._check_whole(form)
        if self._mistakes:
            raise NotifierSettingsError(self._mistakes)
        return form

    def _fields(self) -> Iterator[FormField]:
        for section in self._tables(self._raw, "sections"):
            for raw in self._tables(section, "fields"):
                yield self._field(str(section.get("id", "")), raw)

    def _field(self, section: str, raw: Mapping[str, Any]) -> FormField:
        key = str(raw.get("key", ""))
        where = key or f"a question of section {section}"
        if not key:
            self._mistakes.append(f"{where}: has no key")
        for name in sorted(set(raw) - _FIELD_NAMES):
            self._mistakes.append(f"{where}: {name!r} is not a setting of a question")
        kind = str(raw.get("kind", "text"))
        if kind not in KINDS:
            self._mistakes.append(f"{where}: kind {kind!r} is not one of {', '.join(sorted(KINDS))}")
        longest = raw.get("max_length")
        if longest is not None and (not isinstance(longest, int) or longest < 1):
            self._mistakes.append(f"{where}: max_length must be a whole number above 0")
            longest = None
        return FormField(
            key=key,
            section=section,
            label=self._words(raw.get("label"), where),
            hint=self._words(raw["hint"], f"{where} hint") if "hint" in raw else _NO_WORDS,
            kind=kind,
            canonical=raw.get("canonical"),
            source=raw.get("canonical") or raw.get("source"),
            also=tuple(self._part(part, where) for part in self._tables(raw, "also")),
            derived_from=self._condition(raw.get("derived_from"), where),
            required=self._condition(raw.get("required_when"), where),
            values=self._values(raw, where),
            pattern=self._pattern(raw.get("pattern"), where),
            max_length=longest,
            own_words=bool(raw.get("own_words", True)),
            blocks=bool(raw.get("blocks", False)),
            contact=bool(raw.get("contact", False)),
        )

    def _part(self, raw: Mapping[str, Any], where: str) -> Part:
        label = self._words(raw, f"{where} also") if "da" in raw or "en" in raw else _NO_WORDS
        return Part(str(raw.get("canonical", "")), label)

    def _identifier(self, raw: Mapping[str, Any]) -> Identifier:
        key = str(raw.get("key", "an identifier"))
        level = str(raw.get("level", ""))
        if level not in LEVELS:
            self._mistakes.append(f"{key}: level {level!r} is not one of {', '.join(LEVELS)}")
        patterns = (self._pattern(raw.get(name), key) for name in ("pattern", "usual"))
        return Identifier(
            key=key,
            level=level,
            label=self._words(raw.get("label"), key),
            patterns=tuple(pattern for pattern in patterns if pattern is not None),
            on_mismatch=self._words(raw["on_mismatch"], f"{key} on_mismatch") if "on_mismatch" in raw else _NO_WORDS,
        )

    def _value_lists(self, fields: Sequence[FormField]) -> dict[str, Values]:
        lists: dict[str, Values] = {
            str(one.get("field", "")): self._values(one, f"value list {one.get('field')}")
            for one in self._tables(self._raw, "value_lists")
        }
        return lists | {field.source: field.values for field in fields if field.source and field.values}

    def _values(self, raw: Mapping[str, Any], where: str) -> Values:
        return {
            str(value.get("code", "")): self._words(value, f"{where} {value.get('code')}")
            for value in self._tables(raw, "values")
        }

    def _words(self, raw: object, where: str) -> Words:
        given = raw if isinstance(raw, Mapping) else {}
        words = {language: str(given.get(language, "")) for language in LANGUAGES}
        self._mistakes.extend(f"{where}: no text in {name!r}" for name, text in words.items() if not text.strip())
        return words

    def _condition(self, text: object, where: str) -> Condition | None:
        if text is None:
            return None
        try:
            return read(str(text))
        except ConditionIsUnknownError as mistake:
            self._mistakes.append(f"{where}: {mistake}")
            return None

    def _pattern(self, text: object, where: str) -> re.Pattern[str] | None:
        if text is None:
            return None
        try:
            return re.compile(str(text))
        except re.error as mistake:
            self._mistakes.append(f"{where}: the pattern {text!r} cannot be read ({mistake})")
            return None

    def _checked(self) -> bool:
        by, at = (str(self._raw.get(name, "")).strip() for name in ("verified_by", "verified_at"))
        if bool(by) != bool(at):
            self._mistakes.append("verified_by and verified_at: fill both, or neither")
        if at:
            try:
                date.fromisoformat(at)
            except ValueError:
                self._mistakes.append(f"verified_at: {at!r} is not a date such as 2026-12-01")
        return bool(by and at)

    def _tables(self, raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        given = raw.get(name, [])
        if isinstance(given, list) and all(isinstance(one, Mapping) for one in given):
            return given
        self._mistakes.append(f"{name}: must be a list of tables")
        return []

    def _check_whole(self, form: Form) -> None:
        if not form.fields:
            self._mistakes.append("sections: there are no questions")
        keys = [field.key for field in form.fields]
        self._mistakes.extend(f"{key}: is there twice" for key in dict.fromkeys(keys) if keys.count(key) > 1)
        known = {field.source for field in form.fields} | set(keys) | set(self._raw.get("condition_fields", ()))
        asked: list[tuple[str, Condition | None]] = [
            *((field.key, field.required) for field in form.fields),
            *((field.key, field.derived_from) for field in form.fields),
        ]
        for key, condition in asked:
            if condition is not None and condition.key and condition.key not in known:
                self._mistakes.append(f"{key}: the condition asks about {condition.key!r}, which no question answers")


_NO_WORDS: Words = dict.fromkeys(LANGUAGES, "")
_ABOUT_ANSWER = ("canonical", "source", "also", "derived_from", "values", "own_words", "contact")
_ABOUT_CHECKS = ("required_when", "pattern", "max_length", "blocks")
_FIELD_NAMES = frozenset(("key", "label", "hint", "kind", "note", *_ABOUT_ANSWER, *_ABOUT_CHECKS))
