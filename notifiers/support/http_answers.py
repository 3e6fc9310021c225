"""What the headers of a provider's answer say about trying again."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
"""Seconds; a provider that asks for more is asked again after this."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the answer asks us to wait, capped, or None if it names none that make sense.

    Reads `Retry-After` (seconds or date) and `X-RateLimit-Reset` (epoch seconds). Dates are measured against the
    answer's own `Date`, so that our clock does not matter.
    """
    known = {name.lower(): value.strip() for name, value in headers.items()}
    asked = known.get("retry-after", "")
    seconds = _number(asked)
    if seconds is None:
        seconds = _between(known.get("date", ""), _instant(asked))
    if seconds is None and known.get("x-ratelimit-remaining", "0") == "0":
        seconds = _between(known.get("date", ""), _number(known.get("x-ratelimit-reset", "")))
    if seconds is None or seconds < 0:
        return None
    return min(seconds, LONGEST_WAIT)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _between(date: str, later: float | None) -> float | None:
    earlier = _instant(date)
    return None if later is None or earlier is None else later - earlier
