import re
from collections.abc import Callable

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.services import tokens
from tests.makers import make_user
from tests.web.conftest import Person

PAGE = "/settings/tokens"
WRITTEN = re.compile(r"itk_[0-9a-f]{32}_[\w-]{43}")


def test_a_token_is_shown_once(login: Callable[..., Person], tracker: Tracker) -> None:
    ada = login()
    answer = ada.post(PAGE, PAGE, name="SIEM", scope=["alerts:read", "incidents:read"], expires_days="30")
    assert answer.status_code == 201
    (written,) = set(WRITTEN.findall(answer.text))
    assert tokens.resume(tracker.context, written, "127.0.0.1").scopes == {"alerts:read", "incidents:read"}
    page = ada.get(PAGE).text
    assert "SIEM" in page
    assert not WRITTEN.search(page)


def test_what_is_refused_stands_beside_its_field(login: Callable[..., Person]) -> None:
    ada = login()
    for typed in ({"name": ""}, {"name": "x", "expires_days": "4000"}, {"name": "x", "scope": "all"}):
        answer = ada.post(PAGE, PAGE, **typed)
        assert answer.status_code == 422
        assert "error-summary" in answer.text
        assert not WRITTEN.search(answer.text)


def test_a_token_is_revoked_by_its_owner_and_her_administrator_alone(
    login: Callable[..., Person], tracker: Tracker, nordlys: Controller
) -> None:
    owner = make_user(tracker.context, nordlys, Role.RESPONDER, "clara@example.dk", "Clara")
    made = tokens.create(tracker.context, SHELL, owner_id=owner.id, name="Skanner")
    dan = login(Role.AUDITOR)
    assert "Skanner" not in dan.get(PAGE).text
    where = f"{PAGE}/{made.token.id}/revoke"
    assert dan.post(where, PAGE).status_code == 404
    assert tokens.resume(tracker.context, made.written, "")
    ada = login()
    assert "Skanner" in ada.get(PAGE).text
    assert ada.post(where, PAGE).status_code == 303
    (listed, _), *_ = tokens.listing(tracker.context, SHELL)
    assert listed.revoked_at is not None
