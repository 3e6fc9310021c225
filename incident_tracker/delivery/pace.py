"""How much at once, how long, how soon again."""

from dataclasses import dataclass
from datetime import timedelta
from secrets import SystemRandom

_CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class Pace:
    """The numbers of the engine. `lease` must be longer than `call_seconds` and `grace_seconds` together.

    What one thread gets at once, under one deadline and one lease, is `claim` messages; of a notice it is as many as
    the notifier takes in one request, where that is more (`share`). After a crash at most `workers` times that many
    messages of a lane are in doubt (`most_in_doubt`), and no more can ever be doubled: alerts go again by themselves,
    marked; those of a notice only when a person says so.
    """

    workers: int = 4
    """Calls at once in a lane. A notice never takes the last one, so that an alert finds a thread free."""
    claim: int = 32
    """Messages a call gets."""
    call_seconds: float = 20.0
    """The total deadline of a call."""
    grace_seconds: float = 2.0
    """How long after its deadline a call is given up."""
    lease: timedelta = timedelta(seconds=60)
    ask_seconds: float = 10.0
    """The total deadline of a question to a provider (search, look-up, replies)."""
    backoff_first: float = 2.0
    backoff_most: float = 45.0
    """Below a minute, so that all is sent within a minute of a recovery."""
    retry_after_most: float = 120.0
    """A provider may name any pause; more than this is not believed."""
    probe_after: timedelta = timedelta(minutes=5)
    """When a paused lane is tried again with one message."""
    tries_before_moving: int = 3
    """After so many tries in vain the next notifier of the channel is tried."""
    adopt_seconds: float = 60.0
    """How often is looked for messages that wait for a notifier which the settings no longer name."""
    doubt_waits: timedelta = timedelta(minutes=30)
    """How long what waits for a person is left before the provider is asked again."""
    look_up_first: timedelta = timedelta(seconds=15)
    look_up_last: timedelta = timedelta(hours=48)
    look_up_size: int = 10
    """Accepted messages asked for in a tick, besides those of notices."""
    look_up_many: int = 50
    """Accepted messages of notices asked for in a tick."""

    def __post_init__(self) -> None:
        """Refuse a lease that ends while its call may still run."""
        if self.lease.total_seconds() <= self.call_seconds + self.grace_seconds:
            raise ValueError("a lease must be longer than the call it covers")

    @property
    def for_notices(self) -> int:
        """How many threads of a lane notices may take."""
        return max(1, self.workers - 1)

    def share(self, max_batch: int) -> int:
        """Return how many messages of a notice one thread gets; `max_batch` is what its notifier takes at once."""
        return max(self.claim, max_batch)

    def most_in_doubt(self, max_batch: int) -> int:
        """Return how many messages of a lane one crash can leave in doubt."""
        return self.workers * self.share(max_batch)

    def backoff(self, tries: int) -> timedelta:
        """Return the wait before the next try: doubling, capped, a fifth more or less by chance."""
        seconds = min(self.backoff_most, self.backoff_first * 2.0 ** min(tries - 1, 16))
        return timedelta(seconds=seconds * _CHANCE.uniform(0.8, 1.2))

    def after_pause(self, tries: int) -> timedelta:
        """Return how long a row that found the set-up wrong leaves the lane to others.

        The probe comes in between. A row for which alone the set-up is wrong comes more and more rarely.
        """
        return self.probe_after * min(2.0 ** max(0, tries - self.tries_before_moving), 4.0)

    def believed(self, retry_after: float | None) -> timedelta | None:
        """Return the pause a provider named, capped; None where it named none or nonsense."""
        if retry_after is None or not retry_after > 0:  # also not a number
            return None
        return timedelta(seconds=min(retry_after, self.retry_after_most))
