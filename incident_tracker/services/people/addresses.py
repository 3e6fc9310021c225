"""Addresses of many people, checked at speed: the rules of single ones, learnt once for each domain and range.

What goes the quick way is what the library would say; a test compares the two.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime

import phonenumbers

from incident_tracker.domain import people as rules
from incident_tracker.domain.errors import Refusal, phrase
from incident_tracker.services import emails, phones
from incident_tracker.services.context import Context
from incident_tracker.services.people.reading import Reason
from incident_tracker.store.controllers import look_up_subject

NOT_AN_EMAIL = phrase("»%(text)s« is not an e-mail address")
NOT_A_PHONE = phrase("»%(text)s« is not a phone number")
NO_SMS = phrase("»%(text)s« cannot take an SMS; it is not the number of a mobile phone")
TOO_FAR = phrase("»%(text)s« is in a country to which no SMS is sent (only %(countries)s)")

_PLAIN_EMAIL = re.compile(
    r"([A-Za-z0-9_'+&-]{1,32}(?:\.[A-Za-z0-9_'+&-]{1,32})?)@((?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,20})"
)
_PLAIN_PHONE = re.compile(r"(?:\+45|0045)? ?([2-9][0-9])([0-9]) ?([0-9]{5})")
_SPACED_PHONE = re.compile(r"(?:\+45|0045)? ?([2-9][0-9]) ([0-9])([0-9]) ([0-9]{2}) ([0-9]{2})")
_DOMAINS_KEPT = 50_000
_SHOWN = 80


class Addresses:
    """Checks the addresses of one list. What is wrong comes back as a reason, never as an exception."""

    def __init__(self, countries: Collection[str]) -> None:
        """Begin with nothing learnt; `countries` are those whose phone numbers are told by SMS."""
        self._countries = frozenset(countries)
        self._domains: dict[str, str] = {}
        self._ranges: dict[str, bool] = {}

    def email(self, text: str) -> str | Reason:
        """Return an address in its usual form, the domain in small letters; or why it is none."""
        plain = _PLAIN_EMAIL.fullmatch(text)
        if plain is not None:
            domain = self._domains.get(plain[2])
            if domain is None:
                domain = self._learn_domain(plain[2])
            if domain:
                return f"{plain[1]}@{domain}"
        try:
            return emails.read(text)
        except emails.EmailIsNotAnAddress:
            return Reason(NOT_AN_EMAIL, {"text": text[:_SHOWN]})

    def phone(self, text: str) -> str | Reason:
        """Return a number as `+4534412345`, or why nobody is told by it."""
        plain = _PLAIN_PHONE.fullmatch(text) or _SPACED_PHONE.fullmatch(text)
        if plain is not None:
            digits = "".join(plain.groups())
            known = self._ranges.get(digits[:3])
            if known is None:
                known = self._ranges[digits[:3]] = not isinstance(self._looked_up(f"{digits[:3]}23456"), Reason)
            if known:
                return f"+45{digits}"
        return self._looked_up(text)

    def _looked_up(self, text: str) -> str | Reason:
        shown = {"text": text[:_SHOWN]}
        try:
            return phones.to_e164(text, countries=self._countries)
        except phones.PhoneIsNotANumber:
            return Reason(NOT_A_PHONE, shown)
        except phones.PhoneCannotTakeSms:
            return Reason(NO_SMS, shown)
        except phones.PhoneIsTooFar:
            return Reason(TOO_FAR, {**shown, "countries": ", ".join(sorted(self._countries))})

    def _learn_domain(self, domain: str) -> str:
        """Return a domain as it is kept, empty if no address can end in it."""
        try:
            found = emails.read(f"a@{domain}")[2:]
        except emails.EmailIsNotAnAddress:
            found = ""
        if len(self._domains) < _DOMAINS_KEPT:
            self._domains[domain] = found
        return found


def search_keys(text: str) -> list[str]:
    """Return under which texts somebody with this e-mail address or phone number would be found."""
    plain = rules.tidied(text)[: emails.LIMIT]
    keys = [rules.email_key(plain)] if "@" in plain else []
    try:
        keys.append(phones.to_e164(plain, countries=phonenumbers.SUPPORTED_REGIONS))
    except Refusal:  # not a number of anybody's
        return keys
    return keys


def fingerprints(context: Context, controller_id: int, keys: Iterable[str], now: datetime) -> list[bytes]:
    """Return the keyed hashes under which a controller's people are found."""
    return context.keyring.fingerprints(look_up_subject(controller_id), keys, now)
