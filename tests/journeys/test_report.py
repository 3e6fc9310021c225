"""Journey 5, the report: it writes itself from the facts, says what is missing, is filed by hand and then frozen."""

import io
from dataclasses import replace
from datetime import timedelta

import pypdf
import pytest
from sqlalchemy import update

from incident_tracker.domain import canonical
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.filings import (
    FiledBeforeAwareness,
    FiledInTheFuture,
    LateReasonIsMissing,
    PhaseDoesNotFollow,
    ReceiptIsMissing,
    ReportIsNotComplete,
)
from incident_tracker.domain.incident import Incident
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import attachments, incidents, journal, register, reports, scope
from incident_tracker.services.reports.filing import ReportIsAltered, VersionIsNotNext
from incident_tracker.store.tables.incidents import ReportVersionRow
from notifiers.protocol import Question
from tests.journeys.world import World, dk

HOUR = timedelta(hours=1)
FIRST = ScopeAssessment(
    breach_types=("confidentiality",),
    confidentiality="disclosed",
    incident_types=("unintended_publication",),
    description="Nyhedsbrevet gik ud med alle adresser i CC.",
    people_categories=("customers",),
    people_count=CountRange.read("ved ikke", "people_count"),
    data_types=("basic", "contact"),
)
KNOWN = replace(
    FIRST,
    people_count=CountRange.read("612", "people_count"),
    records_count=CountRange.read("612", "records_count"),
    cause="internal_non_malicious",
    occurrence="specific_day",
    begin=dk("2026-11-20 15:10"),
    impacts=("loss_of_control",),
    measures_taken="Modtagerne er bedt om at slette mailen.",
)
LATE = "Vagten havde ingen adgang til Virk før tirsdag."


@pytest.fixture
def reference(world: World) -> str:
    """Give a breach known since Friday 16.45, of which nothing more is known."""
    reference = world.log("Nyhedsbrev med alle adresser i CC", place="Nyhedsbrevet")
    world.confirm(reference, reason="Set i den sendte mail.")
    return reference


def question(world: World, reference: str, key: str, language: str = "da") -> Question:
    draft = reports.draft(world.context, world.ada, reference, language=language)
    return next(one for one in draft.questions if one.key == key)


def assess(world: World, reference: str, assessment: ScopeAssessment) -> int:
    return scope.assess(world.context, world.clara, reference, assessment)


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join("".join(page.extract_text() for page in pages).replace("\u200b", "").split())


def test_the_draft_follows_the_authoritys_order_in_danish_and_in_english(world: World, reference: str) -> None:
    danish = reports.draft(world.context, world.ada, reference, language="da")
    english = reports.draft(world.context, world.ada, reference, language="en")
    assert [one.key for one in danish.questions] == [one.key for one in english.questions]
    assert danish.missing == english.missing
    assert question(world, reference, "dk.aware_at").label == "Hvornår blev I bekendt med bruddet?"
    assert question(world, reference, "dk.aware_at", "en").label == "When did you become aware of the breach?"
    assert "16.45" in question(world, reference, "dk.aware_at").answer
    assert danish.banner == "Ikke kontrolleret mod den aktuelle formular på Virk"
    assert not danish.checked_against_live_form


def test_what_is_missing_is_named_and_gets_less_with_every_version_of_the_scope(world: World, reference: str) -> None:
    def missing() -> set[str]:
        return set(reports.draft(world.context, world.ada, reference).missing)

    nothing = missing()
    assert "dk.description" in nothing, "the name of a system describes no breach"
    assert assess(world, reference, FIRST) == 1
    some = missing()
    assert assess(world, reference, KNOWN) == 2
    assert nothing > some > missing()
    assert "dk.description" not in some
    newest, oldest = scope.versions(world.context, world.ada, reference)
    assert (newest.version, oldest.version) == (2, 1)
    assert oldest.assessment == FIRST, "a version is never changed"
    assert "people.count" in {change.key for change in newest.changes}
    assert world.kinds(reference).count("scope_assessed") == 2


def test_an_answer_that_holds_somebodys_number_is_warned_of_and_not_refused(world: World, reference: str) -> None:
    assess(world, reference, replace(FIRST, description="Mailen gik til ole@example.org i stedet for kunden."))
    warned = question(world, reference, "dk.description")
    assert warned.warnings
    assert "ole@example.org" not in "".join(warned.warnings)
    told = reports.json(world.context, world.ada, reference)
    assert next(one for one in told["questions"] if one["key"] == "dk.description")["warnings"] == list(
        warned.warnings
    )
    reports.revise_answer(
        world.context, world.clara, reference, key="dk.description", answer="Mailen gik til en forkert modtager."
    )
    assert question(world, reference, "dk.description").warnings == ()


def test_the_pdf_carries_the_mark_and_the_head_of_the_journal(world: World, reference: str) -> None:
    assess(world, reference, KNOWN)
    seq, head = journal.head(world.context)
    text = text_of(reports.pdf(world.context, world.ada, reference, language="da"))
    assert "Ikke kontrolleret mod den aktuelle formular på Virk" in text
    assert f"{seq}" in text
    assert head.hex()[:16] in text.replace(" ", "")
    assert "Nyhedsbrevet gik ud med alle adresser i CC." in text
    english = text_of(reports.pdf(world.context, world.ada, reference, language="en"))
    assert "Not checked against the live form" in english
    assert "When did you become aware of the breach?" in english


def test_nothing_counts_as_filed_without_a_receipt_or_a_reason_for_having_none(world: World, reference: str) -> None:
    with pytest.raises(ReceiptIsMissing):
        world.file(reference, no_receipt_reason="")
    receipt = attachments.add(
        world.context,
        world.clara,
        reference,
        file_name="kvittering.pdf",
        plain=[b"%PDF-1.7 kvittering"],
        purpose=attachments.RECEIPT,
    )
    world.file(reference, receipt=receipt.id, no_receipt_reason="", journal_number="2026-441-0001")
    (filing,) = incident_of(world, reference).filings
    assert (filing.receipt_id, filing.journal_number, filing.phase) == (receipt.id, "2026-441-0001", "initial")
    assert world.standing(reference, "notify_authority") == "met"


def incident_of(world: World, reference: str) -> Incident:
    return register.overview(world.context, world.ada, reference).incident


def test_a_report_is_filed_neither_tomorrow_nor_before_anybody_knew(world: World, reference: str) -> None:
    with pytest.raises(FiledInTheFuture):
        world.file(reference, world.clock() + HOUR)
    with pytest.raises(FiledBeforeAwareness):
        world.file(reference, world.clock() - HOUR)
    assert world.standing(reference, "notify_authority") == "open"


def test_a_late_report_must_say_why_and_stays_late(world: World, reference: str) -> None:
    assess(world, reference, KNOWN)
    world.clock.advance(hours=73)
    assert "dk.delay_reason" in reports.draft(world.context, world.ada, reference).missing
    with pytest.raises(LateReasonIsMissing) as refused:
        world.file(reference)
    assert refused.value.field == "late_reason"
    assert world.standing(reference, "notify_authority") == "overdue", "nothing was recorded"
    frozen = world.file(reference, late_reason=LATE)
    told = reports.json(world.context, world.ada, reference, version=1)
    assert next(one["answer"] for one in told["questions"] if one["key"] == "dk.delay_reason") == LATE
    assert frozen.content["record"]["timeline.late_reason"] == LATE
    world.clock.advance(days=30)
    world.file(reference, version=2)
    assert world.duty(reference, "notify_authority") | {"anchor_at": ""} == {
        "regime": "gdpr",
        "duty": "notify_authority",
        "addressee": "supervisory_authority",
        "anchor_at": "",
        "due_at": "2026-11-23T15:45:00Z",
        "outer_reading_at": "2026-11-23T16:00:00Z",
        "standing": "met_late",
        "met_at": "2026-11-23T16:45:00Z",
    }


def test_exactly_at_the_deadline_is_in_time(world: World, reference: str) -> None:
    world.clock.advance(hours=72)
    world.file(reference)
    assert world.standing(reference, "notify_authority") == "met"


def test_what_was_filed_is_frozen_with_a_digest_that_anybody_can_compute(world: World, reference: str) -> None:
    assess(world, reference, FIRST)
    frozen = world.file(reference)
    before = reports.json(world.context, world.ada, reference, version=1)
    assess(world, reference, KNOWN)
    after = reports.json(world.context, world.ada, reference, version=1)
    assert before == after
    assert canonical.digest(after["frozen"]) == after["digest"] == frozen.digest
    filed = [one.event for one in world.journal(reference) if one.kind == "report_filed"]
    assert [getattr(one, "digest", "") for one in filed] == [frozen.digest]
    assert frozen.digest[:16] in text_of(reports.pdf(world.context, world.ada, reference, version=1)).replace(" ", "")


def test_a_frozen_version_that_somebody_changed_in_the_database_is_not_handed_out(
    world: World, reference: str
) -> None:
    world.file(reference)
    with world.context.database.writing() as session:
        session.execute(update(ReportVersionRow).values(digest="0" * 64))
    with pytest.raises(ReportIsAltered):
        reports.pdf(world.context, world.ada, reference, version=1)


def test_the_follow_up_shows_what_changed_and_ends_with_a_complete_one(world: World, reference: str) -> None:
    assess(world, reference, FIRST)
    first = world.file(reference)
    with pytest.raises(VersionIsNotNext):
        world.file(reference, version=1)
    assert world.standing(reference, "complete_report") == "open"
    world.clock.advance(days=2)
    with pytest.raises(ReportIsNotComplete):
        world.file(reference, version=2, complete=True)
    assess(world, reference, KNOWN)
    sheet = reports.sheet(world.context, world.ada, reference)
    assert (sheet.version, sheet.phase) == (2, "follow_up")
    assert "people.count" in {change.key for change in sheet.changes}
    second = world.file(reference, version=2, complete=True)
    changed = {one.key: (one.before, one.after) for one in reports.changes_between(first, second, "da")}
    assert changed["dk.measures_taken"] == ("", "Modtagerne er bedt om at slette mailen.")
    assert "612" in changed["dk.subjects_n"][1]
    assert "dk.description" not in changed
    assert world.standing(reference, "complete_report") == "met"


def test_a_report_that_was_taken_back_is_followed_by_nothing(world: World, reference: str) -> None:
    with pytest.raises(PhaseDoesNotFollow):
        world.file(reference, withdrawn=True)
    world.file(reference)
    world.clock.advance(days=1)
    world.file(reference, version=2, withdrawn=True)
    with pytest.raises(PhaseDoesNotFollow):
        world.file(reference, version=3)
    assert [one.phase for one in reports.filed(world.context, world.ada, reference)] == ["withdrawn", "initial"]


def test_until_the_rest_of_the_report_is_filed_the_tracker_asks_every_week(world: World, reference: str) -> None:
    world.take(world.beat())
    world.set_aside(reference, "gdpr.notify_people", "promise.inform_parties")
    assess(world, reference, FIRST)
    world.file(reference)
    began = world.clock()
    asked = world.walk_taking(began + timedelta(days=15), minutes=720)
    assert [at[:10] for at, _, _ in asked] == ["Fri 27 Nov", "Fri 04 Dec"]
    assert asked[0][2].startswith("2026-0001: resten af anmeldelsen mangler stadig, 168 t efter start.")
    assess(world, reference, KNOWN)
    world.file(reference, version=2, complete=True)
    assert world.walk(world.clock() + timedelta(days=30), minutes=1440) == []
    incidents.close(world.context, world.ada, reference, reason="Alt er anmeldt.")
    assert world.shown(reference)["status"] == "closed"
    assert world.journal_is_whole()
