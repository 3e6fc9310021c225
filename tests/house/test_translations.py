"""Everything a user can be told is there in Danish, and the compiled catalogue is the one that is written."""

from tests.house import translations


def test_every_sentence_has_its_danish() -> None:
    assert translations.gaps(translations.update()) == []


def test_the_catalogue_is_in_step_with_the_code() -> None:
    assert translations.PO.read_bytes() == translations.written(translations.update())


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert translations.MO.read_bytes() == translations.compiled(translations.danish())
