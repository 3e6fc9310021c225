"""The alert: taken by one button, passed on by another; it says nothing about people."""

from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import calling, outbox, register
from tests.makers import PHONES, HandClock, make_contact, make_controller
from tests.web.conftest import Person
from tests.web.work import aware, log, turn, words

Login = Callable[..., Person]


@pytest.fixture(autouse=True)
def on_call(tracker: Tracker, nordlys: Controller, ben: OnCallContact) -> OnCallContact:
    assert ben.position == 1
    return make_contact(tracker.context, nordlys, "Clara", PHONES[1])


@pytest.fixture
def alert(tracker: Tracker) -> str:
    log(tracker, what_happened="Navne og CPR på 12 kunder", place="Kundeservice")
    return _open(tracker)[0]


def _open(tracker: Tracker) -> list[str]:
    return [alert.id for alert, _reference in calling.open_alerts(tracker.context, SHELL)]


def test_it_shows_who_was_told_and_who_is_next(login: Login, alert: str) -> None:
    said = words(login().get(f"/alerts/{alert}"))
    assert said.index("Ben") < said.index("Clara")
    assert "2026-0001" in said


def test_it_says_nothing_about_people(login: Login, alert: str) -> None:
    page = login().get(f"/alerts/{alert}").text
    for fact in ("Navne og CPR", "Kundeservice", "Kundeliste"):
        assert fact not in page


def test_taking_it_stops_the_steps_but_not_the_deadline(
    login: Login, tracker: Tracker, alert: str, clock: HandClock
) -> None:
    page = f"/alerts/{alert}"
    person = login(Role.RESPONDER)
    assert person.post(page, page).status_code == 303
    taken = words(person.get(page))
    assert "Responder" in taken
    assert not _open(tracker)
    clock.advance(minutes=30)
    turn(tracker)
    assert len(outbox.listing(tracker.context, SHELL)) == 1
    assert person.post(page, "/settings/account").status_code == 303


def test_what_is_said_after_taking_it_names_the_time_left(login: Login, tracker: Tracker, clock: HandClock) -> None:
    reference = log(tracker)
    aware(tracker, reference)
    clock.advance(hours=48)
    turn(tracker)
    dated = [one.id for one, _reference in calling.open_alerts(tracker.context, SHELL) if one.due_at is not None]
    page = f"/alerts/{dated[-1]}"
    person = login()
    person.post(page, page)
    assert "24" in words(person.get(page))
    due = register.overview(tracker.context, SHELL, reference).obligations
    assert all(one.met_at is None for one, _ in due if one.duty == "notify_authority")


def test_passing_it_on_calls_the_next_one_now(login: Login, tracker: Tracker, alert: str) -> None:
    page = f"/alerts/{alert}"
    assert login(Role.RESPONDER).post(f"{page}/pass", page).status_code == 303
    turn(tracker)
    assert {one.to for one in outbox.listing(tracker.context, SHELL)} == {"Ben", "Clara"}
    assert _open(tracker) == [alert]


def test_an_auditor_looks_and_takes_nothing(
    login: Login, tracker: Tracker, alert: str, db_hash: Callable[[], str]
) -> None:
    page = f"/alerts/{alert}"
    auditor = login(Role.AUDITOR)
    before = db_hash()
    assert auditor.get(page).status_code == 200
    assert db_hash() == before
    assert auditor.post(page, "/settings/account").status_code == 403
    assert _open(tracker) == [alert]


def test_another_controllers_alert_answers_like_none(login: Login, tracker: Tracker, alert: str) -> None:
    stranger = login(Role.ADMINISTRATOR, make_controller(tracker.context, "Skyhost A/S"))
    there, nowhere = stranger.get(f"/alerts/{alert}"), stranger.get("/alerts/nothing")
    assert there.status_code == nowhere.status_code == 404
    assert words(there) == words(nowhere)
    assert stranger.post(f"/alerts/{alert}", "/settings/account").status_code == 404
    assert _open(tracker) == [alert]
