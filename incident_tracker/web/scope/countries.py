"""The countries of the European Economic Area, by their names in the reader's language."""

from functools import cache

from babel import Locale

CODES = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip


def country(code: str, language: str) -> str:
    """Return the name of a country; an unknown code as it is."""
    return _names(language).get(code, code)


@cache
def choices(language: str) -> tuple[tuple[str, str], ...]:
    """Return codes with names, in alphabetical order of the names."""
    return tuple(sorted(((code, country(code, language)) for code in CODES), key=lambda pair: pair[1].casefold()))


@cache
def _names(language: str) -> dict[str, str]:
    return {str(code): str(name) for code, name in Locale(language).territories.items()}
