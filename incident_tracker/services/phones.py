"""Phone numbers that an alarm may be sent to: typed in any usual way, kept as E.164."""

from collections.abc import Collection

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from incident_tracker.domain.errors import Refusal

HOME = "DK"
COUNTRIES = frozenset({"DK", "FO", "GL", "SE", "NO", "DE"})
"""Where people on call for a Danish controller have their numbers: the realm and its neighbours.

Every other country is refused. Far and special ranges are where forged alarms earn money (SMS pumping), and the
metadata alone calls satellite and premium numbers valid.
"""
_LONGEST = 40
_KINDS = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_SIGNS = frozenset("+0123456789 -().")


class PhoneIsNotANumber(Refusal):
    """The text is not a phone number."""

    message = "This is not a phone number. Write it like +45 34 41 23 45, without an extension."


class PhoneCannotTakeSms(Refusal):
    """The number exists in no plan, or cannot take an SMS."""

    message = "%(number)s cannot take an SMS. Write the number of a mobile phone."


class PhoneIsTooFar(Refusal):
    """The number belongs to a country that alarms are not sent to."""

    message = "Alarms are not sent to numbers in that country. Allowed: %(countries)s."


def to_e164(text: str, field: str = "phone", *, countries: Collection[str] = COUNTRIES) -> str:
    """Return a number as `+4534412345`; without a country code it is Danish. `countries` are those allowed."""
    plain = text.strip()
    if not plain or len(plain) > _LONGEST or not set(plain) <= _SIGNS:
        raise PhoneIsNotANumber(field=field)
    try:
        number = phonenumbers.parse(plain, HOME)
    except NumberParseException:
        raise PhoneIsNotANumber(field=field) from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneCannotTakeSms(field=field, number=written)
    if phonenumbers.region_code_for_number(number) not in countries:
        raise PhoneIsTooFar(field=field, countries=", ".join(sorted(countries)))
    if phonenumbers.number_type(number) not in _KINDS:
        raise PhoneCannotTakeSms(field=field, number=written)
    return written


def spoken(e164: str) -> str:
    """Return a kept number as people write it: `+45 34 41 23 45`."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
