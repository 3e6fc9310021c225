from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from incident_tracker.domain import incident as rules
from incident_tracker.domain.access import SHELL, Act
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import ReportFiled
from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.periods import TimeIsInFuture
from incident_tracker.domain.regimes import obligations_for
from incident_tracker.services import clock, incidents, obligations
from incident_tracker.services.work import working
from incident_tracker.store.tables.incidents import ObligationRow
from tests.four_eyes import set_aside
from tests.services.world import World

HOUR = timedelta(hours=1)


def filed(world: World, reference: str, **facts: object) -> None:
    with working(world.context, SHELL) as work:
        loaded = work.load(reference, Act.WORK)
        values = {
            "authority": "dk",
            "version": len(loaded.incident.filings) + 1,
            "phase": "initial",
            "filed_at": world.clock(),
            "reference": "",
            "digest": "0" * 64,
        }
        work.record(loaded, ReportFiled(**(values | facts)))  # type: ignore[arg-type]


def test_a_suspicion_owes_nothing_but_the_decision(world: World) -> None:
    reference = world.open()
    assert [one.duty for one, _ in world.overview(reference).obligations] == ["assess"]


@pytest.mark.parametrize(
    ("role", "duties"),
    [
        (PartyRole.CONTROLLER, {"notify_authority", "complete_report", "notify_people", "assess", "inform_parties"}),
        (
            PartyRole.JOINT_CONTROLLER,
            {"notify_authority", "complete_report", "notify_people", "assess", "inform_parties"},
        ),
        (PartyRole.PROCESSOR, {"notify_controller", "assess"}),
    ],
)
def test_awareness_gives_rise_to_the_duties_of_the_role(world: World, role: PartyRole, duties: set[str]) -> None:
    reference = world.open(role=role, aware_at=world.clock(), aware_reason="Set i loggen")
    assert {one.duty for one, _ in world.overview(reference).obligations} == duties


def test_what_the_database_holds_is_what_the_rules_say(either: World) -> None:
    reference = either.open()
    either.aware(reference)
    set_aside(either.context, reference, "gdpr", "notify_people", "Krypteret med æøå")
    found = either.overview(reference)
    wanted = obligations_for(obligations.facts_of(found.incident), either.context.rules)
    assert sorted(one.duty for one, _ in found.obligations) == sorted(one.duty for one in wanted)
    assert {one for one, _ in found.obligations} == set(wanted)


def test_filing_meets_the_duty_and_starts_the_one_to_complete(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.clock.advance(hours=10)
    filed(world, reference)
    assert world.standing(reference, "notify_authority") == "met"
    assert world.duty(reference, "complete_report").anchor_at == world.clock()
    world.tick()
    assert {one.rung for one in world.alarms()} == {"asked_24h", "asked_48h", "asked_weekly"} | {
        "48h",
        "24h",
        "12h",
        "6h",
        "3h",
        "1h",
        "overdue",
    }


def test_met_late_is_frozen_against_time(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.clock.advance(hours=75)
    filed(world, reference)
    assert world.standing(reference, "notify_authority") == "met_late"
    before = world.duty(reference, "notify_authority")
    world.clock.advance(days=400)
    assert world.duty(reference, "notify_authority") == before
    assert world.standing(reference, "notify_authority") == "met_late"


def test_overdue_alarms_every_hour_until_the_duty_is_met(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    for regime, duty in (("gdpr", "notify_people"), ("promise", "inform_parties")):
        set_aside(world.context, reference, regime, duty, "Lav risiko")
    world.advance(hours=72)
    said = []
    for _ in range(30):
        world.clock.advance(seconds=10)
        world.reply("OK")
        said += [text for _, text in world.advance(minutes=59, seconds=50)]
    assert len(said) == 30
    assert "overskredet med 1 t." in said[0]
    assert "overskredet med 30 t." in said[-1]
    filed(world, reference)
    incidents_open = [one for one in world.open_alerts() if one.due_at is not None]
    assert incidents_open == []
    assert [text for _, text in world.advance(days=5)] == []


def test_a_suspicion_is_asked_about_at_4_12_and_24_hours_and_then_daily(world: World) -> None:
    reference = world.open()
    world.tick()
    world.clock.advance(seconds=5)
    world.reply("OK")
    world.clock.advance(seconds=-5)
    asked = []
    for hour in range(1, 24 * 5 + 1):
        for _, text in world.advance(hours=1):
            asked.append(hour)
            assert f"{hour} t siden" in text
        if hour in asked:
            world.clock.advance(seconds=5)
            world.reply("OK")
            world.clock.advance(seconds=-5)
    assert asked == [4, 12, 24, 48, 72, 96, 120]
    assert world.standing(reference, "assess") == "open"


def test_a_duty_set_aside_stays_silent_and_keeps_the_reason(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    set_aside(world.context, reference, "gdpr", "notify_authority", "Usandsynlig risiko")
    duty = world.duty(reference, "notify_authority")
    assert (duty.set_aside_at, duty.set_aside_reason) == (world.clock(), "Usandsynlig risiko")
    assert world.standing(reference, "complete_report") == "set_aside"
    assert not [one for one in world.alarms() if one.obligation_id == _id_of(world, "notify_authority")]


def _id_of(world: World, duty: str) -> int:
    from sqlalchemy import select  # noqa: PLC0415

    with world.context.database.reading() as session:
        return int(session.execute(select(ObligationRow.id).where(ObligationRow.duty == duty)).scalar_one())


def test_the_duty_to_decide_is_met_by_deciding_only(world: World) -> None:
    reference = world.open()
    with pytest.raises(rules.DecisionComesFirst):
        incidents.set_duty_aside(
            world.context, SHELL, reference, regime="internal", duty="assess", reason="Har ikke tid"
        )
    with pytest.raises(rules.DecisionComesFirst):
        incidents.meet_duty(
            world.context, SHELL, reference, regime="internal", duty="assess", at=world.clock(), how="Gjort"
        )


def test_the_report_is_met_by_filing_only(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    for duty in ("notify_authority", "complete_report"):
        with pytest.raises(rules.ReportComesFirst):
            incidents.meet_duty(
                world.context, SHELL, reference, regime="gdpr", duty=duty, at=world.clock(), how="Ringede til dem"
            )


def test_a_duty_met_elsewhere_needs_a_time_that_fits_and_words_on_the_proof(world: World) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")

    def meet(at: datetime, how: str) -> None:
        incidents.meet_duty(
            world.context,
            SHELL,
            reference,
            regime="gdpr",
            duty="notify_people",
            at=at,
            how=how,
        )

    with pytest.raises(rules.ReasonIsMissing):
        meet(world.clock(), " ")
    with pytest.raises(rules.MetBeforeItBegan):
        meet(world.clock() - HOUR, "Brev sendt")
    with pytest.raises(TimeIsInFuture):
        meet(world.clock() + HOUR, "Brev sendt")
    meet(world.clock(), "Brev sendt anbefalet, kvittering i arkivet")
    assert world.standing(reference, "notify_people") == "met"
    with pytest.raises(rules.AlreadySettled):
        meet(world.clock(), "Igen")
    with pytest.raises(rules.AlreadySettled):
        incidents.set_duty_aside(world.context, SHELL, reference, regime="gdpr", duty="notify_people", reason="Nej")


def test_a_duty_that_does_not_exist_is_not_found(world: World) -> None:
    reference = world.open()
    with pytest.raises(NotFound):
        incidents.set_duty_aside(
            world.context, SHELL, reference, regime="gdpr", duty="notify_authority", reason="Ikke et brud"
        )


def test_a_rule_taken_out_of_the_configuration_stops_no_alarm_of_any_other(world: World) -> None:
    world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    world.tick()
    kept = tuple(rule for rule in world.context.rules if rule.regime != "promise")
    without = replace(world.context, rules=kept)
    world.clock.advance(hours=72)
    clock.tick(without, "node")
    duties = {one.obligation_id for one in world.open_alerts()}
    assert _id_of(world, "notify_authority") in duties
    world.clock.advance(hours=1)
    clock.tick(without, "node")
    assert [one.rung for one in world.alarms() if one.obligation_id == _id_of(world, "notify_authority")] == [
        "overdue"
    ]


def test_a_duty_whose_rule_is_gone_is_set_aside_when_the_facts_next_change_and_no_longer_bars_closing(
    world: World,
) -> None:
    reference = world.open(aware_at=world.clock(), aware_reason="Set i loggen")
    kept = tuple(rule for rule in world.context.rules if rule.regime != "promise")
    without = replace(world.context, rules=kept)
    for duty in ("notify_people", "notify_authority"):
        set_aside(without, reference, "gdpr", duty, "Usandsynlig risiko")
    assert world.standing(reference, "inform_parties") == "set_aside"
    incidents.close(without, SHELL, reference, reason="Færdig")
    assert world.alarms() == []


def test_the_same_rung_cannot_be_planned_twice(world: World) -> None:
    from sqlalchemy.exc import IntegrityError  # noqa: PLC0415

    from incident_tracker.store.tables.incidents import AlarmRow  # noqa: PLC0415

    world.open()
    one = world.alarms()[0]
    with pytest.raises(IntegrityError), world.context.database.writing() as session:
        session.execute(
            insert(AlarmRow).values(
                controller_id=one.controller_id,
                incident_id=one.incident_id,
                obligation_id=one.obligation_id,
                rung=one.rung,
                anchor_version=one.anchor_version,
                occurrence=one.occurrence,
                fire_at=one.fire_at,
                state="planned",
            )
        )
