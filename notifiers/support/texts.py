"""Cleaning of text before it becomes part of a mail: header lines stay one line, control characters go."""

import re

# C0 and DEL without tab and line ends, C1, and the line ends that only Unicode knows.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_ALL_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """Return a text that is safe in a header: no control characters, no line ends, no blanks at the ends."""
    return _ALL_CONTROLS.sub(" ", text).strip()


def without_controls(text: str) -> str:
    """Return a body without control characters; tabs and line ends stay."""
    return _CONTROLS.sub("", text)
