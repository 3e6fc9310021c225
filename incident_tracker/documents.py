"""Reports on paper and as files: PDF (typst, tagged, PDF/UA-1), HTML and JSON, all from the same draft.

What people wrote reaches typst as JSON in its inputs and Jinja through autoescaping; none of it is ever template
source. Only the fonts that ship with the product are used, and a sign they lack is refused by name.
"""

import json
import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from incident_tracker import paths
from incident_tracker.domain.errors import Refusal
from notifiers.protocol import Question, ReportDraft


class MissingGlyph(Refusal):
    """A text holds a sign that the shipped fonts do not have; printed, it would be an empty box."""

    message = "This cannot be printed: the fonts lack the sign %(signs)s. Write it in another way."


class DocumentIsBroken(RuntimeError):  # noqa: N818 - named for what is wrong
    """A shipped template does not compile: a fault of ours, not of what was written."""


@dataclass(frozen=True, slots=True)
class DocumentHead:
    """What stands on each page: whose document, of which incident, when it was made, where the journal stood.

    `printed_at` is an aware instant, shown in `zone` (IANA name) with its offset. `journal_seq` and `journal_hash`
    anchor the journal's head outside of it (None: no entry yet).
    """

    controller: str
    reference: str
    printed_at: datetime
    zone: str
    journal_seq: int | None = None
    journal_hash: str = ""
    exercise: bool = False


def report_pdf(
    draft: ReportDraft,
    *,
    head: DocumentHead,
    version: int,
    phase: str,
    authority_name: str = "Datatilsynet",
    digest: str = "",
    changed: Collection[str] = (),
) -> bytes:
    """Return the draft as a tagged PDF (PDF/UA-1), in the draft's language.

    `phase` is initial, follow_up, final or withdrawn; `digest` the SHA-256 of the frozen record; `changed` the keys
    of the questions answered differently from the last version. Raises MissingGlyph.
    """
    folder = paths.templates() / "reports"
    report = _report(
        draft, head=head, version=version, phase=phase, authority_name=authority_name, digest=digest, changed=changed
    )
    written = {name: _breakable(report[name]) for name in ("controller", "reference", "sections")}
    return _compile(folder / draft.authority / "report.typ", {**report, **written}, head.printed_at)


def report_html(
    draft: ReportDraft,
    *,
    head: DocumentHead,
    version: int,
    phase: str,
    authority_name: str = "Datatilsynet",
    digest: str = "",
    changed: Collection[str] = (),
) -> str:
    """Return the draft as one HTML file that needs nothing else: no scripts, no outside files."""
    report = _report(
        draft, head=head, version=version, phase=phase, authority_name=authority_name, digest=digest, changed=changed
    )
    return _environment().get_template(f"{draft.authority}/report.html").render(report=report)


def draft_json(draft: ReportDraft, *, version: int, phase: str) -> dict[str, Any]:
    """Return the draft in the shape that scripts read (`report draft --out X.json`)."""
    return {
        "authority": draft.authority,
        "language": draft.language,
        "version": version,
        "phase": phase,
        "checked_against_live_form": draft.checked_against_live_form,
        "banner": draft.banner,
        "form_url": draft.form_url,
        "sections": [{"id": section, "title": title} for section, title in draft.sections],
        "questions": [
            {
                "key": question.key,
                "canonical": question.canonical,
                "section": question.section,
                "label": question.label,
                "answer": question.answer,
                "required": question.required,
                "missing": question.missing,
                "warnings": list(question.warnings),
            }
            for question in draft.questions
        ],
        "missing": list(draft.missing),
        "blocked_by": list(draft.blocked_by),
    }


def _report(
    draft: ReportDraft,
    *,
    head: DocumentHead,
    version: int,
    phase: str,
    authority_name: str,
    digest: str,
    changed: Collection[str],
) -> dict[str, Any]:
    """Return all that a template shows, as plain data."""
    words = _words()[draft.language]
    subtitle = (words["to"].format(authority=authority_name), words["version"].format(version=version))
    printed_at = _instant(head.printed_at, head.zone, draft.language)
    return {
        "language": draft.language,
        "title": words["title"],
        "subtitle": " · ".join((*subtitle, words["phases"][phase])),
        "controller": head.controller,
        "reference": head.reference,
        "printed": words["printed"].format(time=printed_at),
        "made": words["made"].format(time=printed_at),
        "banner": draft.banner,
        "exercise": head.exercise,
        "summary": _summary(draft, words),
        "notes": list(draft.notes),
        "sections": [
            {"id": key, "title": title, "questions": _questions(draft.questions, key, changed)}
            for key, title in draft.sections
        ],
        "journal": words["no_journal"]
        if head.journal_seq is None
        else words["journal"].format(seq=head.journal_seq, hash=head.journal_hash),
        "digest": words["digest"].format(digest=digest) if digest else "",
        "words": {name: text for name, text in words.items() if isinstance(text, str)},
    }


def _questions(questions: Sequence[Question], section: str, changed: Collection[str]) -> list[dict[str, Any]]:
    return [
        {
            "key": question.key,
            "label": question.label,
            "answer": question.answer,
            "missing": question.missing,
            "changed": question.key in changed,
            "warnings": list(question.warnings),
        }
        for question in questions
        if question.section == section
    ]


def _summary(draft: ReportDraft, words: Mapping[str, Any]) -> str:
    count = len(draft.missing)
    said = (
        words["missing_count_0"] if count == 0 else words["missing_count_1"] if count == 1 else words["missing_count"]
    )
    labels = [question.label for question in draft.questions if question.key in draft.blocked_by]
    blocked = words["blocked"].format(labels="; ".join(labels)) if labels else ""
    return f"{said.format(count=count)} {blocked}".strip()


def _instant(moment: datetime, zone: str, language: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    offset = f"{local:%z}"
    shown = f"UTC{offset[0]}{int(offset[1:3])}" + ("" if offset[3:5] == "00" else f":{offset[3:5]}")
    if language == "da":
        return f"{local.day}.{local.month}.{local.year} kl. {local:%H.%M} ({shown})"
    return f"{local.year}-{local:%m-%d} {local:%H:%M} ({shown})"


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads((paths.templates() / "reports" / "words.toml").read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(paths.templates() / "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_LONG_WORD = re.compile(r"\S{60,}")
_EVERY = 40


def _breakable(value: Any) -> Any:
    """Let words too long for a line break, by spaces without width: typst would print them over the margin."""
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda word: "\u200b".join(re.findall(f".{{1,{_EVERY}}}", word.group())), value)
    if isinstance(value, dict):
        return {key: _breakable(item) for key, item in value.items()}
    return [_breakable(item) for item in value] if isinstance(value, list) else value


def _compile(template: Path, report: Mapping[str, Any], printed_at: datetime) -> bytes:
    inputs = json.dumps(report, ensure_ascii=False)
    if halves := dict.fromkeys(_HALF.findall(inputs)):
        raise MissingGlyph(signs=", ".join(_named(sign) for sign in halves))
    try:
        made = typst.compile(
            template,
            root=paths.templates() / "reports",
            font_paths=[paths.templates() / "fonts"],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=["ua-1"],
            sys_inputs={"report": inputs},
            timestamp=int(printed_at.timestamp()),
        )
    except typst.TypstError as error:
        raise _understood(str(error)) from error
    if not isinstance(made, bytes):
        raise DocumentIsBroken(f"{template.name} made {type(made).__name__}, not one file")
    return made


_HALF = re.compile("[\ud800-\udfff]")
_NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed|disallowed codepoint `"(.+?)"`')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")


def _understood(error: str) -> Exception:
    """Return the refusal that names the signs no font has, or the fault that typst saw."""
    found = [
        _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), one or other)
        for one, other in _NO_GLYPH.findall(error)
    ]
    signs = dict.fromkeys(sign for text in found for sign in text)
    if not signs:
        return DocumentIsBroken(error)
    return MissingGlyph(signs=", ".join(_named(sign) for sign in signs))


def _named(sign: str) -> str:
    name = unicodedata.name(sign, "")
    shown = f"“{sign}” " if sign.isprintable() else ""
    return f"{shown}(U+{ord(sign):04X}{', ' + name.lower() if name else ''})"
