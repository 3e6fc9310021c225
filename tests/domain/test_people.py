"""What the columns of a list mean, and what is done to its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import people as rules
from incident_tracker.domain.people import Meaning


@pytest.mark.parametrize(
    ("head", "meaning"),
    [
        ("navn", Meaning.NAME),
        (" NAVN ", Meaning.NAME),
        ("Full Name", Meaning.NAME),
        ("Fornavn", Meaning.FIRST_NAME),
        ("Efternavn(e)", Meaning.LAST_NAME),
        ("E-mail", Meaning.EMAIL),
        ("e mail", Meaning.EMAIL),
        ("E_Mail", Meaning.EMAIL),
        ("Mailadresse", Meaning.EMAIL),
        ("EMAIL ADDRESS", Meaning.EMAIL),
        ("Tlf.", Meaning.PHONE),
        ("tlf. nr.", Meaning.PHONE),
        ("Mobil", Meaning.PHONE),
        ("Phone", Meaning.PHONE),
        ("Sprog", Meaning.LANGUAGE),
        ("LANGUAGE", Meaning.LANGUAGE),
        ("\ufeffnavn", Meaning.NAME),
    ],
)
def test_columns_are_known_by_their_danish_and_english_names(head: str, meaning: Meaning) -> None:
    assert rules.columns_of([head]).at == {meaning: (0,)}


def test_other_columns_become_fields_with_a_name_for_placeholders() -> None:
    columns = rules.columns_of(["navn", "Kundenr.", "Ærø Båd 2", "kundenr", "", "連絡先"])
    assert columns.further == {"kundenr": 1, "aeroe_baad_2": 2, "kundenr_2": 3, "column": 5}


def test_the_mobile_is_asked_before_the_phone_at_home() -> None:
    assert rules.columns_of(["telefon", "e-mail", "Mobil"]).at[Meaning.PHONE] == (2, 0)


def test_cpr_numbers_and_too_many_columns_are_left_out_and_named() -> None:
    columns = rules.columns_of(["e-mail", "CPR-nr.", *(f"felt {number}" for number in range(25))])
    assert len(columns.further) == rules.FIELDS_LIMIT
    assert columns.left_out == ("CPR-nr.", "felt 20", "felt 21", "felt 22", "felt 23", "felt 24")


def test_the_columns_that_a_list_of_refused_rows_begins_with_are_passed_over() -> None:
    columns = rules.columns_of(["linje", "årsag", "navn", "e-mail"])
    assert not columns.further
    assert columns.at == {Meaning.NAME: (2,), Meaning.EMAIL: (3,)}


@pytest.mark.parametrize(
    ("text", "language"),
    [("dansk", "da"), ("DA", "da"), ("da-DK", "da"), ("English", "en"), ("en_GB", "en"), ("engelsk (UK)", "en")],
)
def test_languages_are_known_by_their_usual_names(text: str, language: str) -> None:
    assert rules.language_of(text) == language


def test_another_language_is_neither() -> None:
    assert rules.language_of("svenska") is None


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("S\u00c3\u00b8ren", "Søren"),
        ("Ã…se", "Åse"),
        ("Ã\u0085se", "Åse"),
        ("BjÃ¶rn MÃ¼ller", "Björn"),
        ("JosÃ©", "José"),
        ("Å\u0081ukasz", "Łukasz"),
    ],
)
def test_utf8_that_was_read_twice_is_seen(seen: str, meant: str) -> None:
    assert rules.read_twice(seen) == meant


@pytest.mark.parametrize(
    "name",
    [
        "Søren Åse",
        "ÆØÅ æøå",
        "João",
        "JOÃO SÃ",
        "Â. Å. Ås",
        "O'Brien",
        "O\u2019Brien",
        "Müller-Lüdenscheidt",
        "王小明",
        "Ærø",
    ],
)
def test_names_as_people_have_them_are_not_taken_for_that(name: str) -> None:
    assert rules.read_twice(name) == ""


@pytest.mark.parametrize("letters", ["æøåÆØÅéüöä", "ßçñóô"])
def test_every_danish_letter_read_twice_is_seen(letters: str) -> None:
    for letter in letters:
        seen = "".join(bytes([one]).decode("cp1252", "replace") for one in letter.encode())
        if "\ufffd" not in seen:
            assert rules.read_twice(f"K{seen}s") == f"K{letter}s"


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+45",
        "-1",
        "@x",
        "\t=1",
        "\r=1",
        " =1",
        "\u3000\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "'=1",
        '"=1',
        "\u00a0=1",
        "\n=1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    made = rules.harmless(cell)
    assert made == f"'{cell}"
    assert rules.meant(made) == cell


@given(st.text())
def test_no_cell_is_run_and_reading_it_again_loses_nothing(cell: str) -> None:
    made = rules.harmless(cell)
    assert made.lstrip()[:1] not in set("=+-@\uff1d\uff0b\uff0d\uff20")
    if made != cell:
        assert rules.meant(made) == cell


@pytest.mark.parametrize("cell", ["Ada", "", "a=b", "34412345", "O'Brien", "'Ada'", "2026-01-01"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert rules.harmless(cell) == cell
    assert rules.meant(cell) == cell


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("  A\u030ase   Lill ", "Åse Lill"),
        ("Bo\u200b\ufeff", "Bo"),
        ("A\u00a0B\tC\nD", "A B C D"),
        ("王\u3000小明", "王 小明"),
    ],
)
def test_names_are_kept_in_one_form_on_one_line(text: str, tidy: str) -> None:
    assert rules.tidied(text) == tidy


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x85b", "a\ufffdb"])
def test_signs_that_cannot_be_kept_are_seen(text: str) -> None:
    assert rules.wrong_signs(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffd")))
def test_every_other_sign_may_be_kept(text: str) -> None:
    assert rules.wrong_signs(text) == ""
