"""SendGrid's event webhook: an ECDSA signature over the untouched bytes, then a list of events.

Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event . The CRLF at the end is signed too.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from notifiers.protocol import CallbackRequest, ForgedCallbackError, ReportedState, StatusReport

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_STATES = {
    "processed": ReportedState.ACCEPTED,
    "deferred": ReportedState.ACCEPTED,
    "delivered": ReportedState.DELIVERED,
    "bounce": ReportedState.FAILED,
    "dropped": ReportedState.FAILED,
}
_OPTED_OUT = frozenset({"Unsubscribed Address", "Spam Reporting Address"})


def load_keys(texts: Sequence[str]) -> tuple[Any, ...]:
    """Return the public keys (base64 DER, with or without PEM lines); raises ValueError for one that is none."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415 only when set
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415

    keys = tuple(load_der_public_key(base64.b64decode(text, validate=True)) for text in texts)
    if not all(isinstance(key, EllipticCurvePublicKey) for key in keys):
        raise ValueError("not an ECDSA key")
    return keys


def read(request: CallbackRequest, keys: Sequence[Any]) -> tuple[StatusReport, ...]:
    """Check the signature with each key, then read the events that say where a message is."""
    _demand_signature(request, keys)
    try:
        events = json.loads(request.body)
    except ValueError:
        return ()
    return tuple(_reports(events)) if isinstance(events, list) else ()


def provider_id(message_id: str, attempt: str) -> str:
    """Return an id of one recipient: SendGrid names only the request."""
    return f"{message_id}/{attempt}"


def _reports(events: Sequence[Any]) -> Iterator[StatusReport]:
    for event in events:
        if not isinstance(event, dict) or event.get("event") not in _STATES:
            continue
        name, attempt = str(event["event"]), event.get("attempt")
        message_id = str(event.get("sg_message_id", "")).partition(".")[0]
        # Retries may carry another sg_event_id, so the event is known by our delivery, its kind and its time.
        ours = event.get("delivery") or event.get("sg_message_id", "")
        yield StatusReport(
            state=_STATES[name],
            unique=f"{ours}:{name}:{event.get('timestamp', '')}",
            attempt=str(attempt) if attempt else None,
            provider_id=provider_id(message_id, str(attempt)) if attempt else message_id or None,
            reason=_reason(name, event),
            code=str(event.get("status", "")),
            opted_out=name == "dropped" and event.get("reason") in _OPTED_OUT,
        )


def _reason(name: str, event: Mapping[str, Any]) -> str:
    """Return why, in words without an address: a receiver's own text often repeats it."""
    if _STATES[name] is not ReportedState.FAILED and name != "deferred":
        return ""
    told = str(event.get("bounce_classification") or (event.get("reason") if name == "dropped" else "") or "")
    return f"{name}: {told}" if told and "@" not in told else name


def _demand_signature(request: CallbackRequest, keys: Sequence[Any]) -> None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 only when a callback comes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        signature = base64.b64decode(headers.get(_SIGNATURE, ""), validate=True)
        signed = headers.get(_TIMESTAMP, "").encode("ascii") + request.body
    except (binascii.Error, ValueError) as error:
        raise ForgedCallbackError("the signature cannot be read") from error
    for key in keys:
        try:
            key.verify(signature, signed, ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return
    raise ForgedCallbackError("the signature does not fit")
