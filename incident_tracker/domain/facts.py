"""Facts to plain data and back, by the types that the dataclasses declare.

Instants are written as ISO 8601 in UTC with `Z`, enumerations by value, ranges and assessments as mappings.
Unknown keys are ignored and missing ones take their default, so that an old journal stays readable.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

Fact = TypeVar("Fact")


def instant_text(value: datetime) -> str:
    """Return an aware instant as `2026-11-22T18:31:00Z`, with microseconds where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_plain(value: object) -> Any:  # noqa: PLR0911 - one line a kind of value
    """Return what JSON can hold for a fact, a value or a collection of them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: to_plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(to_plain(item) for item in value)
    return value


def from_plain(kind: type[Fact], plain: Mapping[str, Any]) -> Fact:
    """Return the dataclass `kind` that `plain` describes."""
    known = _types_of(kind)  # type: ignore[arg-type] # a class is hashable
    return kind(**{name: _read(wanted, plain[name]) for name, wanted in known.items() if name in plain})


@cache
def _types_of(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {part.name: hints[part.name] for part in dataclasses.fields(kind) if part.init}


def _read(wanted: Any, plain: Any) -> Any:  # noqa: PLR0911 - one line a kind of type
    if plain is None:
        return None
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        inner = [option for option in typing.get_args(wanted) if option is not type(None)]
        return _read(inner[0], plain)
    if origin is tuple:
        return tuple(_read(typing.get_args(wanted)[0], item) for item in plain)
    if origin is frozenset:
        return frozenset(_read(typing.get_args(wanted)[0], item) for item in plain)
    if origin in (dict, Mapping):
        return {key: _read(typing.get_args(wanted)[1], item) for key, item in plain.items()}
    if dataclasses.is_dataclass(wanted):
        return from_plain(typing.cast("type", wanted), plain)
    if isinstance(wanted, type):
        return _read_class(wanted, plain)
    return plain


def _read_class(wanted: type, plain: Any) -> Any:
    if issubclass(wanted, datetime):
        return datetime.fromisoformat(plain)
    if issubclass(wanted, date):
        return date.fromisoformat(plain)
    if issubclass(wanted, Enum):
        return wanted(plain)
    return plain
