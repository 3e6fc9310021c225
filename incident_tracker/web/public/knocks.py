"""How often an address asked for something that is not there, in this process, for a minute."""

import threading
from collections import Counter
from datetime import datetime

_MINUTE = 60
_MOST_ADDRESSES = 10_000
"""Beyond this no new address is counted until the next minute: the count is bounded, and a crowd shuts nobody out."""


class Knocks:
    """Counts by minutes of the clock. Looking at a page must change nothing, so this is not kept in the database."""

    def __init__(self, most: int) -> None:
        """Let each address knock so often a minute."""
        self._most = most
        self._minute = -1
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, address: str, now: datetime) -> None:
        """Count one more knock."""
        with self._lock:
            self._turn(now)
            if address in self._counts or len(self._counts) < _MOST_ADDRESSES:
                self._counts[address] += 1

    def too_many(self, address: str, now: datetime) -> bool:
        """Return whether the address has knocked as often as it may."""
        with self._lock:
            self._turn(now)
            return self._counts.get(address, 0) >= self._most

    def _turn(self, now: datetime) -> None:
        minute = int(now.timestamp()) // _MINUTE
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
