"""Reports from outside: when who is on call is told of them, and the number by which their sender speaks of one."""

from datetime import datetime, timedelta

BUNDLED_FOR = timedelta(minutes=30)
"""Reports that come this soon after a message about others are told in one further message."""
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for a digit, none too many for a curse."""
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_LENGTH, _BITS = 8, 5


def step_due(
    *,
    told: int,
    step: int,
    stepped_at: datetime | None,
    last_paged_at: datetime | None,
    now: datetime,
    delay: timedelta,
) -> int | None:
    """Return the step in which somebody is told now (0 is the first person on call), None where nobody is yet.

    `told` is how many of the waiting reports somebody was told of at `stepped_at`; while nobody looks, the next
    person is told after `delay`. Otherwise a first message goes at once, unless one went less than half an hour ago.
    """
    if told and stepped_at is not None:
        return step + 1 if not _within(now - stepped_at, delay) else None
    if last_paged_at is not None and _within(now - last_paged_at, BUNDLED_FOR):
        return None
    return 0


def _within(passed: timedelta, length: timedelta) -> bool:
    """Return whether less than `length` has passed; a time that lies ahead comes from a clock that was wrong."""
    return timedelta() <= passed < length


def receipt(bits: str) -> str:
    """Return forty bits, given as hexadecimal digits, as a number that can be read aloud: `K7M4-2QRD`."""
    number = int(bits, 16)
    signs = "".join(_SIGNS[number >> _BITS * place & 31] for place in reversed(range(_LENGTH)))
    return f"{signs[:4]}-{signs[4:]}"


def read_receipt(text: str) -> str:
    """Return the hexadecimal digits that a typed receipt number stands for, empty where it is none."""
    plain = text.upper().translate(_READ_AS)
    if len(plain) != _LENGTH or not set(plain) <= set(_SIGNS):
        return ""
    number = 0
    for sign in plain:
        number = number << _BITS | _SIGNS.index(sign)
    return f"{number:010x}"
