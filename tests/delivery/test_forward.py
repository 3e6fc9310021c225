"""Whatever happens in whatever order: no row is lost, none goes backwards, and the sums agree."""

import shutil
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from incident_tracker.delivery.classify import FORWARD
from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.pace import Pace
from incident_tracker.delivery.settle import Decision, NotInDoubt, decide
from incident_tracker.store import lanes
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Purpose, State
from incident_tracker.store.tables.outbox import DeliveryRow
from notifiers.protocol import (
    Accepted,
    Message,
    NotSent,
    Outcome,
    RefusalKind,
    Refused,
    ReportedState,
    StatusReport,
    Unknown,
)
from tests.conftest import KEYRING_FILE, SQLITE_FILE
from tests.delivery.world import NEVER, Postman, World, apply_callbacks, make_world

KINDS = ("accepted", "refused", "opted_out", "not_sent", "set_up", "unknown", "nonsense")


def _answer(kind: str, message: Message) -> Outcome:
    attempt = message.attempt
    outcomes: dict[str, Outcome] = {
        "accepted": Accepted(attempt, f"SM{attempt}"),
        "refused": Refused(attempt, RefusalKind.ADDRESS, "no"),
        "opted_out": Refused(attempt, RefusalKind.OPTED_OUT, "stop"),
        "not_sent": NotSent(attempt, "later"),
        "set_up": NotSent(attempt, "wrong key", setup=True),
        "unknown": Unknown(attempt, "timeout"),
        "nonsense": Accepted(attempt, ""),
    }
    return outcomes[kind]


class KilledError(BaseException):
    """The process ended here."""


class Outbox(RuleBasedStateMachine):
    """Two engines share the rows; anything may happen between and during their steps."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)
        database = Database(f"sqlite:///{self.folder / SQLITE_FILE}", self.folder / KEYRING_FILE)
        self.world: World = make_world(database)
        self.world.routing["sms"] = ("postman", "second")
        self.kinds = ["accepted"]
        self.killed_at = ""
        self.before: dict[str, str] = {}
        self.attempts: list[str] = []
        self.told = 0
        self.created = 0

    @initialize()
    def start(self) -> None:
        self.enqueue(2, Purpose.ALERT)

    @rule(number=st.integers(1, 3), purpose=st.sampled_from([Purpose.ALERT, Purpose.NOTICE]))
    def enqueue(self, number: int, purpose: Purpose) -> None:
        for _ in range(number):
            self.world.enqueue(purpose=purpose, values={"left": str(self.created)})
            self.created += 1

    @rule(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    def drain(self, kinds: list[str]) -> None:
        self.kinds = kinds
        self._drain()

    @rule(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
        point=st.sampled_from(["before_claim", "after_claim", "after_attempt", "after_result"]),
    )
    def die(self, kinds: list[str], point: str) -> None:
        self.kinds, self.killed_at = kinds, point
        try:
            self._drain()
        except KilledError:
            pass
        finally:
            self.killed_at = ""

    def _drain(self) -> None:
        engine = self._engine()
        try:
            engine.drain(NEVER)
        finally:
            threads = [thread for lane in engine._dispatcher.lanes.values() for thread in lane._threads]
            engine.close()
            for thread in threads:
                thread.join(30)

    @rule(seconds=st.sampled_from([1, 30, 61, 400, 2000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        self._engine().sweep()

    @rule(place=st.integers(0, 99), state=st.sampled_from(list(ReportedState)), with_id=st.booleans())
    def callback(self, place: int, state: ReportedState, with_id: bool) -> None:  # noqa: FBT001
        if not self.attempts:
            return
        attempt = sorted(self.attempts)[place % len(self.attempts)]
        self.told += 1
        named = {"attempt": attempt} if with_id else {"provider_id": f"SM{attempt}"}
        engine = self._engine()
        engine.receive("postman", [StatusReport(state, f"u{self.told}", **named)])  # type: ignore[arg-type]
        apply_callbacks(engine)

    @rule()
    def unpause(self) -> None:
        with self.world.database.writing() as session:
            lanes.unpause(session, "postman", self.world.clock())

    @rule(place=st.integers(0, 99), decision=st.sampled_from(list(Decision)))
    def a_person_decides(self, place: int, decision: Decision) -> None:
        ids = sorted(self.world.states())
        try:
            with self.world.database.writing() as session:
                decide(session, None, ids[place % len(ids)], decision, self.world.clock())
        except NotInDoubt:
            pass

    @rule()
    def cancel_what_waits(self) -> None:
        with self.world.database.writing() as session:
            first = min(self.world.states())
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == first, DeliveryRow.state == "pending")
                .values(state="cancelled")
            )

    @invariant()
    def nothing_is_lost_and_nothing_goes_back(self) -> None:
        after = self.world.states()
        assert set(self.before) <= set(after)
        for delivery, state in self.before.items():
            assert State(after[delivery]) in _reachable(State(state)), (state, after[delivery])
        self.before = after
        assert len(after) == self.created

    @invariant()
    def a_row_that_was_tried_again_after_doubt_is_marked(self) -> None:
        for delivery in self.world.states():
            attempts = self.world.attempts(delivery)
            if any(attempt.outcome == "unknown" for attempt in attempts[:-1]):
                assert self.world.row(delivery).possible_duplicate

    def teardown(self) -> None:
        self.world.close()
        self.world.database.close()
        shutil.rmtree(self.folder)

    def _engine(self) -> Engine:
        engine = self.world.engine(
            Postman(answer=self._told_answer), Postman("second", answer=self._told_answer), pace=Pace(workers=2)
        )
        engine._dispatcher._probe = self._probe
        return engine

    def _told_answer(self, message: Message) -> Outcome:
        self.attempts.append(message.attempt)
        place = int(message.values["left"]) + self.world.row(message.delivery).attempts
        return _answer(self.kinds[place % len(self.kinds)], message)

    def _probe(self, point: str) -> None:
        if point == self.killed_at and threading.current_thread() is threading.main_thread():
            raise KilledError


def _reachable(state: State) -> frozenset[State]:
    """Return every state that allowed steps lead to; one rule may take several."""
    found = {state}
    new = {state}
    while new:
        new = {after for one in new for after in FORWARD[one]} - found
        found |= new
    return frozenset(found)


def test_no_order_of_events_loses_a_row_or_moves_it_back(migrated_sqlite: Path) -> None:
    Outbox.template = migrated_sqlite
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


@pytest.mark.long
def test_no_order_of_events_loses_a_row_or_moves_it_back_looked_at_for_long(migrated_sqlite: Path) -> None:
    Outbox.template = migrated_sqlite
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=600, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize("state", list(State))
def test_what_was_accepted_never_waits_again(state: State) -> None:
    after_acceptance = _reachable(State.ACCEPTED)
    assert State.PENDING not in after_acceptance
    assert State.SENDING not in after_acceptance
    assert state in FORWARD
