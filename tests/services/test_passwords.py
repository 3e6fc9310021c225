import time
from pathlib import Path

import pytest

from incident_tracker import paths
from incident_tracker.domain.errors import Refusal
from incident_tracker.services import passwords
from incident_tracker.services.passwords import PasswordTooCommon, PasswordTooLong, PasswordTooShort

COMMON = [
    line
    for line in (Path(paths.config()) / "passwords" / "common.txt").read_text().splitlines()
    if not line.startswith("#")
]


def test_each_of_the_three_thousand_common_passwords_is_refused() -> None:
    assert len(COMMON) >= 3000
    taken = []
    for password in COMMON:
        try:
            passwords.check(password)
        except Refusal:
            continue
        taken.append(password)
    assert not taken


@pytest.mark.parametrize(
    "password",
    ["Password2026!", "qwertyqwerty", "QWERTYUIOP12", "aaaaaaaaaaaaaaaa", "1qaz2wsx3edc", "monkeymonkeymonkey"],
)
def test_a_common_password_made_longer_is_still_common(password: str) -> None:
    with pytest.raises(PasswordTooCommon):
        passwords.check(password)


def test_ones_own_name_or_address_is_no_password() -> None:
    with pytest.raises(PasswordTooCommon):
        passwords.check("Ada Nordlys Jensen", known=("Ada Nordlys Jensen",))
    with pytest.raises(PasswordTooCommon):
        passwords.check("ada.nordlys@example.dk", known=("ada.nordlys@example.dk",))


def test_eleven_signs_are_too_few_and_twelve_enough() -> None:
    with pytest.raises(PasswordTooShort):
        passwords.check("gul cykel r")
    passwords.check("gul cykel ro")


@pytest.mark.parametrize("password", ["en gul cykel i regnvejr " * 4, "æøå ÆØÅ ß 文字 и так", "x" * 60 + "abcdefg"])
def test_long_and_foreign_passwords_are_taken(password: str) -> None:
    passwords.check(password)


def test_a_megabyte_is_refused_at_once() -> None:
    huge = "æ" * 1_000_000
    before = time.monotonic()
    with pytest.raises(PasswordTooLong):
        passwords.check(huge)
    assert not passwords.matches(None, huge)
    assert time.monotonic() - before < 0.1


def test_the_same_password_typed_in_another_normal_form_matches() -> None:
    kept = passwords.hashed("smørrebrød på caf\u00e9")
    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, "smørrebrød på cafe\u0301")
    assert not passwords.matches(kept, "smorrebrod pa cafe")


def test_without_an_account_nothing_matches() -> None:
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("not a hash", "nobody has this password")
