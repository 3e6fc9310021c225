"""What people type, made safe to keep: length, control characters, surrogates; nothing is changed silently."""

import re
import unicodedata

from incident_tracker.domain.errors import TextHasForbiddenSigns, TextIsMissing, TextIsTooLong

TITLE_LIMIT = 200
TEXT_LIMIT = 20_000
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_KEPT_CONTROLS = frozenset("\n\t")


def clean(text: str, field: str, *, limit: int = TEXT_LIMIT, required: bool = True) -> str:
    """Return the text in normal form C with plain line ends; refuse empty, too long and unstorable ones."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if required and not plain:
        raise TextIsMissing(field=field)
    if len(plain) > limit:
        raise TextIsTooLong(field=field, length=len(plain), limit=limit)
    bad = sorted({sign for sign in plain if _is_forbidden(sign)})
    if bad:
        names = ", ".join(f"U+{ord(sign):04X}" for sign in bad[:5])
        raise TextHasForbiddenSigns(field=field, names=names)
    return plain


def clean_line(text: str, field: str, *, limit: int = TITLE_LIMIT, required: bool = True) -> str:
    """Return a text on one line."""
    return clean(" ".join(text.split()), field, limit=limit, required=required)


def headline(text: str, limit: int = 80) -> str:
    """Return the first sentence of the first line, cut between words where it is longer than `limit` signs."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    sentence = _SENTENCE.split(" ".join(first.split()), maxsplit=1)[0].rstrip(".")
    if len(sentence) <= limit:
        return sentence
    cut = sentence[:limit]
    return f"{(cut.rpartition(' ')[0] or cut).rstrip(' ,;:-')} ..."


def _is_forbidden(sign: str) -> bool:
    kind = unicodedata.category(sign)
    bidi = sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return (kind in {"Cc", "Cs"} and sign not in _KEPT_CONTROLS) or bidi
