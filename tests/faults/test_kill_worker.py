"""kill -9 of a worker at every named point: nothing is lost, and a double is one of the open attempts, and marked."""

import itertools
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from incident_tracker.store.database import Database
from incident_tracker.store.tables.outbox import AttemptRow, DeliveryRow
from notifiers.protocol import Content
from notifiers.testing.steps import Step
from tests.conftest import KEYRING_FILE
from tests.delivery.world import NEVER, World, make_world
from tests.faults.sender import MOST_OPEN, PACE, notifier

MESSAGES = 10
_rounds = itertools.count()
BETWEEN_CLAIM_AND_CALL, BETWEEN_CALL_AND_RESULT = "after_attempt", "after_http"
OTHER_POINTS = ("before_claim", "after_claim", "after_result")


@dataclass(frozen=True)
class StandIn:
    """The provider, in a process of its own."""

    address: str

    def accepted(self) -> Mapping[str, int]:
        """Return how often each text was taken."""
        counts = self._ask("counts")["accepted"]
        return {own.rpartition("|")[2]: number for own, number in counts.items()}

    def script(self, steps: Sequence[Step]) -> None:
        self._ask("script", json.dumps([asdict(step) for step in steps]).encode())

    def _ask(self, what: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.address}/_stand_in/{what}", body, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    state = tmp_path_factory.mktemp("provider") / "state"
    command = [sys.executable, "-m", "notifiers.testing", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        yield StandIn(process.stdout.readline().strip())
        process.terminate()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = make_world(database)
    made.clock.at = datetime.now(UTC)  # noqa: TID251 - the workers' clock is the real one
    made.routing["sms"] = ("twilio_sms",)
    yield made
    made.close()


class Worker:
    """A worker process that has done all but begin."""

    def __init__(self, database_url: str, keyring: Path, address: str, at: str = "", time: int = 1) -> None:
        options = ["--url", database_url, "--keyring", str(keyring), "--address", address]
        command = [sys.executable, "-m", "tests.faults.sender", *options, "--at", at, "--time", str(time)]
        self.process = subprocess.Popen(  # noqa: S603 - ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Return the exit code and what it printed."""
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said.strip()


@dataclass
class Round:
    """One crash and the recovery after it."""

    world: World
    stand_in: StandIn
    database_url: str
    keyring: Path
    asks: bool

    def run(self, point: str, time: int) -> None:
        texts = self._enqueue(f"{point}-{next(_rounds)}")
        worker = Worker(self.database_url, self.keyring, self.stand_in.address, point, time)
        worker.begin()
        assert worker.end()[0] == -signal.SIGKILL
        open_at_crash = self._open()
        assert len(open_at_crash) <= MOST_OPEN
        self._recover()
        self._judge(texts, open_at_crash)

    def _enqueue(self, name: str) -> dict[str, str]:
        self.world.clock.at = datetime.now(UTC) - timedelta(seconds=1)  # noqa: TID251 - as above
        return {
            text: self.world.enqueue(content=Content(text), values={})[0]
            for text in (f"{name}-{number}" for number in range(MESSAGES))
        }

    def _open(self) -> set[str]:
        with self.world.database.reading() as session:
            return set(session.scalars(select(AttemptRow.delivery_id).where(AttemptRow.finished_at.is_(None))))

    def _recover(self) -> None:
        postman = notifier(self.stand_in.address)
        if not self.asks:
            postman.search = lambda *_, **__: iter(())  # type: ignore[method-assign]
        engine = self.world.engine(postman, pace=PACE)
        self.world.clock.at = datetime.now(UTC)  # noqa: TID251 - as above
        engine.drain(NEVER)  # what was never claimed
        self.world.clock.advance(seconds=PACE.lease.total_seconds())
        engine.sweep()
        engine.drain(NEVER)

    def _judge(self, texts: Mapping[str, str], open_at_crash: set[str]) -> None:
        with self.world.database.reading() as session:
            rows = {
                row.id: row for row in session.scalars(select(DeliveryRow).where(DeliveryRow.id.in_(texts.values())))
            }
        taken = self.stand_in.accepted()
        for text, delivery in texts.items():
            assert rows[delivery].state == "accepted", "nothing is lost"
            assert 1 <= taken[text] <= 2
            if taken[text] == 2:
                assert delivery in open_at_crash
                assert rows[delivery].possible_duplicate
            if delivery not in open_at_crash:
                assert not rows[delivery].possible_duplicate


@pytest.fixture
def crash(
    world: World, stand_in: StandIn, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Round:
    return Round(world, stand_in, database_url, tmp_path / KEYRING_FILE, asks=request.param)


@pytest.mark.parametrize("crash", [False, True], ids=["unasked", "asked"], indirect=True)
@pytest.mark.parametrize("point", [BETWEEN_CLAIM_AND_CALL, BETWEEN_CALL_AND_RESULT])
def test_a_worker_killed_around_its_call_loses_nothing(crash: Round, point: str) -> None:
    for time in (1, 3):
        crash.run(point, time)


@pytest.mark.parametrize("crash", [False], ids=["unasked"], indirect=True)
@pytest.mark.parametrize("point", OTHER_POINTS)
def test_a_worker_killed_at_any_other_point_loses_nothing(crash: Round, point: str) -> None:
    crash.run(point, 2)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("crash", [False], ids=["unasked"], indirect=True)
@pytest.mark.parametrize("point", [BETWEEN_CLAIM_AND_CALL, BETWEEN_CALL_AND_RESULT, *OTHER_POINTS])
def test_fifty_kills_lose_nothing(crash: Round, point: str) -> None:
    most = MESSAGES if point == BETWEEN_CALL_AND_RESULT else 3
    for number in range(50):
        crash.run(point, 1 + number % most)


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_two_workers_share_the_rows_and_each_message_goes_once(
    world: World, stand_in: StandIn, database_url: str, tmp_path: Path
) -> None:
    texts = [f"shared-{number}" for number in range(200)]
    for text in texts:
        world.enqueue(content=Content(text), values={})
    stand_in.script([Step(delay=0.005)] * len(texts))
    workers = [Worker(database_url, tmp_path / KEYRING_FILE, stand_in.address) for _ in range(2)]

    for worker in workers:
        worker.begin()
    shares = [int(said) for code, said in (worker.end() for worker in workers) if code == 0]

    assert sum(shares) == len(texts)
    assert min(shares) > 0
    taken = stand_in.accepted()
    assert {taken[text] for text in texts} == {1}
    assert set(world.states().values()) == {"accepted"}
    with world.database.reading() as session:
        assert len(set(session.scalars(select(AttemptRow.node)))) == 2
