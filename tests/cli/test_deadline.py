from datetime import datetime
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import World

VECTORS = Path(__file__).resolve().parents[1] / "data" / "deadline_vectors.yaml"
CASES = yaml.safe_load(VECTORS.read_text("utf-8"))["cases"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("case", [one for one in CASES if "strict" in one], ids=lambda case: case["id"])
def test_every_vector_of_the_72_hours_is_explained_as_it_stands(bare: World, case: dict[str, str]) -> None:
    answer = bare.json("deadline", "explain", "--anchor", case["aware"])
    assert _instant(answer["due_at"]) == _instant(case["strict"])
    assert _instant(answer["outer_reading_at"]) == _instant(case["reg1182"])


def test_explaining_needs_no_database_and_makes_none(bare: World) -> None:
    bare.done("deadline", "explain", "--anchor", "2026-11-20T09:00:00+01:00")
    assert not bare.data.exists()


def test_the_reasons_name_the_weekend_the_clock_change_and_the_rule(bare: World) -> None:
    shown = bare.done("deadline", "explain", "--anchor", "2026-03-27T14:00:00+01:00")
    assert "due_at            2026-03-30T13:00:00Z  Monday 30 March 2026 at 15:00 (UTC+2)" in shown
    for words in ("47 h 0 min of Saturday and Sunday", "clocks go forward by 60 min", "GDPR Art. 33(1)"):
        assert words in shown


def test_times_are_shown_in_the_zone_that_was_asked_for(bare: World) -> None:
    shown = bare.done("deadline", "explain", "--anchor", "2026-11-20T09:00:00+01:00", "--zone", "America/Nuuk")
    assert "72 elapsed hours after Friday 20 November 2026 at 06:00 (UTC-2)" in shown


def test_the_reasons_are_danish_for_a_danish_reader(bare: World) -> None:
    shown = bare("deadline", "explain", "--anchor", "2026-11-20T09:00:00+01:00", language="da").stdout
    assert "mandag 23. november 2026 kl. 09.00 (UTC+1)" in shown


def test_a_duty_without_a_period_is_due_at_no_time(bare: World) -> None:
    answer = bare.json("deadline", "explain", "--anchor", "2026-11-20T09:00:00+01:00", "--duty", "notify_people")
    assert answer["due_at"] is None
    assert answer["outer_reading_at"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--anchor", "2026-11-20T09:00"], "has no offset"),
        (["--anchor", "yesterday"], "is not a time"),
        (["--anchor", "2026-02-29T09:00Z"], "no day 2026-02-29"),
        (["--anchor", "1018-05-25T09:00Z"], "is too far away"),
        (["--anchor", "2018-05-24T09:00Z"], "No rule for notify_authority (gdpr) was in force"),
        (["--anchor", "2026-11-20T09:00Z", "--regime", "nis2"], "No rule for notify_authority (nis2)"),
        (["--anchor", "2026-11-20T09:00Z", "--zone", "Europe/Odense"], "no time zone called Europe/Odense"),
    ],
)
def test_what_cannot_be_counted_is_refused(bare: World, options: list[str], words: str) -> None:
    assert words in bare.refused("deadline", "explain", *options)
