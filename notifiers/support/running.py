"""A total deadline around a provider's library, whose own timeouts are per read and miss a dripping server."""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from notifiers.protocol import Deadline, Message, NotSent, Outcome, Unknown

T = TypeVar("T")


class TimeIsUpError(Exception):
    """The caller has left: nothing more may be handed to the provider."""


class CallSlots:
    """How many calls of one notifier may be under way, those included that their caller has given up on."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def take(self) -> bool:
        """Take a place, or return False when all are held by calls that never came back."""
        return self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """Give a place back."""
        self._free.release()


class Call:
    """What the working thread and its caller share during one `send`.

    The thread calls `commit` for the messages it is about to hand over, at the last moment when it is certain that
    the provider has not seen them, and `tell` for every outcome.
    """

    def __init__(self, messages: Sequence[Message], deadline: Deadline) -> None:
        self.messages = messages
        self.deadline = deadline
        self.told: SimpleQueue[Outcome | None] = SimpleQueue()
        self.failure: BaseException | None = None
        self._lock = threading.Lock()
        self._left = False
        self._committed: set[str] = set()

    def commit(self, *messages: Message) -> None:
        """Say that these messages may reach the provider from now on; raise TimeIsUpError if the caller has left."""
        with self._lock:
            if self._left:
                raise TimeIsUpError
            self._committed.update(message.attempt for message in messages)

    def demand_time(self) -> None:
        """Raise TimeIsUpError if there is nobody left to answer, or no time: do not even connect then."""
        if self._left or self.deadline.passed():
            raise TimeIsUpError

    def release(self, *messages: Message) -> None:
        """Say that the provider has certainly not taken these messages after all."""
        with self._lock:
            self._committed.difference_update(message.attempt for message in messages)

    def tell(self, outcome: Outcome) -> None:
        """Hand an outcome to the caller."""
        self.told.put(outcome)

    def leave(self) -> frozenset[str]:
        """Stop the thread before its next message, and return the attempts that the provider may have seen."""
        with self._lock:
            self._left = True
            return frozenset(self._committed)


Work = Callable[[Call], None]


def send_bounded(messages: Sequence[Message], deadline: Deadline, work: Work, slots: CallSlots) -> Iterator[Outcome]:
    """Run `work` in a thread and yield the outcomes as it tells them; answer for the rest when time is up.

    A message that was committed and not answered is Unknown; one that was not committed is NotSent.
    """
    if not messages:
        return
    if deadline.passed():
        yield from (NotSent(message.attempt, "no time was left to try it") for message in messages)
        return
    if not slots.take():
        yield from (NotSent(message.attempt, "too many earlier calls still hang") for message in messages)
        return
    call = Call(messages, deadline)
    open_attempts = {message.attempt: None for message in messages}
    committed: frozenset[str] = frozenset()
    try:
        threading.Thread(target=_run, args=(call, work, slots), daemon=True, name="notifier call").start()
        for outcome in _outcomes(call, len(messages)):
            open_attempts.pop(outcome.attempt, None)
            yield outcome
    finally:
        committed = call.leave()
    for outcome in _leftovers(call):
        open_attempts.pop(outcome.attempt, None)
        yield outcome
    yield from _answers_for(open_attempts, committed, call.failure)


def _run(call: Call, work: Work, slots: CallSlots) -> None:
    try:
        work(call)
    except TimeIsUpError:
        pass
    except BaseException as failure:  # noqa: BLE001 a library may raise anything; the caller answers for it
        call.failure = failure
    finally:
        slots.give_back()
        call.told.put(None)


def _outcomes(call: Call, expected: int) -> Iterator[Outcome]:
    """Yield what is told until all is said, the work has ended, or the deadline has passed."""
    for _ in range(expected):
        try:
            outcome = call.told.get(timeout=call.deadline.remaining())
        except Empty:
            return
        if outcome is None:
            return
        yield outcome


def _leftovers(call: Call) -> Iterator[Outcome]:
    """Yield what was told between the last look and the caller's leaving."""
    while True:
        try:
            outcome = call.told.get_nowait()
        except Empty:
            return
        if outcome is not None:
            yield outcome


def _answers_for(
    attempts: dict[str, None], committed: frozenset[str], failure: BaseException | None
) -> Iterator[Outcome]:
    # Only the class of a failure is named: a library's text may hold an address or the message itself.
    why = "no answer in time" if failure is None else f"the call broke off ({type(failure).__name__})"
    for attempt in attempts:
        if attempt in committed:
            yield Unknown(attempt, why)
        else:
            yield NotSent(attempt, "time ran out before it was tried" if failure is None else why)


def ask_bounded(deadline: Deadline, question: Callable[["Answers[T]"], None], slots: CallSlots) -> Iterator[T]:
    """Run a reading `question` in a thread and yield what it tells, until it ends.

    Raises UnansweredError if it broke off or the deadline passed: not all was said, and it has to be asked again.
    """
    if deadline.passed() or not slots.take():
        raise UnansweredError("no time, or too many earlier calls still hang")
    answers: Answers[T] = Answers()
    try:
        threading.Thread(target=answers.run, args=(question, slots), daemon=True, name="notifier question").start()
        while True:
            try:
                told = answers.told.get(timeout=deadline.remaining())
            except Empty:
                raise UnansweredError("no answer in time") from None
            if not told:
                break
            yield told[0]
    finally:
        answers.wanted = False
    if answers.failure is not None:
        raise UnansweredError(f"the call broke off ({type(answers.failure).__name__})")


class UnansweredError(Exception):
    """A question was not, or not fully, answered. Its text names no person."""


class Answers(Generic[T]):
    """What a question's thread tells its caller; `wanted` turns false when the caller has left."""

    def __init__(self) -> None:
        self.told: SimpleQueue[tuple[T] | tuple[()]] = SimpleQueue()
        self.failure: BaseException | None = None
        self.wanted = True

    def tell(self, answer: T) -> None:
        """Hand an answer to the caller; raise TimeIsUpError if it has left."""
        if not self.wanted:
            raise TimeIsUpError
        self.told.put((answer,))

    def run(self, question: Callable[["Answers[T]"], None], slots: CallSlots) -> None:
        """Ask, and always say that it is over."""
        try:
            question(self)
        except BaseException as failure:  # noqa: BLE001 a library may raise anything; the caller is told
            self.failure = failure
        finally:
            slots.give_back()
            self.told.put(())
