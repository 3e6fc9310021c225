"""How a notice is laid out: paragraphs, headings (`## `), numbered lists and dash lists. Everything else is text.

The HTML is ours: each piece of text is escaped, there are no links, no pictures and no styles but those below.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"^#{1,6}[ \t]+(.*)$")
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+(.*)$")
_DASHED = re.compile(r"^[ \t]*[-*•][ \t]+(.*)$")
_STYLE = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#1a1a1a;max-width:38em"
_HEADING_STYLE = "font-size:18px;margin:1.5em 0 0.5em"
_FOOT_STYLE = "border-top:1px solid #888;margin-top:2em;padding-top:1em;font-size:14px;color:#444"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a notice: `heading`, `paragraph`, `numbered` or `dashed`, with its lines or points."""

    kind: str
    lines: tuple[str, ...]


def blocks(body: str) -> tuple[Block, ...]:
    """Return a text in pieces. A list goes on over blank lines, so that its numbers do too."""
    found: list[Block] = []
    for kind, line, joined in _lines(body):
        last = found[-1] if found else None
        if last is not None and joined and last.kind == kind:
            found[-1] = Block(kind, (*last.lines, line))
        elif kind == "more" and last is not None:
            found[-1] = Block(last.kind, (*last.lines[:-1], f"{last.lines[-1]} {line}"))
        else:
            found.append(Block("paragraph" if kind == "more" else kind, (line,)))
    return tuple(found)


def _lines(body: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (kind, text, whether it may belong to the piece before) of each line."""
    inside, blank = "", True
    for raw in body.splitlines():
        line = raw.strip()
        if not line:
            blank = True
            continue
        heading, numbered, dashed = _HEADING.match(line), _NUMBERED.match(line), _DASHED.match(line)
        if heading:
            inside = ""
            yield "heading", heading[1].strip(), False
        elif numbered:
            inside = "numbered"
            yield inside, numbered[1], True
        elif dashed:
            inside = "dashed"
            yield inside, dashed[1], True
        elif inside in ("numbered", "dashed") and not blank:
            yield "more", line, False
        else:
            joined = inside == "paragraph" and not blank
            inside = "paragraph"
            yield inside, line, joined
        blank = False


def to_html(body: str) -> str:
    """Return a text as HTML without any frame; placeholders stay as they are."""
    return "\n".join(_html(block) for block in blocks(body))


def to_plain(body: str) -> str:
    """Return a text for mail programs that show no HTML, a blank line between its pieces."""
    return "\n\n".join(_plain(block) for block in blocks(body))


def page(subject: str, body: str, foot: str, language: str) -> str:
    """Return a whole HTML mail: the text, and under a line what we add to every one."""
    # What people write is escaped, so each of these tags is ours.
    text = to_html(body).replace("<h2>", f'<h2 style="{_HEADING_STYLE}">')
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}"><head><meta charset="utf-8">'
        f"<title>{html.escape(subject)}</title></head>\n"
        f'<body><div style="{_STYLE}">\n{text}\n'
        f'<div style="{_FOOT_STYLE}">\n{to_html(foot)}\n</div></div></body></html>\n'
    )


def plain_page(body: str, foot: str) -> str:
    """Return the text part of a mail."""
    return f"{to_plain(body)}\n\n--\n{to_plain(foot)}\n"


def steps(body: str) -> tuple[int, ...]:
    """Return how many points each numbered list has."""
    return tuple(len(block.lines) for block in blocks(body) if block.kind == "numbered")


def _html(block: Block) -> str:
    lines = [html.escape(line) for line in block.lines]
    if block.kind == "heading":
        return f"<h2>{lines[0]}</h2>"
    if block.kind == "paragraph":
        return f"<p>{'<br>'.join(lines)}</p>"
    name = "ol" if block.kind == "numbered" else "ul"
    return f"<{name}>{''.join(f'<li>{line}</li>' for line in lines)}</{name}>"


def _plain(block: Block) -> str:
    if block.kind == "numbered":
        return "\n".join(f"{number}. {line}" for number, line in enumerate(block.lines, 1))
    if block.kind == "dashed":
        return "\n".join(f"- {line}" for line in block.lines)
    return "\n".join(block.lines)
