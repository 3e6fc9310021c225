"""Passwords: what may be one, and their hashes (argon2id, RFC 9106). Never called inside a transaction.

Rules after OWASP ASVS 5.0 V6.2 and NIST SP 800-63B: long rather than mixed, and not among those tried first.
"""

import re
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from incident_tracker import paths
from incident_tracker.domain.errors import Refusal

SHORTEST = 12
LONGEST = 1_000
_FEWEST_SIGNS = 4
_AT_ONCE = threading.BoundedSemaphore(4)
"""A hash takes 64 MB of memory; no more than four are made at a time, however many knock."""
_HASHER = PasswordHasher()
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class PasswordTooShort(Refusal):
    """The password is short enough to be guessed."""

    message = "Use at least %(least)s signs. Several words in a row are easy to remember."


class PasswordTooLong(Refusal):
    """The password is longer than anybody types."""

    message = "Use at most %(most)s signs."


class PasswordTooCommon(Refusal):
    """The password is one of those that attackers try first."""

    message = "This password is among those tried first. Choose words that only you would put together."


def check(password: str, *, known: tuple[str, ...] = (), field: str = "password") -> None:
    """Refuse a new password that is too short, too long, common, or made of what is known (e-mail, name)."""
    if len(password) > LONGEST:
        raise PasswordTooLong(field=field, most=LONGEST)
    plain = _normal(password)
    if plain.casefold() in _common():
        raise PasswordTooCommon(field=field)
    if len(plain) < SHORTEST:
        raise PasswordTooShort(field=field, least=SHORTEST)
    folded = plain.casefold()
    core = _ENDS.sub("", folded)
    if _unit(folded) in _common() or core in _common() or _unit(core) in _common():
        raise PasswordTooCommon(field=field)
    if len(set(folded)) < _FEWEST_SIGNS or core in {_normal(word).casefold() for word in known if word}:
        raise PasswordTooCommon(field=field)


def hashed(password: str) -> str:
    """Return the hash to keep; takes about 50 ms on purpose."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Return whether it is the password; without a hash the same work is done, and the answer is no."""
    if len(password) > LONGEST:
        return False
    try:
        with _AT_ONCE:
            found = _HASHER.verify(password_hash or _dummy(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return found and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Return whether the hash was made with weaker settings than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _unit(text: str) -> str:
    """Return what a text repeats, the text itself if it repeats nothing."""
    start = (text + text).find(text, 1) if text else 0
    return text[:start]


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    text = (paths.config() / "passwords" / "common.txt").read_text("utf-8")
    return frozenset(line.casefold() for line in text.splitlines() if line and not line.startswith("#"))
