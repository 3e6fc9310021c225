"""E-mail addresses as people type them, checked for form; nobody is asked over the net."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from incident_tracker.domain.errors import Refusal

LIMIT = 254
"""Longest address a mail can be sent to (RFC 5321 4.5.3.1)."""


class EmailIsNotAnAddress(Refusal):
    """The text is not an e-mail address."""

    message = "This is not an e-mail address. Write it like ada@example.dk."


def read(text: str, field: str = "email", *, required: bool = True) -> str:
    """Return the address in its usual form; an empty one only where none is required."""
    plain = unicodedata.normalize("NFC", text).strip()
    if not plain and not required:
        return ""
    if len(plain) > LIMIT:
        raise EmailIsNotAnAddress(field=field)
    try:
        return validate_email(plain, check_deliverability=False).normalized
    except EmailNotValidError:
        raise EmailIsNotAnAddress(field=field) from None


def key_of(text: str) -> str:
    """Return under which text an account is found; whatever was typed, without a judgement on it."""
    return unicodedata.normalize("NFKC", text[:LIMIT]).strip().casefold()
