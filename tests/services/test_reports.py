"""The report: drafted from what is recorded, filed by hand, frozen as it was."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from incident_tracker.domain.access import SHELL, Actor
from incident_tracker.domain.canonical import canonical_json
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal
from incident_tracker.domain.filings import (
    AwarenessIsNotRecorded,
    FiledBeforeAwareness,
    FiledInTheFuture,
    LateReasonIsMissing,
    ReceiptIsMissing,
    ReferenceIsMissing,
    ReportIsNotComplete,
)
from incident_tracker.domain.incident import AwareAfterFiling, IncidentIsClosed
from incident_tracker.domain.parties import Role
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import attachments, incidents, reports, scope
from incident_tracker.services.reports import (
    AnswerIsAFact,
    AnswerIsNotAChoice,
    Phase,
    ReportIsAltered,
    VersionIsNotNext,
)
from incident_tracker.store.tables.incidents import ReportVersionRow
from tests.makers import make_actor, make_controller
from tests.services.world import World

WHOLE = ScopeAssessment(
    breach_types=("confidentiality",),
    description="Kundelisten lå åbent.",
    people_categories=("customers",),
    people_count=CountRange.read("12.400", "people_count"),
    data_types=("contact",),
    records_count=CountRange.read("ca. 12.400", "records_count"),
    impacts=("fraud",),
    measures_taken="Mappen er lukket.",
)


@pytest.fixture
def reference(world: World) -> str:
    """Give an incident whose 72 hours began just now."""
    found = world.open(what_happened="Kundelisten lå åbent.")
    world.aware(found)
    return found


def _file(world: World, reference: str, **facts: Any) -> reports.Frozen:
    given: dict[str, Any] = {
        "filed_at": world.clock(),
        "authority_reference": "2ca746503d826e268cbc6d6f23c1543aa7b67c1d",
        "no_receipt_reason": "Virk gav ingen",
        "version": len(world.overview(reference).incident.filings) + 1,
    } | facts
    return reports.file_report(world.context, SHELL, reference, **given)


def _answer(world: World, reference: str, key: str, language: str = "da") -> str:
    found = reports.draft(world.context, SHELL, reference, language=language).questions
    return next(one.answer for one in found if one.key == key)


def test_the_draft_says_what_was_logged_and_when_it_was_known(world: World, reference: str) -> None:
    made = reports.sheet(world.context, SHELL, reference)
    assert (made.version, made.phase, made.due_at) == (1, Phase.INITIAL, world.clock() + timedelta(hours=72))
    assert _answer(world, reference, "dk.aware_at") == "fredag 20. november 2026 kl. 14.00 (UTC+1)"
    assert _answer(world, reference, "dk.aware_at", "en") == "Friday 20 November 2026 at 14:00 (UTC+1)"
    assert _answer(world, reference, "dk.description") == "Kundelisten lå åbent."
    assert made.asked == made.ready + len(made.draft.missing)


def test_an_own_answer_stands_before_the_derived_one_until_it_is_emptied(world: World, reference: str) -> None:
    answer = "  Med egne ord.\r\nTo linjer. "
    reports.revise_answer(world.context, SHELL, reference, key="dk.description", answer=answer)
    assert _answer(world, reference, "dk.description") == "Med egne ord.\nTo linjer."
    reports.revise_answer(world.context, SHELL, reference, key="dk.description", answer="")
    assert _answer(world, reference, "dk.description") == "Kundelisten lå åbent."


def test_an_answer_from_recorded_facts_is_not_overwritten_on_the_report(world: World, reference: str) -> None:
    with pytest.raises(AnswerIsAFact):
        reports.revise_answer(world.context, SHELL, reference, key="dk.aware_at", answer="i går")
    with pytest.raises(AnswerIsNotAChoice):
        reports.revise_answer(world.context, SHELL, reference, key="dk.police", answer="måske")
    with pytest.raises(NotFound):
        reports.revise_answer(world.context, SHELL, reference, key="dk.nonsense", answer="x")
    assert "answer_revised" not in world.kinds(reference)


def test_saving_the_same_answer_again_writes_nothing(world: World, reference: str) -> None:
    for _ in range(2):
        reports.revise_answer(world.context, SHELL, reference, key="dk.police", answer="no")
        reports.tick(world.context, SHELL, reference, key="dk.police", ticked=True)
    kinds = world.kinds(reference)
    assert (kinds.count("answer_revised"), kinds.count("question_ticked")) == (1, 1)


def test_a_revised_answer_loses_its_tick(world: World, reference: str) -> None:
    reports.tick(world.context, SHELL, reference, key="dk.description", ticked=True)
    assert reports.sheet(world.context, SHELL, reference).ticked == {"dk.description"}
    reports.revise_answer(world.context, SHELL, reference, key="dk.description", answer="Nyt")
    assert not reports.sheet(world.context, SHELL, reference).ticked


def test_a_phone_number_in_an_answer_warns_and_is_kept(world: World, reference: str) -> None:
    answer = "Ring til kunden på 20 12 34 56"
    reports.revise_answer(world.context, SHELL, reference, key="dk.consequences_so_far", answer=answer)
    found = reports.draft(world.context, SHELL, reference).questions
    question = next(one for one in found if one.key == "dk.consequences_so_far")
    assert question.answer == answer
    assert len(question.warnings) == 1
    assert "telefonnummer" in question.warnings[0]


def test_filing_in_time_meets_the_duty_and_freezes_what_was_filed(either: World) -> None:
    reference = either.open(what_happened="Kundelisten lå åbent.")
    either.aware(reference)
    either.clock.advance(hours=70)
    kept = attachments.add(either.context, SHELL, reference, file_name="kvittering.pdf", plain=[b"%PDF"])
    frozen = _file(either, reference, receipt=kept.id, no_receipt_reason="", journal_number="2026-441-1234")
    assert either.standing(reference, "notify_authority") == "met"
    assert either.standing(reference, "complete_report") == "open"
    filing = either.overview(reference).incident.filings[0]
    assert (filing.version, filing.phase, filing.receipt_id) == (1, "initial", kept.id)
    assert (filing.journal_number, filing.digest, filing.complete) == ("2026-441-1234", frozen.digest, False)
    assert reports.filed(either.context, SHELL, reference) == (frozen,)
    assert either.kinds(reference)[-1] == "report_filed"


def test_the_digest_is_that_of_the_frozen_json_and_later_changes_leave_it_alone(world: World, reference: str) -> None:
    frozen = _file(world, reference)
    reports.revise_answer(world.context, SHELL, reference, key="dk.description", answer="Noget andet")
    told = json.loads(json.dumps(reports.json(world.context, SHELL, reference, version=1)))
    plain = json.dumps(told["frozen"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert hashlib.sha256(plain).hexdigest() == told["digest"] == frozen.digest
    description = next(one for one in told["questions"] if one["key"] == "dk.description")
    assert description["answer"] == "Kundelisten lå åbent."


def test_a_frozen_version_that_was_altered_is_not_handed_out(world: World, reference: str) -> None:
    frozen = _file(world, reference)
    content = {**frozen.content, "record": {**frozen.content["record"], "nature.description": "Intet skete"}}
    overview = world.overview(reference)
    with world.context.database.writing() as session:
        key = session.connection().exec_driver_sql("SELECT record_key FROM incidents").scalar_one()
        sealed = world.context.keyring.seal(key, "report_versions.content", canonical_json(content))
        session.execute(
            update(ReportVersionRow).where(ReportVersionRow.incident_id == overview.id).values(content=sealed)
        )
    with pytest.raises(ReportIsAltered):
        reports.pdf(world.context, SHELL, reference, version=1)


def test_a_late_report_gives_its_reasons_and_is_met_late(world: World, reference: str) -> None:
    world.clock.advance(hours=72, minutes=1)
    with pytest.raises(LateReasonIsMissing) as refused:
        _file(world, reference)
    assert refused.value.field == "late_reason"
    frozen = _file(world, reference, late_reason="Vi ventede på Skyhost.")
    assert world.standing(reference, "notify_authority") == "met_late"
    assert frozen.content["record"]["timeline.late_reason"] == "Vi ventede på Skyhost."


def test_exactly_at_the_deadline_is_in_time(world: World, reference: str) -> None:
    world.clock.advance(hours=72)
    _file(world, reference)
    assert world.standing(reference, "notify_authority") == "met"


def test_a_report_filed_in_time_and_recorded_later_is_in_time(world: World, reference: str) -> None:
    world.clock.advance(hours=71)
    sent = world.clock()
    world.clock.advance(hours=5)
    _file(world, reference, filed_at=sent)
    assert world.standing(reference, "notify_authority") == "met"


def test_the_reason_for_the_delay_may_be_an_answer_on_the_report(world: World, reference: str) -> None:
    world.clock.advance(hours=80)
    reports.revise_answer(world.context, SHELL, reference, key="dk.delay_reason", answer="Vi ventede.")
    assert _file(world, reference).content["record"]["timeline.late_reason"] == "Vi ventede."


def test_a_follow_up_after_the_72_hours_is_not_late(world: World, reference: str) -> None:
    _file(world, reference)
    world.clock.advance(hours=200)
    made = reports.sheet(world.context, SHELL, reference)
    assert (made.version, made.phase) == (2, Phase.FOLLOW_UP)
    assert "dk.delay_reason" not in made.draft.missing
    assert made.draft.blocked_by == ()
    assert _file(world, reference).phase == Phase.FOLLOW_UP


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"no_receipt_reason": " "}, ReceiptIsMissing, "receipt"),
        ({"authority_reference": "  "}, ReferenceIsMissing, "reference"),
        ({"version": 2}, VersionIsNotNext, "version"),
        ({"version": 0}, VersionIsNotNext, "version"),
        ({"complete": True}, ReportIsNotComplete, "phase"),
        ({"receipt": "nothing"}, NotFound, "receipt"),
    ],
)
def test_what_cannot_count_as_filed_is_refused_beside_its_field(
    world: World, reference: str, facts: dict[str, Any], refusal: type[Refusal], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        _file(world, reference, **facts)
    assert refused.value.field == field
    assert reports.filed(world.context, SHELL, reference) == ()
    assert world.standing(reference, "notify_authority") != "met"


@pytest.mark.parametrize(
    ("when", "refusal"),
    [
        (lambda now: now + timedelta(seconds=1), FiledInTheFuture),
        (lambda now: now - timedelta(seconds=1), FiledBeforeAwareness),
    ],
)
def test_a_filing_lies_between_awareness_and_now(
    world: World, reference: str, when: Callable[[datetime], datetime], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        _file(world, reference, filed_at=when(world.clock()))


def test_nothing_is_filed_before_somebody_is_aware(world: World) -> None:
    reference = world.open()
    with pytest.raises(AwarenessIsNotRecorded):
        _file(world, reference)


def test_a_receipt_of_another_incident_proves_nothing(world: World, reference: str) -> None:
    elsewhere = attachments.add(world.context, SHELL, world.open(), file_name="x.pdf", plain=[b"x"])
    with pytest.raises(NotFound):
        _file(world, reference, receipt=elsewhere.id)


def test_two_people_who_file_the_same_version_make_one(world: World, reference: str) -> None:
    _file(world, reference, version=1)
    with pytest.raises(VersionIsNotNext):
        _file(world, reference, version=1)
    assert len(reports.filed(world.context, SHELL, reference)) == 1


def test_a_complete_report_at_once_settles_both_duties(world: World, reference: str) -> None:
    scope.assess(world.context, SHELL, reference, WHOLE)
    assert _file(world, reference, complete=True).phase == Phase.FINAL
    assert world.standing(reference, "notify_authority") == "met"
    assert world.standing(reference, "complete_report") == "met"


def test_the_next_version_shows_what_changed(world: World, reference: str) -> None:
    first = _file(world, reference)
    scope.assess(world.context, SHELL, reference, WHOLE)
    made = reports.sheet(world.context, SHELL, reference)
    assert "dk.subject_categories" in made.changed
    assert "dk.controller_name" not in made.changed
    second = _file(world, reference, complete=True)
    changes = {one.key: (one.before, one.after) for one in reports.changes_between(first, second, "da")}
    assert changes["dk.subject_categories"] == ("", "Kunder")
    assert changes["dk.type"] == ("Ny", "Opfølgende")
    assert reports.changes_between(None, first, "da") == ()


def test_filing_takes_the_ticks_off_and_keeps_the_answers(world: World, reference: str) -> None:
    reports.revise_answer(world.context, SHELL, reference, key="dk.police", answer="no")
    reports.tick(world.context, SHELL, reference, key="dk.police", ticked=True)
    _file(world, reference)
    made = reports.sheet(world.context, SHELL, reference)
    assert not made.ticked
    assert _answer(world, reference, "dk.police") == "Nej"


def test_a_withdrawn_notification_ends_the_series(world: World, reference: str) -> None:
    _file(world, reference)
    assert _file(world, reference, withdrawn=True).phase == Phase.WITHDRAWN
    assert world.standing(reference, "complete_report") == "met"
    assert reports.sheet(world.context, SHELL, reference).possible == ()
    with pytest.raises(Refusal):
        _file(world, reference)


def test_a_closed_incident_takes_no_answers_and_no_filing(world: World) -> None:
    reference = world.open()
    incidents.find_not_a_breach(world.context, SHELL, reference, reason="Ingen personoplysninger")
    with pytest.raises(IncidentIsClosed):
        reports.revise_answer(world.context, SHELL, reference, key="dk.police", answer="no")
    with pytest.raises(IncidentIsClosed):
        _file(world, reference)


def test_the_files_carry_the_head_of_the_journal(world: World, reference: str) -> None:
    with world.context.database.reading() as session:
        row = session.connection().exec_driver_sql("SELECT seq, hash FROM journal_head").one()
    page = reports.html(world.context, SHELL, reference)
    assert bytes(row.hash).hex() in page
    assert f"Journal nr. {row.seq}" in page
    assert reports.pdf(world.context, SHELL, reference).startswith(b"%PDF-")


def test_an_unusual_number_only_warns(world: World, reference: str) -> None:
    warned = reports.identifier_warnings(world.context, reference="abc", journal_number="")
    assert len(warned) == 1
    assert _file(world, reference, authority_reference="abc").version == 1


def test_an_auditor_reads_the_report_and_changes_nothing(world: World, reference: str) -> None:
    dan = make_actor(world.controller, Role.AUDITOR)
    assert reports.draft(world.context, dan, reference).questions
    for change in (
        lambda: reports.revise_answer(world.context, dan, reference, key="dk.police", answer="no"),
        lambda: reports.tick(world.context, dan, reference, key="dk.police", ticked=True),
        lambda: reports.file_report(
            world.context,
            dan,
            reference,
            filed_at=world.clock(),
            authority_reference="x",
            no_receipt_reason="x",
            version=1,
        ),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_another_controllers_report_answers_like_none(world: World, reference: str) -> None:
    _file(world, reference)
    other = make_controller(world.context, "Skyhost A/S")
    stranger = Actor("user:9", {other.id: Role.ADMINISTRATOR})
    for version in (None, 1):
        with pytest.raises(NotFound):
            reports.pdf(world.context, stranger, reference, version=version)


def test_an_authority_without_a_plugin_is_not_known(world: World, reference: str) -> None:
    with pytest.raises(NotFound):
        reports.draft(world.context, SHELL, reference, authority="zz")


def test_awareness_is_never_moved_to_after_the_report_that_was_filed(world: World, reference: str) -> None:
    filed_at = world.clock.advance(hours=2)
    _file(world, reference)
    world.clock.advance(hours=2)
    with pytest.raises(AwareAfterFiling) as refused:
        world.aware(reference, filed_at + timedelta(seconds=1))
    assert refused.value.field == "at"
    world.aware(reference, filed_at)
    assert world.overview(reference).incident.became_aware_at == filed_at
