"""Reading a list: every encoding and delimiter, and whatever is wrong in a file."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.people import email_key
from incident_tracker.services import people
from incident_tracker.services.people.addresses import Addresses
from incident_tracker.services.people.checking import Checked, Checker
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.reading import Layout, Reason, Row, layout_of, rows_of

HEAD = "navn;e-mail;telefon;sprog\n"
NAMES = ("Søren Åse", "ÆØÅ æøå", "Åse-Lill O'Brien", "Renée Müller")
LIST = HEAD + "".join(f"{name};p{number}@example.dk;;\n" for number, name in enumerate(NAMES))
SPECTRUM = Path(__file__).parents[3] / "shared" / "data" / "csv-spectrum"
NUMBERS = Path(__file__).parents[1] / "data" / "dk_numbers.csv"
COUNTRIES = ("DK", "FO", "GL")


def _examined(pieces: Iterator[bytes]) -> Examined:
    found = Examined()
    for piece in pieces:
        found.feed(piece)
    return found


def _layout(content: bytes) -> Layout:
    return layout_of(_examined(iter([content])))


def _rows(content: bytes) -> list[Row]:
    return list(rows_of([content], _layout(content)))


def _checked(content: bytes) -> list[Checked | Reason]:
    layout = _layout(content)
    checker = Checker(layout.columns, "da", COUNTRIES)
    return [row.wrong or checker.check(row.cells) for row in rows_of([content], layout)]


def _names(content: bytes) -> list[str]:
    return [one.name if isinstance(one, Checked) else "" for one in _checked(content)]


def _reasons(content: bytes) -> list[str]:
    return [Reason.say(one.plain(), str) if isinstance(one, Reason) else "" for one in _checked(content)]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Windows-1252"),
        ("iso-8859-1", "Windows-1252"),
        ("mac_roman", "MacRoman"),
        ("cp865", "DOS (850/865)"),
        ("cp850", "DOS (850/865)"),
    ],
)
def test_danish_letters_survive_every_encoding(encoding: str, said: str) -> None:
    content = LIST.encode(encoding)
    assert _names(content) == list(NAMES)
    assert _layout(content).plain()["encoding"] == said


def test_utf16_is_read_in_both_orders() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert _names(mark + LIST.encode(encoding)) == list(NAMES)


@pytest.mark.parametrize("name", ["Kjær", "Sørensen", "Ågård", "Bjørn", "Renée", "Müller", "Øster"])
def test_one_name_with_one_letter_is_enough_for_windows(name: str) -> None:
    assert _names(f"{HEAD}{name};a@example.dk;;\n".encode("cp1252")) == [name]


def test_an_apostrophe_of_windows_is_no_letter_of_dos() -> None:
    assert _names(b"name,email\nO\x92Brien,a@example.dk\n") == ["O\u2019Brien"]


@pytest.mark.parametrize("high", [b"\x91", b"\x94", b"\xd0\xd1\xd2\x80\x8f\x9d", b"\x81\x8d\x90"])
def test_letters_that_cannot_be_told_are_refused_rather_than_spoilt(high: bytes) -> None:
    with pytest.raises(people.EncodingIsUnclear):
        _layout(b"navn;e-mail\nK" + high + b"r;a@example.dk\n")


def test_letters_far_down_in_the_file_decide_for_the_whole() -> None:
    ascii_rows = "".join(f"Bo;bo{number}@example.dk;;\n" for number in range(20_000))
    content = (HEAD + ascii_rows + "Søren;s@example.dk;;\n").encode("cp1252")
    assert _names(content)[-1] == "Søren"


def test_rows_in_another_encoding_are_refused_one_by_one() -> None:
    content = LIST.encode() + "Jørgen;j@example.dk;;\n".encode("cp1252") + "Åge;aage@example.dk;;\n".encode()
    reasons = _reasons(content)
    assert [bool(one) for one in reasons] == [False] * 4 + [True, False]
    assert "another encoding" in reasons[4]


def test_utf8_that_was_read_twice_is_refused_never_kept() -> None:
    spoilt = "Søren".encode().decode("cp1252")
    assert "seems to be »Søren«" in _reasons(f"{HEAD}{spoilt};s@example.dk;;\n".encode())[0]


def test_letters_made_of_two_signs_become_one() -> None:
    assert _names(f"{HEAD}A\u030ase;a@example.dk;;\n".encode()) == ["Åse"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end_is_read(delimiter: str, end: str) -> None:
    content = LIST.replace(";", delimiter).replace("\n", end).encode()
    assert _names(content) == list(NAMES)
    assert [row.line for row in _rows(content)] == [2, 3, 4, 5]


def test_a_comma_inside_quotes_divides_nothing() -> None:
    content = b'"name","email"\r\n"Jensen, ""Bo""","bo@example.dk"\r\n'
    assert _names(content) == ['Jensen, "Bo"']


def test_excel_may_say_the_delimiter_itself() -> None:
    content = b"sep=,\r\nname,email\r\nBo;Ib,bo@example.dk\r\n"
    assert _names(content) == ["Bo;Ib"]
    assert _rows(content)[0].line == 3


def test_a_list_of_addresses_alone_is_a_list() -> None:
    assert [one.email for one in _checked(b"email\nbo@example.dk\n") if isinstance(one, Checked)] == ["bo@example.dk"]


def test_first_and_last_name_are_one_name() -> None:
    content = b"Fornavn;Efternavn;E-mail\nAda;Holm;ada@example.dk\n;Holm;b@example.dk\nIb;;c@example.dk\n"
    assert _names(content) == ["Ada Holm", "Holm", "Ib"]


def test_quotes_that_are_never_closed_cost_one_line_only() -> None:
    rows = "".join(f"Bo {number};bo{number}@example.dk;;\n" for number in range(100))
    reasons = _reasons(f'{HEAD}"Ada;ada@example.dk;;\n{rows}'.encode())
    assert "quotation marks" in reasons[0]
    assert reasons[1:] == [""] * 100


@pytest.mark.parametrize("row", ['"Ada" Holm;ada@example.dk;;', 'Ada;"ada@example.dk;;', '"Ada;ada@example.dk;;"x'])
def test_wrong_quotes_refuse_their_row_and_no_other(row: str) -> None:
    reasons = _reasons(f"{HEAD}{row}\nBo;bo@example.dk;;\n".encode())
    assert "quotation marks" in reasons[0]
    assert reasons[-1] == ""


def test_quotes_inside_a_name_stay() -> None:
    assert _names(f'{HEAD}Hans "Bo" Holm;hans@example.dk;;\n'.encode()) == ['Hans "Bo" Holm']


def test_a_cell_may_go_over_lines() -> None:
    content = b'navn;e-mail;note\n"Ada\nHolm";ada@example.dk;"1\r\n2\r\n3"\nBo;bo@example.dk;\n'
    first, second = (one for one in _checked(content) if isinstance(one, Checked))
    assert (first.name, first.fields) == ("Ada Holm", {"note": "1 2 3"})
    assert second.name == "Bo"
    assert [row.line for row in _rows(content)] == [2, 6]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", people.FileIsEmpty),
        (b"PK\x03\x04 and so on", people.FileIsASpreadsheet),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", people.FileIsASpreadsheet),
        (b"\x1f\x8b\x08\x00 packed", people.FileIsNotText),
        (b"%PDF-1.7", people.FileIsNotText),
        (bytes(range(256)) * 20, people.FileIsNotText),
        (b"\x00" * 5000, people.FileIsNotText),
        ("navn;e-mail\nAda;ada@example.dk\n".encode("utf-32"), people.FileIsNotText),
        (b"\n\n\n", people.HeaderIsMissing),
        (b"Ada;ada@example.dk\n", people.HeaderIsMissing),
        (b"navn;by\nAda;Aarhus\n", people.HeaderIsMissing),
        (b'"navn;e-mail\nAda;ada@example.dk\n', people.HeaderIsMissing),
        (b"navn;e-mail;telefon\n", people.ListIsEmpty),
        (b"navn;e-mail;telefon\n" + b"\n" * 10_000 + b" ; ; \n", people.ListIsEmpty),
        (b"navn;" * 1_000_000, people.HeaderIsTooWide),
        (b"e-mail;" + b"x;" * 501 + b"\nada@example.dk\n", people.HeaderIsTooWide),
        (b"a" * 50_000_000, people.HeaderIsTooWide),
    ],
)
def test_what_is_no_list_is_refused_with_the_way_on(content: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as caught:
        _layout(content)
    assert caught.value.field == "file"


def test_a_line_of_fifty_megabytes_is_one_refused_row_in_flat_memory() -> None:
    pieces = [HEAD.encode(), *[b"x" * 1_000_000] * 50, b"\nBo;bo@example.dk;;\n"]
    layout = layout_of(_examined(iter(pieces)))
    tracemalloc.start()
    rows = list(rows_of(iter(pieces), layout))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [bool(row.wrong) for row in rows] == [True, False]
    assert [row.line for row in rows] == [2, 3]
    assert peak < 5_000_000


def test_a_row_of_a_million_cells_is_one_refused_row() -> None:
    rows = _rows(f"{HEAD}{';' * 1_000_000}\nBo;bo@example.dk;;\n".encode())
    assert [bool(row.wrong) for row in rows] == [True, False]


def test_rows_with_too_many_cells_are_refused_and_short_ones_are_not() -> None:
    content = f"{HEAD}Holm; Ada;ada@example.dk;;da\nBo;bo@example.dk\nIb;ib@example.dk;;;;;\n".encode()
    reasons = _reasons(content)
    assert "5 cells" in reasons[0]
    assert reasons[1:] == ["", ""]


def test_the_header_once_more_is_refused_by_name() -> None:
    assert "once more" in _reasons((LIST + LIST).encode())[4]


def test_blank_lines_are_no_rows_and_count_as_lines() -> None:
    content = HEAD.encode() + b"\n" * 10_000 + b";;;\n   \nBo;bo@example.dk;;\n"
    (row,) = _rows(content)
    assert row.line == 10_004


@pytest.mark.parametrize("sign", ["\x00", "\x01", "\x1b", "\x7f"])
def test_control_characters_refuse_their_row(sign: str) -> None:
    reasons = _reasons(f"{LIST}A{sign}da;ada@example.dk;;\nBo;bo@example.dk;;\n".encode())
    assert reasons == [""] * 4 + ["it holds control characters", ""]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "\uff1dX()"])
def test_a_formula_is_no_name(name: str) -> None:
    assert "formula" in _reasons(f"{HEAD}{name};a@example.dk;;\n".encode())[0]


def test_names_of_any_script_and_length_are_kept() -> None:
    for name in ("王小明", "Ж", "x" * 200, "\u0627" * 100, "N'Guessan", "d'Été", "-"):
        kept = _names(f"{HEAD}{name};a@example.dk;;\n".encode())
        assert kept == [name if name != "-" else ""]
    assert "longer than 200" in _reasons(f"{HEAD}{'x' * 201};a@example.dk;;\n".encode())[0]


def test_one_usable_address_is_enough_and_the_other_is_named() -> None:
    one, other = _checked(f"{HEAD}Ada;ada@example.dk;112;\nBo;forkert;34412345;svensk\n".encode())
    assert isinstance(one, Checked)
    assert isinstance(other, Checked)
    assert (one.email, one.phone) == ("ada@example.dk", "")
    assert (other.email, other.phone, other.language) == ("", "+4534412345", "da")
    assert [len(one.left_out), len(other.left_out)] == [1, 2]


def test_without_a_usable_address_both_reasons_are_given() -> None:
    (said,) = _reasons(f"{HEAD}Ada;forkert;112;\n".encode())
    assert "»forkert« is not an e-mail address" in said
    assert "»112« cannot take an SMS" in said


ODDITIES = {
    'first,email\nJohn,"120 any st.",x': [["John", "120 any st.", "x"]],
    'a,b,c\n1,"",""\n2,3,4': [["1", "", ""], ["2", "3", "4"]],
    'a,b\n1,"ha ""ha"" ha"\n3,4': [["1", 'ha "ha" ha'], ["3", "4"]],
    'a,b\n1,"{""type"": ""Point"", ""at"": [102.0, 0.5]}"': [["1", '{"type": "Point", "at": [102.0, 0.5]}']],
    'a,b,c\r\n"Once upon \r\na time",5,6\r\n7,8,9': [["Once upon \na time", "5", "6"], ["7", "8", "9"]],
    'a,b\n1,"ha \n""ha"" \nha"\n3,4': [["1", 'ha \n"ha" \nha'], ["3", "4"]],
    "a,b\n1,ʤ": [["1", "ʤ"]],
}


def _oddities() -> dict[str, list[list[str]]]:
    """Return our own, and the well-known ones where they are; what one of them expects belongs to another file."""
    found = dict(ODDITIES)
    for file in SPECTRUM.glob("csvs/*.csv"):
        if file.stem != "location_coordinates":
            expected = json.loads((SPECTRUM / "json" / f"{file.stem}.json").read_text("utf-8"))
            rows = [[cell.replace("\r\n", "\n") for cell in one.values()] for one in expected]
            found[file.read_bytes().decode()] = rows
    return found


@pytest.mark.parametrize(("text", "expected"), _oddities().items())
def test_well_formed_oddities_are_read_as_they_mean(text: str, expected: list[list[str]]) -> None:
    head, _, rest = text.partition("\n")
    content = f"{head.rstrip()},e-mail\n{rest}".encode()
    assert [row.cells for row in _rows(content)] == expected


def _numbers() -> list[dict[str, str]]:
    with NUMBERS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("one", _numbers(), ids=lambda one: one["note"] or one["input"])
def test_only_numbers_that_take_an_sms_in_the_realm_are_kept(one: dict[str, str]) -> None:
    takes_sms = one["type"] in ("MOBILE", "FIXED_LINE_OR_MOBILE") and one["region"] in COUNTRIES
    odd = one["note"] in ("arabic-indic digits", "full-width digits", "extension", "formula", "RFC 3966")
    found = Addresses(COUNTRIES).phone(one["input"])
    if takes_sms and not odd:
        assert found == one["parsed_e164"]
    else:
        assert isinstance(found, Reason)


def _by_the_library(digits: str) -> str | None:
    number = phonenumbers.parse(digits, "DK")
    kinds = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    fits = phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in kinds
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if fits else None


_quick = Addresses(COUNTRIES)


@settings(max_examples=1000)
@given(st.from_regex(r"[1-9][0-9]{7}", fullmatch=True), st.sampled_from(["", "+45", "+45 ", "0045", "0045 "]))
def test_the_quick_way_says_of_a_danish_number_what_the_library_says(digits: str, before: str) -> None:
    for written in (digits, f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}"):
        found = _quick.phone(before + written)
        assert (found if isinstance(found, str) else None) == _by_the_library(digits)


def test_every_range_of_danish_numbers_is_as_the_library_has_it() -> None:
    for start in range(100, 1000):
        for rest in ("00000", "12345", "99999"):
            found = _quick.phone(f"{start}{rest}")
            assert (found if isinstance(found, str) else None) == _by_the_library(f"{start}{rest}")


_LOCAL = st.from_regex(r"[A-Za-z0-9_'+&.-]{1,40}", fullmatch=True)
_DOMAIN = st.from_regex(r"[A-Za-z0-9-]{1,12}(\.[A-Za-z0-9-]{1,12}){0,2}\.[A-Za-z]{1,8}", fullmatch=True)


@settings(max_examples=500)
@given(_LOCAL, _DOMAIN)
def test_the_quick_way_says_of_an_address_what_the_library_says(local: str, domain: str) -> None:
    for _ in range(2):  # the second time the domain is known
        found = _quick.email(f"{local}@{domain}")
        try:
            expected = validate_email(f"{local}@{domain}", check_deliverability=False).normalized
        except EmailNotValidError:
            expected = None
        assert (found if isinstance(found, str) else None) == expected


@given(st.binary(max_size=3000))
def test_no_file_whatever_ends_in_a_fault(content: bytes) -> None:
    for start in (b"", HEAD.encode(), "﻿navn,email\r".encode(), b"\xff\xfe" + HEAD.encode("utf-16-le")):
        with suppress(Refusal):
            _checked(start + content)


@given(st.lists(st.sampled_from(['"', ";", "\n", "\r", "a", "å", "@", "=", "a@example.dk", "\x00"]), max_size=60))
def test_no_mix_of_quotes_and_line_ends_loses_the_row_after_it(signs: list[str]) -> None:
    last = "Bo;bo@example.dk;;"
    content = f"{HEAD}{''.join(signs)}\n\n\n{last}\n".encode()
    rows = _rows(content)
    read = [row for row in rows if row.cells == last.split(";")]
    swallowed = [row for row in rows if not row.wrong and any(last in cell for cell in row.cells)]
    assert read or swallowed


def test_addresses_that_differ_in_case_only_are_one() -> None:
    assert email_key("Ada.Å@Example.DK") == email_key("ada.å@example.dk")
