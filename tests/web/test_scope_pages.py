"""The page of the scope: everything may be left out, nothing typed is lost, each saving is a version."""

from collections.abc import Callable

import pytest

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.counts import CountRange
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import incidents, scope
from tests.web.conftest import Person

Login = Callable[..., Person]


@pytest.fixture
def reference(tracker: Tracker, nordlys: Controller) -> str:
    """Give an incident that says where, how many, and that it goes on."""
    return incidents.open_incident(
        tracker.context,
        SHELL,
        title="Kundeliste lå åbent",
        what_happened="En liste lå åbent.",
        place="web01",
        ongoing="yes",
        people_estimate=CountRange.read("ca. 12.400", "people"),
        controller_id=nordlys.id,
    )


def test_the_form_begins_with_what_was_logged(login: Login, reference: str) -> None:
    page = login(Role.RESPONDER).get(f"/incidents/{reference}/scope").text
    assert "En liste lå åbent.</textarea>" in page
    assert "web01</textarea>" in page
    assert 'value="ca. 12.400"' in page
    assert "Forstået som ca. 12.400 personer" in page


def test_saving_as_it_stands_makes_the_first_version(login: Login, tracker: Tracker, reference: str) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    answer = person.post(page, page, after_version="0", people_count="ca. 12.400", breach_types=["confidentiality"])
    assert answer.status_code == 303
    (kept,) = scope.versions(tracker.context, SHELL, reference)
    assert kept.assessment.breach_types == ("confidentiality",)
    shown = person.get(page).text
    assert "Version 1" in shown
    assert "Fortrolighed" in shown


def test_times_are_read_in_the_controllers_zone(login: Login, tracker: Tracker, reference: str) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    typed = {"occurrence": "date_range", "begin": "i går 14.30", "end": "i dag 9"}
    assert person.post(page, page, after_version="0", **typed).status_code == 303
    (kept,) = scope.versions(tracker.context, SHELL, reference)
    assert str(kept.assessment.begin) == "2026-11-19 13:30:00+00:00"
    assert str(kept.assessment.end) == "2026-11-20 08:00:00+00:00"
    assert 'value="19.11.2026 14.30"' in person.get(page).text


def test_an_hour_that_came_twice_is_asked_about_and_the_answer_kept(
    login: Login, tracker: Tracker, reference: str
) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    typed = {"occurrence": "specific_day", "begin": "25.10.2026 kl. 2.30"}
    asked = person.post(page, page, after_version="0", **typed)
    assert asked.status_code == 422
    assert 'name="begin_fold"' in asked.text
    assert person.post(page, page, after_version="0", begin_fold="1", **typed).status_code == 303
    (kept,) = scope.versions(tracker.context, SHELL, reference)
    assert str(kept.assessment.begin) == "2026-10-25 01:30:00+00:00"
    again = person.get(page).text
    assert 'name="begin_fold"' in again


def test_every_mistake_is_shown_at_once_and_nothing_typed_is_lost(
    login: Login, tracker: Tracker, reference: str
) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    typed = {"people_count": "mange", "records_count": "-4", "begin": "engang", "description": "En lang historie"}
    answer = person.post(page, page, after_version="0", impacts=["fraud"], **typed)
    assert answer.status_code == 422
    assert answer.text.count('class="field-error"') == 3
    assert "En lang historie</textarea>" in answer.text
    assert 'value="mange"' in answer.text
    assert scope.versions(tracker.context, SHELL, reference) == ()


def test_a_version_saved_meanwhile_is_said_and_the_next_try_counts(
    login: Login, tracker: Tracker, reference: str
) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    assert person.post(page, page, after_version="0", systems="web01").status_code == 303
    answer = person.post(page, page, after_version="0", systems="web02")
    assert answer.status_code == 422
    assert "web02</textarea>" in answer.text
    assert 'name="after_version" type="hidden" value="1"' in answer.text
    assert person.post(page, page, after_version="1", systems="web02").status_code == 303
    assert [one.version for one in scope.versions(tracker.context, SHELL, reference)] == [2, 1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("people_count=200-400", "Forstået som mellem 200 og 400 personer"),
        ("records_count=ved+ikke", "Forstået som: antallet af registreringer kendes ikke endnu"),
        ("people_count=mange", "kan ikke læses"),
        ("begin=i+g%C3%A5r+14.30", "Torsdag 19. november 2026 kl. 14.30, UTC+1"),
        ("begin=i+morgen+14.30", ""),
        ("description=x", ""),
        ("", ""),
    ],
)
def test_what_is_typed_is_said_back(login: Login, reference: str, query: str, said: str) -> None:
    answer = login(Role.RESPONDER).get(f"/incidents/{reference}/scope/understood?{query}")
    assert answer.status_code == 200
    assert said in answer.text


def test_markup_in_an_assessment_stays_text(login: Login, reference: str) -> None:
    person = login(Role.RESPONDER)
    page = f"/incidents/{reference}/scope"
    person.post(page, page, after_version="0", systems="<script>alert(1)</script>")
    shown = person.get(page).text
    assert "<script>alert" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_an_auditor_sees_the_versions_and_no_button(login: Login, reference: str) -> None:
    page = login(Role.AUDITOR).get(f"/incidents/{reference}/scope").text
    assert "Gem som version" not in page
    assert "En liste lå åbent." in page
