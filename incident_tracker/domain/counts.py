"""How many: people or records, exactly, about, between two numbers, or not known.

GDPR Art. 33(3)(a) asks for approximate numbers "where possible"; the EDPB's template tells apart what is exact,
approximate, impossible to determine, and still to be determined.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from incident_tracker.domain.errors import Refusal

LARGEST = 10_000_000_000
"""More than all people: a larger number is a slip of the finger."""


class CountIsUnreadable(Refusal):
    """A number of people or records cannot be understood."""

    message = "“%(text)s” is not a number I can read. Write for example 1, 12.400, about 300, 200-400, or unknown."


class CountIsNotWhole(Refusal):
    """Half a person, or thousands separated in a strange place."""

    message = "“%(text)s” is not a whole number. Write thousands as 12.400 or 12400."


class CountIsNegative(Refusal):
    """Fewer than nobody."""

    message = "A number cannot be below zero. Write 0 if nobody is affected."


class CountIsTooLarge(Refusal):
    """More than there are people."""

    message = "“%(text)s” is too large. Write at most 10.000.000.000."


class CountIsBackwards(Refusal):
    """The larger number stands first."""

    message = "The larger number stands first. Write the smaller one first: %(low)s-%(high)s."


class CountKind(StrEnum):
    """How sure a count is, in the codes of the EDPB's template."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    CANNOT_BE_DETERMINED = "cannot_be_determined"
    TBD = "tbd"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a count says, for reading it back: `message` is an English sentence with places for `params`."""

    message: str
    params: Mapping[str, int]

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.message % self.params


@dataclass(frozen=True, slots=True)
class CountRange:
    """A count with its two ends, both included. An end that is None is open.

    `exact` has equal ends; `approximate` may be one number ("about 300": equal ends), a range, or open on one side;
    the other two kinds have no ends.
    """

    kind: CountKind
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        """Refuse ends that do not fit the kind; `read` never makes such."""
        known = self.kind in (CountKind.EXACT, CountKind.APPROXIMATE)
        if known == (self.low is None and self.high is None):
            raise ValueError(f"ends {self.low}-{self.high} do not fit {self.kind}")
        if self.kind is CountKind.EXACT and self.low != self.high:
            raise ValueError("an exact count has one number")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise CountIsBackwards(low=self.high, high=self.low)

    @classmethod
    def read(cls, text: str, field: str) -> "CountRange":
        """Return the count that a person wrote, in Danish or English.

        Reads `1`, `12.400`, `ca. 12.400`, `200-400`, `mellem 200 og 400`, `under 50`, `mindst 10`, `ved ikke`,
        `kan ikke fastslås` and their like. Raises CountIsUnreadable and its kin, with `field`.
        """
        words = " ".join(text.split()).casefold().rstrip(".!")
        if _TBD.fullmatch(words):
            return cls(CountKind.TBD)
        if _CANNOT.fullmatch(words):
            return cls(CountKind.CANNOT_BE_DETERMINED)
        start = _START.match(words)
        shape = start.lastgroup if start else None
        rest = _UNIT.sub("", words[start.end() :] if start else words)
        ends = _BETWEEN.split(rest)
        if len(ends) > _ENDS or (len(ends) == _ENDS and shape not in (None, "about", "between")):
            raise CountIsUnreadable(field=field, text=_short(text))
        numbers = [_number(end, ends[-1], field, text) for end in ends]
        if len(numbers) == _ENDS:
            return cls._between(numbers[0], numbers[1], field)
        return cls._one_sided(shape, numbers[0], field, text)

    @classmethod
    def _between(cls, low: int, high: int, field: str) -> "CountRange":
        if low > high:
            raise CountIsBackwards(field=field, low=high, high=low)
        return cls(CountKind.APPROXIMATE, low, high)

    @classmethod
    def _one_sided(cls, shape: str | None, number: int, field: str, text: str) -> "CountRange":
        if shape is None:
            return cls(CountKind.EXACT, number, number)
        if shape == "between" or (shape == "under" and number == 0):
            raise CountIsUnreadable(field=field, text=_short(text))
        low, high = {
            "about": (number, number),
            "at_least": (number, None),
            "over": (number + 1, None),
            "at_most": (None, number),
            "under": (None, number - 1),
        }[shape]
        return cls(CountKind.APPROXIMATE, low, high)

    def text(self, language: str = "da") -> str:
        """Return a short text that `read` reads as the same count, for a form's field."""
        return _TEXTS[language][self._shape()] % {"low": self.low, "high": self.high}

    def reading(self, of: str = "people") -> Reading:
        """Return how the count was understood, for the line under a field; `of` is `people` or `records`."""
        return Reading(_READINGS[of][self._shape()], self._ends())

    def _ends(self) -> Mapping[str, int]:
        ends = {"low": self.low, "high": self.high}
        return MappingProxyType({name: value for name, value in ends.items() if value is not None})

    def _shape(self) -> str:
        if self.kind is not CountKind.APPROXIMATE:
            return "one" if self.low == 1 else self.kind.value
        if self.low is None:
            return "at_most"
        if self.high is None:
            return "at_least"
        return "about" if self.low == self.high else "between"


_TBD = re.compile(
    r"\?|ved ikke|ved vi ikke|vi ved ikke|vi ved det ikke|ved ikke endnu|vides ikke|ukendt|ikke kendt"
    r"|endnu ikke kendt|skal afklares|undersøges|unknown|not known|not known yet|not yet known|don't know|dont know"
    r"|do not know|tbd|to be determined|under investigation"
)
_CANNOT = re.compile(
    r"-|kan ikke fastslås|kan ikke opgøres|kan ikke afgøres|kan ikke bestemmes|cannot be determined"
    r"|can't be determined|cannot be established|impossible to determine"
)
_ENDS = 2
_START = re.compile(
    r"(?:(?P<at_least>mindst|minimum|min\.?|ikke under|at least|≥|>=)"
    r"|(?P<over>over|flere end|mere end|more than|above|>)"
    r"|(?P<at_most>højst|højest|maksimalt|maks\.?|max\.?|maximum|op til|at most|up to|≤|<=)"
    r"|(?P<under>under|færre end|mindre end|fewer than|less than|below|<)"
    r"|(?P<between>(?:ca\.? |about )?(?:mellem|fra|between|from))"
    r"|(?P<about>ca\.?|cirka|circa|omkring|omtrent|about|around|approximately|approx\.?|~|≈)) ?"
)
_UNIT = re.compile(
    r" (?:berørte |affected )?(?:personer|person|mennesker|kunder|brugere|registrerede|people|persons|customers|users"
    r"|individuals|registreringer|registrering|poster|records|record|stk)$"
)
_BETWEEN = re.compile(r"(?<=[^ ]) ?(?:[-\u2010-\u2015]| til | to | og | and ) ?(?=\d)")
_NUMBER = re.compile(r"(?P<minus>[-\u2212])?(?P<digits>\d[\d., '\u2019]*?)(?: ?(?P<scale>[^\d\W]+\.?))?")
_WHOLE = re.compile(r"\d+|\d{1,3}(?P<mark>[., '\u2019])\d{3}(?:(?P=mark)\d{3})*")
_DECIMAL = re.compile(r"(?P<whole>\d{1,4})[.,](?P<part>\d{1,2})")
_SCALES = (
    dict.fromkeys(("k", "tusind", "tusinde", "thousand"), 1_000)
    | dict.fromkeys(("mio", "mio.", "mill", "mill.", "million", "millioner", "millions"), 1_000_000)
)  # fmt: skip
_LONGEST = 30


def _number(text: str, last: str, field: str, whole_text: str) -> int:
    """Return one end as a whole number; a scale on the last end ("2-3 mio.") counts for both."""
    found = _NUMBER.fullmatch(text)
    behind = _NUMBER.fullmatch(last)
    if found is None or behind is None:
        raise CountIsUnreadable(field=field, text=_short(whole_text))
    if found["minus"]:
        raise CountIsNegative(field=field)
    scale = found["scale"] or behind["scale"]
    if scale and scale not in _SCALES:
        raise CountIsUnreadable(field=field, text=_short(whole_text))
    if len(found["digits"]) > _LONGEST:
        raise CountIsTooLarge(field=field, text=_short(whole_text))
    number = _value(found["digits"], _SCALES.get(scale or "", 1))
    if number is None:
        raise CountIsNotWhole(field=field, text=_short(whole_text))
    if number > LARGEST:
        raise CountIsTooLarge(field=field, text=_short(whole_text))
    return number


def _value(digits: str, scale: int) -> int | None:
    if _WHOLE.fullmatch(digits):
        return int(re.sub(r"\D", "", digits)) * scale
    decimal = _DECIMAL.fullmatch(digits)
    if decimal is None or scale == 1:
        return None
    share: int = 10 ** len(decimal["part"])
    return int(decimal["whole"]) * scale + int(decimal["part"]) * scale // share


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


_TEXTS = {
    "da": {
        "one": "%(low)s",
        "exact": "%(low)s",
        "about": "ca. %(low)s",
        "between": "%(low)s-%(high)s",
        "at_least": "mindst %(low)s",
        "at_most": "højst %(high)s",
        "tbd": "ved ikke",
        "cannot_be_determined": "kan ikke fastslås",
    },
    "en": {
        "one": "%(low)s",
        "exact": "%(low)s",
        "about": "about %(low)s",
        "between": "%(low)s-%(high)s",
        "at_least": "at least %(low)s",
        "at_most": "at most %(high)s",
        "tbd": "unknown",
        "cannot_be_determined": "cannot be determined",
    },
}
_READINGS = {
    "people": {
        "one": "Understood as exactly one person",
        "exact": "Understood as exactly %(low)s people",
        "about": "Understood as about %(low)s people",
        "between": "Understood as between %(low)s and %(high)s people",
        "at_least": "Understood as at least %(low)s people",
        "at_most": "Understood as at most %(high)s people",
        "tbd": "Understood as: the number of people is not known yet",
        "cannot_be_determined": "Understood as: the number of people cannot be determined",
    },
    "records": {
        "one": "Understood as exactly one record",
        "exact": "Understood as exactly %(low)s records",
        "about": "Understood as about %(low)s records",
        "between": "Understood as between %(low)s and %(high)s records",
        "at_least": "Understood as at least %(low)s records",
        "at_most": "Understood as at most %(high)s records",
        "tbd": "Understood as: the number of records is not known yet",
        "cannot_be_determined": "Understood as: the number of records cannot be determined",
    },
}
