"""The whole API against its own document, over real HTTP: schemathesis with all its checks finds nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from werkzeug.test import Client

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Controller
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import tokens
from incident_tracker.wsgi import create_wsgi
from tests.api.conftest import Program
from tests.api.serving import serving
from tests.makers import make_user
from tests.services.world import BEN, make_world

PHASES = {"examples", "coverage", "fuzzing", "stateful"}


@pytest.fixture
def served(tracker: Tracker, nordlys: Controller) -> Iterator[str]:
    assert nordlys
    with serving(tracker) as address:
        yield address


def _found(served: str, program: Program, *, examples: int, seed: int | None) -> tuple[list[str], set[str]]:
    """Return what schemathesis finds, and the phases that it went through."""
    settings: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {program.token}"},
        "generation": {"max-examples": examples, "database": "none"},
    }
    config = SchemathesisConfig.from_dict(settings | ({} if seed is None else {"seed": seed}))
    schema = schemathesis.openapi.from_url(f"{served}/api/openapi.json", config=config)
    found, phases = [], set()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.PhaseFinished) and event.status == engine.Status.SUCCESS:
            phases.add(event.phase.name.value.casefold())
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(getattr(event, "info", event)))
        if isinstance(event, events.ScenarioFinished):
            found += list(_failures(event))
    return found, phases


def _failures(event: events.ScenarioFinished) -> Iterator[str]:
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                told = check.failure_info
                yield f"{event.recorder.label} {check.name}: {told.failure}\n{told.code_sample}"


@pytest.fixture
def started(siem: Program) -> Program:
    """Give a program in a register where there is something to be read."""
    for title in ("Alle adresser i Cc", "Tabt laptop"):
        siem.open(title)
    return siem


@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(served: str, started: Program) -> None:
    found, phases = _found(served, started, examples=4, seed=1)
    assert not found, "\n\n".join(found[:5])
    assert phases >= PHASES


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_schemathesis_finds_nothing_in_a_long_run_on_either_database(tmp_path: Path, database_url: str) -> None:
    world = make_world(tmp_path, database_url)
    world.put_on_call(("Ben", BEN))
    owner = make_user(world.context, world.controller)
    program = Program(world.tracker, tokens.create(world.context, SHELL, owner_id=owner.id, scopes=SCOPES).written)
    for title in ("Alle adresser i Cc", "Tabt laptop"):
        program.open(title)
    with serving(world.tracker) as address:
        found, phases = _found(address, program, examples=200, seed=None)
    world.close()
    assert not found, "\n\n".join(found[:5])
    assert phases >= PHASES


def test_the_document_is_openapi_and_names_what_every_address_needs(tracker: Tracker) -> None:
    answer = Client(create_wsgi(tracker)).get("/api/openapi.json")
    assert answer.status_code == 200
    document = answer.json
    assert document is not None
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    for path in document["paths"].values():
        for method, operation in path.items():
            (security,) = operation["security"]
            assert set(security["token"]) <= set(SCOPES)
            assert operation["summary"]
            headers = {one["name"] for one in operation["parameters"] if one["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method == "post")
            assert {"401", "403", "422"} <= set(operation["responses"])


def test_the_document_holds_nothing_of_the_installation(siem: Program) -> None:
    siem.open("Hemmelig titel")
    text = Client(create_wsgi(siem.tracker)).get("/api/openapi.json").text
    assert "Hemmelig" not in text
    assert "Nordlys" not in text
