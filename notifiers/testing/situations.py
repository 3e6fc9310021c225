"""What the contract puts a notifier through, and how it looks at it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

STRANGE_TEXTS = (
    "x\r\nBcc: clara@example.org",
    "nul \x00 bell \x07 escape \x1b[31m",
    "line\u2028paragraph\u2029",
    "\u202eright to left",
    "<script>alert(1)</script> & <b>",
    "{{name}} {{ name }} {{{{name}}}} ${name} %(name)s",
    ".\r\n.\r\nQUIT\r\n",
    "æøåÆØÅ … \U0001f6a8",
    "\ud800 alone",
)


class Situation(StrEnum):
    """What the provider does with the next message."""

    REFUSES_ADDRESS = "refuses the address"
    SENDS_AWAY = "is busy: come again later"
    UNREACHABLE = "cannot be reached"
    LOCKS_OUT = "does not know us"
    DROPS = "breaks off after it has read the message"
    HANGS = "never answers"
    DRIPS = "answers byte by byte"
    BABBLES = "answers yes without naming the message"


SHORT_SITUATIONS = (
    Situation.REFUSES_ADDRESS,
    Situation.SENDS_AWAY,
    Situation.DROPS,
    Situation.BABBLES,
    Situation.LOCKS_OUT,
    Situation.UNREACHABLE,
)


def demand(condition: object, promise: str, seen: object) -> None:
    """Fail with the promise that was broken and what was seen instead."""
    if not condition:
        raise AssertionError(f"{promise}: {seen!r}")


@contextmanager
def everything_logged(others: tuple[str, ...]) -> Iterator[list[str]]:
    """Collect what is logged while the block runs, by everybody but `others`."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name in others:
                return
            lines.append(f"{record.name} {record.getMessage()} {record.exc_text or ''} {record.exc_info or ''}")

    handler, root = Collector(logging.DEBUG), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
