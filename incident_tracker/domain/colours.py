"""The colour of a controller's public pages: refused where white letters on it cannot be read (WCAG 2.2, 1.4.3)."""

import re

from incident_tracker.domain.errors import Refusal

OURS = "#0F3B3A"
"""Without a choice of the controller's own: 12.3 to white."""
LEAST = 4.5
_WRITTEN = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_LINEAR_BELOW, _GAMMA = 0.04045, 2.4


class ColourNotUsable(Refusal):
    """The text is no colour."""

    message = "Write the colour as # and six digits, for instance #2F2A78."


class ColourTooPale(Refusal):
    """White letters on the colour would be hard to read."""

    message = "White letters on this colour have a contrast of %(contrast)s; at least %(least)s is needed. Darken it."


def read(text: str, field: str = "colour") -> str:
    """Return a colour as `#2F2A78`, or nothing where nothing was typed."""
    plain = text.strip().upper()
    if not plain:
        return ""
    if not _WRITTEN.fullmatch(plain):
        raise ColourNotUsable(field=field)
    if (found := on_white(plain)) < LEAST:
        raise ColourTooPale(field=field, contrast=f"{found:.1f}", least=str(LEAST))
    return plain


def usable(colour: str) -> str:
    """Return a kept colour, or ours where it is none or too pale."""
    return colour if _WRITTEN.fullmatch(colour) and on_white(colour) >= LEAST else OURS


def on_white(colour: str) -> float:
    """Return the contrast between a colour and white, from 1 to 21."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** _GAMMA for part in parts
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
