"""Asking providers with a total deadline, one question at a time each, without ever hanging with them."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from notifiers.protocol import Deadline

_log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a provider said in time, and whether that was all it had to say."""

    said: tuple[T, ...] = ()
    complete: bool = False


class Asking:
    """Runs questions in threads of their own; a provider that still hangs with the last one is not asked again."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the total deadline of a question."""
        self._seconds = seconds
        self._busy: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def ask(self, notifier: str, question: Callable[[Deadline], Iterator[T]]) -> Answer[T]:
        """Return what came in before the deadline; nothing where the provider could not be asked at all."""
        answers: list[T] = []
        ended = threading.Event()

        def run() -> None:
            try:
                for one in question(Deadline(self._seconds, time.monotonic)):
                    answers.append(one)  # noqa: PERF402 - what came must be there when the next never comes
                ended.set()
            except BaseException as error:  # noqa: BLE001 - whatever escapes a notifier means: no answer
                _log.warning("question_broken_off", notifier=notifier, why=type(error).__name__)

        with self._lock:
            before = self._busy.get(notifier)
            if before is not None and before.is_alive():
                return Answer()
            thread = threading.Thread(target=run, name=f"ask-{notifier}", daemon=True)
            self._busy[notifier] = thread
            thread.start()
        thread.join(self._seconds + 1.0)
        complete = ended.is_set()  # before the copy: what is complete is copied whole
        return Answer(tuple(answers), complete)
