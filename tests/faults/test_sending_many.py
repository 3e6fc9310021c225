"""Thousands are told by e-mail and SMS while the provider fails in every way and the worker is killed every second.

At every look what was created is final or open, and nothing has moved back; at the end nobody is lost, and the
doubles that the stand-in counted are among the messages that a kill or the provider had left in doubt.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from incident_tracker.delivery.engine import Engine
from incident_tracker.delivery.routing import Routing
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import of_notices
from incident_tracker.store.tables.outbox import AttemptRow, CallbackRow, DeliveryRow
from notifiers.protocol import CallbackRequest, Channel, ForgedCallbackError
from notifiers.testing.ledger import Asked
from notifiers.testing.provider import ScriptedProvider
from notifiers.testing.steps import Step, accept, broken, drop, hang, refuse, too_many
from tests.conftest import KEYRING_FILE
from tests.delivery.crowd import Crowd, make_crowd
from tests.delivery.world import World, make_world
from tests.faults.crowd_sender import MOST_OPEN, PACE, ROUTES, mail, sms

EVENTS_URL = "https://brud.example.dk/webhooks/sendgrid_email/status"
CORRECTION = {"failed": {"delivered"}, "accepted": {"delivered", "failed"}}
FINAL = {"delivered", "failed", "suppressed", "cancelled", "accepted"}
BAD_NUMBER, OPTED_OUT, BAD_MAIL = 7, 19, 31
"""People (number modulo 50) whom the provider refuses."""


def number_of(address: str) -> int:
    """Return which person an address belongs to."""
    return int("".join(sign for sign in address if sign.isdigit()).removeprefix("453441"))


class Moods:
    """What the provider does with the next request, by chance that is the same in every run."""

    def __init__(self, slow: float) -> None:
        self._chance = random.Random(20)  # noqa: S311 - a provider's moods are no secret
        self._slow = slow
        self._lock = threading.Lock()
        self.left_in_doubt = 0
        """Messages of requests that the provider left without a clear answer."""

    def __call__(self, asked: Asked) -> Step:
        is_sms = "Messages" in asked.path
        kind = number_of(asked.fields["To"]) % 50 if is_sms else -1
        if kind == BAD_NUMBER:
            return refuse(21211)
        if kind == OPTED_OUT:
            return refuse(21610)
        with self._lock:
            mood = self._chance.random() * (1.0 if is_sms else 0.4)
            step = self._step(mood)
            if step.status == 503 or step.hang or step.cut:
                self.left_in_doubt += len(asked.own_ids)
            return step

    def _step(self, mood: float) -> Step:
        steps = (
            (0.02, too_many("0.2")),
            (0.03, too_many()),
            (0.04, broken()),
            (0.05, broken(accepted=True)),
            (0.055, hang(30.0)),
            (0.06, hang(30.0, accepted=True)),
            (0.07, drop()),
            (0.08, drop("reset", accepted=True)),
            (0.2, accept(delay=self._slow, callbacks=("sent", "delivered"))),
        )
        return next((step for below, step in steps if mood < below), accept(delay=self._slow))


@dataclass
class Sending:
    """A notice on its way, the provider, and those who look on."""

    crowd: Crowd
    provider: ScriptedProvider
    moods: Moods
    front: Engine
    command: list[str]
    created: int = 0
    kills: int = 0
    open_at_kills: int = 0
    forged: int = 0
    _states: dict[str, str] = field(default_factory=dict)
    _told: Iterator[int] = field(default_factory=itertools.count)
    _sms_seen: set[str] = field(default_factory=set)
    _mails_seen: int = 0

    def begin(self, people: int) -> None:
        for start in range(0, people, 1000):
            for channel in (Channel.SMS, Channel.EMAIL):
                self.created += self.crowd.enqueue(range(start, min(people, start + 1000)), channel, now=now())

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[str]"]:
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                yield process
            finally:
                process.kill()

    def kill_after(self, seconds: float) -> None:
        """Let a worker work so long, then kill it for good."""
        with self.worker() as process:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self.look()
                self.call_back()
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            self.kills += 1
            with self.crowd.world.database.reading() as session:
                node = f"worker-{process.pid}"
                left_open = session.scalars(
                    select(AttemptRow.id).where(AttemptRow.finished_at.is_(None), AttemptRow.node == node)
                ).all()
        assert len(left_open) <= MOST_OPEN, "one kill leaves no more in doubt than is stated"
        self.open_at_kills += len(left_open)

    def finish(self, seconds: float) -> None:
        """Let a worker work until nothing is open; a person sends again what stays in doubt."""
        until = time.monotonic() + seconds
        with self.worker():
            while self._any_open():
                assert time.monotonic() < until, self.crowd.counts()
                self.look()
                self.call_back()
                threading.Event().wait(0.2)
                with self.crowd.world.database.writing() as session:
                    of_notices.settle_doubts(session, self.crowd.notice, of_notices.Decision.AGAIN, now(), 500)
        self.call_back()
        self.front.sweep()
        self.look()

    def look(self) -> None:
        """Count, and compare with the last look: nothing is lost, nothing moves back."""
        counts = self.crowd.counts()
        assert sum(counts.values()) == self.created, counts
        with self.crowd.world.database.reading() as session:
            states = {row.id: row.state for row in session.execute(select(DeliveryRow.id, DeliveryRow.state))}
        for one, before in self._states.items():
            if before in FINAL and states[one] != before:
                assert states[one] in CORRECTION.get(before, ()), f"{before} became {states[one]}"
        self._states = states

    def call_back(self) -> None:
        """Tell what became of messages: some twice, some forged, some never, some of nobody."""
        for one in list(self.provider.sms):
            if one.sid not in self._sms_seen:
                self._sms_seen.add(one.sid)
                number = number_of(one.to)
                if number % 10:
                    state = "undelivered" if number % 10 == 1 else "delivered"
                    self._send(self.provider.status_callback(one, state, "30003" if number % 10 == 1 else ""))
                if number % 13 == 0:
                    self._send(self.provider.status_callback(one, "undelivered", "30003", key="forged"))
        mails = self.provider.ledger.mails[self._mails_seen :]
        self._mails_seen += len(mails)
        events = [event for kept in mails for event in self._events(*kept)]
        if events:
            self._send(self.provider.sendgrid_signer.request(EVENTS_URL, events, next(self._told)))
            forged = self.provider.sendgrid_signer.request(EVENTS_URL, events, 5)
            self._send(CallbackRequest("status", EVENTS_URL, forged.headers, forged.body[:-3] + b" ]\r\n"))

    def _events(self, message_id: str, _: Mapping[str, Any], person: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        number = number_of(person["to"][0]["email"])
        event = {
            "event": "bounce" if number % 10 == 1 else "delivered",
            "timestamp": 1,
            "sg_message_id": f"{message_id}.filter-1",
            **person["custom_args"],
        }
        if number % 10:
            yield event
        if number % 3 == 0 and number % 10:
            yield event
        if number % 100 == 0:
            yield event | {"attempt": "nobody", "delivery": f"nobody-{next(self._told)}"}

    def _send(self, request: CallbackRequest) -> None:
        name = "twilio_sms" if "twilio" in request.url else "sendgrid_email"
        reader = {"twilio_sms": self.sms, "sendgrid_email": self.mail}[name]
        try:
            self.front.receive(name, reader.read_callback(request))
        except ForgedCallbackError:
            self.forged += 1

    def _any_open(self) -> bool:
        with self.crowd.world.database.reading() as session:
            return of_notices.any_open(session, self.crowd.notice)

    def __post_init__(self) -> None:
        self.sms = sms(self.provider.address)
        self.mail = mail(self.provider.address, self.provider.sendgrid_signer.public_key)
        self.provider.on_callback = self._send


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the workers' clock is the real one


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = make_world(database)
    made.clock.at = now()
    made.routing |= ROUTES
    yield made
    made.close()


@pytest.fixture
def sending(world: World, database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sending]:
    moods = Moods(request.param)
    options = ["--url", database_url, "--keyring", str(tmp_path / KEYRING_FILE)]
    with ScriptedProvider(now) as provider:
        provider.rule = moods
        provider.bad_addresses = {f"person{number}@example.dk" for number in range(BAD_MAIL, 10_000, 50)}
        command = [sys.executable, "-m", "tests.faults.crowd_sender", *options, "--address", provider.address]
        front = Engine(world.database, world.keyring, [], now, "front", Routing({}), pace=PACE)
        yield Sending(make_crowd(world), provider, moods, front, command)


def judge(sending: Sending) -> None:
    """Nobody is lost, and what went twice had been in doubt."""
    with sending.crowd.world.database.reading() as session:
        rows = session.scalars(select(DeliveryRow)).all()
        unanswered = session.scalar(select(func.count()).where(AttemptRow.finished_at.is_(None)))
        results = Counter(session.scalars(select(CallbackRow.result)))
    taken = Counter(one.to for one in sending.provider.sms)
    taken.update(person["to"][0]["email"] for _, _, person in sending.provider.ledger.mails)
    marked = {row.address_hash.decode() for row in rows if row.possible_duplicate}
    assert len(rows) == sending.created
    assert unanswered == 0
    for row in rows:
        address = row.address_hash.decode()
        number = number_of(address)
        refused = number % 50 in ((BAD_NUMBER, OPTED_OUT) if row.channel == "sms" else (BAD_MAIL,))
        if refused:
            assert taken[address] == 0
            assert row.state == ("suppressed" if number % 50 == OPTED_OUT else "failed"), row.reason
            continue
        assert taken[address] >= 1, f"{row.channel} to {number} is lost: it counts as {row.state}"
        if number % 10 > 1:
            assert row.state == "delivered"
    doubles = {address: number - 1 for address, number in taken.items() if number > 1}
    assert set(doubles) <= marked
    assert len(marked) <= sending.open_at_kills + sending.moods.left_in_doubt
    assert sum(doubles.values()) <= sending.open_at_kills + sending.moods.left_in_doubt
    assert results["unknown"] >= 1
    assert results["unreadable"] == results[""] == 0
    assert sending.forged > 0
    sys.stdout.write(
        f"{sending.created} messages; {sending.kills} kills left {sending.open_at_kills} in doubt, "
        f"the provider {sending.moods.left_in_doubt}; {len(marked)} went again, {sum(doubles.values())} twice\n"
    )


@pytest.mark.parametrize("sending", [0.03], indirect=True)
def test_hundreds_are_told_through_three_kills_and_every_failure(sending: Sending) -> None:
    sending.begin(200)

    for _ in range(3):
        sending.kill_after(0.8)
    sending.finish(60)

    judge(sending)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sending", [0.02], indirect=True)
def test_five_thousand_are_told_while_the_worker_is_killed_every_second(sending: Sending) -> None:
    sending.begin(5000)

    for _ in range(40):
        sending.kill_after(1.0)
    sending.finish(600)

    judge(sending)
