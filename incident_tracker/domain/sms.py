"""How long an SMS is: the GSM 7-bit alphabet (3GPP TS 23.038) and what falls out of it."""

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM_SINGLE, _GSM_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text travels: `encoding` is `gsm7` or `ucs2`, `units` its length there, `parts` what is paid for."""

    encoding: str
    units: int
    parts: int


def segments(text: str) -> Segments:
    """Return encoding, length and number of parts of a text.

    160 units fit one GSM-7 message and 153 a part; for UCS-2 it is 70 and 67. Signs of the extension table count
    twice. Source: https://www.twilio.com/docs/glossary/what-sms-character-limit
    """
    if all(sign in _BASIC or sign in _EXTENDED for sign in text):
        units = sum(2 if sign in _EXTENDED else 1 for sign in text)
        return Segments("gsm7", units, _parts(units, _GSM_SINGLE, _GSM_PART))
    units = len(text.encode("utf-16-be")) // 2
    return Segments("ucs2", units, _parts(units, _UCS2_SINGLE, _UCS2_PART))


def fits_one_segment(text: str) -> bool:
    """Return whether a text is one GSM-7 message."""
    found = segments(text)
    return found.encoding == "gsm7" and found.parts == 1


def _parts(units: int, single: int, part: int) -> int:
    return 1 if units <= single else -(-units // part)
