import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tracker.domain import counts
from incident_tracker.domain.counts import CountKind, CountRange
from incident_tracker.domain.errors import Refusal

EXACT, ABOUT = CountKind.EXACT, CountKind.APPROXIMATE
NOT_YET, NEVER = CountKind.TBD, CountKind.CANNOT_BE_DETERMINED


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("1", EXACT, 1, 1),
        ("0", EXACT, 0, 0),
        ("12.400", EXACT, 12400, 12400),
        ("12,400", EXACT, 12400, 12400),
        ("12 400", EXACT, 12400, 12400),
        ("12\u00a0400 personer", EXACT, 12400, 12400),
        ("1.234.567", EXACT, 1234567, 1234567),
        ("ca. 12.400", ABOUT, 12400, 12400),
        ("about 300 people", ABOUT, 300, 300),
        ("200-400", ABOUT, 200, 400),
        ("200\u2013400", ABOUT, 200, 400),
        ("200 til 400", ABOUT, 200, 400),
        ("mellem 200 og 400", ABOUT, 200, 400),
        ("between 200 and 400", ABOUT, 200, 400),
        ("ca. 200-400", ABOUT, 200, 400),
        ("2-3 mio.", ABOUT, 2_000_000, 3_000_000),
        ("1,2 mio", EXACT, 1_200_000, 1_200_000),
        ("5 tusind", EXACT, 5000, 5000),
        ("under 50", ABOUT, None, 49),
        ("fewer than 50", ABOUT, None, 49),
        ("højst 50", ABOUT, None, 50),
        ("mindst 10", ABOUT, 10, None),
        ("at least 10", ABOUT, 10, None),
        ("over 100", ABOUT, 101, None),
        ("ved ikke", NOT_YET, None, None),
        ("Ved ikke endnu.", NOT_YET, None, None),
        ("unknown", NOT_YET, None, None),
        ("kan ikke fastslås", NEVER, None, None),
        ("cannot be determined", NEVER, None, None),
    ],
)
def test_a_count_is_read_as_people_write_it(text: str, kind: CountKind, low: int | None, high: int | None) -> None:
    assert CountRange.read(text, "people_count") == CountRange(kind, low, high)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", counts.CountIsUnreadable),
        ("et par hundrede", counts.CountIsUnreadable),
        ("1-2-3", counts.CountIsUnreadable),
        ("mindst 5-6", counts.CountIsUnreadable),
        ("between 5", counts.CountIsUnreadable),
        ("5 æbler", counts.CountIsUnreadable),
        ("under 0", counts.CountIsUnreadable),
        ("12.40", counts.CountIsNotWhole),
        ("1,5", counts.CountIsNotWhole),
        ("1.2345", counts.CountIsNotWhole),
        ("-5", counts.CountIsNegative),
        ("400-200", counts.CountIsBackwards),
        ("100000000000", counts.CountIsTooLarge),
        ("9" * 5000, counts.CountIsTooLarge),
    ],
)
def test_a_count_that_means_nothing_is_refused_at_its_field(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as caught:
        CountRange.read(text, "records_count")
    assert caught.value.field == "records_count"
    assert len(str(caught.value)) < 200


numbers = st.integers(0, counts.LARGEST)
ranges = st.one_of(
    numbers.map(lambda one: CountRange(EXACT, one, one)),
    st.tuples(numbers, numbers).map(lambda ends: CountRange(ABOUT, min(ends), max(ends))),
    numbers.map(lambda low: CountRange(ABOUT, low, None)),
    numbers.map(lambda high: CountRange(ABOUT, None, high)),
    st.sampled_from([CountRange(NOT_YET), CountRange(NEVER)]),
)


@given(ranges, st.sampled_from(["da", "en"]))
def test_what_a_form_shows_is_read_back_as_the_same_count(count: CountRange, language: str) -> None:
    assert CountRange.read(count.text(language), "people_count") == count


def _read_or_refused(text: str) -> CountRange | Refusal:
    try:
        return CountRange.read(text, "people_count")
    except Refusal as refusal:
        return refusal


@given(st.text())
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    answer = _read_or_refused(text)
    if isinstance(answer, Refusal):
        assert answer.field == "people_count"
    else:
        assert str(answer.reading()).startswith("Understood as")


def test_a_count_is_said_back_with_its_numbers_apart_from_the_words() -> None:
    reading = CountRange.read("200-400", "people_count").reading()
    assert reading.message == "Understood as between %(low)s and %(high)s people"
    assert reading.params == {"low": 200, "high": 400}
    assert str(CountRange.read("1", "people_count").reading()) == "Understood as exactly one person"
    assert str(CountRange.read("mindst 10", "x").reading("records")) == "Understood as at least 10 records"


@pytest.mark.parametrize(
    ("kind", "low", "high"), [(EXACT, 1, 2), (EXACT, None, None), (NOT_YET, 1, 1), (ABOUT, None, None)]
)
def test_a_count_whose_ends_do_not_fit_its_kind_cannot_be_made(
    kind: CountKind, low: int | None, high: int | None
) -> None:
    with pytest.raises(ValueError, match=r"ends|one number"):
        CountRange(kind, low, high)
