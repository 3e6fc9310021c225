"""As much of Twilio's Messages API as the official client uses for SMS.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from notifiers.testing.ledger import Ledger, Sms

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_PAGE = 50
_LARGEST_PAGE = 1000
_LONGEST_BODY = 1600
_LONGEST_VALIDITY = 36000


class TwilioRefusalError(Exception):
    """The request is refused with one of Twilio's codes."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"code": code, "message": message, "status": status, "more_info": f"errors/{code}"})


def own_id(fields: Mapping[str, str]) -> str:
    """Return our attempt id from the callback address, or the number and text where none was given."""
    callback = fields.get("StatusCallback", "")
    if callback:
        marked = dict(parse_qsl(urlsplit(callback).query)).get("a")
        if marked:
            return marked
    return f"{fields.get('To', '')}|{fields.get('Body', '')}"


def check(fields: Mapping[str, str]) -> None:
    """Refuse what Twilio refuses."""
    if not fields.get("To"):
        raise TwilioRefusalError(21604, "A 'To' phone number is required")
    if not _NUMBER.fullmatch(fields["To"]):
        raise TwilioRefusalError(21211, "Invalid 'To' Phone Number")
    if not fields.get("From") and not fields.get("MessagingServiceSid"):
        raise TwilioRefusalError(21603, "A 'From' phone number is required")
    if not fields.get("Body"):
        raise TwilioRefusalError(21602, "Message body is required")
    if len(fields["Body"]) > _LONGEST_BODY:
        raise TwilioRefusalError(21617, "The concatenated message body exceeds the 1600 character limit")
    validity = fields.get("ValidityPeriod")
    if validity and not 1 <= int(validity) <= _LONGEST_VALIDITY:
        raise TwilioRefusalError(21632, "ValidityPeriod is out of range")
    callback = urlsplit(fields.get("StatusCallback", ""))
    if callback.scheme and (not callback.hostname or "_" in callback.hostname):
        raise TwilioRefusalError(21609, "Invalid 'StatusCallback' URL")


def accepted(fields: Mapping[str, str], now: datetime) -> Sms:
    """Return the message that Twilio makes of a request."""
    return Sms(
        sid=f"SM{uuid.uuid4().hex}",
        to=fields["To"],
        sender=fields.get("From", ""),
        body=fields["Body"],
        direction="outbound-api",
        status="accepted" if fields.get("MessagingServiceSid") else "queued",
        created=format_datetime(now),
        epoch=now.timestamp(),
        service=fields.get("MessagingServiceSid", ""),
        callback=fields.get("StatusCallback", ""),
        validity=fields.get("ValidityPeriod", ""),
    )


def inbound(sender: str, to: str, body: str, now: datetime) -> Sms:
    """Return a message that a person wrote to us."""
    return Sms(
        f"SM{uuid.uuid4().hex}", to, sender, body, "inbound", "received", format_datetime(now), now.timestamp()
    )


def resource(sms: Sms, account_sid: str) -> dict[str, Any]:
    """Return a message as Twilio shows it."""
    return {
        "sid": sms.sid,
        "account_sid": account_sid,
        "to": sms.to,
        "from": sms.sender or None,
        "messaging_service_sid": sms.service or None,
        "body": sms.body,
        "status": sms.status,
        "direction": sms.direction,
        "date_created": sms.created,
        "date_updated": sms.created,
        "date_sent": sms.created,
        "error_code": sms.error_code,
        "error_message": None,
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{account_sid}/Messages/{sms.sid}.json",
        "subresource_uris": {},
    }


def page(ledger: Ledger, account_sid: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of the list, newest first, with Twilio's filters To, From and DateSent."""
    size = max(1, min(int(query.get("PageSize", _PAGE)), _LARGEST_PAGE))
    number = int(query.get("Page", "0"))
    found = [sms for sms in _candidates(ledger, query.get("To")) if _fits(sms, query)]
    found.sort(key=lambda sms: sms.epoch, reverse=True)
    path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
    more = len(found) > (number + 1) * size
    following = dict(query) | {"Page": str(number + 1), "PageSize": str(size), "PageToken": f"PA{number + 1}"}
    return {
        "messages": [resource(sms, account_sid) for sms in found[number * size : (number + 1) * size]],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": min(len(found), (number + 1) * size) - 1,
        "uri": f"{path}?{urlencode(query)}",
        "first_page_uri": f"{path}?{urlencode(dict(query) | {'Page': '0'})}",
        "previous_page_uri": None,
        "next_page_uri": f"{path}?{urlencode(following)}" if more else None,
    }


def _candidates(ledger: Ledger, to: str | None) -> list[Sms]:
    sids = list(ledger.sms) if to is None else list(ledger.by_number.get(to, ()))
    return [ledger.sms[sid] for sid in sids]


def _fits(sms: Sms, query: Mapping[str, str]) -> bool:
    if "From" in query and sms.sender != query["From"]:
        return False
    if "DateSent" in query and not _instant(sms).startswith(query["DateSent"][:10]):
        return False
    if "DateSent>" in query and _instant(sms) < query["DateSent>"]:
        return False
    return "DateSent<" not in query or _instant(sms) <= query["DateSent<"]


def _instant(sms: Sms) -> str:
    # RFC 2822 sorts badly; Twilio's filters are ISO 8601 with Z.
    return datetime.fromtimestamp(sms.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
