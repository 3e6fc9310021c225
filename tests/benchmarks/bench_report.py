"""How long a report takes: the draft as questions, as HTML and as PDF. Goal: the draft in 150 ms.

`python -m tests.benchmarks.bench_report [--rounds 30]`
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.scope import ScopeAssessment
from incident_tracker.services import incidents, reports, scope
from tests.makers import HandClock, make_controller, make_tracker

GOAL_MS = 150


def main() -> None:
    """Print the median and the slowest of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        clock = HandClock()
        tracker = make_tracker(Path(folder), clock)
        context = tracker.context
        controller = make_controller(context)
        reference = incidents.open_incident(context, SHELL, title="Kundeliste", controller_id=controller.id)
        incidents.record_awareness(context, SHELL, reference, at=clock(), reason="Set i loggen")
        known = ScopeAssessment(breach_types=("confidentiality",), description="Kundelisten lå åbent. " * 80)
        scope.assess(context, SHELL, reference, known)
        print(f"{platform.node()}, {rounds} rounds; goal: {GOAL_MS} ms")
        for name, job in (
            ("draft", lambda: reports.draft(context, SHELL, reference)),
            ("html", lambda: reports.html(context, SHELL, reference)),
            ("pdf", lambda: reports.pdf(context, SHELL, reference)),
        ):
            print(f"{name:6} {_measured(job, rounds)}")
        tracker.close()


def _measured(job: Callable[[], object], rounds: int) -> str:
    job()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        job()
        times.append((time.perf_counter() - started) * 1000)
    return f"median {statistics.median(times):6.1f} ms, slowest {max(times):6.1f} ms"


if __name__ == "__main__":
    main()
