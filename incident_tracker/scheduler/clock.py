"""The threads of a node: one ticks, one sends; APScheduler only says when to look again.

Losing the process loses nothing: whatever is due is found in the database by the next tick of any node.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.background import BackgroundScheduler

from incident_tracker import __version__
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import CLOCK
from incident_tracker.domain.events import ClockStopped
from incident_tracker.scheduler.trouble import Watch
from incident_tracker.services import (
    backup,
    clock,
    daily_mail,
    health,
    housekeeping,
    journal,
    notices,
    replies,
    suspicions,
)
from incident_tracker.services.work import working
from incident_tracker.store import heartbeats

_log = structlog.get_logger()

SWEEP_SECONDS = 5
MINUTE_SECONDS = 60
FILES_SECONDS = 3600
SILENCE_WORTH_NOTING = timedelta(minutes=5)
JUMP_WORTH_NOTING = timedelta(seconds=60)


class Clock:
    """Clock and outbox of one node. `start` returns at once; `stop` lets what is in flight finish."""

    def __init__(self, tracker: Tracker, when_too_old: Callable[[], None] = lambda: None) -> None:
        """Prepare; nothing runs yet. `when_too_old` is called if the database is closed to this version meanwhile."""
        self._tracker = tracker
        self._context = tracker.context
        self._stop = threading.Event()
        self._watch = Watch(tracker)
        self._when_too_old = when_too_old
        self._beaten_at = 0.0
        self._files_tidied_at: float | None = None
        self._previous: tuple[float, float] | None = None
        self._threads = [
            threading.Thread(target=self._tick_loop, name="clock", daemon=True),
            threading.Thread(target=self._send_loop, name="outbox", daemon=True),
        ]
        self._metronome = BackgroundScheduler(
            timezone="UTC",
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Announce the node, note a silence that went before, and begin to tick and to send."""
        self._announce()
        self._watch.over("contacts", self._watch.remember_contacts)
        clock_settings = self._tracker.settings.clock
        self._every(clock_settings.tick_seconds, self._tracker.woken.set, "tick")
        self._every(SWEEP_SECONDS, self._sweep, "sweep")
        self._every(SWEEP_SECONDS, self._tell_on, "notices")
        self._every(clock_settings.poll_seconds, self._poll, "poll")
        self._every(MINUTE_SECONDS, self._minute, "minute")
        for thread in self._threads:
            thread.start()
        self._metronome.start()
        self._tracker.woken.set()

    def stop(self, timeout: float = 30.0) -> bool:
        """Stop claiming, let what is in flight finish; return whether all ended within `timeout` seconds."""
        self._end()
        ends_at = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _end(self) -> None:
        self._stop.set()
        with suppress(SchedulerNotRunningError):
            self._metronome.shutdown(wait=False)
        self._tracker.woken.set()
        self._tracker.engine.wake()

    @property
    def is_stopped(self) -> bool:
        """Return whether it ended: it was told to, or the database is closed to this version."""
        return self._stop.is_set()

    def _every(self, seconds: float, job: Callable[[], None], name: str) -> None:
        self._metronome.add_job(job, "interval", seconds=seconds, id=name)

    def _announce(self) -> None:
        now = self._context.now()
        with self._context.database.writing(urgent=True) as session:
            last = heartbeats.last(session, now)
            heartbeats.start(session, self._tracker.node, __version__, now)
        if last is not None and now - last.beat_at > SILENCE_WORTH_NOTING:
            with working(self._context, CLOCK) as work:
                work.note(ClockStopped(last.beat_at, now, "no sign of life before this start"))

    def _tick_loop(self) -> None:
        while not self._stop.is_set():
            self._tracker.woken.wait()
            self._tracker.woken.clear()
            if self._stop.is_set():
                return
            self._watch.over("tick", self._tick)

    def _tick(self) -> None:
        self._notice_jump()
        self._watch.over("replies", self._take_replies)
        self._watch.over("reports_from_outside", self._tell_of_reports)
        clock.tick(self._context, self._tracker.node)
        if time.monotonic() - self._beaten_at >= self._tracker.settings.clock.tick_seconds * 0.9:
            with self._context.database.writing(urgent=True) as session:
                heartbeats.beat(session, self._tracker.node, self._context.now())
            self._beaten_at = time.monotonic()
        self._tracker.engine.wake()

    def _take_replies(self) -> None:
        replies.apply(self._context)

    def _tell_of_reports(self) -> None:
        suspicions.paging.tell(self._context)

    def _notice_jump(self) -> None:
        """Note in the journal when the machine's clock moved against the time that really passed."""
        wall, steady = self._context.now(), time.monotonic()
        if self._previous is not None:
            passed = timedelta(seconds=steady - self._previous[1])
            moved = timedelta(seconds=wall.timestamp() - self._previous[0])
            if abs(moved - passed) > JUMP_WORTH_NOTING:
                before = wall - moved
                _log.error("clock_jumped", seconds=round((moved - passed).total_seconds()))
                with working(self._context, CLOCK) as work:
                    work.note(ClockStopped(before, wall, "the machine's clock jumped"))
        self._previous = (wall.timestamp(), steady)

    def _send_loop(self) -> None:
        while not self._stop.is_set():
            self._tracker.engine.wait(1.0)
            self._watch.over("outbox", self._drain)

    def _drain(self) -> None:
        self._tracker.engine.drain(self._stop)

    def _sweep(self) -> None:
        self._watch.over("sweep", self._tracker.engine.sweep)

    def _tell_on(self) -> None:
        self._watch.over("notices", partial(notices.go_on, self._context, self._context.now()))

    def _poll(self) -> None:
        self._watch.over("poll", self._poll_now)

    def _poll_now(self) -> None:
        called_back = self._tracker.settings.server.is_https
        self._tracker.engine.poll(replies=not called_back and clock.waits_for_replies(self._context))
        self._tracker.woken.set()

    def _minute(self) -> None:
        """Do what is done once a minute, each under its own eye, so that one that fails stops no other."""
        now = self._context.now()
        over = self._watch.over
        over("version", self._stop_if_too_old)
        if self._stop.is_set():
            return
        over("anchor", partial(journal.anchor, self._context, now))
        over("housekeeping", partial(housekeeping.tidy, self._context, now))
        over("contacts", self._watch.remember_contacts)
        over("files", self._tidy_files)
        over("daily_mail", partial(self._send_daily_mail, now))
        over("backup", partial(backup.tell_administrators, self._context, now))
        over("ping", self._ping)

    def _tidy_files(self) -> None:
        clock_now = time.monotonic()
        if self._files_tidied_at is None or clock_now - self._files_tidied_at >= FILES_SECONDS:
            housekeeping.tidy_files(self._context)
            self._files_tidied_at = clock_now

    def _send_daily_mail(self, now: datetime) -> None:
        for one in daily_mail.due(self._context, now):
            self._watch.over(f"daily_mail_{one.id}", partial(daily_mail.send, self._context, one, now))

    def _ping(self) -> None:
        url = self._tracker.settings.clock.ping_url
        if url and health.nothing_due_unsent(self._context):
            self._watch.ping(url)

    def _stop_if_too_old(self) -> None:
        """Leave the work to newer nodes once the database says that this version may no longer touch it."""
        wanted = health.newer_version_wanted(self._context)
        if wanted is not None:
            _log.error("version_too_old", version=__version__, wanted=wanted)
            self._end()
            self._when_too_old()
