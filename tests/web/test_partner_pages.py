"""Partners on the pages: the list, each of them, those of an incident, and the link without an account."""

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Role
from incident_tracker.services import partners, register
from tests.makers import make_controller
from tests.web.conftest import Person
from tests.web.work import NAUGHTY, census, words

Login = Callable[..., Person]
SKYHOST = {
    "name": "Skyhost A/S",
    "kind": "processor",
    "what": "Hoster webshoppen",
    "contact_email": "vagt@example.org",
    "language": "da",
}


@pytest.fixture
def ada(login: Login) -> Person:
    return login()


@pytest.fixture
def skyhost(ada: Person) -> str:
    """Add Skyhost by the page and return its address."""
    answer = ada.post("/partners", "/partners", **SKYHOST)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def link_of(ada: Person, skyhost: str) -> str:
    shown = ada.post(f"{skyhost}/link", skyhost).text
    found = re.search(r'id="partner-link"[^>]*>([^<]+)<', shown)
    assert found
    return found[1][found[1].index("/partner/") :]


def test_a_partner_without_an_agreement_is_marked(ada: Person, skyhost: str) -> None:
    assert "Mangler" in words(ada.get("/partners"))
    token = ada.token(skyhost)
    typed = {"csrf_token": token, "file": (BytesIO(b"aftale"), "aftale.pdf"), "signed_on": "2025-03-01"}
    assert ada.browser.post(f"{skyhost}/agreements", data=typed).status_code == 303
    assert "Mangler" not in words(ada.get("/partners"))
    address = re.search(rf'href="({skyhost}/agreements/[^"]+)"', ada.get(skyhost).text)
    assert address
    handed = ada.get(address[1])
    assert handed.data == b"aftale"
    assert handed.headers["Content-Disposition"].startswith("attachment")


def test_a_mistake_stands_beside_what_was_typed_and_nothing_is_lost(ada: Person) -> None:
    answer = ada.post("/partners", "/partners", **{**SKYHOST, "contact_email": "", "cvr": "12"})
    assert answer.status_code == 422
    assert 'value="Skyhost A/S"' in answer.text
    assert "Hoster webshoppen" in answer.text


def test_an_agreement_without_a_file_is_asked_for(ada: Person, skyhost: str) -> None:
    answer = ada.post(f"{skyhost}/agreements", skyhost)
    assert answer.status_code == 422
    assert "Vælg en fil først" in answer.text


@pytest.mark.usefixtures("ben")
def test_what_a_partner_tells_behind_its_link_becomes_an_incident(
    app: Flask, ada: Person, skyhost: str, tracker: Tracker
) -> None:
    link = link_of(ada, skyhost)
    partner = app.test_client()
    page = partner.get(link)
    assert "Set-Cookie" not in page.headers
    assert page.headers["Referrer-Policy"] == "no-referrer"
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    typed = {"form_token": token[1], "what": "Vores backup lå åben i weekenden.", "reach": "Vagten, +45 32 12 34 56"}
    first, second = partner.post(link, data=typed), partner.post(link, data=typed)
    assert first.status_code == second.status_code == 200
    listed = register.listing(tracker.context, SHELL)
    assert [one.title for one in listed] == ["Skyhost A/S: Vores backup lå åben i weekenden"]
    assert listed[0].became_aware_at is None
    assert listed[0].reference in first.text
    said = words(ada.get(f"/incidents/{listed[0].reference}/journal"))
    assert "Skyhost A/S" in said


@pytest.mark.parametrize("typed", [{}, {"form_token": "1.2.3", "what": "Læk"}])
def test_a_form_that_is_not_ours_opens_nothing(
    app: Flask, ada: Person, skyhost: str, tracker: Tracker, typed: dict[str, str]
) -> None:
    link = link_of(ada, skyhost)
    answer = app.test_client().post(link, data=typed)
    assert answer.status_code == 422
    assert register.listing(tracker.context, SHELL) == []


def test_an_empty_report_is_refused_beside_its_field(app: Flask, ada: Person, skyhost: str) -> None:
    link = link_of(ada, skyhost)
    browser = app.test_client()
    token = re.search(r'name="form_token" value="([^"]+)"', browser.get(link).text)
    assert token
    answer = browser.post(link, data={"form_token": token[1], "what": " ", "reach": "Vagten"})
    assert f'value="{token[1]}"' in answer.text  # sent again, it is the same form
    assert answer.status_code == 422
    assert 'id="what-error"' in answer.text
    assert 'value="Vagten"' in answer.text


def test_a_link_that_has_ended_looks_like_one_that_never_was(app: Flask, ada: Person, skyhost: str) -> None:
    link = link_of(ada, skyhost)
    ada.post(f"{skyhost}/link/end", skyhost)
    browser = app.test_client()
    ended, never = browser.get(link), browser.get("/partner/ukendt")
    assert ended.status_code == never.status_code == 404


def test_partners_are_named_on_an_incident_and_taken_off(ada: Person, skyhost: str, tracker: Tracker) -> None:
    reference = partners.record_tip(tracker.context, SHELL, int(skyhost.rpartition("/")[2]), what="Læk")
    page = f"/incidents/{reference}/partners"
    assert "Skyhost A/S" in words(ada.get(page))
    number = skyhost.rpartition("/")[2]
    assert ada.post(f"{page}/{number}/leave-out", page).status_code == 303
    assert "Har ikke fået besked endnu" not in words(ada.get(page))
    assert ada.post(page, page, partner=number).status_code == 303
    assert ada.post(page, page, partner=number).status_code == 303
    assert len(partners.of_incident(tracker.context, SHELL, reference)) == 1
    assert ada.post(page, page, partner="4711").status_code == 404


def test_a_partner_is_taken_off_the_list_only_by_its_name(ada: Person, skyhost: str) -> None:
    assert ada.post(f"{skyhost}/remove", f"{skyhost}/remove", name="Skyhost").status_code == 422
    assert ada.post(f"{skyhost}/remove", f"{skyhost}/remove", name="skyhost a/s").status_code == 303
    assert "Hoster webshoppen" not in words(ada.get("/partners"))


def test_what_people_type_never_becomes_markup(ada: Person) -> None:
    plain = ada.post("/partners", "/partners", **SKYHOST).headers["Location"]
    naughty = ada.post("/partners", "/partners", **{**SKYHOST, "name": NAUGHTY, "what": NAUGHTY})
    ada.get("/partners")
    assert census(ada.get(naughty.headers["Location"])) == census(ada.get(plain))


def test_another_controllers_partner_answers_like_none(login: Login, skyhost: str, tracker: Tracker) -> None:
    other = make_controller(tracker.context, "Fjord ApS", slug="fjord")
    stranger = login(Role.ADMINISTRATOR, other)
    assert stranger.get(skyhost).status_code == 404
    assert stranger.get("/partners/4711").status_code == 404
    assert stranger.post(f"{skyhost}/link", "/partners").status_code == 404
