"""Requests sent again under their key: done once, answered alike, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from incident_tracker.domain.access import SHELL
from incident_tracker.services import register, tokens
from incident_tracker.store.tables.outside import IdempotencyRow
from tests.api.conftest import Program
from tests.makers import in_threads, make_user
from tests.services.world import World, make_world

BODY = {"title": "Alle adresser i Cc"}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = make_world(tmp_path, database_url)
    yield made
    made.close()


def _program(world: World, email: str = "ada@example.dk") -> Program:
    owner = make_user(world.context, world.controller, email=email)
    scopes = ("incidents:read", "incidents:write")
    return Program(world.tracker, tokens.create(world.context, SHELL, owner_id=owner.id, scopes=scopes).written)


@pytest.fixture
def siem(world: World) -> Program:
    return _program(world)


def _count(world: World) -> int:
    return len(register.listing(world.context, SHELL))


def test_the_same_request_is_done_once_and_answered_alike(world: World, siem: Program) -> None:
    first = siem.post("/incidents", BODY, key="k1")
    again = siem.post("/incidents", BODY, key="k1")
    assert (first.status_code, first.json) == (again.status_code, again.json) == (201, first.json)
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _count(world) == 1


def test_a_note_is_written_once(world: World, siem: Program) -> None:
    reference = siem.open()
    for _ in range(3):
        siem.done("POST", f"/incidents/{reference}/notes", {"text": "Ringet"}, key="note-1")
    kinds = [one.kind for one in register.history(world.context, SHELL, reference)]
    assert kinds.count("note_added") == 1


def test_another_request_under_the_same_key_is_refused(world: World, siem: Program) -> None:
    reference = siem.open()
    siem.done("POST", "/incidents", BODY, key="k1")
    for address, body in (("/incidents", {"title": "Noget andet"}), (f"/incidents/{reference}/notes", {"text": "x"})):
        problem = siem.refused(409, "POST", address, body, key="k1")
        assert problem["type"].endswith("key-belongs-to-another")
    assert _count(world) == 2


def test_keys_of_two_tokens_are_two_keys(world: World, siem: Program) -> None:
    other = _program(world, "ben@example.dk")
    first, second = (one.done("POST", "/incidents", BODY, key="k1")["reference"] for one in (siem, other))
    assert first != second


def test_a_request_that_changed_nothing_leaves_its_key_free(siem: Program) -> None:
    siem.refused(422, "POST", "/incidents", {"titel": "x"}, key="k1")
    siem.refused(409, "POST", "/incidents", BODY | {"controller": None, "title": "  "}, key="k1")
    siem.refused(404, "POST", "/incidents/2026-0099/notes", {"text": "x"}, key="k1")
    siem.done("POST", "/incidents", BODY, key="k1")


def test_many_at_once_open_one_incident(world: World, siem: Program) -> None:
    answers: list[TestResponse] = []
    programs = [Program(world.tracker, siem.token) for _ in range(6)]
    in_threads(6, lambda number: answers.append(programs[number].post("/incidents", BODY, key="k1")))
    assert {one.status_code for one in answers} <= {201, 409}
    refused = [one for one in answers if one.status_code == 409]
    assert all(one.headers["Retry-After"] == "1" for one in refused)
    assert _count(world) == 1
    assert siem.post("/incidents", BODY, key="k1").headers["Idempotency-Replayed"] == "true"


def _cut_off(world: World) -> None:
    """Let every request have ended without an answer, as after a kill."""
    with world.context.database.writing() as session:
        session.execute(update(IdempotencyRow).values(status=None, answer=None))


def test_an_opening_that_was_cut_off_is_done_once_after_all(world: World, siem: Program) -> None:
    reference = siem.done("POST", "/incidents", BODY, key="k1")["reference"]
    _cut_off(world)
    assert siem.refused(409, "POST", "/incidents", BODY, key="k1")["type"].endswith("first-is-under-way")
    world.clock.advance(minutes=2)
    assert siem.done("POST", "/incidents", BODY, key="k1")["reference"] == reference
    assert _count(world) == 1


def test_the_same_key_and_words_after_a_day_are_another_incident(world: World, siem: Program) -> None:
    first = siem.done("POST", "/incidents", BODY, key="k1")["reference"]
    world.clock.advance(hours=25)
    assert siem.done("POST", "/incidents", BODY, key="k1")["reference"] != first


def test_of_another_act_that_was_cut_off_it_is_said_that_nobody_knows(world: World, siem: Program) -> None:
    reference = siem.open()
    siem.done("POST", f"/incidents/{reference}/notes", {"text": "Ringet"}, key="n")
    _cut_off(world)
    world.clock.advance(minutes=2)
    problem = siem.refused(409, "POST", f"/incidents/{reference}/notes", {"text": "Ringet"}, key="n")
    assert problem["type"].endswith("outcome-is-unknown")


def test_answers_are_sealed_and_kept_for_a_day(world: World, siem: Program) -> None:
    siem.done("POST", "/incidents", BODY, key="k1")
    with world.context.database.reading() as session:
        row = session.execute(select(IdempotencyRow)).scalar_one()
        assert row.answer is not None
        assert b"Cc" not in row.answer
    world.clock.advance(hours=24, minutes=1)
    siem.done("POST", "/incidents", BODY, key="k2")
    with world.context.database.reading() as session:
        assert session.execute(text("SELECT key FROM idempotency_keys")).scalars().all() == ["k2"]


@pytest.mark.parametrize("key", ["two words", "x" * 256, "æ"])
def test_a_key_that_is_none_is_refused(siem: Program, key: str) -> None:
    assert siem.refused(422, "POST", "/incidents", BODY, key=key)["errors"][0]["field"] == "Idempotency-Key"


def test_reading_takes_no_key(world: World, siem: Program) -> None:
    siem.done("GET", "/incidents", key="k1")
    with world.context.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one() == 0
