"""Files handed out: always saved, never shown, whatever they hold or are called."""

from collections.abc import Iterable

from flask import Response
from werkzeug.http import dump_options_header
from werkzeug.utils import secure_filename

OCTETS = "application/octet-stream"
_POLICY = "default-src 'none'; sandbox"


def as_download(content: Iterable[bytes], name: str, *, kind: str = OCTETS, size: int | None = None) -> Response:
    """Return an answer that a browser saves under `name` and never runs."""
    response = Response(content, mimetype=kind, direct_passthrough=False)
    response.headers["Content-Disposition"] = _disposition(name)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    if size is not None:
        response.headers["Content-Length"] = str(size)
    return response


def _disposition(name: str) -> str:
    """Return the header with the name as it came for browsers of today, and a plain one for the others."""
    shown = name.replace("/", "_").replace("\\", "_")
    plain = secure_filename(shown) or "file"
    header = dump_options_header("attachment", {"filename": plain})
    return header if plain == shown else f"{header}; filename*={_encoded(shown)}"


def _encoded(name: str) -> str:
    octets = name.encode("utf-8", "replace")
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~"
    return "UTF-8''" + "".join(chr(one) if one in safe else f"%{one:02X}" for one in octets)
