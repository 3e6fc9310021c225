"""Personal data of affected people in a text where they do not belong: e-mail addresses, phone and CPR numbers.

Datatilsynet wants none of them in a report (https://www.datatilsynet.dk/english/report-a-breach). What is found is a
warning, never a refusal: a finding may be wrong, and a name is not found at all.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What a piece of text seems to be."""

    EMAIL = "email"
    PHONE = "phone"
    CPR = "cpr"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where something was found: `text[start:end]`. The text itself is not kept."""

    kind: FindingKind
    start: int
    end: int


def personal_data_found(text: str) -> tuple[Finding, ...]:
    """Return what looks like personal data, in the order of the text.

    Not found, on purpose: journal numbers (2026-441-1234), CVR numbers, references, dates, times, counts, and the
    identifiers of a submission (40 hexadecimal characters).
    """
    visible = _HARMLESS.sub(_blank, _DIGIT.sub(_ascii, text))
    found = list(_emails(visible))
    for finding in (*_cpr_numbers(visible), *_phones(visible)):
        if all(finding.end <= other.start or finding.start >= other.end for other in found):
            found.append(finding)
    return tuple(sorted(found, key=lambda finding: finding.start))


_HARMLESS = re.compile(
    r"(?<![\w-])(?:"
    r"[0-9a-fA-F]{40}"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|\d{4}-\d{2,4}-\d{1,6}"  # journal numbers, and dates
    r"|\d{4}-\d{4,6}"  # references such as 2026-0007 and 2021-017514
    r")(?![\w-])"
)
_DIGIT = re.compile(r"[^\D0-9]")
_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?!\w)")
_CPR = re.compile(r"(?<![\d-])(?<!\d[.,])(\d\d)(\d\d)(\d\d)(?: ?[-\u2010-\u2015] ?| )?(\d)(\d{3})(?![\d-])(?![.,]\d)")
_INTERNATIONAL = re.compile(r"(?<![\w+])\(?(?:\+|00)[1-9]\d{0,2}\)?(?:[ ()./-]{0,2}\d){6,12}(?!\d)")
_DANISH = re.compile(
    r"(?<![\d+/-])(?<!\d[.,])(?<!\d )"
    r"(?:[2-9]\d(?: \d\d){3}|[2-9]\d(?:-\d\d){3}|[2-9]\d{3} \d{4}|(?P<bare>[2-9]\d{7}))"
    r"(?![\d-])(?! \d)(?![.,/]\d)"
)
_NOT_A_PHONE = re.compile(
    r"(?<![^\W_])(?:cvr|se-nr|p-nr|ean|ref|reference|journal|id"
    r"|(?:se|p|cvr|sags?|journal|ordre|faktura|kunde|reference|order|invoice|case|customer)[- ]?"
    r"(?:nr|nummer|no|number|id))[.:# ]{0,3}$",
    re.IGNORECASE,
)
_DATE_RUN = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_BEFORE = 24
_DAY_SHIFT = 60


def _ascii(digit: re.Match[str]) -> str:
    return str(int(digit.group()))


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _emails(text: str) -> Iterator[Finding]:
    for found in _EMAIL.finditer(text):
        yield Finding(FindingKind.EMAIL, found.start(), found.end())


def _cpr_numbers(text: str) -> Iterator[Finding]:
    for found in _CPR.finditer(text):
        day, month, year, seventh = (int(found[part]) for part in (1, 2, 3, 4))
        if _is_a_birthday(day, month, year, seventh):
            yield Finding(FindingKind.CPR, found.start(), found.end())


def _is_a_birthday(day: int, month: int, year: int, seventh: int) -> bool:
    """Return whether a CPR number's first part is a date; 60 is added to the day of a replacement number.

    The century follows the seventh digit (https://cpr.dk, "Personnummeret i CPR"). The check digit is not
    demanded: numbers without it have been given out since 2007.
    """
    if day > _DAY_SHIFT:
        day -= _DAY_SHIFT
    if not 1 <= month <= 12 or day < 1:  # noqa: PLR2004 - months
        return False
    return day <= calendar.monthrange(_century(year, seventh) + year, month)[1]


def _century(year: int, seventh: int) -> int:
    if seventh <= 3:  # noqa: PLR2004 - the table of the CPR office
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900  # noqa: PLR2004
    return 2000 if year <= 57 else 1800  # noqa: PLR2004


def _phones(text: str) -> Iterator[Finding]:
    for found in _INTERNATIONAL.finditer(text):
        yield Finding(FindingKind.PHONE, found.start(), found.end())
    for found in _DANISH.finditer(text):
        if _NOT_A_PHONE.search(text[max(0, found.start() - _BEFORE) : found.start()]):
            continue
        bare = found["bare"]
        if bare and (bare.endswith("000") or _DATE_RUN.fullmatch(bare)):
            continue
        yield Finding(FindingKind.PHONE, found.start(), found.end())
