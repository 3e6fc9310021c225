"""A lane: one notifier for one channel, with threads of its own, so that a hanging provider holds up nobody else."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple

from incident_tracker.delivery.pace import Pace
from incident_tracker.store.deliveries import Claimed
from notifiers.protocol import Deadline, Message, Notifier, Outcome, Unknown

LOOK_AGAIN_SECONDS = 0.5
"""How often a lane without work is looked at while others are busy."""
Key = tuple[str, str]
"""(notifier, channel)."""


@dataclass(slots=True, eq=False)
class Unit:
    """What one thread sends under one total deadline. Only the engine's own thread touches `held` and `given_up`."""

    lane: "Lane"
    messages: Sequence[Message]
    held: dict[str, Claimed]
    """By attempt, what has no answer yet."""
    of_notices: bool = False
    ends_at: float = 0.0
    given_up: bool = False
    _begun: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, call: Sequence[Message]) -> bool:
        """Return whether a call may begin; from then on what it holds may have been sent."""
        with self._lock:
            if not self.given_up:
                self._begun.update(message.attempt for message in call)
            return not self.given_up

    def give_up(self) -> frozenset[str]:
        """Let no further call begin, and return the attempts for which one has."""
        with self._lock:
            self.given_up = True
            return frozenset(self._begun)

    def calls(self, most: int) -> Iterator[Sequence[Message]]:
        """Yield the messages call by call: first tries together, later tries alone.

        A message that upsets its notifier then takes no other with it.
        """
        fresh = [one for one in self.messages if self.held[one.attempt].number == 1]
        alone = [one for one in self.messages if self.held[one.attempt].number > 1]
        calls = [fresh[start : start + most] for start in range(0, len(fresh), most)] + [[one] for one in alone]
        yield from calls


class Answer(NamedTuple):
    """An outcome of a unit. None: no call was begun for `claimed`, or (where that is None too) the thread is free."""

    unit: Unit
    outcome: Outcome | None
    claimed: Claimed | None = None


@dataclass(slots=True)
class Supply:
    """What a lane expects to find: of what is urgent, or of notices."""

    dry_until: float = 0.0
    """Until then (monotonic) nothing new is expected, unless someone wakes the engine."""
    has_more: bool = False
    """The last claim took all it could, so that there is probably more."""

    def expect(self, *, more: bool) -> None:
        """Remember whether the last claim left something."""
        self.has_more = more
        self.dry_until = 0.0 if more else time.monotonic() + LOOK_AGAIN_SECONDS


@dataclass(eq=False)
class Lane:
    """The threads of one notifier and what they are busy with."""

    notifier: Notifier
    pace: Pace
    answers: deque[Answer]
    stirred: threading.Event
    after_http: Callable[[], None] = lambda: None
    free: int = 0
    urgent: Supply = field(default_factory=Supply)
    notices: Supply = field(default_factory=Supply)
    units: set[Unit] = field(default_factory=set)
    _work: SimpleQueue[Unit | None] = field(default_factory=SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with all threads free; they are made when first needed."""
        self.free = self.pace.workers

    @property
    def key(self) -> Key:
        """What its rows are claimed by."""
        return self.notifier.name, self.notifier.channel.value

    @property
    def free_for_notices(self) -> int:
        """How many threads a notice may have now; one stays for what is urgent."""
        busy = sum(unit.of_notices for unit in self.units)
        return max(0, min(self.free, self.pace.for_notices - busy))

    @property
    def share(self) -> int:
        """How many messages of a notice one thread gets."""
        return self.pace.share(self.notifier.max_batch)

    def look_again(self) -> None:
        """Expect that there is something again."""
        self.urgent.dry_until = self.notices.dry_until = 0.0

    def give(self, unit: Unit) -> None:
        """Let a thread of this lane send a unit. It ends by itself, or is given up at its deadline."""
        self.free -= 1
        self.units.add(unit)
        unit.ends_at = time.monotonic() + self.pace.call_seconds + self.pace.grace_seconds
        busy = self.pace.workers - self.free
        if len(self._threads) < busy:
            name = f"{self.key[0]}-{self.key[1]}-{len(self._threads)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put(unit)

    def finished(self, unit: Unit) -> None:
        """Take the thread back."""
        self.free += 1
        self.units.discard(unit)

    def close(self) -> None:
        """Let the threads end when they are done."""
        for _ in self._threads:
            self._work.put(None)
        self._threads.clear()

    def _run(self) -> None:
        while (unit := self._work.get()) is not None:
            try:
                self._send(unit)
            finally:
                self.answers.append(Answer(unit, None))
                self.stirred.set()

    def _send(self, unit: Unit) -> None:
        deadline = Deadline(self.pace.call_seconds, time.monotonic)
        numbers = dict(unit.held)
        for call in list(unit.calls(max(1, self.notifier.max_batch))):
            if deadline.passed():
                for message in call:
                    self._answer(unit, numbers[message.attempt], None)
                continue
            if not unit.begin(call):
                return  # whoever gave up took back what was not begun
            self._call(unit, numbers, call, deadline)

    def _call(self, unit: Unit, numbers: dict[str, Claimed], call: Sequence[Message], deadline: Deadline) -> None:
        waiting = {message.attempt for message in call}
        why = "the notifier gave no answer"
        try:
            for outcome in self.notifier.send(call, deadline):
                if outcome.attempt not in waiting:
                    continue
                waiting.discard(outcome.attempt)
                self.after_http()
                self._answer(unit, numbers[outcome.attempt], outcome)
                if unit.given_up:
                    break
        except BaseException as error:  # noqa: BLE001 - whatever escapes a notifier, even sys.exit, is Unknown
            why = f"the notifier failed: {type(error).__name__}"
        for attempt in sorted(waiting):
            self._answer(unit, numbers[attempt], Unknown(attempt, why))

    def _answer(self, unit: Unit, claimed: Claimed, outcome: Outcome | None) -> None:
        self.answers.append(Answer(unit, outcome, claimed))
