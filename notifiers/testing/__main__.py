"""`python -m notifiers.testing --port P --state FILE`: the stand-in as a process of its own."""

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from notifiers.testing.provider import ScriptedProvider


def main() -> None:
    """Serve until told to end; print the address when ready."""
    parser = argparse.ArgumentParser(prog="python -m notifiers.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="file that survives a kill")
    parser.add_argument("--counts-only", action="store_true", help="forget contents, for long load runs")
    given = parser.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    # This program is the other side's clock, not the product's.
    provider = ScriptedProvider(
        lambda: datetime.now(UTC),  # noqa: TID251
        state_file=given.state,
        port=given.port,
        keep_contents=not given.counts_only,
    )
    with provider:
        sys.stdout.write(f"{provider.address}\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
