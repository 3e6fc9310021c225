"""Danish decisions walked again: the same facts on the same days, and where the tracker shows the mistake in time.

The facts are those of published decisions of Datatilsynet, told in our own words and with our own cast.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from incident_tracker.domain.access import Actor
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.deadlines import lateness
from incident_tracker.domain.errors import NotAllowed, Refusal
from incident_tracker.domain.filings import LateReasonIsMissing
from incident_tracker.domain.incident import (
    AlreadySettled,
    DutiesAreOpen,
    MetBeforeItBegan,
    ReasonIsMissing,
    ReportComesFirst,
)
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import incidents, register, reports, scope
from tests.four_eyes import set_aside
from tests.journeys.conftest import MakeWorld
from tests.journeys.world import World, dk
from tests.makers import HandClock

HOUR = timedelta(hours=1)
Begin = Callable[[str], World]


@pytest.fixture
def begin(make: MakeWorld, hand: HandClock) -> Begin:
    """Give a maker of the world as it stood at a Danish time."""

    def at(wall: str) -> World:
        hand.set(dk(wall))
        return make()

    return at


def told(world: World, reference: str, at: str, how: str) -> None:
    incidents.meet_duty(
        world.context, world.clara, reference, regime="gdpr", duty="notify_people", at=dk(at), how=how
    )


def not_reported(world: World, person: Actor, reference: str, reason: str) -> None:
    set_aside(world.context, reference, "gdpr", "notify_authority", reason, by=person)


def asked_about_people(world: World, to: str) -> list[str]:
    """Let time pass, everybody answering OK; return the days on which telling people was asked for."""
    heard = world.walk_taking(dk(to), minutes=1440)
    return [at[4:10] for at, _, text in heard if "underretning af de berørte mangler stadig" in text]


def test_tax_administration_2021_the_72_hours_run_through_the_weekend(begin: Begin) -> None:
    """2021-442-13805: a letter with CPR to a wrong address; tip on Thursday 8 July, confirmed on Friday 9 July."""
    world = begin("2021-07-08 10:00")
    reference = world.log("Brev med CPR-nummer til en forkert modtager")
    world.take(world.beat())
    assert world.shown(reference)["status"] == "suspected", "a tip starts no 72 hours, but a short check"
    asked = world.walk_taking(dk("2021-07-09 11:00"))
    assert [at for at, _, _ in asked] == [
        "Thu 08 Jul 14:00 +0200",
        "Thu 08 Jul 22:00 +0200",
        "Fri 09 Jul 10:00 +0200",
    ]
    world.confirm(reference, reason="Modtageren har sendt et billede af brevet.")
    assert world.duty(reference, "notify_authority")["due_at"] == "2021-07-12T09:00:00Z"
    weekend = world.walk_taking(dk("2021-07-11 23:30"))
    assert [at for at, _, _ in weekend if at.startswith(("Sat", "Sun"))] == [
        "Sat 10 Jul 11:00 +0200",
        "Sun 11 Jul 11:00 +0200",
        "Sun 11 Jul 23:00 +0200",
    ]
    world.clock.set(dk("2021-07-12 10:30"))
    world.file(reference)
    assert world.standing(reference, "notify_authority") == "met", "reported on Monday, within the hours"


def test_tax_administration_2021_told_is_only_what_has_happened_and_where_the_proof_lies(begin: Begin) -> None:
    """The report said that the person was told on 10 July; in truth it was 18 August."""
    world = begin("2021-07-09 11:00")
    reference = world.log("Brev til forkert modtager", actor=world.clara, aware_at=world.clock(), aware_reason="Set.")
    world.take(world.beat())
    world.clock.set(dk("2021-07-12 10:30"))
    with pytest.raises(Refusal):
        told(world, reference, "2021-07-14 09:00", "Brevet er på vej.")
    with pytest.raises(ReasonIsMissing):
        told(world, reference, "2021-07-10 09:00", "  ")
    with pytest.raises(MetBeforeItBegan):
        told(world, reference, "2021-07-09 09:00", "Ringet op.")
    first = world.file(reference)
    assert "10. juli" not in str(first.content["drafts"]["da"]), "the report says nothing that was not recorded"
    world.set_aside(reference, "promise.inform_parties", reason="Ingen andre parter.")
    days = asked_about_people(world, "2021-08-18 09:00")
    assert len(days) >= 36, "every day of the holidays somebody is asked"
    told(world, reference, "2021-08-18 09:00", "Anbefalet brev, kvittering i sagens bilag.")
    assert world.duty(reference, "notify_people")["met_at"] == "2021-08-18T07:00:00Z"
    assert asked_about_people(world, "2021-08-25 09:00") == [], "told once is told"


def test_tax_administration_2021_a_correction_is_a_new_entry_and_overwrites_nothing(begin: Begin) -> None:
    world = begin("2021-07-09 11:00")
    reference = world.log("Brev til forkert modtager", actor=world.clara, aware_at=world.clock(), aware_reason="Set.")
    world.clock.set(dk("2021-07-12 10:30"))
    told(world, reference, "2021-07-10 09:00", "Ringet op lørdag.")
    with pytest.raises(AlreadySettled):
        told(world, reference, "2021-07-11 09:00", "Det var søndag.")
    world.file(reference)
    world.clock.set(dk("2021-08-18 12:00"))
    before = [(one.seq, one.kind, one.recorded_at) for one in world.journal(reference)]
    incidents.add_note(
        world.context,
        world.clara,
        reference,
        text="Personen blev først underrettet den 18. august, ikke den 10. juli.",
    )
    reports.revise_answer(
        world.context, world.clara, reference, key="dk.not_told_reason", answer="Underrettet den 18. august."
    )
    second = world.file(reference, version=2)
    after = [(one.seq, one.kind, one.recorded_at) for one in world.journal(reference)]
    assert after[: len(before)] == before
    assert [kind for _, kind, _ in after[len(before) :]] == ["note_added", "answer_revised", "report_filed"]
    assert "18. august" in str(second.content["drafts"]["da"])
    assert "18. august" not in str(reports.frozen_of(world.context, world.ada, reference, "dk", 1).content)
    assert world.journal_is_whole()


def test_coop_2021_telling_people_is_asked_for_after_the_report_was_filed_in_time(begin: Begin) -> None:
    """2021-441-9356: 477 members of staff on an open share; reported in time, told after three months."""
    world = begin("2021-03-01 09:00")
    reference = world.log(
        "Personalemappe åben for alle ansatte",
        actor=world.clara,
        people_estimate=CountRange.read("477", "people"),
        aware_at=world.clock(),
        aware_reason="Mappens rettigheder er set.",
    )
    world.take(world.beat())
    world.clock.set(dk("2021-03-03 09:00"))
    world.file(reference)
    assert world.standings(reference) == {
        "notify_authority": "met",
        "complete_report": "open",
        "notify_people": "open",
        "assess": "met",
        "inform_parties": "approaching",
    }
    world.set_aside(reference, "promise.inform_parties", reason="Ingen andre parter.")
    days = asked_about_people(world, "2021-04-03 10:00")
    assert len(days) == 31, "not a day without the question, also when the rest of the report is asked for"
    assert days[-1] == "03 Apr"
    with pytest.raises(DutiesAreOpen) as refused:
        incidents.close(world.context, world.ada, reference, reason="Anmeldt.")
    assert "tell the people affected" in str(refused.value)


def test_civilstyrelsen_2020_overdue_never_ends_in_silence_and_cannot_be_closed_away(begin: Begin) -> None:
    """2022: an unencrypted USB stick with 800 pages, known on 26 August 2020 and never reported."""
    world = begin("2020-08-26 10:00")
    reference = world.log(
        "Ukrypteret USB-nøgle bortkommet", actor=world.clara, aware_at=world.clock(), aware_reason="Den er væk."
    )
    world.take(world.beat())
    began = world.clock()
    world.walk_taking(began + 72 * HOUR, minutes=720)
    assert world.shown(reference)["status"] == "aware"
    overdue = world.walk_taking(began + 96 * HOUR, minutes=60)
    assert len(overdue) == 24, "every hour"
    assert all("fristen er overskredet med" in text for _, _, text in overdue)
    for months in (3, 18):
        world.clock.set(began + timedelta(days=30 * months))
        late = world.beat()
        assert len(late) == 1, "not a backlog, and not silence"
        assert "Anmeld nu og begrund forsinkelsen." in late[0][2]
        world.take(late)
        assert len(world.walk_taking(world.clock() + 3 * HOUR)) == 3
        assert world.standing(reference, "notify_authority") == "overdue"
    with pytest.raises(DutiesAreOpen):
        incidents.close(world.context, world.ada, reference, reason="For længe siden.")
    with pytest.raises(ReportComesFirst):
        incidents.meet_duty(
            world.context,
            world.ada,
            reference,
            regime="gdpr",
            duty="notify_authority",
            at=world.clock(),
            how="Sendt pr. brev.",
        )
    with pytest.raises(LateReasonIsMissing):
        world.file(reference)


def test_datatilsynet_2020_nobody_is_exempt_the_reason_for_the_delay_is_demanded_and_frozen(begin: Begin) -> None:
    """2020-442-8866: sensitive paper in ordinary waste since March 2020; reported on 10 August, too late."""
    world = begin("2020-08-05 09:00")
    reference = world.log("Følsomme papirer lagt i almindeligt affald")
    world.take(world.beat())
    world.confirm(reference, reason="Containerne er set efter.")
    scope.assess(
        world.context,
        world.clara,
        reference,
        ScopeAssessment(
            breach_types=("confidentiality",),
            description="Papir til makulering blev kørt bort som almindeligt affald.",
            occurrence="date_range",
            begin=dk("2020-03-01 00:00"),
            end=dk("2020-08-05 08:00"),
            dates_estimated=True,
            people_count=CountRange.read("kan ikke fastslås", "people_count"),
        ),
    )
    world.clock.set(dk("2020-08-10 14:00"))
    assert world.standing(reference, "notify_authority") == "overdue"
    sheet = reports.sheet(world.context, world.ada, reference)
    assert sheet.is_late(world.clock())
    assert "dk.delay_reason" in sheet.draft.blocked_by
    with pytest.raises(LateReasonIsMissing):
        world.file(reference)
    reason = "Medarbejderne talte først med hinanden om det mandag."
    world.file(reference, late_reason=reason)
    assert world.standing(reference, "notify_authority") == "met_late"
    duties = register.overview(world.context, world.ada, reference).obligations
    assert [lateness(one) for one, _ in duties if one.duty == "notify_authority"] == [53 * HOUR]
    frozen = reports.frozen_of(world.context, world.ada, reference, "dk", 1)
    assert frozen.content["record"]["timeline.late_reason"] == reason
    world.clock.set(dk("2020-08-26 12:00"))
    told(world, reference, "2020-08-26 11:00", "Offentlig meddelelse 20. og 26. august: de berørte kendes ikke.")
    assert world.standing(reference, "notify_people") == "met"


def test_falkonergaarden_2021_that_no_special_category_got_out_settles_nothing(begin: Begin) -> None:
    """2021-32-2067: an absence warning to the wrong pupil, not reported because it held "no Art. 9 data"."""
    world = begin("2021-05-12 13:00")
    reference = world.log("Fraværsadvarsel sendt til en forkert elev")
    world.take(world.beat())
    world.confirm(reference, reason="Eleven viste beskeden.")
    scope.assess(
        world.context,
        world.clara,
        reference,
        ScopeAssessment(
            breach_types=("confidentiality",),
            description="En advarsel om fravær gik til en anden elev.",
            people_count=CountRange.read("1", "people_count"),
            data_types=("basic",),
            measures_taken="Modtageren har slettet beskeden.",
        ),
    )
    told(world, reference, "2021-05-12 13:00", "Samtale samme dag.")
    assert world.standing(reference, "notify_authority") == "open", "neither one person nor deletion settles it"
    with pytest.raises(NotAllowed):
        not_reported(world, world.clara, reference, "Ingen følsomme oplysninger.")
    with pytest.raises(ReasonIsMissing):
        not_reported(world, world.ada, reference, " ")
    assert "anmeldelsesfristen" in "".join(text for _, _, text in world.walk_taking(dk("2021-05-15 12:30")))
    not_reported(world, world.ada, reference, "Risikoen er usandsynlig: modtageren er tavs og har slettet.")
    assert world.standing(reference, "notify_authority") == "set_aside"
    decided = world.journal(reference)[-1]
    assert (decided.kind, decided.event.asked_by) == ("duty_set_aside", world.ada.name)
    assert decided.actor not in (world.ada.name, world.clara.name), "somebody else has looked at it"
    assert "Risikoen er usandsynlig" in str(decided.event), "readable in two years"


def test_copenhagen_zoo_2020_the_report_asks_for_the_consequences_and_the_period(begin: Begin) -> None:
    """2020-441-4364: 140,000 card holders; the message lacked likely consequences and the period."""
    world = begin("2020-02-03 10:00")
    reference = world.log(
        "Årskort kunne slås op af andre", actor=world.clara, aware_at=world.clock(), aware_reason="Vist af en kunde."
    )
    scope.assess(
        world.context,
        world.clara,
        reference,
        ScopeAssessment(
            breach_types=("confidentiality",),
            description="Kortnumre kunne gættes, og kortets ejer blev vist.",
            people_categories=("customers",),
            people_count=CountRange.read("ca. 140.000", "people_count"),
            data_types=("basic", "contact"),
            measures_taken="Opslaget er lukket.",
        ),
    )
    sheet = reports.sheet(world.context, world.ada, reference)
    assert "dk.consequences" in sheet.draft.missing
    assert "consequences" in sheet.open_points
    with pytest.raises(Refusal):
        world.file(reference, complete=True)
    world.file(reference)
    assert world.standing(reference, "complete_report") == "open", "a first report with gaps is no whole one"
    assert world.standing(reference, "notify_people") == "open"
    begin_of = next(one for one in sheet.draft.questions if one.key == "dk.breach_start")
    assert begin_of.answer == "", "the period is asked for, and not guessed"
