"""The board: the nearest deadline first, suspicions next to it, and its live part alone."""

from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import incidents, notices, questions
from incident_tracker.web.board import view
from tests.makers import HandClock, make_actor, make_controller
from tests.notices import begin, crowd, make_people, make_question
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, aware, census, log, words

Login = Callable[..., Person]


@pytest.fixture(autouse=True)
def on_call(ben: OnCallContact) -> OnCallContact:
    return ben


def test_an_empty_board_offers_to_log(login: Login) -> None:
    page = login().get("/").text
    assert page.count("button-primary") == 1
    assert 'class="button button-primary" href="/incidents/new"' in page


def test_the_nearest_deadline_lies_on_top_and_suspicions_next(
    login: Login, tracker: Tracker, clock: HandClock
) -> None:
    first = log(tracker, "Den første")
    aware(tracker, first)
    clock.advance(hours=5)
    second = log(tracker, "Den anden")
    aware(tracker, second)
    suspicion = log(tracker, "Kun en mistanke")
    page = login().get("/").text
    lanes = page[page.index('class="lanes"') :]
    order = [lanes.index(f"lane-{one}") for one in (first, suspicion, second)]
    assert order == sorted(order)
    assert page.count("button-primary") == 1
    assert page.index("Den første") < page.index('class="lanes"')
    assert f'href="/incidents/{suspicion}/decide"' in lanes


def test_a_board_that_cannot_show_everything_says_how_much_more_there_is(
    login: Login, tracker: Tracker, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "MOST", 2)
    oldest = log(tracker, "Den ældste")
    for number in range(3):
        clock.advance(minutes=1)
        log(tracker, f"Nummer {number}")
    person = login()
    page = person.get("/").text
    assert f"lane-{oldest}" in page
    assert page.count("lane-2026-") == 2
    assert "2 åbne hændelser mere" in page
    assert "4 åbne hændelser" in page
    assert 'href="/incidents?status=open"' in page
    monkeypatch.setattr(view, "MOST", 100)
    assert "show-open" not in person.get("/").text


def test_an_overdue_incident_takes_the_top_sheet(login: Login, tracker: Tracker, clock: HandClock) -> None:
    late = log(tracker, "Den glemte")
    aware(tracker, late)
    clock.advance(hours=73, minutes=5)
    aware(tracker, log(tracker, "Den nye"))
    page = login().get("/").text
    top = page[page.index('class="sheet loudest"') : page.index('class="lanes"')]
    assert "Den glemte" in top
    assert "is-overdue" in top


def test_an_open_alert_is_linked_until_it_is_taken(login: Login, tracker: Tracker) -> None:
    reference = log(tracker)
    person = login()
    assert f'id="alert-{reference}"' in person.get("/").text


def test_the_live_part_comes_alone_and_says_the_same(login: Login, tracker: Tracker) -> None:
    log(tracker)
    person = login()
    whole, live = person.get("/"), person.get("/", headers={"HX-Request": "true"})
    assert "<html" not in live.text
    assert 'hx-trigger="every 30s"' in whole.text
    assert words(live) in words(whole)


def test_another_controllers_incidents_are_not_on_it(login: Login, tracker: Tracker, nordlys: Controller) -> None:
    other = make_controller(tracker.context, "Skyhost A/S")
    incidents.open_incident(tracker.context, SHELL, title="Hos Skyhost", controller_id=other.id)
    incidents.open_incident(tracker.context, SHELL, title="Hos Nordlys", controller_id=nordlys.id)
    page = login(Role.AUDITOR).get("/").text
    assert "Hos Nordlys" in page
    assert "Hos Skyhost" not in page


def test_naughty_titles_are_text(login: Login, tracker: Tracker) -> None:
    person = login()
    log(tracker, "Pæn titel")
    plain = census(person.get("/"))
    log(tracker, NAUGHTY)
    naughty = census(person.get("/"))
    assert naughty["script"] == plain["script"]
    assert naughty["h1"] == plain["h1"]
    assert "&lt;script&gt;" in person.get("/").text


def test_a_sending_that_stands_and_questions_that_wait_are_on_the_board_of_their_controller(
    login: Login, tracker: Tracker, nordlys: Controller
) -> None:
    reference = log(tracker, "Kundeliste lå åbent")
    aware(tracker, reference)
    make_people(tracker.context, reference, crowd(2))
    notice_id = begin(tracker.context, reference, nordlys)
    person = login()
    assert "standing-" not in person.get("/").text
    notices.pause(tracker.context, SHELL, notice_id)
    make_question(tracker.context, notice_id)
    page = person.get("/").text
    assert f'href="/incidents/{reference}/notices/1" id="standing-{reference}-1"' in page
    assert f'href="/incidents/{reference}/questions" id="questions-{reference}"' in page
    stranger = make_actor(make_controller(tracker.context, "Sydlys ApS"), Role.ADMINISTRATOR)
    assert notices.standing(tracker.context, stranger) == []
    assert questions.waiting(tracker.context, stranger) == []
