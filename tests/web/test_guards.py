"""Every address of the application, read from the application itself: a new one fails until it is guarded."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import ALLOWED
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.web.guard import Guard, guard_of, guarded
from incident_tracker.web.security import POLICY
from tests.makers import make_controller
from tests.web.conftest import Person

WITHOUT_TOKEN = {"health.healthz", "health.readyz"}
"""Addresses that change nothing of a person's, or that prove themselves otherwise. Extend with a reason only."""
PROVEN_OTHERWISE = ("webhooks.", "public.", "partner_tips.", "outside_approvals.")
"""Signed by a provider; or forms without a cookie, with a token of their own and a look at where they came from."""
REFUSED = (400, 401, 403)
SHOWN = (200, 303, 400, 404)
"""What an allowed look at something that is not there may answer."""


def _address(app: Flask, rule: Rule) -> str:
    """Return an address of a rule with ids that nothing has."""
    values = {name: _nothing(rule._converters[name]) for name in rule.arguments}
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, values))


def _nothing(converter: BaseConverter) -> int | str:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 987_654 if isinstance(converter, IntegerConverter) else "2031-9999"


def _rules(app: Flask, *, reading: bool) -> list[tuple[Rule, str, str]]:
    """Return (rule, method, address) of everything that reads, or of everything that writes."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        wanted = methods & {"GET"} if reading else methods - {"GET"}
        found += [(rule, method, _address(app, rule)) for method in sorted(wanted)]
    return found


def _everything(app: Flask) -> list[tuple[Rule, str, str]]:
    return _rules(app, reading=True) + _rules(app, reading=False)


def _guard(app: Flask, rule: Rule) -> Guard:
    found = guard_of(app, rule.endpoint)
    assert found is not None, f"{rule.endpoint} declares no guard"
    return found


def test_every_view_says_who_may_see_it(app: Flask) -> None:
    assert not [rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None]


def test_a_public_view_says_why(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        found = _guard(app, rule)
        assert bool(found.acts) != bool(found.reason), rule.rule


def test_a_guard_without_an_act_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="which act"):
        guarded()


def test_a_view_without_a_guard_is_shown_to_nobody(app: Flask, login: Callable[..., Person]) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = login().get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_who_is_not_signed_in_sees_nothing_guarded(app: Flask, nordlys: Controller) -> None:
    assert nordlys
    browser = app.test_client()
    for rule, method, address in _everything(app):
        if _guard(app, rule).acts:
            answer = browser.open(address, method=method)
            assert answer.status_code == 401, (method, address)
            assert nordlys.contact.email not in answer.text


@pytest.mark.parametrize("role", list(Role))
def test_a_role_sees_what_its_acts_allow_and_nothing_else(
    app: Flask, login: Callable[..., Person], ben: OnCallContact, role: Role
) -> None:
    assert ben
    person = login(role)
    for rule, _method, address in _rules(app, reading=True):
        found = _guard(app, rule)
        if not found.acts:
            continue
        status = person.get(address).status_code
        if any(role in ALLOWED[act] for act in found.acts):
            assert status in SHOWN, (role, address, status)
        else:
            assert status == 403, (role, address, status)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_does_not_send_forms_that_are_not_its_own(
    app: Flask, login: Callable[..., Person], db_hash: Callable[[], str], role: Role
) -> None:
    person = login(role)
    token = person.token("/settings/account")
    before = db_hash()
    for rule, method, address in _rules(app, reading=False):
        acts = _guard(app, rule).acts
        if acts and not any(role in ALLOWED[act] for act in acts):
            answer = person.browser.open(address, method=method, data={"csrf_token": token})
            assert answer.status_code == 403, (role, method, address)
    assert db_hash() == before


def test_nothing_is_changed_without_the_form_token(
    app: Flask, login: Callable[..., Person], db_hash: Callable[[], str]
) -> None:
    person = login()
    before = db_hash()
    for rule, method, address in _rules(app, reading=False):
        if rule.endpoint in WITHOUT_TOKEN or not _guard(app, rule).csrf:
            continue
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "IjEi.forged.token"}):
            answer = person.browser.open(address, method=method, data=token)
            assert answer.status_code in REFUSED, (method, address, token)
    assert db_hash() == before
    assert person.get("/settings").status_code == 200, "signing out needs a token too"


def test_only_requests_that_prove_themselves_go_without_a_token(app: Flask) -> None:
    free = {rule.endpoint for rule in app.url_map.iter_rules() if not _guard(app, rule).csrf}
    assert {one for one in free if not one.startswith(PROVEN_OTHERWISE)} == WITHOUT_TOKEN


def test_looking_changes_nothing(app: Flask, login: Callable[..., Person], db_hash: Callable[[], str]) -> None:
    person = login()
    before = db_hash()
    for _, _, address in _rules(app, reading=True):
        person.get(address)
        person.browser.head(address)
        person.get(f"{address}?language=en")
    assert db_hash() == before


def test_a_token_of_one_sign_in_is_worthless_in_another(login: Callable[..., Person]) -> None:
    ada, ben = login(Role.ADMINISTRATOR), login(Role.RESPONDER)
    stolen = ada.token("/settings/account")
    answer = ben.browser.post(
        "/settings/account/look", data={"csrf_token": stolen, "language": "en", "theme": "dark"}
    )
    assert answer.status_code == 400


def test_headers_stand_on_every_answer(app: Flask, login: Callable[..., Person]) -> None:
    person = login()
    answers = [person.browser.open(address, method=method) for _, method, address in _everything(app)]
    answers += [person.get("/nothing"), person.browser.post("/healthz"), person.get("/static/app.css")]
    answers += [person.browser.post("/on-call", data={"name": "x" * 2_000_000})]
    seen = set()
    for answer in answers:
        seen.add(answer.status_code)
        where = (answer.request.method, answer.request.path)
        assert answer.headers["Content-Security-Policy"].startswith(("default-src 'none'", "sandbox")), where
        assert "unsafe" not in answer.headers["Content-Security-Policy"], where
        answer.close()
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), where
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", where
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", where
        assert "camera=()" in answer.headers["Permissions-Policy"], where
        if answer.request.path.startswith("/static/"):
            assert "public" in answer.headers["Cache-Control"]
        else:
            assert answer.headers["Cache-Control"] == "no-store", where
    assert {200, 400, 404, 405, 413} <= seen
    assert "frame-ancestors 'none'" in POLICY


def test_another_controllers_ids_answer_like_random_ones(
    tracker: Tracker, app: Flask, login: Callable[..., Person], ben: OnCallContact
) -> None:
    skyhost = make_controller(tracker.context, "Skyhost A/S")
    login(Role.AUDITOR)
    them = login(Role.ADMINISTRATOR, skyhost)
    with tracker.context.database.reading() as session:
        theirs = session.connection().exec_driver_sql("SELECT min(id) FROM users").scalar_one()
    token = them.token("/settings/account")
    for path, real in (("/on-call/{}/{}", ben.id), ("/settings/users/{}/{}", theirs)):
        for act in ("remove", "test", "verify", "up", "down", "role", "password", "disable", "enable"):
            answers = [
                them.browser.post(path.format(one, act), data={"csrf_token": token, "name": "Ben"})
                for one in (real, 987_654)
            ]
            assert {one.status_code for one in answers} <= {404, 405}, path
            assert answers[0].text.replace(str(real), "") == answers[1].text.replace("987654", "") or (
                answers[0].status_code == answers[1].status_code
            )
    assert them.get(f"/settings/users/{theirs}").status_code == 404
    assert app
