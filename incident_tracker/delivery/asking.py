"""Asking providers with a total deadline, one question at a time each, without ever hanging with them."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import structlog

from notifiers.protocol import Deadline

_log = structlog.get_logger()
T = TypeVar("T")


class Asking:
    """Runs questions in threads of their own; a provider that still hangs with the last one is not asked again."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the total deadline of a question."""
        self._seconds = seconds
        self._busy: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def ask(self, notifier: str, question: Callable[[Deadline], Iterator[T]]) -> list[T] | None:
        """Return what came in before the deadline; None where the provider could not be asked at all."""
        answers: list[T] = []
        failed = threading.Event()

        def run() -> None:
            try:
                answers.extend(question(Deadline(self._seconds, time.monotonic)))
            except BaseException as error:  # noqa: BLE001 - whatever escapes a notifier means: no answer
                _log.warning("provider_not_asked", notifier=notifier, why=type(error).__name__)
                failed.set()

        with self._lock:
            before = self._busy.get(notifier)
            if before is not None and before.is_alive():
                return None
            thread = threading.Thread(target=run, name=f"ask-{notifier}", daemon=True)
            self._busy[notifier] = thread
            thread.start()
        thread.join(self._seconds + 1.0)
        return None if thread.is_alive() or failed.is_set() else answers
