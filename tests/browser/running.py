"""A tracker that answers on this machine, for a browser to open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import BrowserContext
from werkzeug.serving import WSGIRequestHandler, make_server

from incident_tracker.services import sign_in
from incident_tracker.store import heartbeats
from notifiers.outbox import OutboxNotifier
from notifiers.protocol import Channel
from tests.delivery.world import KnowingPostman
from tests.makers import make_tracker

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker

NODE = "desk"
COOKIE = "incident-tracker-sign-in"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Keep quiet."""

    def log(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def tracker_at(folder: Path, now: Callable[[], datetime], *, postman: bool = False) -> Iterator["Tracker"]:
    """Give a whole tracker on a fresh database; its messages stay in the local outbox, or a postman carries them."""
    tracker = make_tracker(folder, now, **(_with_postman(folder) if postman else {}))
    with tracker.context.database.writing() as session:
        heartbeats.start(session, NODE, "0", now())
    yield tracker
    tracker.close()


def _with_postman(folder: Path) -> dict[str, Any]:
    """Return what makes the tracker look like one that is connected: a postman for SMS and mail, and the outbox."""
    both = (Channel.SMS, Channel.EMAIL)
    carriers = {("postman", one): KnowingPostman("postman", one) for one in both}
    boxes = {("outbox", one): OutboxNotifier(folder / "outbox", one) for one in both}
    return {"notifiers": carriers | boxes, "routing": {one.value: ["postman"] for one in both}}


def give_sign_of_life(tracker: "Tracker") -> None:
    """Let the header say that the clock runs: two seconds ago."""
    with tracker.context.database.writing() as session:
        heartbeats.beat(session, NODE, tracker.context.now() - timedelta(seconds=2))


@contextmanager
def served(tracker: "Tracker") -> Iterator[str]:
    """Serve the pages of a tracker on a free port; give their address, without a slash at the end."""
    from incident_tracker.web.app import create_app  # noqa: PLC0415 - most tests of the browser need no application

    server = make_server("127.0.0.1", 0, create_app(tracker), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def carry_in(context: BrowserContext, tracker: "Tracker", address: str, user_id: int) -> None:
    """Sign a browser in without the form."""
    secret = sign_in.begin(tracker.context, user_id)
    context.add_cookies([{"name": COOKIE, "value": secret, "url": address}])
