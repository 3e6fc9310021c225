"""Twilio's official client, kept on a leash: timeouts, no personal data in logs, never shared by two threads."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READ_TIMEOUT = 10.0
"""Seconds for one read; the total is the deadline's."""
CONNECT_TIMEOUT = 5.0
IDLE_LIMIT = 20.0
"""Seconds after which a kept connection is not used again: it may be half closed, and a lost answer is in doubt."""
_SHORTEST = 0.05

# The client logs addresses, and the connection pool logs queries with phone numbers: neither is ours to keep.
_silent = logging.getLogger("notifiers.twilio_sms.client")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL + 1)


@dataclass(slots=True)
class Line:
    """One client with its own connection; belongs to one thread at a time."""

    client: Any
    messages: Any
    http: Any
    used_at: float

    def allow(self, remaining: float) -> None:
        """Let the next request take `remaining` seconds at most for each read."""
        self.http.timeout = (
            max(_SHORTEST, min(CONNECT_TIMEOUT, remaining)),
            max(_SHORTEST, min(READ_TIMEOUT, remaining)),
        )

    @property
    def answer_headers(self) -> Mapping[str, str]:
        """The headers of the last answer; the library's exceptions do not carry them."""
        headers: Mapping[str, str] = self.http.answer_headers
        return headers

    def hang_up(self) -> None:
        """Close the connection."""
        self.http.session.close()


class Lines:
    """The clients of one notifier. The library is imported at the first call, not before."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._idle: list[Line] = []

    @contextmanager
    def line(self) -> Iterator[Line]:
        """Lend a client for as long as the block runs; its connection is dropped when the block breaks off."""
        line = self._take() or self._make()
        try:
            yield line
        except BaseException:
            line.hang_up()
            raise
        line.used_at = time.monotonic()
        with self._lock:
            self._idle.append(line)

    def _take(self) -> Line | None:
        oldest_use = time.monotonic() - IDLE_LIMIT
        with self._lock:
            fresh = [line for line in self._idle if line.used_at >= oldest_use]
            stale = [line for line in self._idle if line.used_at < oldest_use]
            taken = fresh.pop() if fresh else None
            self._idle = fresh
        for line in stale:
            line.hang_up()
        return taken


def make_line(*, account_sid: str, auth_token: str, region: str, edge: str, api_base: str) -> Line:
    """Build the official client; with `api_base` it speaks to that address, whatever region and edge say."""
    from requests.utils import get_environ_proxies  # noqa: PLC0415 95 ms that only senders should pay
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415
    from twilio.rest import Client  # noqa: PLC0415

    logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)

    class LeashedHttpClient(TwilioHttpClient):  # type: ignore[misc]
        """The library's HTTP client, aimed at `api_base`, that keeps the headers of the last answer."""

        answer_headers: Mapping[str, str] = {}

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if api_base:
                url = api_base + url[url.index("/", len("https://")) :]
            self.answer_headers = {}
            response = super().request(method, url, *args, **kwargs)
            self.answer_headers = response.headers
            return response

        def log_request(self, kwargs: dict[str, Any]) -> None:
            """Say nothing: the query holds phone numbers."""

        def log_response(self, status_code: int, response: Any) -> None:
            """Say nothing, as above."""

    http = LeashedHttpClient(timeout=READ_TIMEOUT, logger=_silent)
    client = Client(account_sid, auth_token, region=region or None, edge=edge or None, http_client=http)
    # The environment (proxies, certificates) is read once for each client instead of for each request.
    settings = http.session.merge_environment_settings(api_base or "https://api.twilio.com", {}, None, None, None)
    http.session.verify = settings["verify"]
    http.session.proxies = get_environ_proxies(api_base or "https://api.twilio.com")
    http.session.trust_env = False
    return Line(client=client, messages=client.messages, http=http, used_at=time.monotonic())
