"""Replay is projection, and whatever people and the clock do, nobody can lose sight of a running duty."""

import contextlib
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from incident_tracker.domain.access import CLOCK, SHELL, Act
from incident_tracker.domain.counts import CountKind, CountRange
from incident_tracker.domain.deadlines import is_settled
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import (
    KINDS,
    AlertAcknowledged,
    AlertRaised,
    Event,
    IncidentOpened,
    NoteAdded,
    ReportFiled,
    event_from,
    kind_of,
    payload_of,
)
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.incident import Incident, apply
from incident_tracker.domain.parties import PartyRole
from incident_tracker.domain.regimes import obligations_for
from incident_tracker.services import alerts, anchors, housekeeping, incidents, journal, obligations, register
from incident_tracker.services.work import working
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import AlarmRow, AlertRow, IncidentRow, JournalRow, ObligationRow
from tests.four_eyes import set_aside
from tests.makers import destroy_key
from tests.services.conftest import MakeWorld
from tests.services.world import BEN, CLARA, World

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone given
COUNTS = st.one_of(
    st.builds(lambda n: CountRange(CountKind.EXACT, n, n), st.integers(0, 10**9)),
    st.builds(lambda a, b: CountRange(CountKind.APPROXIMATE, a, a + b), st.integers(0, 10**9), st.integers(0, 99)),
    st.just(CountRange(CountKind.TBD)),
)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    datetime: TIMES,
    CountRange: COUNTS,
    int: st.integers(0, 2**40),
}


def facts_of(kind: type) -> st.SearchStrategy[Any]:
    """Return a strategy for a dataclass of facts, by the types of its fields."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{part.name: of_type(hints[part.name]) for part in dataclasses.fields(kind)})


def of_type(wanted: Any) -> st.SearchStrategy[Any]:
    if wanted in BY_TYPE:
        return BY_TYPE[wanted]
    if dataclasses.is_dataclass(wanted):
        return facts_of(wanted)  # type: ignore[arg-type]
    parts: tuple[Any, ...] = getattr(wanted, "__args__", ())
    if type(None) in parts:
        return st.none() | of_type(next(one for one in parts if one is not type(None)))
    if getattr(wanted, "__origin__", None) is tuple:
        return st.lists(of_type(parts[0]), max_size=3).map(tuple)
    return st.from_type(wanted)


EVENTS = st.one_of(*(facts_of(kind) for kind in KINDS.values() if kind is not IncidentOpened))


@given(opened=facts_of(IncidentOpened), later=st.lists(EVENTS, max_size=12))
def test_replaying_what_the_journal_kept_gives_the_same_incident(opened: IncidentOpened, later: list[Event]) -> None:
    told: Incident | None = None
    replayed: Incident | None = None
    for one in (opened, *later):
        told = apply(told, one)
        kept = from_json(to_json(payload_of(one)))
        again = event_from(kind_of(one), kept)
        assert again == one
        replayed = apply(replayed, again)
    assert replayed == told
    assert told is not None
    assert from_plain(Incident, from_json(to_json(to_plain(told)))) == told


def test_an_event_of_every_kind_can_be_kept() -> None:
    assert {kind_of(event_type.__new__(event_type)) for event_type in KINDS.values()} == set(KINDS)


HOURS = st.sampled_from([0.01, 0.1, 1, 3, 5, 12, 24, 47, 73, 200])
DUTIES = st.sampled_from(
    [
        ("gdpr", "notify_authority"),
        ("gdpr", "complete_report"),
        ("gdpr", "notify_people"),
        ("gdpr", "notify_controller"),
        ("promise", "inform_parties"),
        ("internal", "assess"),
    ]
)
WHICH = st.integers(0, 2)
ACTS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(list(PartyRole)), HOURS),
    st.tuples(st.just("open_aware"), st.sampled_from(list(PartyRole)), HOURS),
    st.tuples(st.just("aware"), WHICH, HOURS),
    st.tuples(st.just("not_a_breach"), WHICH),
    st.tuples(st.just("contain"), WHICH, HOURS),
    st.tuples(st.just("close"), WHICH),
    st.tuples(st.just("reopen"), WHICH),
    st.tuples(st.just("meet"), WHICH, DUTIES, HOURS),
    st.tuples(st.just("set_aside"), WHICH, DUTIES),
    st.tuples(st.just("file"), WHICH, HOURS, st.booleans()),
    st.tuples(st.just("acknowledge"), WHICH),
    st.tuples(st.just("ok"), st.sampled_from(["OK", "OK ALLE", "hvad"]), st.sampled_from([BEN, CLARA])),
    st.tuples(st.just("note"), WHICH),
    st.tuples(st.just("wind"), HOURS),
    st.tuples(st.just("wind"), HOURS),
    st.tuples(st.just("wind"), HOURS),
    st.tuples(st.just("back"), st.sampled_from([0.1, 2, 80])),
    st.tuples(st.just("tidy")),
)


class Story:
    """Somebody does this, then the clock ticks, and so on; what is refused changes nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.references: list[str] = []

    def do(self, act: tuple[Any, ...]) -> None:
        name, *rest = act
        with contextlib.suppress(Refusal):
            getattr(self, name)(*rest)

    def of(self, which: int) -> str:
        return self.references[which % len(self.references)] if self.references else "2026-4711"

    def ago(self, hours: float) -> datetime:
        return self.world.clock() - timedelta(hours=hours)

    def open(self, role: PartyRole, hours: float) -> None:
        self.references.append(self.world.open(role=role, detected_at=self.ago(hours)))

    def open_aware(self, role: PartyRole, hours: float) -> None:
        self.references.append(self.world.open(role=role, aware_at=self.ago(hours), aware_reason="Set i loggen"))

    def aware(self, which: int, hours: float) -> None:
        self.world.aware(self.of(which), self.ago(hours))

    def not_a_breach(self, which: int) -> None:
        incidents.find_not_a_breach(self.world.context, SHELL, self.of(which), reason="Kun testdata")

    def contain(self, which: int, hours: float) -> None:
        incidents.contain(self.world.context, SHELL, self.of(which), at=self.ago(hours), how="Spærret")

    def close(self, which: int) -> None:
        incidents.close(self.world.context, SHELL, self.of(which), reason="Færdig")

    def reopen(self, which: int) -> None:
        incidents.reopen(self.world.context, SHELL, self.of(which), reason="Nye oplysninger")

    def meet(self, which: int, duty: tuple[str, str], hours: float) -> None:
        regime, name = duty
        incidents.meet_duty(
            self.world.context, SHELL, self.of(which), regime=regime, duty=name, at=self.ago(hours), how="Brev"
        )

    def set_aside(self, which: int, duty: tuple[str, str]) -> None:
        regime, name = duty
        set_aside(self.world.context, self.of(which), regime, name, "Lav risiko")

    def file(self, which: int, hours: float, complete: bool) -> None:  # noqa: FBT001 - drawn
        with working(self.world.context, SHELL) as work:
            loaded = work.load(self.of(which), Act.WORK)
            if not loaded.incident.is_open or loaded.incident.became_aware_at is None:
                return
            version = len(loaded.incident.filings) + 1
            at = max(self.ago(hours), loaded.incident.became_aware_at)
            work.record(loaded, ReportFiled("dk", version, "initial", at, "", "0" * 64, complete=complete))

    def acknowledge(self, which: int) -> None:
        alerts.acknowledge(self.world.context, SHELL, self.of(which), via="page")

    def ok(self, text: str, phone: str) -> None:
        self.world.clock.advance(seconds=2)
        self.world.reply(text, phone)

    def note(self, which: int) -> None:
        incidents.add_note(self.world.context, SHELL, self.of(which), text="Ringede til leverandøren")

    def wind(self, hours: float) -> None:
        self.world.clock.advance(hours=hours)
        self.world.tick()

    def back(self, hours: float) -> None:
        self.world.clock.advance(hours=-hours)

    def tidy(self) -> None:
        housekeeping.tidy(self.world.context, self.world.clock())


def audit(world: World) -> None:
    """Hold what the database says against the rules of the house."""
    with world.context.database.reading() as session:
        rows = session.scalars(select(IncidentRow)).all()
        duties = session.scalars(select(ObligationRow)).all()
        alarms = session.scalars(select(AlarmRow).where(AlarmRow.state == "planned")).all()
        open_alerts = session.scalars(select(AlertRow).where(AlertRow.state == "open")).all()
    for row in rows:
        loaded = world.overview(row.reference)
        replayed: Incident | None = None
        taken: set[str] = set()
        for record in register.history(world.context, SHELL, row.reference):
            replayed = apply(replayed, record.event)
            if isinstance(record.event, AlertAcknowledged):
                taken.add(record.event.alert_id)
            if isinstance(record.event, AlertRaised):
                assert record.event.alert_id not in taken, "somebody was told of an alert after it was taken"
        assert replayed == loaded.incident, "replay is not projection"
        wanted = obligations_for(obligations.facts_of(loaded.incident), world.context.rules)
        assert {one for one, _ in loaded.obligations} == set(wanted)
        assert row.is_open == loaded.incident.is_open
        running = [one for one in wanted if not is_settled(one)] if loaded.incident.is_open else []
        assert row.next_due_at == min((one.due_at for one in running if one.due_at is not None), default=None)
        anchored = {one.duty for one in running if one.anchor_at is not None}
        for duty in (one for one in duties if one.incident_id == row.id):
            planned = [one for one in alarms if one.obligation_id == duty.id]
            alerted = [one for one in open_alerts if one.obligation_id == duty.id]
            if duty.duty in anchored:
                assert planned, f"{duty.duty} of {row.reference} runs and nothing is planned"
            else:
                assert not planned, f"{duty.duty} of {row.reference} is settled and still planned"
                assert not alerted, f"{duty.duty} of {row.reference} is settled and still alerts"


def tell(world: World, acts: list[tuple[Any, ...]]) -> None:
    """Tell a story and look at everything after each act."""
    story = Story(world)
    try:
        story.open(PartyRole.CONTROLLER, 0)
        for act in acts:
            story.do(act)
            audit(world)
        before = world.clock()
        world.tick()
        audit(world)
        assert not [one for one in world.alarms() if one.fire_at <= before], "due and not raised"
        assert journal.verify(world.context).result == "ok"
    finally:
        world.close()


@pytest.mark.timeout(600)
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=3, max_size=14))
def test_whatever_people_and_the_clock_do_no_running_duty_is_ever_lost_sight_of(
    make_quick_world: MakeWorld, acts: list[tuple[Any, ...]]
) -> None:
    tell(make_quick_world(), acts)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=3, max_size=25))
def test_whatever_people_and_the_clock_do_for_long(make_quick_world: MakeWorld, acts: list[tuple[Any, ...]]) -> None:
    tell(make_quick_world(), acts)


def test_a_journal_that_was_altered_is_found_out(world: World) -> None:
    reference = world.open()
    incidents.add_note(world.context, SHELL, reference, text="Ringede til leverandøren")
    assert journal.verify(world.context).result == "ok"
    with world.context.database.writing() as session:
        session.connection().exec_driver_sql("DROP TRIGGER journal_refuses_update")
        session.execute(update(JournalRow).where(JournalRow.seq == 2).values(actor="user:666"))
    verdict = journal.verify(world.context)
    assert (verdict.result, verdict.first_bad_seq) == ("broken", 2)


def test_a_tail_that_was_cut_off_is_found_out_by_the_anchors(world: World) -> None:
    world.open()
    world.open()
    with world.context.database.writing() as session:
        connection = session.connection()
        connection.exec_driver_sql("DROP TRIGGER journal_refuses_delete")
        connection.exec_driver_sql("DELETE FROM journal WHERE seq > 2")
        connection.exec_driver_sql("UPDATE journal_head SET seq = 2, hash = (SELECT hash FROM journal WHERE seq = 2)")
    assert journal.verify(world.context).result == "truncated"


def test_the_database_itself_refuses_to_change_or_delete_an_entry(either: World) -> None:
    either.open()
    for statement in (update(JournalRow).values(actor="user:666"), delete(JournalRow)):
        with pytest.raises(DBAPIError, match="append-only"), either.context.database.writing() as session:
            session.execute(statement)
    assert journal.verify(either.context).result == "ok"


def test_statutory_decisions_are_anchored_outside_at_once_and_notes_with_the_next_minute(world: World) -> None:
    reference = world.open()
    seq, head = journal.head(world.context)
    anchored = anchors.read(world.context.anchors.file)
    assert anchored is not None
    assert (anchored[-1].seq, anchored[-1].hash) == (seq, head)
    incidents.add_note(world.context, SHELL, reference, text="Ringede til leverandøren")
    assert len(anchors.read(world.context.anchors.file) or []) == len(anchored)
    journal.anchor(world.context, world.clock())
    assert len(anchors.read(world.context.anchors.file) or []) == len(anchored) + 1


def test_an_anchor_file_that_cannot_be_written_loses_no_decision(world: World) -> None:
    world.context.anchors.file.mkdir(parents=True)
    reference = world.open()
    assert world.kinds(reference)[0] == "incident_opened"


def test_the_chain_verifies_after_the_key_of_an_incident_is_gone(world: World) -> None:
    reference = world.open()
    with world.context.database.reading() as session:
        loaded = incident_rows.load(session, world.context.keyring, reference, None)
    with world.context.database.writing() as session:
        destroy_key(session, loaded.record_key, world.clock())
    assert journal.verify(world.context).result == "ok"


def test_nothing_personal_stands_in_the_clear(world: World) -> None:
    secret = "Bagerens-nummer-0101014711"
    reference = world.open("Alle adresser i CC", what_happened=secret)
    incidents.add_note(world.context, SHELL, reference, text=secret)
    world.aware(reference, reason=secret)
    set_aside(world.context, reference, "gdpr", "notify_people", secret)
    file = world.context.database.file
    assert file is not None
    for part in (file, file.with_name(f"{file.name}-wal")):
        content = part.read_bytes()
        assert secret.encode() not in content
        assert BEN.encode() not in content


def test_a_unit_of_work_inside_another_raises_instead_of_waiting_for_itself(world: World) -> None:
    with working(world.context, CLOCK), pytest.raises(RuntimeError), working(world.context, CLOCK):
        pass


def test_an_event_that_changes_no_fact_leaves_the_incident_at_its_version(world: World) -> None:
    reference = world.open()
    version = world.overview(reference).version
    with working(world.context, SHELL) as work:
        work.record(work.load(reference, Act.WORK), NoteAdded("Ringede"))
    assert world.overview(reference).version == version
