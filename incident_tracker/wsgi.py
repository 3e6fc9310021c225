"""Floor 7: pages and API behind one door."""

from typing import TYPE_CHECKING

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from incident_tracker.api.app import create_api
from incident_tracker.bootstrap import Tracker
from incident_tracker.web.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def create_wsgi(tracker: Tracker) -> "WSGIApplication":
    """Return everything that a tracker answers over HTTP; the clock and the outbox are not started."""
    return DispatcherMiddleware(create_app(tracker), {"/api": create_api(tracker)})
