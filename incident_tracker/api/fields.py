"""The kinds of values that requests hold: strict, without guessing, and as JSON Schema has them."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from incident_tracker.domain import periods

LONG = 20_000
LINE = 200
_RFC_3339 = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_TOO_FINE = re.compile(r"(\.\d{6})\d+", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)


class Body(BaseModel):
    """What a request says. Nothing is converted, and nothing is taken that the document does not name."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """What an address asks for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _instant(value: Any, about: ValidationInfo) -> datetime:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise PydanticCustomError("time", "not a time with offset")
    return periods.parse_iso(_TOO_FINE.sub(r"\1", value.upper()), about.field_name)


def _whole(value: Any) -> Any:
    """Return a whole number that is written with a point, as JSON Schema counts it: 2233.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digits(value: Any) -> Any:
    """Return a number of an address; digits of other scripts are none."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not a whole number")
    return value


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T21:15:00+01:00"]}),
]
"""A time with its offset (RFC 3339)."""
Many = Annotated[int, Field(ge=0, le=10_000_000_000), BeforeValidator(_whole)]
"""A number of people or records."""
Version = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_whole)]
Line = Annotated[str, Field(max_length=LINE)]
Text = Annotated[str, Field(max_length=LONG)]
Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(digits)]
Cursor = Annotated[str, Field(max_length=200)]


class OfIncident(BaseModel):
    """The incident that an address names."""

    reference: str = Field(description="Such as 2026-0001.", examples=["2026-0001"])


class Paging(Query):
    """Which part of a list."""

    limit: Limit = Field(50, description="At most so many items.")
    cursor: Cursor | None = Field(None, description="`next` of the part before; without it, the first part.")
