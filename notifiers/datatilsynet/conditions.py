"""When a question must be answered: a handful of fixed predicates over the record, read from plain text.

This is not a language. What does not match one of the forms below is refused when the form is loaded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_KEY = r"(?P<key>[a-z0-9_]+(?:\.[a-z0-9_]+)+)"
_CODE = r"""['"]?(?P<code>[A-Za-z0-9_]+)['"]?"""
_COMPARED = re.compile(rf"{_KEY} (?P<how>==|!=|contains) {_CODE}")
_LISTED = re.compile(rf"{_KEY} in \[(?P<codes>[A-Za-z0-9_, '\"]+)\]")
_LATE = re.compile(rf"filed later than {_KEY} \+ (?P<hours>\d{{1,4}}) h")

FORMS = (
    "always, FIELD == CODE, FIELD != CODE, FIELD in [CODE, CODE], FIELD contains CODE, filed later than FIELD + N h"
)


class ConditionIsUnknownError(ValueError):
    """A condition is written in none of the known forms."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One predicate: `how` is `always`, `is`, `is_not`, `in`, `contains` or `late`."""

    how: str
    key: str = ""
    codes: tuple[str, ...] = ()
    hours: int = 0

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Return whether it holds for a record. What the record does not say equals no code."""
        if self.how == "always":
            return True
        value = record.get(self.key)
        if self.how == "late":
            return self._late(value, record.get("report.as_of"))
        if self.how == "contains":
            return isinstance(value, list) and self.codes[0] in value
        said = str(value).lower() if isinstance(value, bool) else value
        return (said in self.codes) != (self.how == "is_not")

    def _late(self, anchor: object, as_of: object) -> bool:
        if not isinstance(anchor, str) or not isinstance(as_of, str):
            return False
        return datetime.fromisoformat(as_of) > datetime.fromisoformat(anchor) + timedelta(hours=self.hours)


def read(text: str) -> Condition:
    """Return the condition that a form's text states; raise ConditionIsUnknownError, which names the known forms."""
    said = " ".join(text.split())
    if said == "always":
        return Condition("always")
    if found := _COMPARED.fullmatch(said):
        how = {"==": "is", "!=": "is_not", "contains": "contains"}[found["how"]]
        return Condition(how, found["key"], (found["code"],))
    if found := _LISTED.fullmatch(said):
        codes = tuple(code.strip(" '\"") for code in found["codes"].split(","))
        if all(codes):
            return Condition("in", found["key"], codes)
    if found := _LATE.fullmatch(said):
        return Condition("late", found["key"], hours=int(found["hours"]))
    raise ConditionIsUnknownError(f"{text!r} is not a condition I know; known are: {FORMS}")
