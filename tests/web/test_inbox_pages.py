"""The inbox and the questions of an incident: looked at, settled once, by those who may."""

from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import questions, register, suspicions
from incident_tracker.services.suspicions import Told
from tests.makers import make_actor, make_controller
from tests.notices import begin, crowd, make_people, make_question
from tests.web.conftest import Person
from tests.web.work import log, words

WHAT = "Jeg kan se andres ordrer."


@pytest.fixture
def report(tracker: Tracker, nordlys: Controller, ben: OnCallContact) -> str:
    assert ben
    return suspicions.receive(tracker.context, nordlys.id, Told(WHAT, email="kim@example.org"), once="a")


@pytest.fixture
def asked(tracker: Tracker, nordlys: Controller, ben: OnCallContact) -> str:
    assert ben
    reference = log(tracker)
    make_people(tracker.context, reference, crowd(2))
    return make_question(tracker.context, begin(tracker.context, reference, nordlys, channels=["email"]))


def _state(tracker: Tracker, report: str) -> tuple[str, bool]:
    one = suspicions.show(tracker.context, SHELL, report, look=False)
    return one.state, one.seen_at is not None


def test_the_rail_counts_and_the_list_shows_what_waits(
    tracker: Tracker, login: Callable[..., Person], report: str
) -> None:
    clara = login(Role.RESPONDER)
    assert '<span class="rail-count">1</span>' in clara.get("/").text
    listed = words(clara.get("/inbox"))
    number = suspicions.receipt_of(report)
    assert f"Henvendelse {number}" in listed
    assert "Ingen har set på den" in listed
    assert number in words(clara.get("/inbox", query_string={"receipt": number.lower()}))
    assert "Ingen henvendelse har det kvitteringsnummer" in words(clara.get("/inbox?receipt=0000-0000"))
    assert _state(tracker, report) == ("open", False)


def test_opening_a_report_counts_as_looking_but_asking_for_its_head_does_not(
    tracker: Tracker, login: Callable[..., Person], report: str
) -> None:
    login(Role.AUDITOR).get(f"/inbox/{report}")
    clara = login(Role.RESPONDER)
    clara.browser.head(f"/inbox/{report}")
    assert _state(tracker, report) == ("open", False)
    assert WHAT in clara.get(f"/inbox/{report}").text
    assert _state(tracker, report) == ("open", True)


def test_a_report_is_accepted_from_its_page(tracker: Tracker, login: Callable[..., Person], report: str) -> None:
    clara, page = login(Role.RESPONDER), f"/inbox/{report}"
    assert clara.post(f"{page}/accept", page, title=" ").status_code == 422
    answer = clara.post(f"{page}/accept", page, title="Ordrelink kan gættes")
    assert answer.location == "/incidents/2026-0001"
    overview = register.overview(tracker.context, SHELL, "2026-0001")
    assert (overview.incident.what_happened, overview.incident.became_aware_at) == (WHAT, None)
    journal = words(clara.get("/incidents/2026-0001/journal"))
    assert "Responder førte en henvendelse udefra over" in journal
    assert "Kontakt: kim@example.org" in journal
    assert "Responder førte den over i 2026-0001" in words(clara.get(page))


def test_a_report_is_added_from_its_page(tracker: Tracker, login: Callable[..., Person], report: str) -> None:
    reference = log(tracker)
    clara, page = login(Role.RESPONDER), f"/inbox/{report}"
    wrong = clara.post(f"{page}/add", page, to="2026-4711")
    assert wrong.status_code == 422
    assert "Der er ingen hændelse med den reference" in words(wrong)
    assert clara.post(f"{page}/add", page, to=f" {reference} ").location == f"/incidents/{reference}"
    assert _state(tracker, report) == ("accepted", True)


def test_a_report_is_dismissed_from_its_page_with_a_reason(
    tracker: Tracker, login: Callable[..., Person], report: str
) -> None:
    clara, page = login(Role.RESPONDER), f"/inbox/{report}"
    assert clara.post(f"{page}/dismiss", page, reason="").status_code == 422
    assert clara.post(f"{page}/dismiss", page, reason="Reklame").location == "/inbox"
    assert "Ingen henvendelser venter" in words(clara.get("/inbox"))
    assert "Afvist" in words(clara.get("/inbox?state=settled"))
    assert "Reklame" in words(clara.get(page))
    assert _state(tracker, report) == ("dismissed", True)


def test_who_is_slower_sees_what_became_of_it(
    tracker: Tracker, nordlys: Controller, login: Callable[..., Person], report: str
) -> None:
    clara, page = login(Role.RESPONDER), f"/inbox/{report}"
    token = clara.token(page)
    suspicions.dismiss(tracker.context, make_actor(nordlys), report, reason="Reklame")
    answer = clara.browser.post(f"{page}/accept", data={"csrf_token": token, "title": "Ordrelink"})
    assert answer.location == page
    assert "En anden har allerede taget stilling" in words(clara.get(page))
    assert register.listing(tracker.context, SHELL) == []


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.REPORTER])
def test_who_may_not_work_settles_nothing(
    tracker: Tracker, login: Callable[..., Person], report: str, role: Role
) -> None:
    person = login(role)
    for act, typed in (("accept", {"title": "x"}), ("dismiss", {"reason": "x"}), ("add", {"to": "2026-0001"})):
        assert person.post(f"/inbox/{report}/{act}", **typed).status_code == 403
    assert _state(tracker, report) == ("open", False)
    page = person.get(f"/inbox/{report}")
    assert page.status_code == (200 if role is Role.AUDITOR else 403)
    assert "Opret en hændelse" not in page.text


def test_another_controllers_report_is_not_there(
    tracker: Tracker, login: Callable[..., Person], report: str, asked: str
) -> None:
    them = login(Role.ADMINISTRATOR, make_controller(tracker.context, "Skyhost A/S"))
    assert them.get(f"/inbox/{report}").status_code == 404
    assert them.get(f"/incidents/2026-0001/questions/{asked}").status_code == 404
    assert suspicions.receipt_of(report) not in them.get("/inbox").text
    assert them.post(f"/inbox/{report}/dismiss", reason="x").status_code == 404


def test_the_tab_counts_the_questions_and_goes_where_they_are(
    tracker: Tracker, login: Callable[..., Person], asked: str
) -> None:
    clara = login(Role.RESPONDER)
    assert 'href="/incidents/2026-0001/questions"' in clara.get("/incidents/2026-0001").text
    assert f"/incidents/2026-0001/questions/{asked}" in clara.get("/incidents/2026-0001/questions").text
    other = log(tracker, "Et andet brud")
    assert "/questions" not in clara.get(f"/incidents/{other}").text
    assert clara.get(f"/incidents/{other}/questions/{asked}").status_code == 404


def test_a_question_is_answered_from_its_page(tracker: Tracker, login: Callable[..., Person], asked: str) -> None:
    clara, page = login(Role.RESPONDER), f"/incidents/2026-0001/questions/{asked}"
    assert clara.post(f"{page}/answer", page, text="").status_code == 422
    assert clara.post(f"{page}/answer", page, text="Nej.").location == "/incidents/2026-0001/questions"
    again = clara.post(f"{page}/close", "/settings/account", reason="x")
    assert again.location == "/incidents/2026-0001/questions"
    assert "En anden har allerede besvaret" in words(clara.get("/incidents/2026-0001/questions"))
    (one,) = questions.listing(tracker.context, SHELL, "2026-0001")
    assert (one.state, one.answer) == ("answered", "Nej.")
    assert "Nej." in words(clara.get(page))
    assert clara.get(f"/outbox/{one.delivery_id}").status_code == 200


def test_a_question_is_closed_from_its_page_with_a_reason(
    tracker: Tracker, login: Callable[..., Person], asked: str
) -> None:
    clara, page = login(Role.RESPONDER), f"/incidents/2026-0001/questions/{asked}"
    assert clara.post(f"{page}/close", page, reason="").status_code == 422
    assert clara.post(f"{page}/close", page, reason="Svaret pr. telefon").status_code == 303
    assert "Svaret pr. telefon" in words(clara.get(page))
    assert [one.delivery_id for one in questions.listing(tracker.context, SHELL, "2026-0001")] == [""]
