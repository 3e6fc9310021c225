"""What an answer of Twilio, or the lack of one, means for a message.

Source of the codes: https://www.twilio.com/docs/api/errors/
After the body has been written any trouble is Unknown.
"""

import ssl
from collections.abc import Iterator, Mapping

from notifiers.protocol import NotSent, Outcome, RefusalKind, Refused, Unknown
from notifiers.support.http_answers import retry_after

ADDRESS = {  # trouble with this one receiver: another in another country, or of another kind, gets hers
    21211: "not a valid number",
    21214: "the number cannot be reached",
    21217: "not a valid number",
    21408: "the account may not send to this country",
    21606: "the sender number may not send this message",
    21612: "the sender cannot reach this number",
    21614: "not a mobile number",
    30004: "the receiver blocks the message",
    30005: "unknown number",
    30006: "a landline, or a carrier that cannot be reached",
}
OPTED_OUT = {21610: "the receiver has written STOP"}
CONTENT = {30007: "filtered by the carrier: look at links and sender"}
TRANSIENT = {
    20429: "too many requests",
    21611: "the sender's queue is full",
    30001: "the sender's queue is full",
    30003: "the phone is off or out of reach",
    30008: "unknown trouble at the carrier",
    30036: "the validity period was over before it was delivered",
}
SETUP = {
    20003: "account SID or auth token is wrong",
    20404: "the account or address does not exist",
    21212: "the sender number is not valid",
    21663: "the sender number belongs to another region",
    30002: "the account is suspended",
    30042: "the sender name is not allowed",
}
REASONS: Mapping[int, str] = ADDRESS | OPTED_OUT | CONTENT | TRANSIENT | SETUP

_TOO_MANY = 429
_SETUP_STATUS = frozenset({401, 403, 404, 405, 413})
_MAY_HAVE_ARRIVED = frozenset({408})
_CLIENT_ERROR = range(400, 500)
_LOCKED_OUT = frozenset({20003, 30002})
_HANDSHAKE = ("WRONG_VERSION_NUMBER", "HANDSHAKE_FAILURE", "PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL")


def from_answer(attempt: str, status: int, code: int | None, headers: Mapping[str, str]) -> Outcome:
    """Classify an answer that is not 2xx."""
    number = code or status
    name, reason = str(number), REASONS.get(number, f"HTTP {status}")
    if status not in _CLIENT_ERROR or status in _MAY_HAVE_ARRIVED or number == 20500:  # noqa: PLR2004 a Twilio code
        return Unknown(attempt, reason, name)
    if status == _TOO_MANY or number in TRANSIENT:
        return NotSent(attempt, reason, name, retry_after=retry_after(headers))
    if number in OPTED_OUT:
        return Refused(attempt, RefusalKind.OPTED_OUT, reason, name)
    if number in ADDRESS:
        return Refused(attempt, RefusalKind.ADDRESS, reason, name)
    if number in SETUP or status in _SETUP_STATUS:
        return NotSent(attempt, reason, name, setup=True)
    return Refused(attempt, RefusalKind.CONTENT, reason, name)


def from_exception(attempt: str, error: BaseException) -> Outcome:
    """Classify what the library raised without an answer. Only the class of the error is named, never its text."""
    chain = tuple(_causes(error))
    name = type(chain[-1]).__name__
    if any(_never_reached(cause) for cause in chain):
        return NotSent(attempt, f"Twilio could not be reached ({name})")
    return Unknown(attempt, f"the connection broke off ({name})")


def stops_the_rest(outcome: Outcome) -> bool:
    """Return whether every further message would get the same answer: we are locked out, or nobody is there."""
    if not isinstance(outcome, NotSent):
        return False
    return outcome.code in {"401", "403"} or (outcome.code.isdigit() and int(outcome.code) in _LOCKED_OUT)


def _never_reached(error: BaseException) -> bool:
    from requests import exceptions as http  # noqa: PLC0415 imported with the client, at the first call
    from urllib3 import exceptions as pool  # noqa: PLC0415

    if isinstance(error, http.ConnectTimeout | http.ProxyError | http.InvalidURL | http.InvalidSchema):
        return True
    if isinstance(error, pool.NewConnectionError | pool.ConnectTimeoutError | ssl.SSLCertVerificationError):
        return True
    return isinstance(error, ssl.SSLError) and any(word in str(error) for word in _HANDSHAKE)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it wraps: the libraries hide the cause in arguments and `reason`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]
