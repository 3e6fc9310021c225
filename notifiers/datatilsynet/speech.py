"""Answers in words: times, numbers, contacts and codes as Danes and English readers write them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifiers.datatilsynet.form import Values

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DAYS = {
    "da": ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "da": "januar februar marts april maj juni juli august september oktober november december".split(),  # noqa: SIM905
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
}
WORDS = {
    "da": {
        "yes": "Ja",
        "no": "Nej",
        "estimated": "anslået",
        "ongoing": "Pågår stadig",
        "about": "ca. {low}",
        "between": "mellem {low} og {high}",
        "at_least": "mindst {low}",
        "at_most": "højst {high}",
        "case": "sagsnr. {case_id}",
        "email": "Svaret ser ud til at indeholde en e-mailadresse. Oplysninger om de berørte hører ikke hjemme her.",
        "phone": "Svaret ser ud til at indeholde et telefonnummer. Oplysninger om de berørte hører ikke hjemme her.",
        "cpr": "Svaret ser ud til at indeholde et CPR-nummer. Oplysninger om de berørte hører ikke hjemme her.",
        "too_long": "Svaret er på {length} tegn; der er plads til {limit}.",
        "unusual": "Svaret ser anderledes ud, end formularen venter. Kontrollér det.",
    },
    "en": {
        "yes": "Yes",
        "no": "No",
        "estimated": "estimate",
        "ongoing": "Still going on",
        "about": "about {low}",
        "between": "between {low} and {high}",
        "at_least": "at least {low}",
        "at_most": "at most {high}",
        "case": "case {case_id}",
        "email": "The answer seems to hold an e-mail address. Data about those affected do not belong here.",
        "phone": "The answer seems to hold a phone number. Data about those affected do not belong here.",
        "cpr": "The answer seems to hold a CPR number. Data about those affected do not belong here.",
        "too_long": "The answer has {length} characters; there is room for {limit}.",
        "unusual": "The answer looks different from what the form expects. Check it.",
    },
}


class Speaker:
    """Says the values of a record in one language and one time zone."""

    def __init__(self, language: str, zone: str, values: Mapping[str, Values]) -> None:
        """`zone` is an IANA name; `values` are the words of the codes, by canonical key."""
        self._language = language
        self._zone = ZoneInfo(zone)
        self._values = values
        self._words = WORDS[language]

    def word(self, name: str, **params: object) -> str:
        """Return one of the fixed texts."""
        return self._words[name].format(**params)

    def say(self, key: str, record: Mapping[str, Any]) -> str:
        """Return what the record says under a key, as a text; empty if it says nothing."""
        if f"{key}_kind" in record and not isinstance(record.get(key), str):
            return self.count(record.get(key), record[f"{key}_kind"], key)
        return self._say(key, record.get(key))

    def instant(self, text: str) -> str:
        """Return `fredag 20. november 2026 kl. 16.45 (UTC+1)`, or its English like."""
        moment = datetime.fromisoformat(text).astimezone(self._zone)
        clock = f"kl. {moment:%H.%M}" if self._language == "da" else f"at {moment:%H:%M}"
        return f"{self.day(moment.date())} {clock} ({_offset(moment)})"

    def day(self, day: date) -> str:
        """Return `fredag 20. november 2026`, or its English like."""
        weekday, month = _DAYS[self._language][day.weekday()], _MONTHS[self._language][day.month - 1]
        dot = "." if self._language == "da" else ""
        return f"{weekday} {day.day}{dot} {month} {day.year}"

    def number(self, value: int) -> str:
        """Return `12.400`, or `12,400` in English."""
        return f"{value:,}".replace(",", ".") if self._language == "da" else f"{value:,}"

    def count(self, value: object, kind: object, key: str) -> str:
        """Return how many, in words; `value` is `{"low": ..., "high": ...}` or None, `kind` a code."""
        ends = value if isinstance(value, Mapping) else {}
        low, high = ends.get("low"), ends.get("high")
        if low is None and high is None:
            return self.code(f"{key}_kind", str(kind)) if kind else ""
        if kind == "exact":
            return self.number(low or 0)
        if low is None:
            return self.word("at_most", high=self.number(high or 0))
        if high is None:
            return self.word("at_least", low=self.number(low))
        if low == high:
            return self.word("about", low=self.number(low))
        return self.word("between", low=self.number(low), high=self.number(high))

    def code(self, key: str, code: str) -> str:
        """Return the word for a code; an unknown one as it is."""
        words = self._values.get(key, {}).get(code)
        return code if words is None else words[self._language]

    def _say(self, key: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.word("yes" if value else "no")
        if isinstance(value, int):
            return self.number(value)
        if isinstance(value, Mapping):
            return self._party(key, value)
        if isinstance(value, list | tuple):
            together = "\n" if any(isinstance(item, Mapping) for item in value) else "; "
            return together.join(self._say(key, item) for item in value)
        return self._text(key, str(value))

    def _text(self, key: str, text: str) -> str:
        if _INSTANT.fullmatch(text):
            return self.instant(text)
        if _DATE.fullmatch(text):
            return self.day(date.fromisoformat(text))
        return self.code(key, text)

    def _party(self, key: str, value: Mapping[str, Any]) -> str:
        parts = dict(value)
        role = self.code(f"{key}.role", str(parts.pop("role"))) if parts.get("role") else ""
        if case_id := parts.pop("case_id", ""):
            parts["case_id"] = self.word("case", case_id=case_id)
        said = ", ".join(
            self._say(key, part) if isinstance(part, Mapping) else str(part) for part in parts.values() if part
        )
        return f"{role}: {said}" if role else said


def _offset(moment: datetime) -> str:
    seconds = int((moment.utcoffset() or moment - moment).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
