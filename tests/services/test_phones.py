import csv
import io
from pathlib import Path

import pytest

from incident_tracker.domain.errors import Refusal
from incident_tracker.services import phones

_TABLE = Path(__file__).parents[1] / "data" / "dk_numbers.csv"
ROWS = list(csv.DictReader(io.StringIO(_TABLE.read_text("utf-8"))))
FOREIGN_SIGNS = {"arabic-indic digits", "full-width digits", "extension", "formula", "RFC 3966"}


def _is_right(row: dict[str, str]) -> bool:
    """Say by the table's own columns whether an alarm may go to the number."""
    return (
        row["valid"] == "True"
        and row["type"] in ("MOBILE", "FIXED_LINE_OR_MOBILE")
        and row["region"] in phones.COUNTRIES
        and row["note"] not in FOREIGN_SIGNS
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["note"] or row["input"][:20] or "empty")
def test_a_number_is_kept_or_refused_as_the_table_says(row: dict[str, str]) -> None:
    if _is_right(row):
        assert phones.to_e164(row["input"]) == row["parsed_e164"]
    else:
        with pytest.raises(Refusal) as refused:
            phones.to_e164(row["input"], "on_call_phone")
        assert refused.value.field == "on_call_phone"


def test_the_table_holds_both_kinds() -> None:
    assert {_is_right(row) for row in ROWS} == {True, False}
    assert len(ROWS) > 20


@pytest.mark.parametrize("text", ["+86 139 1099 8888", "+7 912 345 67 89", "+1 212 555 0100"])
def test_a_number_of_a_far_country_is_refused_by_its_country(text: str) -> None:
    with pytest.raises(Refusal):
        phones.to_e164(text)


def test_a_kept_number_is_shown_as_people_write_it() -> None:
    assert phones.spoken("+4534412345") == "+45 34 41 23 45"
    assert phones.spoken("not a number") == "not a number"
