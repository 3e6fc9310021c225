"""The page of the people: a file read while the page answers, its progress, what it refused, search, taking off."""

import csv
import io
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import incidents, people, register
from incident_tracker.services.people import importing
from incident_tracker.services.people.encodings import Examined
from incident_tracker.services.people.importing import Job
from incident_tracker.services.people.reading import layout_of
from incident_tracker.store.ids import new_id
from tests.makers import HandClock
from tests.web.conftest import Person

Login = Callable[..., Person]
LIST = (
    "navn;e-mail;telefon;sprog\r\n"
    "Søren Åse;Soren@Example.dk;34 41 23 45;dansk\r\n"
    ";ada@example.dk;;en\r\n"
    "Bo;forkert;;\r\n"
)


@pytest.fixture
def reference(tracker: Tracker, nordlys: Controller) -> str:
    return incidents.open_incident(tracker.context, SHELL, title="Alle adresser i CC", controller_id=nordlys.id)


@pytest.fixture
def ada(login: Login) -> Person:
    one = login()
    one.get("/?language=en")
    return one


def _url(reference: str) -> str:
    return f"/incidents/{reference}/people"


def _send(one: Person, reference: str, content: bytes, name: str = "kunder.csv") -> TestResponse:
    return one.post(_url(reference), _url(reference), file=(io.BytesIO(content), name))


def _read(one: Person, tracker: Tracker, reference: str, content: bytes = LIST.encode()) -> people.Reading:
    answer = _send(one, reference, content)
    assert answer.status_code == 303, answer.text
    found = people.imports(tracker.context, SHELL, reference)[0]
    assert people.wait(found.id, 30)
    return people.imports(tracker.context, SHELL, reference)[0]


def _underway(tracker: Tracker, reference: str, total: int = 1000) -> Job:
    """Begin a reading that nobody goes on with."""
    examined = Examined()
    examined.feed(LIST.encode() + b" " * (total - len(LIST.encode())))
    import_id = new_id(tracker.context.now())
    return importing.begin(
        tracker.context,
        SHELL,
        reference,
        import_id=import_id,
        file_name="lang.csv",
        layout=layout_of(examined),
    )


def test_a_list_is_read_after_the_page_has_answered(ada: Person, tracker: Tracker, reference: str) -> None:
    found = _read(ada, tracker, reference)
    assert (found.state, found.read, found.accepted, found.refused) == ("finished", 3, 2, 1)
    page = ada.get(_url(reference)).text
    for words in ("Søren Åse", "Soren@example.dk", "+45 34 41 23 45", "ada@example.dk", "kunder.csv", "UTF-8"):
        assert words in page
    assert register.history(tracker.context, SHELL, reference)[-1].kind == "people_imported"


def test_nothing_of_an_uploaded_list_is_left_on_the_disk(ada: Person, tracker: Tracker, reference: str) -> None:
    _read(ada, tracker, reference)
    folder = tracker.settings.data.dir
    assert not list((folder / "uploads").iterdir())
    for file in folder.rglob("*"):
        if file.is_file():
            assert b"Soren@" not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04" + b"\x00" * 50, "Save as"),
        (b"\x1f\x8b\x08" + b"\x00" * 50, "it holds no text"),
        (b"navn;by\nAda;Aarhus\n", "navn;e-mail;telefon;sprog"),
        (b"Ada;ada@example.dk\nBo;bo@example.dk\n", "navn;e-mail;telefon;sprog"),
        (b"navn;e-mail\n\n\n", "There is nobody in the file"),
    ],
)
def test_a_file_that_is_no_list_is_refused_at_once(
    ada: Person, tracker: Tracker, reference: str, content: bytes, words: str
) -> None:
    answer = _send(ada, reference, content, "kunder.csv")
    assert answer.status_code == 422
    assert words in answer.text
    assert not people.imports(tracker.context, SHELL, reference)
    assert not list((tracker.settings.data.dir / "uploads").iterdir())


def test_without_a_file_the_form_asks_for_one(ada: Person, reference: str) -> None:
    answer = ada.post(_url(reference), _url(reference))
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


def test_refused_rows_are_fetched_as_a_file(ada: Person, tracker: Tracker, reference: str) -> None:
    found = _read(ada, tracker, reference, LIST.encode() + b"=1+1;=cmd@example;@x;\r\n")
    url = f"{_url(reference)}/imports/{found.id}/refused.csv"
    assert url in ada.get(_url(reference)).text
    answer = ada.get(url)
    assert "attachment" in answer.headers["Content-Disposition"]
    head, *lines = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
    assert head == ["line", "reason", "navn", "e-mail", "telefon", "sprog"]
    assert lines[0][0] == "4"
    assert lines[0][2:] == ["Bo", "forkert", "", ""]
    assert "not an e-mail address" in lines[0][1]
    assert lines[1][2:5] == ["'=1+1", "'=cmd@example", "'@x"]


def test_the_page_says_what_becomes_of_two_who_share_an_address(
    ada: Person, tracker: Tracker, clock: HandClock, reference: str
) -> None:
    said = "under another name, such as two children"
    siblings = "navn;e-mail;telefon;sprog\nAnna;mor@example.dk;;\n"
    _read(ada, tracker, reference, siblings.encode())
    assert said not in ada.get(_url(reference)).text
    clock.advance(seconds=1)
    _read(ada, tracker, reference, (siblings + "Bo;mor@example.dk;;\n").encode())
    assert said in ada.get(_url(reference)).text
    (found, _) = people.imports(tracker.context, SHELL, reference)
    lines = ada.get(f"{_url(reference)}/imports/{found.id}/refused.csv").data.decode("utf-8-sig")
    assert "»Anna«" in lines
    assert people.count(tracker.context, SHELL, reference) == 1


def test_a_reading_shows_how_far_it_is_and_can_be_stopped(
    ada: Person, tracker: Tracker, clock: HandClock, reference: str
) -> None:
    job = _underway(tracker, reference)
    clock.advance(seconds=20)
    with tracker.context.database.writing() as session:
        counts = people.Counts(read_bytes=250, read=5000, accepted=4900, duplicates=60, refused=40)
        importing.readings.advance(session, job.import_id, counts, clock())
    page = ada.get(_url(reference)).text
    assert "lang.csv: 25 % read" in page
    assert "250 rows a second, about 1 min left" in page
    assert "hx-trigger" in page
    live = ada.get(_url(reference), headers={"HX-Request": "true"})
    assert "25 %" in live.text
    assert "<html" not in live.text
    assert "HX-Refresh" not in live.headers
    assert ada.post(f"{_url(reference)}/imports/{job.import_id}/stop").status_code == 303
    importing.run(job, [LIST.encode()])
    after = ada.get(_url(reference), headers={"HX-Request": "true"})
    assert after.headers["HX-Refresh"] == "true"
    assert "Stopped" in ada.get(_url(reference)).text
    assert people.count(tracker.context, SHELL, reference) == 0
    (entry,) = [one for one in register.history(tracker.context, SHELL, reference) if one.kind == "people_imported"]
    assert entry.event.complete is False


def test_a_reading_that_died_is_shown_as_broken_off(
    ada: Person, tracker: Tracker, clock: HandClock, reference: str
) -> None:
    _underway(tracker, reference)
    assert "A list is being read" in ada.get(_url(reference)).text
    clock.advance(minutes=2)
    page = ada.get(_url(reference)).text
    assert "Broken off" in page
    assert "A list is being read" not in page
    assert _read(ada, tracker, reference).accepted == 2


def test_while_a_list_is_read_a_second_one_waits(ada: Person, tracker: Tracker, reference: str) -> None:
    _underway(tracker, reference)
    answer = _send(ada, reference, LIST.encode())
    assert answer.status_code == 422
    assert "being read" in answer.text


def test_people_are_found_by_whole_addresses_that_stand_in_no_url(
    ada: Person, tracker: Tracker, reference: str
) -> None:
    _read(ada, tracker, reference)
    for text in ("SOREN@example.dk", "+45 34412345", "34 41 23 45"):
        answer = ada.post(f"{_url(reference)}/find", _url(reference), search=text)
        assert answer.status_code == 200
        assert "Søren Åse" in answer.text
        assert "ada@example.dk" not in answer.text.replace("ada@example.dk, ", "")
    answer = ada.post(f"{_url(reference)}/find", _url(reference), search="soren")
    assert "Nobody with that address" in answer.text


def test_one_person_is_added_by_the_form(ada: Person, tracker: Tracker, reference: str) -> None:
    typed = {"name": "Åse-Lill O'Brien", "email": "aase@example.dk", "phone": "", "language": "en"}
    assert ada.post(f"{_url(reference)}/add", _url(reference), **typed).status_code == 303
    (one,) = people.listing(tracker.context, SHELL, reference)
    assert (one.name, one.email, one.language) == ("Åse-Lill O'Brien", "aase@example.dk", "en")
    again = ada.post(f"{_url(reference)}/add", _url(reference), **typed | {"name": "Bo"})
    assert again.status_code == 422
    assert "is on the list already" in again.text
    assert 'value="Bo"' in again.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "Bo"}, "so that the person can be told"),
        ({"email": "forkert"}, "not an e-mail address"),
        ({"phone": "80123456"}, "cannot take an SMS"),
        ({"email": "bo@example.dk", "language": "sv"}, "Danish (da) or English (en)"),
        ({"email": "bo@example.dk", "name": "x" * 201}, "at most 200 signs"),
    ],
)
def test_a_person_who_cannot_be_told_is_not_added(
    ada: Person, tracker: Tracker, reference: str, typed: dict[str, str], words: str
) -> None:
    answer = ada.post(f"{_url(reference)}/add", _url(reference), **{"language": "da"} | typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert people.count(tracker.context, SHELL, reference) == 0


def test_people_of_a_file_are_taken_off_with_a_reason(ada: Person, tracker: Tracker, reference: str) -> None:
    found = _read(ada, tracker, reference)
    page = f"{_url(reference)}/imports/{found.id}/remove"
    assert "kunder.csv" in ada.get(page).text
    assert ada.post(page, page, reason=" ").status_code == 422
    assert ada.post(page, page, reason="Den forkerte fil").status_code == 303
    assert people.count(tracker.context, SHELL, reference) == 0
    assert "Taken off again" in ada.get(_url(reference)).text
    entry = register.history(tracker.context, SHELL, reference)[-1]
    assert (entry.event.count, entry.event.reason) == (2, "Den forkerte fil")


def test_an_auditor_sees_the_list_and_changes_nothing(
    login: Login, ada: Person, tracker: Tracker, reference: str
) -> None:
    found = _read(ada, tracker, reference)
    dan = login(Role.AUDITOR)
    dan.get("/?language=en")
    page = dan.get(_url(reference)).text
    assert "Søren Åse" in page
    assert "Import a list" not in page
    for url in ("", "/add", f"/imports/{found.id}/stop", f"/imports/{found.id}/remove"):
        assert dan.post(_url(reference) + url, "/settings/account").status_code == 403


def test_the_list_goes_on_page_after_page(ada: Person, tracker: Tracker, reference: str) -> None:
    rows = "".join(f"P{number:03d};p{number}@example.dk\n" for number in range(120))
    _read(ada, tracker, reference, f"navn;email\n{rows}".encode())
    first = ada.get(_url(reference)).text
    assert "P000" in first
    assert "P050" not in first
    after = first.partition("?after=")[2].partition('"')[0]
    second = ada.get(f"{_url(reference)}?after={after}").text
    assert "P050" in second
    assert "P049" not in second
    assert "120" in second
