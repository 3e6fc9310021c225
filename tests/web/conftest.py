"""Pages without a network: a tracker, its application, and people who are signed in."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.parties import Controller, OnCallContact, Role
from incident_tracker.services import sign_in
from incident_tracker.store import heartbeats
from incident_tracker.store.tables import Table
from incident_tracker.web.app import create_app
from tests.makers import HandClock, make_contact, make_controller, make_tracker, make_user

COOKIE = "incident-tracker-sign-in"
_UNCOUNTED = frozenset({"sessions", "access_log", "heartbeats"})
"""Tables that looking at a page may write: who looked, and when she was last here."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tracker(tmp_path: Path, clock: HandClock) -> Iterator[Tracker]:
    made = make_tracker(tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def app(tracker: Tracker) -> Flask:
    return create_app(tracker)


@pytest.fixture
def nordlys(tracker: Tracker) -> Controller:
    return make_controller(tracker.context)


@pytest.fixture
def ben(tracker: Tracker, nordlys: Controller) -> OnCallContact:
    return make_contact(tracker.context, nordlys)


class Person:
    """Somebody at a browser, with the tokens that its forms carry."""

    def __init__(self, browser: FlaskClient) -> None:
        self.browser = browser

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.browser.get(url, **options)

    def token(self, page: str) -> str:
        """Return the form token that a page holds."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page).text)
        assert found, f"{page} holds no form"
        return found[1]

    def post(self, url: str, page: str = "/settings/account", **typed: Any) -> TestResponse:
        """Send a form as the page `page` would, with its token."""
        return self.browser.post(url, data={"csrf_token": self.token(page), **typed})


@pytest.fixture
def stranger(app: Flask) -> Person:
    """Somebody who is not signed in."""
    return Person(app.test_client())


@pytest.fixture
def login(app: Flask, tracker: Tracker, nordlys: Controller) -> Callable[..., Person]:
    """Sign somebody in with a role, for Nordlys unless told otherwise."""

    def enter(role: Role = Role.ADMINISTRATOR, controller: Controller | None = None) -> Person:
        email = f"{role.value}-{(controller or nordlys).id}@example.dk"
        user = make_user(tracker.context, controller or nordlys, role, email, role.value.title())
        person = Person(app.test_client())
        person.browser.set_cookie(COOKIE, sign_in.begin(tracker.context, user.id))
        return person

    return enter


@pytest.fixture
def db_hash(tracker: Tracker) -> Callable[[], str]:
    """Return a digest over every row of every table, apart from those that looking may write."""

    def digest() -> str:
        summed = hashlib.sha256()
        with tracker.context.database.reading() as session:
            for table in Table.metadata.sorted_tables:
                if table.name in _UNCOUNTED:
                    continue
                rows = sorted(map(repr, session.execute(text(f"SELECT * FROM {table.fullname}"))))  # noqa: S608
                summed.update(f"{table.name} {rows}".encode())
        return summed.hexdigest()

    return digest


@pytest.fixture
def beating(tracker: Tracker) -> None:
    """Let the clock have given a sign of life just now."""
    with tracker.context.database.writing() as session:
        heartbeats.start(session, tracker.node, "0.1.0", tracker.context.now())
