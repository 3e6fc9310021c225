"""Every address of the API, read from the API itself: a new one fails until it asks for a token and a scope."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask_openapi.openapi import OpenAPI
from sqlalchemy import select
from werkzeug.routing import Rule

from incident_tracker.api.app import create_api
from incident_tracker.api.gate import gate_of
from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import accounts, tokens
from incident_tracker.store.tables import Table
from tests.api.conftest import Program
from tests.makers import HandClock, make_controller, make_tracker, make_user

NOWHERE = "2031-9999"
OPEN = {"document.show"}
"""Addresses without a token; extend with a reason in the gate only."""


@pytest.fixture
def api(tracker: Tracker) -> OpenAPI:
    return create_api(tracker)


def _rules(api: OpenAPI) -> Iterator[tuple[Rule, str, str]]:
    for rule in api.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            with api.test_request_context():
                values = dict.fromkeys(rule.arguments, NOWHERE)
                address = api.url_map.bind("localhost").build(rule.endpoint, values, method=method)
            yield rule, method, str(address).removeprefix("/v1")


def _guarded(api: OpenAPI) -> list[tuple[str, str, str]]:
    return [
        (gate.scope, method, address)
        for rule, method, address in _rules(api)
        if (gate := gate_of(api, rule.endpoint)) is not None and gate.scope
    ]


def test_every_address_asks_for_a_scope_that_exists(api: OpenAPI) -> None:
    endpoints = {rule.endpoint for rule in api.url_map.iter_rules()}
    gates = {one: gate_of(api, one) for one in endpoints}
    assert not [one for one, gate in gates.items() if gate is None]
    assert {one for one, gate in gates.items() if gate is not None and gate.reason} == OPEN
    assert {gate.scope for gate in gates.values() if gate is not None and not gate.reason} <= set(SCOPES)


def test_every_address_demands_a_token(api: OpenAPI, tracker: Tracker, nordlys: Controller) -> None:
    stranger = Program(tracker)
    wrong = Program(tracker, f"itk_{'0' * 32}_{'A' * 43}")
    assert nordlys
    for _scope, method, address in _guarded(api):
        for one in (stranger, wrong):
            if one is wrong and address != "/incidents":
                continue  # a wrong token often: the next test
            problem = one.refused(401, method, address)
            assert problem["type"].endswith(":token-refused")


def test_a_token_opens_what_its_scopes_name_and_nothing_else(
    api: OpenAPI, program: Callable[..., Program], tracker: Tracker, nordlys: Controller
) -> None:
    owner = make_user(tracker.context, nordlys)
    for scope in SCOPES:
        holder = program(scope, user=owner)
        for wanted, method, address in _guarded(api):
            if wanted == scope:
                assert holder.ask(method, address).status_code not in (401, 403)
            else:
                answer = holder.ask(method, address)
                assert answer.json is not None
                assert answer.json["type"].endswith(":scope-is-missing"), (method, address)
                assert wanted in answer.json["detail"]
                assert f'scope="{wanted}"' in answer.headers["WWW-Authenticate"]


def test_every_scope_opens_something(api: OpenAPI) -> None:
    assert {scope for scope, _, _ in _guarded(api)} == set(SCOPES)


def test_without_named_scopes_a_token_may_only_read(api: OpenAPI, tracker: Tracker, nordlys: Controller) -> None:
    owner = make_user(tracker.context, nordlys)
    reader = Program(tracker, tokens.create(tracker.context, SHELL, owner_id=owner.id).written)
    for scope, method, address in _guarded(api):
        status = reader.ask(method, address).status_code
        assert (status == 403) == (not scope.endswith(":read")), (method, address, status)
        assert method == "GET" or status == 403


@pytest.mark.parametrize("end", ["revoked", "expired", "disabled"])
def test_a_token_that_has_ended_opens_nothing(
    end: str, tracker: Tracker, nordlys: Controller, clock: HandClock, program: Callable[..., Program]
) -> None:
    make_user(tracker.context, nordlys, email="ada@example.dk")
    owner = make_user(tracker.context, nordlys, Role.RESPONDER, "clara@example.dk")
    made = tokens.create(tracker.context, SHELL, owner_id=owner.id, days=3)
    holder = Program(tracker, made.written)
    holder.done("GET", "/incidents")
    if end == "revoked":
        tokens.revoke(tracker.context, SHELL, made.token.id)
    elif end == "expired":
        clock.advance(days=3)
    else:
        accounts.disable(tracker.context, SHELL, owner.id)
    assert program().done("GET", "/incidents")["items"] == []
    holder.refused(401, "GET", "/incidents")


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOmFkYQ==",
        "Bearer itk_",
        "Token {token}",
        "Bearer x{token}",
        "Bearer {token}x",
    ],
)
def test_what_is_no_token_opens_nothing(presented: str, siem: Program) -> None:
    header = presented.format(token=siem.token)
    Program(siem.tracker).refused(401, "GET", "/incidents", headers={"Authorization": header})


def test_wrong_tokens_are_slowed_down_and_good_ones_are_not(siem: Program, clock: HandClock) -> None:
    wrong = Program(siem.tracker, siem.token[:-1] + ("A" if siem.token[-1] != "A" else "B"))
    for _ in range(20):
        wrong.refused(401, "GET", "/incidents")
    answer = wrong.get("/incidents")
    while answer.status_code == 401:
        answer = wrong.get("/incidents")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    siem.done("GET", "/incidents")
    clock.advance(hours=2)
    wrong.refused(401, "GET", "/incidents")


def test_a_cookie_of_the_pages_opens_nothing_here(tracker: Tracker, nordlys: Controller) -> None:
    assert nordlys
    stranger = Program(tracker)
    stranger.refused(401, "GET", "/incidents", headers={"Cookie": "incident-tracker-sign-in=anything"})


def test_every_answer_says_how_it_may_be_kept_and_shown(api: OpenAPI, siem: Program) -> None:
    for _scope, method, address in [*_guarded(api), ("", "GET", "/nothing-here"), ("", "TRACE", "/incidents")]:
        answer = siem.ask(method, address)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in answer.headers
        assert answer.status_code < 500, (method, address, answer.text)


def test_another_host_name_is_refused(siem: Program) -> None:
    siem.refused(400, "GET", "/incidents", headers={"Host": "evil.example.org"})


def _rows(tracker: Tracker) -> dict[str, list[str]]:
    """Return every row of every table but those that note who looked, and when a token was last used."""
    with tracker.context.database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all()))
            for table in Table.metadata.sorted_tables
            if table.name not in ("access_log", "tokens")
        }


def test_reading_changes_nothing(api: OpenAPI, siem: Program, tracker: Tracker) -> None:
    reference = siem.open()
    before = _rows(tracker)
    for _scope, method, address in _guarded(api):
        if method == "GET":
            siem.get(address)
            siem.get(address.replace(NOWHERE, reference))
    assert _rows(tracker) == before


def test_a_token_notes_when_it_was_last_used_once_a_minute(siem: Program, tracker: Tracker, clock: HandClock) -> None:
    def used() -> datetime | None:
        return tokens.listing(tracker.context, SHELL)[0][0].last_used_at

    siem.done("GET", "/incidents")
    first = used()
    clock.advance(seconds=30)
    siem.done("GET", "/incidents")
    assert used() == first == clock() - timedelta(seconds=30)
    clock.advance(seconds=31)
    siem.done("GET", "/incidents")
    assert used() == clock()


def test_without_a_database_it_is_said_that_nothing_was_saved(siem: Program, tracker: Tracker) -> None:
    file = tracker.context.database.file
    assert file is not None
    file.rename(file.with_suffix(".gone"))
    answer = siem.post("/incidents", {"title": "x"})
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]


def test_over_https_the_browser_is_told_to_stay_there_and_other_names_are_refused(tmp_path: Path) -> None:
    tracker = make_tracker(tmp_path, server={"public_url": "https://brud.example.dk"})
    owner = make_user(tracker.context, make_controller(tracker.context))
    siem = Program(tracker, tokens.create(tracker.context, SHELL, owner_id=owner.id).written)
    answer = siem.get("/incidents", headers={"Host": "brud.example.dk"})
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    for host in ("localhost", "evil.example.org", "brud.example.dk.evil.example.org"):
        siem.refused(400, "GET", "/incidents", headers={"Host": host})
    tracker.close()
