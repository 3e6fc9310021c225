"""The API as a program meets it: a tracker, everything it answers over HTTP, and programs with tokens."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller, Role
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import tokens
from incident_tracker.store.users import User
from incident_tracker.wsgi import create_wsgi
from tests.makers import HandClock, make_contact, make_controller, make_tracker, make_user

_numbers = itertools.count(1)
PROBLEM = "application/problem+json"


class Program:
    """A program with a token (or without one)."""

    def __init__(self, tracker: Tracker, token: str = "") -> None:
        self.tracker = tracker
        self.token = token
        self._door = Client(create_wsgi(tracker))

    def ask(self, method: str, address: str, *, key: str = "", **options: Any) -> TestResponse:
        """Ask for an address under /api/v1."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if key:
            headers["Idempotency-Key"] = key
        return self._door.open(f"/api/v1{address}", method=method, headers=headers, **options)

    def get(self, address: str, **options: Any) -> TestResponse:
        return self.ask("GET", address, **options)

    def post(self, address: str, body: Any = None, **options: Any) -> TestResponse:
        if body is not None:
            options["json"] = body
        return self.ask("POST", address, **options)

    def done(self, method: str, address: str, body: Any = None, **options: Any) -> Any:
        """Ask, see that it is done, and return what was answered."""
        answer = self.ask(method, address, **({"json": body} if body is not None else {}), **options)
        assert answer.status_code < 300, f"{method} {address}: {answer.status_code} {answer.text}"
        return answer.json

    def refused(self, status: int, method: str, address: str, body: Any = None, **options: Any) -> Any:
        """Ask, see that it is refused with this status as problem+json, and return the problem."""
        answer = self.ask(method, address, **({"json": body} if body is not None else {}), **options)
        assert answer.status_code == status, f"{method} {address}: {answer.status_code} {answer.text}"
        assert answer.mimetype == PROBLEM
        problem = answer.json
        assert problem is not None
        assert set(problem) == {"type", "title", "status", "detail", "errors"}
        assert problem["status"] == status
        return problem

    def open(self, title: str = "Alle adresser i Cc", **facts: Any) -> str:
        """Log a suspicion and return its reference."""
        reference: str = self.done("POST", "/incidents", {"title": title, **facts})["reference"]
        return reference


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tracker(tmp_path: Path, clock: HandClock) -> Iterator[Tracker]:
    made = make_tracker(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def nordlys(tracker: Tracker) -> Controller:
    made = make_controller(tracker.context)
    make_contact(tracker.context, made)
    return made


@pytest.fixture
def program(tracker: Tracker, nordlys: Controller) -> Callable[..., Program]:
    """Give a program a token of somebody, for Nordlys unless told otherwise; every scope if none is named."""

    def enter(
        *scopes: str, role: Role = Role.ADMINISTRATOR, controller: Controller | None = None, user: User | None = None
    ) -> Program:
        where = controller or nordlys
        owner = user or make_user(tracker.context, where, role, f"{role.value}-{next(_numbers)}@example.dk")
        made = tokens.create(tracker.context, SHELL, owner_id=owner.id, scopes=scopes or SCOPES)
        return Program(tracker, made.written)

    return enter


@pytest.fixture
def siem(program: Callable[..., Program]) -> Program:
    """Give a program that may do everything an administrator's program may."""
    return program()
