from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import accounts, sign_in
from incident_tracker.web.app import create_app
from incident_tracker.web.security import safe_next
from tests.makers import PASSWORD, HandClock, make_controller, make_tracker, make_user
from tests.web.conftest import COOKIE, Person


@pytest.fixture
def ada(tracker: Tracker, nordlys: Controller) -> str:
    return make_user(tracker.context, nordlys).email


def _enter(person: Person, email: str, password: str = PASSWORD, target: str = "") -> TestResponse:
    url = f"/sign-in?next={target}" if target else "/sign-in"
    return person.post(url, page="/sign-in", email=email, password=password)


def _cookie(answer: TestResponse, name: str = COOKIE) -> str:
    return next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(f"{name}="))


def _replayed(app: Flask, secret: str) -> int:
    """Ask with a cookie that was kept. The client must not keep cookies itself, or it drops the header."""
    browser = app.test_client(use_cookies=False)
    return browser.get("/settings", headers={"Cookie": f"{COOKIE}={secret}"}).status_code


def test_the_right_password_leads_to_where_one_wanted_to_go(stranger: Person, ada: str) -> None:
    asked = stranger.get("/on-call?order=name")
    assert asked.status_code == 401
    assert 'action="/sign-in?next=/on-call?order%3Dname"' in asked.text
    answer = _enter(stranger, ada, target="/on-call%3Forder%3Dname")
    assert (answer.status_code, answer.location) == (303, "/on-call?order=name")
    assert stranger.get("/on-call").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//example.org",
        "/\\example.org",
        "\\\\example.org",
        "https:example.org",
        "https://example.org/",
        "javascript:alert(1)",
        "%2f%2fexample.org",
        "/\t/example.org",
        "/ok\r\nLocation: https://example.org",
        "///example.org",
        "",
    ],
)
def test_nobody_is_led_to_another_host(stranger: Person, ada: str, target: str) -> None:
    answer = stranger.browser.post(
        "/sign-in",
        query_string={"next": target},
        data={"csrf_token": stranger.token("/sign-in"), "email": ada, "password": PASSWORD},
    )
    assert (answer.status_code, answer.location) == (303, "/")
    assert safe_next(target) == "/"


def test_a_reporter_begins_where_suspicions_are_logged(
    tracker: Tracker, nordlys: Controller, stranger: Person
) -> None:
    clara = make_user(tracker.context, nordlys, Role.REPORTER, "clara@example.dk", "Clara")
    assert _enter(stranger, clara.email).location == "/incidents/new"


def test_unknown_people_and_wrong_passwords_get_the_same_page(stranger: Person, ada: str) -> None:
    pages = [_enter(stranger, email, "wrong wrong wrong") for email in (ada, "eda@example.dk")]
    assert [page.status_code for page in pages] == [422, 422]
    first, second = (page.text.replace("eda@", "ada@") for page in pages)
    token = 'name="csrf_token"'
    first_lines, second_lines = (
        [line for line in text.splitlines() if token not in line] for text in (first, second)
    )
    assert first_lines == second_lines
    assert "wrong wrong wrong" not in first


def test_too_many_failures_are_told_to_wait_and_nobody_else_is(app: Flask, stranger: Person, ada: str) -> None:
    codes = [_enter(stranger, ada, "wrong wrong wrong").status_code for _ in range(5)]
    assert codes == [422, 422, 422, 429, 429]
    answer = _enter(stranger, ada)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert _enter(Person(elsewhere), ada).status_code == 303


def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(stranger: Person, ada: str) -> None:
    token = stranger.token("/sign-in")
    codes = [
        stranger.browser.post(
            "/sign-in",
            data={"csrf_token": token, "email": ada, "password": "wrong wrong wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Host": "example.org"},
        ).status_code
        for number in range(5)
    ]
    assert codes[-1] == 429


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Person, ada: str) -> None:
    cookie = _cookie(_enter(stranger, ada))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_with_https_the_browser_itself_holds_the_cookies_to_this_host(tmp_path: Path) -> None:
    tracker = make_tracker(tmp_path, HandClock(), server={"public_url": "https://brud.example.dk"})
    ada = make_user(tracker.context, make_controller(tracker.context)).email
    browser = create_app(tracker).test_client()
    base = {"base_url": "https://brud.example.dk", "headers": {"Referer": "https://brud.example.dk/sign-in"}}
    page = browser.get("/sign-in", **base)
    token = page.text.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]
    answer = browser.post("/sign-in", data={"csrf_token": token, "email": ada, "password": PASSWORD}, **base)
    cookies = answer.headers.getlist("Set-Cookie") + page.headers.getlist("Set-Cookie")
    assert {one.split("=")[0] for one in cookies} == {"__Host-sign-in", "__Host-form"}
    assert all("Secure" in one and "HttpOnly" in one and "Path=/" in one for one in cookies)
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert browser.get("/sign-in", base_url="https://evil.example.org").status_code == 400
    assert browser.get("/sign-in", base_url="http://127.0.0.1:8072").status_code == 400
    assert browser.get("/healthz", base_url="http://127.0.0.1:8072").status_code == 200
    tracker.close()


def test_behind_a_trusted_proxy_its_word_on_where_people_are_counts(tmp_path: Path) -> None:
    server = {"public_url": "https://brud.example.dk", "trusted_proxies": 1}
    tracker = make_tracker(tmp_path, HandClock(), server=server)
    ada = make_user(tracker.context, make_controller(tracker.context)).email
    browser = create_app(tracker).test_client()

    def enter(address: str, password: str) -> int:
        proxied = {
            "X-Forwarded-For": f"198.51.100.99, {address}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "brud.example.dk",
            "Referer": "https://brud.example.dk/sign-in",
        }
        page = browser.get("/sign-in", base_url="https://inner.example.dk", headers=proxied)
        token = page.text.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]
        typed = {"csrf_token": token, "email": ada, "password": password}
        return browser.post("/sign-in", base_url="https://inner.example.dk", headers=proxied, data=typed).status_code

    assert [enter("192.0.2.1", "wrong wrong wrong") for _ in range(4)] == [422, 422, 422, 429]
    assert enter("192.0.2.2", PASSWORD) == 303
    tracker.close()


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1"])
def test_a_foreign_host_name_is_refused(app: Flask, host: str) -> None:
    assert app.test_client().get("/sign-in", base_url=f"http://{host}").status_code == 400


def test_a_cookie_from_before_signing_in_is_worth_nothing_after(app: Flask, stranger: Person, ada: str) -> None:
    stranger.browser.set_cookie(COOKIE, "planted-by-somebody-else")
    secret = _cookie(_enter(stranger, ada)).split("=", 1)[1].split(";")[0]
    assert secret != "planted-by-somebody-else"
    assert _replayed(app, "planted-by-somebody-else") == 401
    assert _replayed(app, secret) == 200


def test_signing_in_again_ends_the_sign_in_before(app: Flask, stranger: Person, ada: str) -> None:
    first = _cookie(_enter(stranger, ada)).split("=", 1)[1].split(";")[0]
    _enter(stranger, ada)
    assert _replayed(app, first) == 401


def test_a_cookie_kept_from_before_signing_out_is_worth_nothing(app: Flask, login: Callable[..., Person]) -> None:
    person = login()
    kept = person.browser.get_cookie(COOKIE)
    assert kept is not None
    assert _replayed(app, kept.value) == 200
    token = person.token("/settings/account")
    answer = person.browser.post("/sign-out", data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert _replayed(app, kept.value) == 401
    assert person.get("/settings").status_code == 401


def test_a_form_cookie_kept_from_before_signing_out_opens_no_form(
    app: Flask, tracker: Tracker, login: Callable[..., Person]
) -> None:
    person = login()
    token = person.token("/settings/account")
    form_cookie = person.browser.get_cookie("incident-tracker-form")
    assert form_cookie is not None
    person.browser.post("/sign-out", data={"csrf_token": token})
    user = accounts.find(tracker.context, "administrator-1@example.dk")
    fresh = app.test_client()
    fresh.set_cookie(COOKIE, sign_in.begin(tracker.context, user.id))
    fresh.set_cookie("incident-tracker-form", form_cookie.value)
    answer = fresh.post("/settings/account/look", data={"csrf_token": token, "language": "en", "theme": ""})
    assert answer.status_code == 400


def test_a_shut_account_is_out_at_its_next_page(tracker: Tracker, login: Callable[..., Person]) -> None:
    ada, ben = login(), login(Role.RESPONDER)
    assert ben.get("/on-call").status_code == 200
    user = accounts.find(tracker.context, "responder-1@example.dk")
    answer = ada.post(f"/settings/users/{user.id}/disable", email="responder-1@example.dk")
    assert answer.status_code == 303
    assert ben.get("/on-call").status_code == 401


def test_idle_and_absolute_limits_hold_for_pages(login: Callable[..., Person], clock: HandClock) -> None:
    idle, busy = login(Role.AUDITOR), login()
    for _ in range(23):
        clock.advance(minutes=30)
        assert busy.get("/settings").status_code == 200
    assert idle.get("/settings").status_code == 401
    clock.advance(minutes=30)
    assert busy.get("/settings").status_code == 401


def test_what_was_typed_stands_on_the_page_when_the_sign_in_has_ended(
    login: Callable[..., Person], clock: HandClock
) -> None:
    person = login()
    token = person.token("/on-call")
    clock.advance(hours=2)
    typed = {"name": "Clara på <vagt>", "phone": "32 12 34 56", "password": "never shown", "csrf_token": token}
    answer = person.browser.post("/on-call", data=typed)
    assert answer.status_code == 401
    assert "Clara på &lt;vagt&gt;" in answer.text
    assert "32 12 34 56" in answer.text
    assert "never shown" not in answer.text
    assert token not in answer.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("da-DK,da;q=0.9", "da"), ("en-GB", "en"), ("fr", "da"), ("", "da"), ("de,en;q=0.5", "en")],
)
def test_a_page_speaks_the_language_of_the_browser(stranger: Person, accepted: str, language: str) -> None:
    assert f'<html lang="{language}"' in stranger.get("/sign-in", headers={"Accept-Language": accepted}).text


def test_a_language_chosen_by_the_link_stays_and_leaves_the_address(stranger: Person) -> None:
    answer = stranger.get("/sign-in?next=/on-call&language=en")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=%2Fon-call")
    assert '<html lang="en"' in stranger.get("/sign-in", headers={"Accept-Language": "da"}).text
    stranger.get("/sign-in?language=xx")
    assert '<html lang="en"' in stranger.get("/sign-in").text


def test_light_and_dark_are_kept_with_the_account(login: Callable[..., Person], stranger: Person) -> None:
    person = login()
    answer = person.browser.post(
        "/look/theme",
        data={"csrf_token": person.token("/settings/account"), "theme": "dark"},
        headers={"Referer": "http://localhost/on-call"},
    )
    assert answer.location == "/on-call"
    assert 'data-theme="dark"' in person.get("/settings").text
    away = person.browser.post(
        "/look/theme",
        data={"csrf_token": person.token("/settings/account"), "theme": "pink"},
        headers={"Referer": "https://example.org/on-call"},
    )
    assert away.location == "/"
    assert "data-theme" not in person.get("/settings").text.split("<body")[0].split("<head")[0]
    assert stranger.get("/sign-in").status_code == 200
