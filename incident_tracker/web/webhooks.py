"""What providers tell us: delivery reports and replies, believed only with a signature that fits the raw bytes."""

from collections.abc import Sequence

import structlog
from flask import Blueprint, Response, abort, request

from incident_tracker.bootstrap import Tracker
from incident_tracker.web import current
from incident_tracker.web.guard import public
from notifiers.protocol import CallbackEvent, CallbackRequest, ForgedCallbackError, ReadsCallbacks

pages = Blueprint("webhooks", __name__, url_prefix="/webhooks")
_log = structlog.get_logger()
_NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""What a provider of SMS takes as "say nothing back": our answer goes through the outbox."""


@pages.post("/<notifier>/<any(status, inbound):kind>")
@public("a provider calls; its signature over the raw bytes is the proof", csrf=False)
def take(notifier: str, kind: str) -> Response:
    """Store what a provider says before anything is done with it, and answer at once."""
    tracker = current.tracker()
    readers = _readers(tracker, notifier)
    if not readers:
        abort(404)
    asked = CallbackRequest(
        kind=kind,
        url=_public_url(tracker),
        headers=dict(request.headers.items()),
        body=request.get_data(cache=False),
    )
    events = _believed(readers, asked, notifier)
    if events is None:
        abort(403)
    tracker.engine.receive(notifier, events)
    tracker.context.wake()
    if kind == "inbound":
        return Response(_NO_ANSWER, 200, mimetype="text/xml")
    return Response(status=204)


def _readers(tracker: Tracker, notifier: str) -> list[ReadsCallbacks]:
    """Return the notifiers of that name that can be called; none without a public address of ours."""
    if not tracker.settings.server.is_https:
        return []
    named = (one for (name, _channel), one in tracker.carriers.items() if name == notifier)
    return [one for one in named if isinstance(one, ReadsCallbacks)]


def _believed(
    readers: Sequence[ReadsCallbacks], asked: CallbackRequest, notifier: str
) -> Sequence[CallbackEvent] | None:
    for reader in readers:
        try:
            return reader.read_callback(asked)
        except ForgedCallbackError:
            continue
        except ValueError as error:
            _log.warning("callback_unreadable", notifier=notifier, why=type(error).__name__)
            abort(400)
    _log.warning("callback_forged", notifier=notifier, kind=asked.kind)
    return None


def _public_url(tracker: Tracker) -> str:
    """Return the address as the provider has it: our public one, with the path and query that came."""
    query = request.query_string.decode("latin-1")
    return f"{tracker.settings.public_url}{request.path}" + (f"?{query}" if query else "")
