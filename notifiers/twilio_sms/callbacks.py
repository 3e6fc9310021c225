"""Twilio's callbacks: its signature over the exact public address, and our own mark in the query.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from notifiers.protocol import CallbackRequest, ForgedCallbackError, Reply, ReportedState, StatusReport
from notifiers.twilio_sms import outcomes

_STATES = {
    "accepted": ReportedState.ACCEPTED,
    "scheduled": ReportedState.ACCEPTED,
    "queued": ReportedState.ACCEPTED,
    "sending": ReportedState.ACCEPTED,
    "sent": ReportedState.ACCEPTED,
    "delivered": ReportedState.DELIVERED,
    "read": ReportedState.DELIVERED,
    "undelivered": ReportedState.FAILED,
    "failed": ReportedState.FAILED,
    "canceled": ReportedState.FAILED,
}


def address_with_mark(status_url: str, attempt: str, secret: str) -> str:
    """Return the callback address that names our attempt and proves that we wrote it."""
    joint = "&" if "?" in status_url else "?"
    return f"{status_url}{joint}{urlencode({'a': attempt, 'm': _mark(attempt, secret)})}"


def read(request: CallbackRequest, secrets: Sequence[str]) -> StatusReport | Reply | None:
    """Check the signature with each secret, then read a delivery report or a person's reply."""
    form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    _demand_signature(request, form, secrets)
    fields = dict(form)
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    if not sid:
        return None
    if request.kind == "inbound":
        return Reply(fields.get("From", ""), fields.get("Body", ""), unique=sid, to_address=fields.get("To", ""))
    code = fields.get("ErrorCode", "")
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    return report(sid, status, code, attempt=_marked_attempt(request.url, secrets))


def report(sid: str, status: str, code: str, attempt: str | None = None) -> StatusReport | None:
    """Return what Twilio says of a message, or None for a state that says nothing (for instance `receiving`)."""
    state = _STATES.get(status)
    if state is None:
        return None
    number = int(code) if code.isascii() and code.isdigit() else 0
    return StatusReport(
        state=state,
        unique=":".join((sid, status, attempt or "")),
        attempt=attempt,
        provider_id=sid,
        reason=(outcomes.REASONS.get(number) or status) if state is ReportedState.FAILED else "",
        code=str(number) if number else "",
        opted_out=number in outcomes.OPTED_OUT,
    )


def signature(secret: str, url: str, form: Sequence[tuple[str, str]]) -> str:
    """Return Twilio's signature: base64 HMAC-SHA1 over address and sorted fields, each value of a name once."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()


def _demand_signature(request: CallbackRequest, form: list[tuple[str, str]], secrets: Sequence[str]) -> None:
    given = _header(request.headers, "x-twilio-signature").encode()
    digest = dict(parse_qsl(urlsplit(request.url).query)).get("bodySHA256")
    if digest is not None:
        form = []
        if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), digest.encode()):
            raise ForgedCallbackError("the body does not fit its digest")
    good = False
    for secret in secrets:
        for url in _spellings(request.url):
            good |= hmac.compare_digest(signature(secret, url, form).encode(), given)
    if not good:
        raise ForgedCallbackError("the signature does not fit")


def _marked_attempt(url: str, secrets: Sequence[str]) -> str | None:
    query = dict(parse_qsl(urlsplit(url).query))
    attempt = query.get("a")
    if attempt is None:
        return None
    mark = query.get("m", "").encode()
    if not any(hmac.compare_digest(_mark(attempt, secret).encode(), mark) for secret in secrets):
        raise ForgedCallbackError("the attempt was not marked by us")
    return attempt


def _mark(attempt: str, secret: str) -> str:
    return hmac.digest(secret.encode(), b"incident_tracker twilio_sms attempt:" + attempt.encode(), "sha256").hex()[
        :32
    ]


def _spellings(url: str) -> Iterator[str]:
    """Yield the address as it is, and with or without the standard port: Twilio signs either."""
    yield url
    parts = urlsplit(url)
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is None and standard:
        yield urlunsplit(parts._replace(netloc=f"{parts.netloc}:{standard}"))
    elif parts.port is not None:
        yield urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
