"""What every request passes: host, token, scope, size, kind of content. What declares nothing opens to nobody."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import structlog
from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, Forbidden, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix

from incident_tracker.api import current
from incident_tracker.api.problems import DoesNotFit
from incident_tracker.domain.tokens import ScopeIsMissing
from incident_tracker.services import idempotency, tokens
from incident_tracker.services.idempotency import Answer
from incident_tracker.settings import Settings, is_our_host

MEGABYTE = 1_048_576
PLAIN_LIMIT = MEGABYTE
"""Largest body that is not a list of people."""
JSON = "application/json"
_log = structlog.get_logger()
_KEY = "Idempotency-Key"
_VISIBLE = re.compile(r"[!-~]{1,255}", re.ASCII)
_ATTRIBUTE = "api_gate"
_YEAR = 31_536_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization, Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_REPEATABLE = 500
"""From this status on nobody can say what was done; below 300 something was, between them nothing."""
_DONE = 300
_NOT_SAVED = 503


@dataclass(frozen=True, slots=True)
class Gate:
    """What a view asks for: a scope, or, with a reason, nothing; which content it takes and how much of it.

    `asks` are the parameters that its address may carry. `safe_again`: a request that was cut off may run again.
    """

    scope: str = ""
    reason: str = ""
    takes: tuple[str, ...] = ()
    asks: frozenset[str] = frozenset()
    large: bool = False
    safe_again: bool = False


def declare(view: Any, gate: Gate) -> None:
    """Write down what a view asks for."""
    setattr(view, _ATTRIBUTE, gate)


def gate_of(app: Flask, endpoint: str) -> Gate | None:
    """Return what a view declares."""
    return cast("Gate | None", getattr(app.view_functions.get(endpoint), _ATTRIBUTE, None))


def watch(app: Flask, settings: Settings) -> None:
    """Check every request before its view, and set the headers of every answer."""
    https = settings.server.is_https
    app.config.update(MAX_CONTENT_LENGTH=PLAIN_LIMIT, PROPAGATE_EXCEPTIONS=False, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.json = StrictJSON(app)
    if proxies := settings.server.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]

    @app.before_request
    def refuse_foreign_hosts() -> None:
        if not is_our_host(settings, request.host, local=not https):
            raise BadRequest

    app.before_request(_check)
    app.before_request(_repeat)
    app.after_request(_remember)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers[name] = value
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
        return response


class StrictJSON(DefaultJSONProvider):
    """JSON as RFC 8259 and RFC 7493 have it: UTF-8, no NaN, no number beyond a double, no name twice."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return what the text says; whatever else is a ValueError."""
        text = s.decode("utf-8") if isinstance(s, bytes) else s
        try:
            return json.loads(
                text, parse_constant=_no_constant, parse_float=_float, object_pairs_hook=_once_each, **kwargs
            )
        except RecursionError:
            raise ValueError("nested too deep") from None


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _float(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError("beyond a double")
    return number


def _once_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name stands twice")
        found[name] = value
    return found


def _check() -> None:
    if request.endpoint is None:
        return
    gate = gate_of(current_app, request.endpoint)
    if gate is None:
        _log.error("view_without_gate", endpoint=request.endpoint)
        raise Forbidden
    if not gate.reason:
        _check_token(gate)
    _check_address(gate)
    _check_content(gate)


def _check_token(gate: Gate) -> None:
    kind, _, written = request.headers.get("Authorization", "").partition(" ")
    presented = written.strip() if kind.casefold() == "bearer" else ""
    g.holder = tokens.resume(current.context(), presented, request.remote_addr or "")
    if gate.scope not in g.holder.scopes:
        raise ScopeIsMissing(wanted=gate.scope)


def _check_address(gate: Gate) -> None:
    mistakes: list[tuple[str, str, Mapping[str, object]]] = []
    for name, values in request.args.lists():
        if name not in gate.asks:
            mistakes.append((name if name.isidentifier() and name.isascii() else "…", "extra_forbidden", {}))
        elif len(values) > 1:
            mistakes.append((name, "repeated", {}))
    if mistakes:
        raise DoesNotFit(*mistakes)


def _check_content(gate: Gate) -> None:
    limit = PLAIN_LIMIT
    if gate.large:
        limit += current.context().settings.security.max_upload_megabytes * MEGABYTE
    request.max_content_length = limit
    if request.content_length is not None and request.content_length > limit:
        raise RequestEntityTooLarge
    if not gate.takes:
        return
    if request.mimetype not in gate.takes or request.content_encoding:
        raise UnsupportedMediaType
    if JSON in gate.takes and not isinstance(request.get_json(), dict):
        raise DoesNotFit(("", "model_type", {}))


def _repeat() -> Response | None:
    """Answer a request that was answered before under the same key as it was then."""
    key = request.headers.get(_KEY)
    if request.method != "POST" or request.endpoint is None or key is None or "holder" not in g:
        return None
    if not _VISIBLE.fullmatch(key):
        raise DoesNotFit((_KEY, "idempotency_key", {}))
    gate = gate_of(current_app, request.endpoint) or Gate()
    digest = hashlib.sha256(b"\n".join((request.full_path.encode(), request.mimetype.encode(), request.get_data())))
    token_id = g.holder.token_id
    found = idempotency.begin(current.context(), token_id, key, digest.hexdigest(), safe_again=gate.safe_again)
    if not isinstance(found, Answer):
        g.key, g.once = key, f"api:{token_id}:{key}:{found.isoformat()}"
        return None
    headers = {"Idempotency-Replayed": "true"} | ({"Location": found.location} if found.location else {})
    return Response(current_app.json.dumps(found.body), found.status, headers, mimetype=JSON)


def _remember(response: Response) -> Response:
    """Keep the answer under the key of the request, or give the key free where nothing was done."""
    key = g.pop("key", None)
    if key is None:
        return response
    token_id = g.holder.token_id
    if response.status_code < _DONE:
        body = response.get_json(silent=True)
        answer = Answer(response.status_code, body, response.headers.get("Location"))
        idempotency.finish(current.context(), token_id, key, answer)
    elif response.status_code < _REPEATABLE or response.status_code == _NOT_SAVED:
        idempotency.give_free(current.context(), token_id, key)
    return response
