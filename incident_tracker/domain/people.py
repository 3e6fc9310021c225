"""The people affected by an incident: how a list of them is read, and what makes two rows one person.

Pure rules over words. Whether an address or a number can be used is asked elsewhere.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from incident_tracker.domain.errors import phrase

NAME_LIMIT = 200
"""Signs of a name."""
FIELD_LIMIT = 1_000
"""Signs of a further field."""
FIELDS_LIMIT = 20
"""Further columns that are kept; more would be personal data without a purpose."""
COLUMN_LIMIT = 64
"""Signs of a column's name."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told. `email` or `phone` may be empty, never both; `language` is `da` or `en`."""

    id: str
    name: str
    email: str
    phone: str
    language: str
    fields: Mapping[str, str] = field(default_factory=dict)


class Meaning(StrEnum):
    """What a column holds."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"
    LANGUAGE = "language"
    FURTHER = "further"
    LEFT_OUT = "left_out"
    """A CPR number: nobody is told anything by it, so it is not kept."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a list holds what: positions by meaning, and the further columns by their name as a placeholder.

    `left_out` are the heads of columns that are not kept.
    """

    heads: tuple[str, ...]
    at: Mapping[Meaning, tuple[int, ...]]
    further: Mapping[str, int]
    left_out: tuple[str, ...] = ()

    @property
    def can_be_told(self) -> bool:
        """Return whether the list has any column by which somebody can be told."""
        return bool(self.at.get(Meaning.EMAIL) or self.at.get(Meaning.PHONE))


_MEANINGS: Mapping[str, Meaning] = {
    **dict.fromkeys(
        ("navn", "name", "fuldenavn", "fuldtnavn", "fullname", "personnavn", "kundenavn", "modtager", "displayname"),
        Meaning.NAME,
    ),
    **dict.fromkeys(("fornavn", "fornavne", "firstname", "givenname", "forename"), Meaning.FIRST_NAME),
    **dict.fromkeys(("efternavn", "efternavne", "lastname", "surname", "familyname"), Meaning.LAST_NAME),
    **dict.fromkeys(
        (
            "email", "emails", "mail", "mails", "mailadresse", "emailadresse", "epost", "epostadresse",
            "emailaddress", "mailaddress", "elektroniskpost", "privatmail", "privatemail",
        ),
        Meaning.EMAIL,
    ),
    **dict.fromkeys(
        (
            "mobil", "mobiltelefon", "mobilnr", "mobilnummer", "mobiltlf", "mobile", "mobilephone", "mobilenumber",
            "cell", "cellphone", "sms", "tlf", "tlfnr", "tlfnummer", "telefon", "telefonnr", "telefonnummer", "phone",
            "phonenumber", "phoneno", "telephone", "telephonenumber", "tel",
        ),
        Meaning.PHONE,
    ),
    **dict.fromkeys(("sprog", "sprogkode", "language", "lang", "locale"), Meaning.LANGUAGE),
    **dict.fromkeys(
        ("cpr", "cprnr", "cprnummer", "cprno", "cprnumber", "personnummer", "personnr", "ssn"), Meaning.LEFT_OUT
    ),
}  # fmt: skip
_MOBILE = ("mobil", "cell", "sms")
"""Where a list has several numbers of a person, these are asked first."""
_OUR_OWN_HEADS = frozenset({"linje", "line", "årsag", "reason"})
"""The first columns of a list of refused rows, which may be repaired and read again."""
_LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("da", "dk", "dansk", "danish", "dan", "dänisch", "danska"), "da"),
    **dict.fromkeys(("en", "eng", "gb", "uk", "us", "engelsk", "english", "englisch", "engelska"), "en"),
}
_SPELLED = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NOT_A_SIGN_OF_A_SLUG = re.compile(r"[^a-z0-9]+")
_UNSEEN = {0x200B: None, 0xFEFF: None, 0x2060: None, 0x00AD: None}
"""Signs of no width, which come along when names are copied from pages."""
_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width ones, on purpose
_BEFORE_A_FORMULA = " \v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2007\u2009\u200b\u202f\u205f\u3000\ufeff\"'`"
_IMAGE_OF_80_TO_BF = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # noqa: RUF001 - as Windows-1252 shows these bytes
_SEEMS_READ_TWICE = re.compile(rf"[ÂÃÄÅ][{_IMAGE_OF_80_TO_BF}]|â[{_IMAGE_OF_80_TO_BF}]{{2}}")

_WRONG = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
UNREADABLE_SIGNS = phrase("it holds signs in another encoding than the rest of the file")
CONTROL_SIGNS = phrase("it holds control characters")


def columns_of(heads: Sequence[str]) -> Columns:
    """Return what the columns of a list hold, by the words at their head."""
    at: dict[Meaning, list[int]] = {}
    further: dict[str, int] = {}
    left_out: list[str] = []
    for place, head in enumerate(heads):
        plain = tidied(head)[:COLUMN_LIMIT]
        key = _key(plain)
        if not key or (place < 2 and key in _OUR_OWN_HEADS):  # noqa: PLR2004 - line and reason
            continue
        meaning = _MEANINGS.get(key, Meaning.FURTHER)
        if meaning is Meaning.LEFT_OUT or (meaning is Meaning.FURTHER and len(further) == FIELDS_LIMIT):
            left_out.append(plain)
        elif meaning is Meaning.FURTHER:
            further[_unused(slug_of(plain), further)] = place
        else:
            at.setdefault(meaning, []).append(place)
    at.get(Meaning.PHONE, []).sort(key=lambda place: (not _key(heads[place]).startswith(_MOBILE), place))
    return Columns(tuple(heads), {what: tuple(places) for what, places in at.items()}, further, tuple(left_out[:100]))


def known_heads(heads: Sequence[str]) -> int:
    """Return how many heads of columns are words that we know; it tells which sign stands between columns."""
    return sum(_key(tidied(head)[:COLUMN_LIMIT]) in _MEANINGS for head in heads)


def slug_of(head: str) -> str:
    """Return a column's name as a placeholder writes it: `a-z`, `0-9` and `_`."""
    spelled = unicodedata.normalize("NFKD", head.casefold().translate(_SPELLED))
    ascii_only = spelled.encode("ascii", "ignore").decode()
    return _NOT_A_SIGN_OF_A_SLUG.sub("_", ascii_only).strip("_")[:COLUMN_LIMIT].strip("_") or "column"


def tidied(text: str) -> str:
    """Return a text in NFC on one line, without blanks around it and with single ones inside."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    return " ".join(text.split())


def language_of(text: str) -> str | None:
    """Return `da` or `en` for the usual ways to write them; None for any other language."""
    key = text.strip().casefold()
    return _LANGUAGES.get(key) or _LANGUAGES.get(re.split(r"[-_ (]", key, maxsplit=1)[0])


def email_key(email: str) -> str:
    """Return under which text an e-mail address is the same as another: nobody has two that differ in case only."""
    return email.lower() if email.isascii() else unicodedata.normalize("NFKC", email).casefold()


def name_key(name: str) -> str:
    """Return under which text two names are the same: case and blanks do not matter."""
    return " ".join(name.casefold().split())


def read_twice(text: str) -> str:
    """Return what a text was before its UTF-8 was read as Windows-1252 (`BjÃ¶rn` -> `Björn`); empty if it was not."""
    if text.isascii() or not _SEEMS_READ_TWICE.search(text):
        return ""
    for word in text.split(" "):  # other blanks may be part of what was read twice
        try:
            found = b"".join(_as_one_byte(sign) for sign in word).decode("utf-8")
        except UnicodeError:
            continue
        if found != word:
            return found
    return ""


def wrong_signs(text: str) -> str:
    """Return why a text cannot be kept as it is, empty if it can: bytes that did not decode, control characters."""
    found = _WRONG.search(text)
    if found is None:
        return ""
    return UNREADABLE_SIGNS if found[0] > "\ud7ff" else CONTROL_SIGNS


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: one that begins like it gets an apostrophe in front."""
    first = cell.lstrip(_BEFORE_A_FORMULA)[:1]
    return f"'{cell}" if first in _BEGINS_A_FORMULA and first else cell


def meant(cell: str) -> str:
    """Return a cell without the apostrophe that made it harmless, so that reading it again loses nothing."""
    if cell.startswith("'") and harmless(cell[1:]) == cell:
        return cell[1:]
    return cell


def _key(head: str) -> str:
    return "".join(sign for sign in head.casefold() if sign.isalnum())


def _unused(slug: str, taken: Mapping[str, int]) -> str:
    number, wanted = 2, slug
    while wanted in taken:
        wanted = f"{slug[: COLUMN_LIMIT - 4]}_{number}"
        number += 1
    return wanted


def _as_one_byte(sign: str) -> bytes:
    """Return the byte that Windows-1252, or where it has none ISO-8859-1, shows as this sign."""
    try:
        return sign.encode("cp1252")
    except UnicodeEncodeError:
        return sign.encode("latin-1")
