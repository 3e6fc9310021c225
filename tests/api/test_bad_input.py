"""What programs send wrongly: refused beside the field, without a word of it in the answer or the log."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Role
from incident_tracker.services import register
from incident_tracker.store.tables import Table
from tests.api.conftest import Program
from tests.makers import PHONES, make_contact, make_controller

CPR = "010190-1234"
OPENING = {"title": "Alle adresser i Cc"}
LINES = "application/x-ndjson"


def _codes(problem: Any) -> dict[str, str]:
    return {one["field"]: one["code"] for one in problem["errors"]}


def test_nothing_that_was_sent_is_said_back_or_logged(
    siem: Program, caplog: pytest.LogCaptureFixture, tracker: Tracker
) -> None:
    caplog.set_level(logging.DEBUG)
    reference = siem.open()
    wrong: list[tuple[str, str, Any]] = [
        ("POST", "/incidents", {"title": {"x": CPR}}),
        ("POST", "/incidents", {"title": "x", CPR: "y"}),
        ("POST", "/incidents", {"title": "x", "role": CPR}),
        ("POST", "/incidents", {"title": "x", "detected_at": CPR}),
        ("POST", "/incidents", {"title": "x", "controller": CPR}),
        ("PUT", f"/incidents/{reference}/scope", {"assessment": {"affected_countries": [CPR]}}),
        ("PUT", f"/incidents/{reference}/scope", {"assessment": {"severity": CPR}}),
        ("GET", f"/incidents/{CPR}", None),
        ("GET", f"/incidents?status={CPR}", None),
        ("GET", f"/incidents?{CPR}=1", None),
        ("GET", f"/incidents?controller={CPR}", None),
        ("GET", f"/deliveries?incident={CPR}", None),
        ("POST", f"/incidents/{reference}/notices", {"texts": {"da": {"subject": CPR, "body": f"{{{{{CPR}}}}}"}}}),
        ("POST", f"/alerts/{CPR}/acknowledgement", None),
    ]
    with capture_logs() as logged:
        for method, address, body in wrong:
            for language in ("da", "en"):
                sent = {"json": body} if body is not None else {}
                answer = siem.ask(method, address, headers={"Accept-Language": language}, **sent)
                assert 400 <= answer.status_code < 500, (method, address, answer.text)
                assert CPR not in answer.text, answer.text
                assert CPR not in str(answer.headers)
        for line in (f"{CPR}".encode(), f'{{"name": 3, "x": "{CPR}"}}'.encode()):
            answer = siem.ask(
                "POST", f"/incidents/{reference}/people", data=line, content_type="application/x-ndjson"
            )
            assert CPR not in answer.text
    assert CPR not in str(logged) + caplog.text
    assert siem.token not in str(logged) + caplog.text + repr(tracker.settings)


def test_sentences_are_danish_or_english_as_the_program_accepts(siem: Program) -> None:
    for accepted, said in (("da", "Skriv tidspunktet"), ("en", "Write the time"), ("de", "Write the time")):
        body = OPENING | {"detected_at": "i går"}
        problem = siem.refused(422, "POST", "/incidents", body, headers={"Accept-Language": accepted})
        assert problem["errors"][0]["detail"].startswith(said)


def _foreign_names() -> list[str]:
    return sorted({column.name for table in Table.metadata.tables.values() for column in table.c})


def test_no_column_can_be_written_that_the_document_does_not_name(siem: Program) -> None:
    known = {"title", "what_happened", "detected_at", "role", "place", "exercise"}
    for name in sorted(set(_foreign_names()) - known):
        problem = siem.refused(422, "POST", "/incidents", OPENING | {name: 1})
        assert _codes(problem) == {name: "extra_forbidden"}, name
    assert siem.done("GET", "/incidents")["items"] == []


def test_what_belongs_to_another_controller_is_answered_like_what_is_not_there(
    siem: Program, program: Callable[..., Program], tracker: Tracker
) -> None:
    other = make_controller(tracker.context, "Sydlys ApS")
    make_contact(tracker.context, other, "Clara", PHONES[1])
    theirs = program(controller=other)
    reference = theirs.open("Deres hændelse")
    notice = theirs.done(
        "POST",
        f"/incidents/{reference}/notices",
        {"texts": {"da": {"subject": "Om", "body": "Tekst"}}, "channels": ["email"]},
    )["notice"]
    mine = siem.open("Min hændelse")
    assert [one["reference"] for one in siem.done("GET", "/incidents")["items"]] == [mine]
    assert siem.done("GET", f"/incidents?search={reference}")["items"] == []
    siem.refused(404, "GET", f"/incidents?controller={other.slug}")
    siem.refused(404, "POST", "/incidents", OPENING | {"controller": other.slug})
    siem.refused(404, "POST", "/suspicions", {"what": "x", "controller": other.slug})
    at = {"at": "2026-11-20T12:00:00Z"}
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/incidents/{}", None),
        ("GET", "/incidents/{}/obligations", None),
        ("GET", "/incidents/{}/scope", None),
        ("GET", "/incidents/{}/scope/versions", None),
        ("PUT", "/incidents/{}/scope", {"assessment": {"description": "x"}}),
        ("GET", "/incidents/{}/journal", None),
        ("GET", "/incidents/{}/report/draft", None),
        ("GET", "/incidents/{}/report/filed", None),
        ("GET", "/incidents/{}/people", None),
        ("GET", "/incidents/{}/notices", None),
        ("POST", "/incidents/{}/notes", {"text": "x"}),
        ("POST", "/incidents/{}/awareness", at | {"reason": "x"}),
        ("POST", "/incidents/{}/containment", at | {"how": "x"}),
        ("POST", "/incidents/{}/closing", {"reason": "x"}),
        ("POST", "/incidents/{}/reopening", {"reason": "x"}),
        ("POST", "/incidents/{}/not-a-breach", {"reason": "x"}),
        ("GET", "/deliveries?incident={}", None),
    ]
    asked_of_notice = [("GET", f"/notices/{{}}{rest}", None) for rest in ("", "/status", "/checks")]
    asked_of_notice += [("POST", f"/notices/{{}}{rest}", None) for rest in ("/approval", "/sending")]
    both = [(asked, reference, "2031-0001"), (asked_of_notice, str(notice), "987654")]
    for addresses, real, random in both:
        for method, address, body in addresses:
            found = siem.refused(404, method, address.format(real), body)
            assert found == siem.refused(404, method, address.format(random), body), address
    (alert,) = theirs.done("GET", "/alerts")["items"]
    siem.refused(404, "POST", f"/alerts/{alert['id']}/acknowledgement")
    (delivery,) = theirs.done("GET", "/deliveries")["items"]
    siem.refused(404, "GET", f"/deliveries/{delivery['id']}")
    assert len(register.history(tracker.context, SHELL, reference)) == 3


@pytest.mark.parametrize(
    ("role", "may_read", "may_open", "may_work", "may_decide"),
    [
        (Role.REPORTER, False, True, False, False),
        (Role.AUDITOR, True, False, False, False),
        (Role.RESPONDER, True, True, True, False),
        (Role.DECISION_MAKER, True, True, True, True),
    ],
)
def test_a_token_may_no_more_than_its_owner(
    role: Role,
    *,
    may_read: bool,
    may_open: bool,
    may_work: bool,
    may_decide: bool,
    siem: Program,
    program: Callable[..., Program],
) -> None:
    reference = siem.open()
    holder = program(role=role)

    def done(method: str, address: str, body: Any = None) -> bool:
        return holder.ask(method, address, **({"json": body} if body is not None else {})).status_code < 300

    assert done("GET", f"/incidents/{reference}") is may_read
    assert done("GET", f"/incidents/{reference}/journal") is may_read
    assert done("GET", "/journal/verification") is may_read
    assert done("POST", "/incidents", OPENING) is may_open
    assert done("POST", "/suspicions", {"what": "Set i loggen"}) is may_open
    assert done("POST", f"/incidents/{reference}/notes", {"text": "x"}) is may_work
    assert done("POST", f"/incidents/{reference}/not-a-breach", {"reason": "x"}) is may_decide
