"""Filing, recorded: the rules, the frozen version, the event that meets the duty."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from incident_tracker.domain import canonical, reports
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import about_setting_aside
from incident_tracker.domain.errors import NotFound, Refusal
from incident_tracker.domain.events import ReportFiled
from incident_tracker.domain.facts import to_plain
from incident_tracker.domain.filings import Filing, Phase
from incident_tracker.domain.incident import must_be_open
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.services import approvals
from incident_tracker.services.attachments import require as require_attachment
from incident_tracker.services.context import Context
from incident_tracker.services.reports.sheet import Sheet, build, draft_of, plugin_of
from incident_tracker.services.texts import clean, clean_line
from incident_tracker.services.work import working
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import reports as rows
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.reports import Frozen
from notifiers.protocol import ChecksIdentifiers

_LATE_REASON = "timeline.late_reason"


class VersionIsNotNext(Refusal):
    """The version that somebody wants to record as filed is not the next one."""

    message = "Version %(version)s cannot be recorded now: the next is version %(next)s. Load the report again."


class ReportIsAltered(Refusal):
    """A frozen report is not the one that was filed."""

    message = "Version %(version)s was changed after it was filed, and is not handed out. Restore it from a backup."


def file_report(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    filed_at: datetime,
    authority_reference: str,
    version: int,
    journal_number: str = "",
    receipt: str | None = None,
    no_receipt_reason: str = "",
    late_reason: str = "",
    complete: bool = False,
    withdrawn: bool = False,
    authority: str = "dk",
) -> Frozen:
    """Record that version `version` was filed by hand, and freeze it; return the frozen version.

    `receipt` is the id of an attachment of this incident. `complete` says that nothing more will follow, `withdrawn`
    that the notification is taken back. Obligations follow from it in the same transaction (GDPR Art. 33(1), 33(4)).
    """
    if receipt is not None:
        require_attachment(context, actor, reference, receipt, "receipt")
    asked = _Asked(
        filed_at=filed_at,
        authority_reference=authority_reference,
        version=version,
        journal_number=journal_number,
        receipt=receipt,
        no_receipt_reason=no_receipt_reason,
        late_reason=late_reason,
        phase=Phase.WITHDRAWN if withdrawn else Phase.FINAL if complete else None,
        authority=authority,
    )
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        filing = _checked(context, work.session, loaded, asked, work.now)
        frozen = _freeze(context, work.session, loaded, authority, filing, actor.name, work.now)
        rows.add(work.session, work.keyring, loaded, frozen)
        approvals.withdraw(work, loaded, about_setting_aside("gdpr", "notify_authority"))
        work.record(loaded, _event(authority, filing, frozen.digest))
    return frozen


def check_before_receipt(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    filed_at: datetime,
    authority_reference: str,
    version: int,
    journal_number: str = "",
    late_reason: str = "",
    complete: bool = False,
    withdrawn: bool = False,
    authority: str = "dk",
) -> None:
    """Refuse what `file_report` would refuse with a receipt, so that a refusal leaves no kept file behind."""
    asked = _Asked(
        filed_at=filed_at,
        authority_reference=authority_reference,
        version=version,
        journal_number=journal_number,
        receipt="to be kept",
        no_receipt_reason="",
        late_reason=late_reason,
        phase=Phase.WITHDRAWN if withdrawn else Phase.FINAL if complete else None,
        authority=authority,
    )
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, actor.scope)
        actor.must(Act.WORK, loaded.incident.controller_id)
        _checked(context, session, loaded, asked, context.now())


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody says of a filing, as typed."""

    filed_at: datetime
    authority_reference: str
    version: int
    journal_number: str
    receipt: str | None
    no_receipt_reason: str
    late_reason: str
    phase: Phase | None
    authority: str


def _checked(context: Context, session: Session, loaded: Loaded, asked: _Asked, now: datetime) -> Filing:
    """Return the filing that counts, or refuse it."""
    must_be_open(loaded.incident)
    made = build(context, session, loaded, asked.authority, "da", phase=asked.phase)
    if made.version != asked.version:
        raise VersionIsNotNext(field="version", version=asked.version, next=made.version)
    filing = Filing(
        version=asked.version,
        phase=(asked.phase or made.phase).value,
        filed_at=asked.filed_at,
        reference=clean_line(asked.authority_reference, "reference", required=False),
        journal_number=clean_line(asked.journal_number, "journal_number", required=False),
        receipt_id=asked.receipt,
        no_receipt_reason=clean(asked.no_receipt_reason, "receipt", required=False),
        late_reason=clean(asked.late_reason, "late_reason", required=False) or _written_late_reason(made),
    )
    reports.check_filing(
        filing,
        became_aware_at=loaded.incident.became_aware_at,
        due_at=made.due_at,
        earlier=loaded.incident.filings,
        now=now,
        open_points=made.open_points,
    )
    return filing


def filed(context: Context, actor: Actor, reference: str, authority: str = "dk") -> tuple[Frozen, ...]:
    """Return the frozen versions, the newest first."""
    scope_of = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope_of)
        found = rows.of_incident(session, context.keyring, loaded.id, scope_of, authority=authority)
    return tuple(reversed(found))


def frozen_of(context: Context, actor: Actor, reference: str, authority: str, version: int) -> Frozen:
    """Return one frozen version, or refuse; one that is not what was filed is refused too."""
    found = {one.version: one for one in filed(context, actor, reference, authority)}
    if version not in found:
        raise NotFound(what=f"{reference} {version}")
    if canonical.digest(found[version].content) != found[version].digest:
        raise ReportIsAltered(version=version)
    return found[version]


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """One answer of a filed version beside that of the version before it; empty where there is none."""

    key: str
    label: str
    before: str
    after: str


def changes_between(older: Frozen | None, newer: Frozen, language: str) -> tuple[AnswerChange, ...]:
    """Return which answers of a filed version differ from those of the version before it."""
    earlier = {} if older is None else {one.key: one.answer for one in draft_of(older, language).questions}
    return tuple(
        AnswerChange(one.key, one.label, earlier.get(one.key, ""), one.answer)
        for one in draft_of(newer, language).questions
        if older is not None and one.answer != earlier.get(one.key, "")
    )


def identifier_warnings(
    context: Context, *, reference: str, journal_number: str, authority: str = "dk", language: str = "da"
) -> tuple[str, ...]:
    """Return a sentence for each number that looks unusual; they only warn."""
    plugin = plugin_of(context, authority)
    if not isinstance(plugin, ChecksIdentifiers):
        return ()
    return tuple(plugin.identifier_warnings({"reference": reference, "journal_number": journal_number}, language))


def _written_late_reason(made: Sheet) -> str:
    """Return the reason for the delay that was written as an answer on the report."""
    return next((one.written for one in made.draft.questions if one.canonical == _LATE_REASON), "")


def _freeze(
    context: Context,
    session: Session,
    loaded: Loaded,
    authority: str,
    filing: Filing,
    actor: str,
    now: datetime,
) -> Frozen:
    made = {
        language: build(
            context,
            session,
            loaded,
            authority,
            language,
            phase=Phase(filing.phase),
            late_reason=filing.late_reason,
            as_of=filing.filed_at,
        )
        for language in LANGUAGES
    }
    content = {
        "record": made["da"].record,
        "drafts": {language: to_plain(one.draft) for language, one in made.items()},
    }
    return Frozen(
        authority=authority,
        version=filing.version,
        phase=filing.phase,
        content=content,
        digest=canonical.digest(content),
        filed_at=filing.filed_at,
        filed_by=actor,
        recorded_at=now,
    )


def _event(authority: str, filing: Filing, digest: str) -> ReportFiled:
    return ReportFiled(
        authority=authority,
        version=filing.version,
        phase=filing.phase,
        filed_at=filing.filed_at,
        reference=filing.reference,
        digest=digest,
        complete=filing.phase in (Phase.FINAL, Phase.WITHDRAWN),
        journal_number=filing.journal_number,
        receipt_id=filing.receipt_id,
        no_receipt_reason=filing.no_receipt_reason,
        late_reason=filing.late_reason,
    )
