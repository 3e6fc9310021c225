"""Callbacks as Twilio and SendGrid send them: rightly signed, with the old key, or forged.

They are made by code of their own, so that a mistake in a notifier's check is not repeated here.
"""

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifiers.protocol import CallbackRequest

_FORM = "application/x-www-form-urlencoded"


def twilio(kind: str, url: str, fields: Mapping[str, str], token: str) -> CallbackRequest:
    """Return a form POST with Twilio's signature over `url` and the fields."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mac = hmac.new(token.encode(), text.encode(), hashlib.sha1)
    headers = {"X-Twilio-Signature": base64.b64encode(mac.digest()).decode(), "Content-Type": _FORM}
    return CallbackRequest(kind=kind, url=url, headers=headers, body=urlencode(fields).encode())


class SendgridSigner:
    """A key pair of the event webhook."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """The key as SendGrid shows it: base64 of the DER form."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def request(self, url: str, events: Sequence[Mapping[str, Any]], timestamp: int) -> CallbackRequest:
        """Return a batch of events, signed with the CRLF that ends it."""
        body = json.dumps(events, separators=(",", ":")).encode() + b"\r\n"
        signed = self._key.sign(str(timestamp).encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(timestamp),
            "Content-Type": "application/json",
        }
        return CallbackRequest(kind="status", url=url, headers=headers, body=body)


def deliver(request: CallbackRequest, to: str, timeout: float = 5.0) -> int:
    """Post a callback to the server at `to` (`http://127.0.0.1:8000`) under its path and query; return the status."""
    target, parts = urlsplit(to), urlsplit(request.url)
    connection = http.client.HTTPConnection(target.hostname or "127.0.0.1", target.port, timeout=timeout)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, request.body, dict(request.headers))
        return connection.getresponse().status
    finally:
        connection.close()
