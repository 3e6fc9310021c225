"""First run, settings, accounts, who is on call, health and what does not work, as pages."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import accounts, backup, controllers, first_run, health, installation, on_call, sign_in
from incident_tracker.store.database import NotSaved
from incident_tracker.web.app import create_app
from tests.makers import (
    PASSWORD,
    PHONES,
    HandClock,
    make_actor,
    make_contact,
    make_controller,
    make_tracker,
    make_user,
)
from tests.web.conftest import COOKIE, Person

TYPED = {
    "administrator_name": "Ada",
    "administrator_email": "ada@example.dk",
    "administrator_password": PASSWORD,
    "controller_name": "Nordlys ApS",
    "controller_cvr": "00000000",
    "controller_sector": "private",
    "controller_language": "da",
    "controller_time_zone": "Europe/Copenhagen",
    "contact_0_name": "Ben",
    "contact_0_phone": "34 41 23 45",
}


@pytest.fixture
def link(tracker: Tracker) -> str:
    found = first_run.ensure_link(tracker.context)
    assert found is not None
    return "/first-run/" + found.rsplit("/", 1)[1]


def test_the_first_run_signs_the_administrator_in_and_offers_the_sheet_once(
    tracker: Tracker, stranger: Person, link: str
) -> None:
    answer = stranger.browser.post(link, data={"csrf_token": stranger.token(link), **TYPED})
    assert (answer.status_code, answer.location) == (303, "/first-run/recovery-sheet")
    key = tracker.settings.master_key_file.read_text().strip()
    asked = stranger.get("/first-run/recovery-sheet")
    assert asked.status_code == 200
    assert key not in asked.text
    shown = stranger.post("/first-run/recovery-sheet")
    assert key in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert stranger.post("/first-run/recovery-sheet").status_code == 400
    assert key not in stranger.get("/first-run/recovery-sheet").text
    assert stranger.get(link).status_code == 404


def test_opening_the_link_uses_nothing_up(stranger: Person, link: str, db_hash: Callable[[], str]) -> None:
    before = db_hash()
    assert [stranger.get(link).status_code for _ in range(3)] == [200, 200, 200]
    assert db_hash() == before
    assert stranger.get("/first-run/guessed").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("administrator_password", "kort"),
        ("administrator_email", "ada"),
        ("controller_cvr", "12"),
        ("controller_time_zone", "Mars"),
        ("contact_0_phone", "112"),
        ("contact_1_phone", "34 41 23 45"),
        ("controller_name", "  "),
    ],
)
def test_a_mistake_in_the_first_run_stands_at_its_field_and_keeps_the_rest(
    stranger: Person, link: str, field: str, value: str
) -> None:
    typed = TYPED | {field: value} | ({"contact_1_name": "Clara"} if field == "contact_1_phone" else {})
    answer = stranger.browser.post(link, data={"csrf_token": stranger.token(link), **typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert 'value="Ben"' in answer.text
    assert PASSWORD not in answer.text


def test_before_the_first_run_the_sign_in_page_says_what_to_do(stranger: Person, link: str) -> None:
    page = stranger.get("/", headers={"Accept-Language": "en"})
    if page.status_code == 404:
        page = stranger.get("/on-call", headers={"Accept-Language": "en"})
    assert page.status_code == 401
    assert "one-time link" in page.text
    assert link not in page.text


def test_the_health_of_the_process_is_told_without_the_database(
    stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise NotSaved(why="the disk is full")

    monkeypatch.setattr(health, "readiness", broken)
    assert stranger.get("/healthz").status_code == 200


def test_readiness_needs_a_living_clock(stranger: Person, clock: HandClock, tracker: Tracker, beating: None) -> None:
    assert beating is None
    answer = stranger.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "database": "ok",
        "migrations": "ok",
        "clock": {"heartbeat_age_seconds": 0.0, "overdue_unsent_alarms": 0},
        "backup": {"last_at": None, "late": False},
    }
    clock.advance(seconds=31)
    late = stranger.get("/readyz")
    assert late.json is not None
    assert (late.status_code, late.json["ready"], late.json["clock"]["heartbeat_age_seconds"]) == (503, False, 31.0)
    assert tracker.settings.master_key_file.read_text().strip() not in late.text
    assert "Set-Cookie" not in late.headers


def test_a_stopped_clock_and_other_trouble_stand_on_every_page(
    tracker: Tracker, nordlys: Controller, login: Callable[..., Person], clock: HandClock, beating: None
) -> None:
    assert beating is None
    person = login()
    english = {"headers": {"Accept-Language": "en"}}
    person.get("/settings?language=en")
    assert "Nobody is on call. Alarms reach nobody." in person.get("/settings", **english).text
    make_contact(tracker.context, nordlys, "Ben", PHONES[0], verified=False)
    page = person.get("/settings", **english).text
    assert "Nobody is on call." not in page
    assert "No SMS leaves this machine yet" in page
    assert "The clock has stopped" not in page
    clock.advance(minutes=2)
    assert "The clock has stopped" in person.get("/settings", **english).text


def test_a_backup_that_stays_away_stands_on_every_page_of_an_administrator(
    tracker: Tracker,
    nordlys: Controller,
    login: Callable[..., Person],
    clock: HandClock,
    tmp_path: Path,
    stranger: Person,
) -> None:
    assert nordlys
    missing, old = "There is no backup yet.", "The last backup is from"
    clock.advance(hours=27)
    ada = login()
    assert missing in ada.get("/settings?language=en", follow_redirects=True).text
    dan = login(Role.AUDITOR)
    assert missing not in dan.get("/settings?language=en", follow_redirects=True).text
    found = stranger.get("/readyz").json
    assert found is not None
    assert found["backup"] == {"last_at": None, "late": True}
    backup.make(tracker.context, SHELL, tmp_path / "night.backup")
    page = ada.get("/settings", headers={"Accept-Language": "en"}).text
    assert (missing in page, old in page) == (False, False)
    clock.advance(hours=27)
    ada.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, 1))
    assert old in ada.get("/settings?language=en", follow_redirects=True).text


def test_where_sms_go_out_a_number_that_was_never_tried_is_named_on_every_page(tmp_path: Path) -> None:
    tracker = make_tracker(tmp_path, HandClock(), notifiers={}, routing={"sms": ["twilio_sms"]})
    nordlys = make_controller(tracker.context)
    make_contact(tracker.context, nordlys, "Ben", PHONES[0], verified=False)
    ada = make_user(tracker.context, nordlys)
    person = Person(create_app(tracker).test_client())
    person.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, ada.id))
    person.get("/settings?language=en")
    page = person.get("/settings").text
    assert "Not shown to work yet: the number of Ben" in page
    assert "No SMS leaves this machine yet" not in page
    tracker.close()


def test_someone_is_put_on_call_tested_moved_and_taken_off(
    tracker: Tracker, nordlys: Controller, ben: OnCallContact, login: Callable[..., Person]
) -> None:
    person = login()
    wrong = person.post("/on-call", name="Clara", phone="112", language="da")
    assert wrong.status_code == 422
    assert 'value="112"' in wrong.text
    assert person.post("/on-call", name="Clara", phone="32 12 34 56", language="da").status_code == 303
    clara = on_call.listing(tracker.context, make_actor(nordlys), nordlys.id)[1]
    for act in ("test", "verify", "up"):
        assert person.post(f"/on-call/{clara.id}/{act}").status_code == 303
    order = [one.name for one in on_call.listing(tracker.context, make_actor(nordlys), nordlys.id)]
    assert order == ["Clara", "Ben"]
    assert person.post(f"/on-call/{ben.id}/remove", name="Clara").status_code == 422
    assert person.post(f"/on-call/{ben.id}/remove", name=" ben ").status_code == 303
    (left,) = on_call.listing(tracker.context, make_actor(nordlys), nordlys.id)
    assert (left.name, left.verified) == ("Clara", True)


def test_an_account_is_made_changed_and_shut_by_pages(
    tracker: Tracker, nordlys: Controller, login: Callable[..., Person]
) -> None:
    person = login()
    typed = {"name": "Dan", "email": "dan@example.dk", "role": "auditor", "language": "da", "password": PASSWORD}
    assert person.post("/settings/users", **typed | {"role": "king"}).status_code == 422
    assert person.post("/settings/users", **typed).status_code == 303
    assert person.post("/settings/users", **typed).status_code == 422
    dan = accounts.find(tracker.context, "dan@example.dk")
    assert person.get(f"/settings/users/{dan.id}").status_code == 200
    assert person.post(f"/settings/users/{dan.id}/role", role="responder").status_code == 303
    assert accounts.find(tracker.context, "dan@example.dk").grants == {nordlys.id: Role.RESPONDER}
    assert person.post(f"/settings/users/{dan.id}/password", password="kort").status_code == 422
    assert person.post(f"/settings/users/{dan.id}/disable", email="someone@example.dk").status_code == 422
    assert person.post(f"/settings/users/{dan.id}/disable", email="DAN@example.dk").status_code == 303
    assert accounts.find(tracker.context, "dan@example.dk").is_disabled
    assert person.post(f"/settings/users/{dan.id}/enable").status_code == 303


def test_ones_own_password_is_changed_and_the_page_stays_signed_in(login: Callable[..., Person]) -> None:
    person = login()
    before = person.browser.get_cookie(COOKIE)
    wrong = person.post("/settings/account/password", current="wrong", password="tre blå cykler i sneen")
    assert wrong.status_code == 422
    right = person.post("/settings/account/password", current=PASSWORD, password="tre blå cykler i sneen")
    assert right.status_code == 303
    after = person.browser.get_cookie(COOKIE)
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert person.get("/settings/account").status_code == 200


def test_posting_every_column_changes_only_what_the_form_asks_for(
    tracker: Tracker, nordlys: Controller, login: Callable[..., Person]
) -> None:
    person = login()
    skyhost = make_controller(tracker.context, "Skyhost A/S")
    extra = {
        "id": "99",
        "slug": "stolen",
        "reference_prefix": "EVIL-",
        "controller_id": str(skyhost.id),
        "user_id": "1",
        "role": "administrator",
        "epoch": "0",
        "disabled_at": "",
        "verified_at": "2020-01-01",
        "muted_at": "2020-01-01",
        "position": "1",
        "is_admin": "1",
    }
    kept = {"name": "Nordlys Holding", "sector": "private", "language": "da", "time_zone": "Europe/Copenhagen"}
    assert person.post("/settings/controller", **extra | kept).status_code == 303
    after = controllers.get(tracker.context, make_actor(nordlys), nordlys.id)
    assert (after.name, after.slug, after.reference_prefix) == ("Nordlys Holding", nordlys.slug, "")
    assert person.post("/on-call", **extra | {"name": "Ben", "phone": PHONES[0], "language": "da"}).status_code == 303
    (ben,) = on_call.listing(tracker.context, make_actor(nordlys), nordlys.id)
    assert (ben.controller_id, ben.verified, ben.muted, ben.user_id) == (nordlys.id, False, False, None)
    assert on_call.listing(tracker.context, make_actor(skyhost), skyhost.id) == []
    auditor = login(Role.AUDITOR)
    assert auditor.post("/settings/account/look", **extra | {"language": "en", "theme": ""}).status_code == 303
    user = accounts.find(tracker.context, f"auditor-{nordlys.id}@example.dk")
    assert (user.grants, user.language) == ({nordlys.id: Role.AUDITOR}, "en")


def test_settings_are_shown_without_a_secret(tracker: Tracker, login: Callable[..., Person]) -> None:
    page = login(Role.AUDITOR).get("/settings").text
    key = tracker.settings.master_key_file.read_text().strip()
    assert key not in page
    assert tracker.settings.public_url in page


def test_the_password_of_a_database_is_not_shown() -> None:
    assert installation._place("postgresql://ada:hush@db.example.dk:5432/tracker") == "db.example.dk/tracker"


def test_another_organisation_is_made_shown_and_left_again(nordlys: Controller, login: Callable[..., Person]) -> None:
    person = login()
    typed = {"name": "Skyhost A/S", "sector": "private", "language": "da", "time_zone": "Europe/Copenhagen"}
    assert person.post("/settings/controllers/new", **typed).status_code == 422
    made = person.post("/settings/controllers/new", **typed, reference_prefix="sky")
    assert (made.status_code, made.location) == (303, "/on-call")
    assert "<strong>Skyhost A/S</strong>" in person.get("/on-call").text
    assert person.get(f"/on-call?controller={nordlys.slug}").location == "/on-call"
    assert "<strong>Nordlys ApS</strong>" in person.get("/on-call").text
    person.get("/on-call?controller=somebody-elses")
    assert "<strong>Nordlys ApS</strong>" in person.get("/on-call").text


@pytest.fixture
def failing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Make putting someone on call fail in a way of the test's choice."""
    assert app

    def fail_with(error: Exception) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(on_call, "add", fail)

    return fail_with


def test_when_nothing_can_be_saved_what_was_typed_can_be_sent_again(
    login: Callable[..., Person], failing: Callable[[Exception], None]
) -> None:
    person = login()
    failing(NotSaved(why="the disk is full"))
    person.get("/settings?language=en")
    answer = person.post("/on-call", name="Clara & co", phone=PHONES[1], language="da")
    assert answer.status_code == 503
    assert "the disk is full" in answer.text
    assert "What you wrote is still here." in answer.text
    assert "Clara &amp; co" in answer.text
    assert 'action="/on-call"' in answer.text
    assert 'name="csrf_token"' in answer.text


def test_a_database_that_is_gone_is_said_without_a_trace_and_nothing_typed_is_lost(
    tracker: Tracker, login: Callable[..., Person]
) -> None:
    person = login()
    token = person.token("/on-call")
    assert tracker.context.database.file is not None
    tracker.context.database.file.rename(tracker.context.database.file.with_suffix(".away"))
    looked = person.get("/settings")
    answer = person.browser.post("/on-call", data={"csrf_token": token, "name": "Clara", "phone": PHONES[1]})
    assert (looked.status_code, answer.status_code) == (503, 503)
    assert "Clara" in answer.text
    assert "Traceback" not in answer.text
    assert person.get("/healthz").status_code == 200
    assert person.get("/readyz").status_code == 503


def test_an_accident_shows_no_trace_and_is_logged_once(
    login: Callable[..., Person], failing: Callable[[Exception], None], capsys: pytest.CaptureFixture[str]
) -> None:
    person = login()
    failing(RuntimeError("SELECT secret FROM people WHERE cpr = '010203-1234'"))
    person.get("/settings?language=en")
    capsys.readouterr()
    answer = person.post("/on-call", name="Clara", phone=PHONES[1], language="da")
    logged = capsys.readouterr().out
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "Clara" in answer.text
    for secret in ("SELECT", "010203", "Traceback", "RuntimeError", ".py"):
        assert secret not in answer.text
    assert logged.count("page_failed") == 1
    assert "010203" not in logged
    assert PHONES[1] not in logged


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize(("code", "method", "address"), [(404, "GET", "/nothing"), (405, "PUT", "/on-call")])
def test_what_does_not_work_is_said_in_both_languages(
    login: Callable[..., Person], language: str, code: int, method: str, address: str
) -> None:
    person = login()
    person.get(f"/settings?language={language}")
    answer = person.browser.open(address, method=method)
    assert answer.status_code == code
    assert f'<html lang="{language}"' in answer.text
    assert "<h1>" in answer.text


def test_a_body_one_byte_too_large_is_refused(login: Callable[..., Person]) -> None:
    person = login()
    answer = person.browser.post("/on-call", data=b"x" * (1_048_576 + 1), content_type="text/plain")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "' OR 1=1 --"]
)
def test_a_strange_name_stays_text(login: Callable[..., Person], name: str) -> None:
    person = login()
    assert person.post("/on-call", name=name, phone=PHONES[0], language="da").status_code == 303
    for address in ("/on-call", "/settings", "/on-call/1/remove"):
        page = person.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert ">49<" not in page
