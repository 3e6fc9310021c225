"""What an answer of SendGrid, or the lack of one, means for the messages of a request.

Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors . After the body has been written any
trouble is Unknown.
"""

import json
import socket
import ssl
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from notifiers.protocol import NotSent, Outcome, RefusalKind, Refused, Unknown
from notifiers.support.http_answers import retry_after

BAD_REQUEST = 400
_TOO_MANY = 429
_SETUP = {
    401: "the API key is wrong",
    403: "the API key or the sender may not do this",
    404: "the address of the API is wrong",
    405: "the address of the API is wrong",
    413: "the request is too large: lower max_batch",
}
_OUR_FIELDS = ("from", "reply_to", "mail_settings", "tracking_settings", "headers")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means: an outcome for each attempt, or that the batch must be divided to find the culprit."""

    outcome: Callable[[str], Outcome]
    divide: bool = False
    certain: bool = True
    """Whether the provider has certainly not taken the messages."""
    stops_the_rest: bool = False


def from_answer(status: int, body: bytes, headers: Mapping[str, str], size: int) -> Verdict:
    """Judge an answer that is not 2xx to a request for `size` people."""
    if status == BAD_REQUEST:
        return _bad_request(body, size)
    if status == _TOO_MANY:
        wait = retry_after(headers)
        return Verdict(
            lambda attempt: NotSent(attempt, "too many requests", str(status), retry_after=wait), stops_the_rest=True
        )
    if status in _SETUP:
        reason = _SETUP[status]
        return Verdict(lambda attempt: NotSent(attempt, reason, str(status), setup=True), stops_the_rest=True)
    return Verdict(lambda attempt: Unknown(attempt, f"HTTP {status}", str(status)), certain=False)


def from_exception(error: BaseException) -> Verdict:
    """Judge what the library raised without an answer. Only the class of the error is named, never its text."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    name = type(cause).__name__
    unreached = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
    if isinstance(error, urllib.error.URLError) and isinstance(cause, unreached):
        return Verdict(
            lambda attempt: NotSent(attempt, f"SendGrid could not be reached ({name})"), stops_the_rest=True
        )
    return Verdict(lambda attempt: Unknown(attempt, f"the connection broke off ({name})"), certain=False)


def _bad_request(body: bytes, size: int) -> Verdict:
    fields = _fields(body)
    if fields and all(field.startswith(_OUR_FIELDS) for field in fields):
        reason = f"SendGrid refuses our own setting: {', '.join(sorted(fields))[:80]}"
        return Verdict(lambda attempt: NotSent(attempt, reason, "400", setup=True), stops_the_rest=True)
    shared = fields and not any(field.startswith("personalizations") for field in fields)
    if size > 1 and not shared:
        return Verdict(_content_refused, divide=True)
    if any(field.startswith("personalizations") and ".to" in field for field in fields):
        return Verdict(lambda attempt: Refused(attempt, RefusalKind.ADDRESS, "not a valid address", "400"))
    return Verdict(_content_refused)


def _content_refused(attempt: str) -> Outcome:
    return Refused(attempt, RefusalKind.CONTENT, "SendGrid refuses the message", "400")


def _fields(body: bytes) -> frozenset[str]:
    """Return the fields that SendGrid complains of; its texts are left, they may repeat an address."""
    try:
        errors = json.loads(body)["errors"]
        return frozenset(str(error["field"]) for error in errors if error.get("field"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return frozenset()
