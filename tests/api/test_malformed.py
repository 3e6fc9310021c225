"""Requests that are malformed one way each; all meet the same register, and none of them changes it."""

from collections.abc import Iterator
from typing import Any

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import register, tokens
from tests.api.conftest import Program
from tests.makers import make_controller, make_tracker, make_user

OPENING = {"title": "Alle adresser i Cc"}
TWO_ENDS = {"kind": "exact", "low": 1, "high": 2}
KNOWN = "2026-0001"


@pytest.fixture(scope="module")
def siem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give a program on a register with one incident; it still has one at the end."""
    tracker = make_tracker(tmp_path_factory.mktemp("api"))
    owner = make_user(tracker.context, make_controller(tracker.context))
    made = Program(tracker, tokens.create(tracker.context, SHELL, owner_id=owner.id, scopes=SCOPES).written)
    assert made.open() == KNOWN
    yield made
    assert [one.reference for one in register.listing(tracker.context, SHELL)] == [KNOWN]
    tracker.close()


def _codes(problem: Any) -> dict[str, str]:
    return {one["field"]: one["code"] for one in problem["errors"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": 3}, "title"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\ud800"}, "title"),
        (OPENING | {"exercise": "true"}, "exercise"),
        (OPENING | {"exercise": 1}, "exercise"),
        (OPENING | {"role": "Controller"}, "role"),
        (OPENING | {"detected_at": "2026-11-20T13:00:00"}, "detected_at"),
        (OPENING | {"detected_at": "2026-11-20"}, "detected_at"),
        (OPENING | {"detected_at": 1_763_643_600}, "detected_at"),
        (OPENING | {"detected_at": "2026-13-20T13:00:00Z"}, "detected_at"),
        (OPENING | {"detected_at": "٢٠٢٦-11-20T13:00:00Z"}, "detected_at"),
        (OPENING | {"people_estimate": 300}, "people_estimate"),
        (OPENING | {"people_estimate": {"kind": "exact", "low": "3", "high": 3}}, "people_estimate.low"),
        (OPENING | {"people_estimate": {"kind": "exact", "low": 3.5, "high": 3.5}}, "people_estimate.low"),
        (OPENING | {"people_estimate": {"kind": "exact", "low": -1, "high": -1}}, "people_estimate.low"),
        (OPENING | {"people_estimate": {"kind": "exact", "low": True, "high": 1}}, "people_estimate.low"),
    ],
)
def test_what_does_not_fit_is_refused_beside_its_field(siem: Program, body: dict[str, Any], field: str) -> None:
    problem = siem.refused(422, "POST", "/incidents", body)
    assert field in _codes(problem)


@pytest.mark.parametrize(
    ("body", "field", "kind"),
    [
        (OPENING | {"detected_at": "2026-11-21T13:00:00Z"}, "detected_at", "time-is-in-future"),
        (OPENING | {"detected_at": "0001-01-01T00:00:00Z"}, "detected_at", "time-is-out-of-range"),
        (OPENING | {"detected_at": "2026-02-30T13:00:00Z"}, "detected_at", "date-does-not-exist"),
        ({"title": "   "}, "title", "text-is-missing"),
        ({"title": "a\x00b"}, "title", "text-has-forbidden-signs"),
        (
            OPENING | {"people_estimate": {"kind": "exact", "low": 1, "high": 2}},
            "people_estimate",
            "count-does-not-fit",
        ),
        (OPENING | {"people_estimate": {"kind": "tbd", "low": 1}}, "people_estimate", "count-does-not-fit"),
    ],
)
def test_what_the_facts_do_not_allow_is_refused_by_its_name(
    siem: Program, body: dict[str, Any], field: str, kind: str
) -> None:
    problem = siem.refused(409, "POST", "/incidents", body)
    assert _codes(problem) == {field: kind}
    assert problem["type"] == f"urn:incident-tracker:problem:{kind}"


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"{",
        b"{'title': 'x'}",
        b'{"title": "x", "title": "y"}',
        b'{"title": NaN}',
        b'{"title": "x", "people_estimate": {"kind": "exact", "low": 1e400, "high": 1}}',
        b'{"title": "\xe6"}',
        b"[" * 100_000,
        b'{"title": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_refused(siem: Program, plain: bytes) -> None:
    siem.refused(400, "POST", "/incidents", data=plain, content_type="application/json")


@pytest.mark.parametrize("plain", [b"[]", b"null", b"3", b'"{\\"title\\": \\"x\\"}"'])
def test_json_that_is_no_object_is_refused(siem: Program, plain: bytes) -> None:
    siem.refused(422, "POST", "/incidents", data=plain, content_type="application/json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_kind_of_content_is_refused(siem: Program, kind: str) -> None:
    siem.refused(415, "POST", "/incidents", data=b'{"title": "x"}', content_type=kind)


def test_what_is_too_large_is_refused_before_it_is_read(siem: Program) -> None:
    siem.refused(413, "POST", "/incidents", data=b" " * 1_100_000, content_type="application/json")
    siem.refused(413, "POST", f"/incidents/{KNOWN}/people", data=b"x" * 28_000_000, content_type="text/csv")


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1e1",
        "limit=-1",
        "limit=%D9%A1",
        "status=all",
        "id=1",
    ],
)
def test_an_address_that_asks_wrongly_is_refused(siem: Program, query: str) -> None:
    siem.refused(422, "GET", f"/incidents?{query}")


@pytest.mark.parametrize(
    "reference", ["2026-0099", "..", "2026-0001%00", "%F0%9F%98%80", "x" * 300, "%ED%A0%80", "' OR 1=1"]
)
def test_a_reference_that_is_none_is_not_found(siem: Program, reference: str) -> None:
    problem = siem.refused(404, "GET", f"/incidents/{reference}")
    assert problem["type"].endswith("not-found")
