"""Pages and API over real HTTP, by the server that `serve` uses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import waitress

from incident_tracker.bootstrap import Tracker
from incident_tracker.wsgi import create_wsgi

PATIENCE = 30


@contextmanager
def serving(tracker: Tracker) -> Iterator[str]:
    """Serve a tracker on a free port of this machine; give its address, without a slash at the end."""
    server = waitress.create_server(create_wsgi(tracker), host="127.0.0.1", port=0, threads=4, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    # Closed from within its own loop, which would otherwise wait on a socket that is gone.
    server.trigger.pull_trigger(lambda: server.asyncore.close_all(server._map, ignore_all=True))
    thread.join(PATIENCE)
    server.task_dispatcher.shutdown()
    assert not thread.is_alive()
