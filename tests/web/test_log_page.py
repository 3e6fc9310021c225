"""Logging a suspicion: five fields, nothing lost, the right person told, the right page after."""

from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import accounts, register
from tests.makers import PHONES, HandClock, make_actor, make_contact, make_controller
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, WHAT, census, typed, words

NEW = "/incidents/new"
Login = Callable[..., Person]


@pytest.fixture(autouse=True)
def on_call(ben: OnCallContact) -> OnCallContact:
    return ben


def test_five_fields_make_an_incident_and_lead_to_it(login: Login, tracker: Tracker) -> None:
    answer = login().post(NEW, NEW, **typed())
    assert (answer.status_code, answer.location) == (303, "/incidents/2026-0001")
    one = register.overview(tracker.context, SHELL, "2026-0001").incident
    assert (one.title, one.what_happened) == ("Et nyhedsbrev er sendt ud", WHAT)
    assert (one.place, one.ongoing) == ("Nyhedsbrevssystemet", "no")
    assert one.people_estimate is not None
    assert (one.people_estimate.low, one.people_estimate.high) == (200, 400)
    assert one.detected_at.isoformat() == "2026-11-20T12:30:00+00:00"


def test_pressing_the_button_twice_logs_one_incident(login: Login, tracker: Tracker) -> None:
    person = login()
    form = typed() | {"once": "a" * 32}
    first, second = person.post(NEW, NEW, **form), person.post(NEW, NEW, **form)
    assert first.location == second.location == "/incidents/2026-0001"
    assert [one.reference for one in register.listing(tracker.context, SHELL)] == ["2026-0001"]


def test_going_back_and_typing_another_suspicion_logs_it_too(login: Login, tracker: Tracker) -> None:
    person = login()
    for changed in ({}, {"what_happened": "En mappe er glemt i toget"}, {"detected_at": "i dag 12.30"}):
        person.post(NEW, NEW, **(typed(**changed) | {"once": "a" * 32}))
    assert len(register.listing(tracker.context, SHELL)) == 3


def test_two_forms_log_two_incidents(login: Login, tracker: Tracker) -> None:
    person = login()
    for once in ("a" * 32, "b" * 32):
        person.post(NEW, NEW, **(typed() | {"once": once}))
    assert len(register.listing(tracker.context, SHELL)) == 2


def test_who_will_be_alarmed_is_said_before_the_button(login: Login) -> None:
    assert "Ben har vagten" in words(login().get(NEW)) or "Ben is on call" in words(login().get(NEW))


def test_a_reporter_gets_a_receipt_and_may_not_open_the_incident(login: Login) -> None:
    reporter = login(Role.REPORTER)
    answer = reporter.post(NEW, NEW, **typed())
    assert answer.location == "/incidents/received"
    receipt = words(reporter.get("/incidents/received"))
    assert "2026-0001" in receipt
    assert reporter.get("/incidents/2026-0001").status_code == 403


def test_a_receipt_says_who_is_on_call_for_the_controller_it_was_logged_for(
    login: Login, tracker: Tracker, nordlys: Controller
) -> None:
    other = make_controller(tracker.context, "Sydlys ApS")
    make_contact(tracker.context, other, "Clara", PHONES[1])
    reporter = login(Role.REPORTER)
    user = accounts.find(tracker.context, f"reporter-{nordlys.id}@example.dk")
    accounts.set_role(tracker.context, SHELL, user.id, other.id, Role.REPORTER)
    reporter.post(NEW, NEW, **typed(), controller=str(other.id))
    steps = reporter.get("/incidents/received").text.partition("receipt-steps")[2].partition("</ol>")[0]
    assert "Clara" in steps
    assert "Ben" not in steps


def test_a_receipt_is_only_for_what_this_browser_logged(login: Login) -> None:
    login(Role.REPORTER).post(NEW, NEW, **typed())
    answer = login(Role.RESPONDER).get("/incidents/received")
    assert (answer.status_code, answer.location) == (303, NEW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"detected_at": "i morgen 9"}, "detected_at"),
        ({"detected_at": "20.11.2026 kl. 21.15"}, "21.15"),
        ({"detected_at": ""}, "detected_at"),
        ({"people": "mange"}, "mange"),
        ({"people": ""}, "people"),
        ({"where": "   "}, "where"),
        ({"what_happened": ""}, "what_happened"),
    ],
)
def test_an_error_keeps_everything_that_was_typed(
    login: Login, wrong: dict[str, str], said: str, db_hash: Callable[[], str]
) -> None:
    person = login()
    person.get(NEW)
    before = db_hash()
    sent = typed(**wrong)
    answer = person.post(NEW, NEW, **sent)
    assert answer.status_code == 422
    assert db_hash() == before
    assert answer.text.count("field-wrong") == 1
    assert said in answer.text
    for name in ("what_happened", "where", "people"):
        assert sent[name].strip() in answer.text
    assert "data-error-summary" in answer.text


def test_a_future_time_says_what_time_it_is_now(login: Login) -> None:
    answer = words(login().post(f"{NEW}?language=da", NEW, **typed(detected_at="20.11.2026 kl. 21.15")))
    assert "14.00" in answer or "14:00" in answer


def test_a_doubled_hour_is_asked_about_and_the_answer_counts(
    login: Login, tracker: Tracker, clock: HandClock
) -> None:
    clock.set(clock.at.replace(month=10, day=25, hour=12))
    person = login()
    twice = typed(detected_at="25.10.2026 kl. 02.30")
    answer = person.post(NEW, NEW, **twice)
    assert answer.status_code == 422
    assert answer.text.count('name="detected_at_fold"') == 2
    assert person.post(NEW, NEW, **twice, detected_at_fold="1").status_code == 303
    one = register.overview(tracker.context, SHELL, "2026-0001").incident
    assert one.detected_at.isoformat() == "2026-10-25T01:30:00+00:00"


def test_a_time_that_the_clocks_skipped_is_refused(login: Login) -> None:
    assert login().post(NEW, NEW, **typed(detected_at="29.03.2026 kl. 02.30")).status_code == 422


def test_what_was_understood_is_answered_while_typing(login: Login) -> None:
    person = login(Role.REPORTER)
    said = person.get("/incidents/new/understood/time?zone=Europe/Copenhagen&detected_at=i går 14.30").text
    assert "2026" in said
    assert "UTC+1" in said
    assert "circle-alert" in person.get("/incidents/new/understood/people?people=mange").text
    assert person.get("/incidents/new/understood/people?people=").text == ""
    assert person.get("/incidents/new/understood/time?zone=Nowhere&detected_at=nu").status_code == 400


@pytest.mark.parametrize("role", [Role.AUDITOR])
def test_an_auditor_logs_nothing(login: Login, role: Role) -> None:
    assert login(role).get(NEW).status_code == 403


def test_an_organisation_of_others_cannot_be_chosen(login: Login, tracker: Tracker, nordlys: Controller) -> None:
    person = login()
    assert 'name="controller"' not in person.get(NEW).text
    other = make_controller(tracker.context, "Skyhost A/S")
    assert 'name="controller"' not in person.get(NEW).text
    answer = person.post(NEW, NEW, **typed(), controller=str(other.id))
    assert answer.status_code == 303
    one = register.overview(tracker.context, make_actor(nordlys), "2026-0001").incident
    assert one.controller_id == nordlys.id


def test_naughty_words_stay_words(login: Login) -> None:
    person = login()
    harmless = person.post(NEW, NEW, **typed(people="mange"))
    naughty = person.post(NEW, NEW, **typed(people="mange", what_happened=NAUGHTY, where=NAUGHTY))
    assert naughty.status_code == harmless.status_code == 422
    assert census(naughty) == census(harmless)


def test_a_huge_text_is_refused_by_name_and_not_by_a_crash(login: Login) -> None:
    answer = login().post(NEW, NEW, **typed(what_happened="x" * 25_000))
    assert answer.status_code == 422
    assert "20000" in answer.text or "20.000" in answer.text


def test_control_characters_are_refused(login: Login) -> None:
    assert login().post(NEW, NEW, **typed(what_happened="a\x00b")).status_code == 422
