"""How hard a text is to read.

Danish: LIX (Björnsson, Läsbarhet, 1968), words a sentence plus the share of words longer than six letters; below 40
is ordinary reading. English: the Automated Readability Index (Smith and Senter, AMRL-TR-66-220, 1967), from letters a
word and words a sentence; 10 is what somebody of 15 reads with ease. Both need no list of syllables.
"""

import re
from dataclasses import dataclass

from incident_tracker.domain.notices import layout, placeholders

LIX_BELOW = 40
ARI_AT_MOST = 10
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d[\d.,:]*")
_END = re.compile(r"[.!?:](?=\s|$)")
_LONG = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured: `measure` is `LIX` or `ARI`, `value` is rounded."""

    measure: str
    value: int
    is_easy: bool


def measure(body: str, language: str) -> Reading:
    """Return how hard a notice's text is to read; headings and points count as sentences."""
    plain = placeholders.without(body)
    lines = [line for block in layout.blocks(plain) for line in block.lines]
    sentences = [one for line in lines for one in _END.split(line) if _WORD.search(one)]
    words = [word for one in sentences for word in _WORD.findall(one)]
    if not words:
        return Reading("LIX" if language == "da" else "ARI", 0, is_easy=True)
    length = len(words) / len(sentences)
    if language == "da":
        long = sum(1 for word in words if len(word) > _LONG)
        lix = length + 100 * long / len(words)
        return Reading("LIX", round(lix), is_easy=lix < LIX_BELOW)
    ari = 4.71 * sum(map(len, words)) / len(words) + 0.5 * length - 21.43
    return Reading("ARI", round(ari), is_easy=ari <= ARI_AT_MOST)
