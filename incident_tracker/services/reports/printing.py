"""The draft and the frozen versions as files: PDF, HTML, JSON, each with the head of the journal."""

from typing import Any

from incident_tracker import documents
from incident_tracker.documents import DocumentHead
from incident_tracker.domain.access import Actor
from incident_tracker.domain.facts import to_plain
from incident_tracker.services.context import Context
from incident_tracker.services.reports.filing import frozen_of
from incident_tracker.services.reports.sheet import changed_between, draft_of, sheet
from incident_tracker.store import journal as journal_rows
from notifiers.protocol import ReportDraft


def pdf(
    context: Context,
    actor: Actor,
    reference: str,
    authority: str = "dk",
    language: str = "da",
    *,
    version: int | None = None,
) -> bytes:
    """Return the draft, or a frozen version, as a tagged PDF."""
    shown, head, about = _document(context, actor, reference, authority, language, version)
    return documents.report_pdf(shown, head=head, **about)


def html(
    context: Context,
    actor: Actor,
    reference: str,
    authority: str = "dk",
    language: str = "da",
    *,
    version: int | None = None,
) -> str:
    """Return the draft, or a frozen version, as one HTML file."""
    shown, head, about = _document(context, actor, reference, authority, language, version)
    return documents.report_html(shown, head=head, **about)


def json(
    context: Context,
    actor: Actor,
    reference: str,
    authority: str = "dk",
    language: str = "da",
    *,
    version: int | None = None,
) -> dict[str, Any]:
    """Return the draft, or a frozen version, as scripts read it.

    Of a frozen version also `filed_at`, `digest` and `frozen`: the digest is the SHA-256 of `frozen` as compact JSON
    with sorted keys, in UTF-8.
    """
    if version is None:
        made = sheet(context, actor, reference, authority, language)
        return documents.draft_json(made.draft, version=made.version, phase=made.phase.value)
    frozen = frozen_of(context, actor, reference, authority, version)
    shown = draft_of(frozen, language)
    told = documents.draft_json(shown, version=frozen.version, phase=frozen.phase)
    return told | {"filed_at": to_plain(frozen.filed_at), "digest": frozen.digest, "frozen": dict(frozen.content)}


def _document(
    context: Context, actor: Actor, reference: str, authority: str, language: str, version: int | None
) -> tuple[ReportDraft, DocumentHead, dict[str, Any]]:
    made = sheet(context, actor, reference, authority, language)
    with context.database.reading() as session:
        seq, head_hash = journal_rows.head(session)
    head = DocumentHead(
        controller=made.controller.name,
        reference=reference,
        printed_at=made.now,
        zone=made.controller.time_zone,
        journal_seq=seq or None,
        journal_hash=head_hash.hex() if seq else "",
        exercise=made.incident.exercise,
    )
    if version is None:
        return made.draft, head, {"version": made.version, "phase": made.phase.value, "changed": made.changed}
    frozen = frozen_of(context, actor, reference, authority, version)
    shown = draft_of(frozen, language)
    earlier = None if version == 1 else frozen_of(context, actor, reference, authority, version - 1)
    changed = () if earlier is None else changed_between(draft_of(earlier, language), shown)
    about = {"version": version, "phase": frozen.phase, "digest": frozen.digest, "changed": changed}
    return shown, head, about
