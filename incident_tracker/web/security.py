"""What holds for every answer: headers, cookies, the name of the host, addresses that stay on it."""

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from incident_tracker.settings import Settings, is_our_host

POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self'; script-src 'self'; style-src 'self'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
}
_YEAR = 31_536_000
_HOUR = 3_600
_NAMED_BY_STYLE = (".woff2",)
"""Files that the style sheet names too: under another address they would be fetched twice."""
MEGABYTE = 1_048_576
PLAIN_LIMIT = MEGABYTE
"""Largest body of a request that carries no files."""
_MACHINES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines on the same host, under whatever name."""


def secure(app: Flask, settings: Settings) -> None:
    """Set cookies, limits and headers, and refuse foreign host names."""
    https = settings.server.is_https
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name("form", https=https),
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=PLAIN_LIMIT,
        MAX_FORM_MEMORY_SIZE=PLAIN_LIMIT,
        MAX_FORM_PARTS=500,
        PREFERRED_URL_SCHEME="https" if https else "http",
        PROPAGATE_EXCEPTIONS=False,
    )
    proxies = settings.server.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]

    @app.before_request
    def refuse_foreign_hosts() -> None:
        if not is_our_host(settings, request.host, local=not https or request.path in _MACHINES):
            raise BadRequest

    @app.after_request
    def add_headers(response: Response) -> Response:
        return _with_headers(response, https=https)


def cookie_name(name: str, *, https: bool) -> str:
    """Return the name of a cookie; with https the browser itself holds it to this host."""
    return f"__Host-{name}" if https else f"incident-tracker-{name}"


def safe_next(target: str | None, home: str = "/") -> str:
    """Return an address on this host to go on to; whatever could lead elsewhere becomes `home`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return home
    if any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in target):  # noqa: PLR2004 - control signs
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


def version_static(app: Flask) -> None:
    """Let addresses of static files carry their own fingerprint, so that they can be kept for long."""
    folder = Path(str(app.static_folder))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, object]) -> None:
        name = str(values.get("filename", ""))
        if endpoint == "static" and "v" not in values and not name.endswith(_NAMED_BY_STYLE):
            values["v"] = fingerprint(folder / name)


@cache
def fingerprint(file: Path) -> str:
    """Return the start of a file's hash; empty for a file that is not there."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""


def _with_headers(response: Response, *, https: bool) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if https:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    if request.endpoint == "static" and response.status_code in (200, 304):
        kept = f"public, max-age={_YEAR}, immutable" if request.args.get("v") else f"public, max-age={_HOUR}"
        response.headers["Cache-Control"] = kept
    else:
        response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Vary", "Cookie")
    return response


def same_site_referrer() -> str:
    """Return the page that somebody came from, without its host; `/` if that is not one of ours."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc.casefold() != request.host.casefold():
        return "/"
    return safe_next(parts.path + (f"?{parts.query}" if parts.query else ""))
