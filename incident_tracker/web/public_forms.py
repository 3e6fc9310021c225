"""Forms of pages that need no account and set no cookie: a signed token, where the request came from, and a trap.

Nobody is signed in there, so there is nothing to ride on. The token says that the form is one of ours and not old,
the origin that no other site sent it, the trap catches machines that fill every field.
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import request

from incident_tracker.domain.errors import Refusal
from incident_tracker.web import current

VALID_FOR = timedelta(hours=12)
TOKEN = "form_token"  # noqa: S105 - the name of a field
TRAP = "website"
"""A field that people do not see; what fills it is a machine."""
_FROM_US = frozenset({"same-origin", "none"})
_PARTS = 3


class FormNotOurs(Refusal):
    """The form is too old, changed, or was sent by another site."""

    message = "The form is too old, or does not come from this page. Open it again and send it anew."


def token(purpose: str) -> str:
    """Return what a form for this purpose carries in the field `form_token`; it is worth something for 12 hours."""
    issued, chance = str(int(current.context().now().timestamp())), secrets.token_hex(8)
    return f"{issued}.{chance}.{_sign(purpose, issued, chance)}"


def check(purpose: str) -> None:
    """Refuse a form (`FormNotOurs`) that carries no good token for this purpose, or that another site sent."""
    if not _comes_from_us() or not _is_good(request.form.get(TOKEN, ""), purpose):
        raise FormNotOurs


def again(purpose: str) -> str:
    """Return the token of the form that came, where it is good, else a new one: for showing the form once more."""
    given = request.form.get(TOKEN, "")
    return given if _is_good(given, purpose) else token(purpose)


def age() -> timedelta:
    """Return how long ago the form that came was made; ask after `check`."""
    issued = request.form.get(TOKEN, "").partition(".")[0]
    return current.context().now() - datetime.fromtimestamp(int(issued), UTC)


def trapped() -> bool:
    """Return whether a machine filled the field that nobody sees."""
    return bool(request.form.get(TRAP, "").strip())


def _is_good(given: str, purpose: str) -> bool:
    parts = given.split(".")
    if len(parts) != _PARTS or not parts[0].isascii() or not parts[0].isdigit():
        return False
    issued, chance, signature = parts
    if not hmac.compare_digest(_sign(purpose, issued, chance).encode(), signature.encode()):
        return False
    age = current.context().now() - datetime.fromtimestamp(int(issued), UTC)
    return timedelta(minutes=-1) <= age <= VALID_FOR


def _comes_from_us() -> bool:
    """Return whether nothing says that another site sent the form.

    A browser that says where it comes from is believed (`Sec-Fetch-Site`, then `Origin`, then `Referer`); one that
    says nothing, or hides it (`Origin: null` on a page without a referrer), stands on its token alone.
    """
    said = request.headers.get("Sec-Fetch-Site")
    if said is not None:
        return said in _FROM_US
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        origin = request.referrer or ""
    return not origin or _host(origin) in {request.host.casefold(), _host(current.context().settings.public_url)}


def _host(address: str) -> str:
    """Return the host of an address with its port; one that is no address is nobody's."""
    try:
        return urlsplit(address).netloc.casefold()
    except ValueError:
        return ""


def _sign(purpose: str, issued: str, chance: str) -> str:
    key = current.context().keyring.form_key()
    return hmac.digest(key, f"public form\0{purpose}\0{issued}\0{chance}".encode(), hashlib.sha256).hex()
