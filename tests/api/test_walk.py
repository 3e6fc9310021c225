"""The main walk of a breach, by a program alone, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tracker.domain.access import SHELL
from incident_tracker.domain.parties import Role
from incident_tracker.domain.tokens import SCOPES
from incident_tracker.services import outbox, people, suspicions, tokens
from tests.api.conftest import Program
from tests.makers import make_user
from tests.services.world import BEN, World, make_world

TEXTS = {"da": {"subject": "Om dine oplysninger", "body": "Kære {{name}}\n\nVi har sendt din adresse til andre."}}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = make_world(tmp_path, database_url)
    made.put_on_call(("Ben", BEN))
    yield made
    made.close()


@pytest.fixture
def siem(world: World) -> Program:
    owner = make_user(world.context, world.controller, Role.ADMINISTRATOR)
    return Program(world.tracker, tokens.create(world.context, SHELL, owner_id=owner.id, scopes=SCOPES).written)


def test_a_breach_is_opened_decided_assessed_reported_and_closed(world: World, siem: Program) -> None:
    reference = siem.open("Nyhedsbrev med alle adresser i Cc", what_happened="Sendt kl. 14", place="Mailsystemet")
    (alert,) = siem.done("GET", "/alerts")["items"]
    assert (alert["incident"], alert["state"]) == (reference, "open")
    assert siem.done("POST", f"/alerts/{alert['id']}/acknowledgement")["acknowledged_via"] == "api"
    assert siem.done("GET", "/alerts")["items"] == []
    at = "2026-11-20T13:30:00+01:00"
    incident = siem.done("POST", f"/incidents/{reference}/awareness", {"at": at, "reason": "Set i loggen"})
    duties = {one["duty"]: one for one in incident["obligations"]}
    assert duties["notify_authority"]["due_at"] == "2026-11-23T12:30:00Z"
    facts = {"description": "Alle adresser i Cc", "people_count": {"kind": "approximate", "low": 300, "high": 320.0}}
    scope = siem.done("PUT", f"/incidents/{reference}/scope", {"assessment": facts, "after_version": 0})
    assert (scope["version"], scope["assessment"]["people_count"]["high"]) == (1, 320)
    assert siem.done("PUT", f"/incidents/{reference}/scope", {"assessment": facts})["version"] == 1
    siem.done("POST", f"/incidents/{reference}/containment", {"at": "2026-11-20T14:00:00+01:00", "how": "Lukket"})
    draft = siem.done("GET", f"/incidents/{reference}/report/draft?language=en")
    assert draft["version"] == 1
    world.clock.advance(hours=2)
    filing = {
        "version": 1,
        "filed_at": "2026-11-20T14:30:00Z",
        "reference": "VIRK-1",
        "no_receipt_reason": "Virk gav ingen",
    }
    assert siem.done("POST", f"/incidents/{reference}/report/filed", filing)["digest"]
    (filed,) = siem.done("GET", f"/incidents/{reference}/report/filed")["items"]
    assert filed["filed_at"] == "2026-11-20T14:30:00Z"
    after = {one["duty"]: one["standing"] for one in siem.done("GET", f"/incidents/{reference}/obligations")["items"]}
    assert after["notify_authority"] == "met"
    siem.done("POST", f"/incidents/{reference}/notes", {"text": "Kunden har ringet"})
    kinds = [one["kind"] for one in siem.done("GET", f"/incidents/{reference}/journal")["items"]]
    assert kinds[0] == "incident_opened"
    assert {"became_aware", "scope_assessed", "report_filed", "note_added", "alert_acknowledged"} <= set(kinds)
    assert siem.done("GET", "/journal/verification")["result"] == "ok"


def test_a_false_alarm_is_settled_and_taken_up_again(siem: Program) -> None:
    reference = siem.open()
    settled = siem.done("POST", f"/incidents/{reference}/not-a-breach", {"reason": "Listen var en prøve"})
    assert settled["status"] == "not_a_breach"
    again = siem.done("POST", f"/incidents/{reference}/reopening", {"reason": "Den var ægte"})
    assert again["status"] == "suspected"
    problem = siem.refused(409, "POST", f"/incidents/{reference}/closing", {"reason": "Færdig"})
    assert problem["detail"]


def test_deliveries_are_followed_without_their_words(world: World, siem: Program) -> None:
    reference = siem.open("Alle adresser i Cc")
    world.tick()
    (line,) = siem.done("GET", f"/deliveries?incident={reference}")["items"]
    assert (line["to"], line["state"], line["purpose"]) == ("Ben", "accepted", "alert")
    assert line == siem.done("GET", f"/deliveries/{line['id']}")
    assert set(line) == set(outbox.as_json(outbox.listing(world.context, SHELL)[0]))
    assert siem.done("GET", "/deliveries?state=failed")["items"] == []
    assert "Svar OK" not in siem.get("/deliveries").text


def test_people_are_sent_as_csv_and_as_lines_of_json(siem: Program) -> None:
    reference = siem.open()
    csv = "navn;e-mail;sprog\nSøren Ågård;soren@example.dk;da\nUden adresse;;da\n".encode()
    read = siem.done("POST", f"/incidents/{reference}/people", data=csv, content_type="text/csv; charset=utf-8")
    people.wait(read["id"], 30)
    read = siem.done("GET", f"/incidents/{reference}/people/imports/{read['id']}")
    assert (read["state"], read["read"], read["accepted"], read["refused"]) == ("finished", 2, 1, 1)
    lines = (
        b'{"name": "Soeren", "email": "soren@example.dk"}\n\n{"name": "Eva; \\"E\\"", "email": "eva@example.dk"}\n'
    )
    read = siem.done("POST", f"/incidents/{reference}/people", data=lines, content_type="application/x-ndjson")
    people.wait(read["id"], 30)
    read = siem.done("GET", f"/incidents/{reference}/people/imports/{read['id']}")
    assert (read["accepted"], read["duplicates"], read["refused"]) == (1, 1, 0)
    assert siem.done("GET", f"/incidents/{reference}/people") == {"count": 2}


def test_a_refused_line_of_json_is_named_by_its_place(siem: Program) -> None:
    reference = siem.open()
    good, bad = b'{"name": "Eva\\nHansen", "email": "eva%d@example.dk"}\n', b'{"name": "Uden adresse"}\n'
    lines = good % 1 + b"\n" + bad + good % 2 + b"{}\n" + bad
    read = siem.done("POST", f"/incidents/{reference}/people", data=lines, content_type="application/x-ndjson")
    people.wait(read["id"], 30)
    listed = list(people.refused_rows(siem.tracker.context, SHELL, reference, read["id"], gettext=str))
    assert [one.partition(";")[0] for one in listed[1:]] == ["4", "7"]  # line 1 holds the heads that we put there


def test_a_notice_is_written_and_approved_by_people_only(siem: Program) -> None:
    reference = siem.open()
    notice = siem.done("POST", f"/incidents/{reference}/notices", {"texts": TEXTS, "channels": ["email"]})
    where = f"/notices/{notice['notice']}"
    assert notice == siem.done("GET", where)
    assert siem.done("GET", f"/incidents/{reference}/notices")["items"] == [notice]
    assert {one["id"] for one in siem.done("GET", f"{where}/checks")["items"]}
    assert siem.done("GET", f"{where}/status")["state"] == "draft"
    problem = siem.refused(403, "POST", f"{where}/approval")
    assert "second pair of eyes" in problem["detail"]
    assert siem.refused(409, "POST", f"{where}/sending")["type"].endswith("notice-is-not")
    assert siem.refused(409, "POST", f"{where}/pause", {"reason": ""})["type"].endswith("notice-is-not")


def test_a_scanner_tells_of_a_suspected_leak(world: World, siem: Program) -> None:
    told = {"what": "Åben mappe med kundelister", "where": "files.example.dk", "language": "da"}
    first = siem.done("POST", "/suspicions", told, key="scan-1")
    assert siem.done("POST", "/suspicions", told, key="scan-1") == first
    assert siem.done("POST", "/suspicions", told)["id"] != first["id"]
    assert suspicions.count_open(world.context, SHELL) == 2


def test_lists_are_read_in_parts_that_stay_where_they_are(siem: Program) -> None:
    references = [siem.open(f"Nummer {number}") for number in range(5)]
    first = siem.done("GET", "/incidents?limit=2")
    siem.open("Kom imellem")
    second = siem.done("GET", f"/incidents?limit=2&cursor={first['next']}")
    third = siem.done("GET", f"/incidents?limit=2&cursor={second['next']}")
    seen = [one["reference"] for part in (first, second, third) for one in part["items"]]
    assert seen == references[::-1]
    assert third["next"] is None
    assert [one["title"] for one in siem.done("GET", "/incidents?search=nummer+3")["items"]] == ["Nummer 3"]
    assert siem.done("GET", "/incidents?status=closed")["items"] == []
    deliveries = siem.done("GET", "/deliveries?limit=4")
    rest = siem.done("GET", f"/deliveries?limit=200&cursor={deliveries['next']}")
    ids = [one["id"] for one in deliveries["items"] + rest["items"]]
    assert len(set(ids)) == len(ids) == 6
    assert siem.refused(409, "GET", f"/incidents?cursor={deliveries['next']}")["type"].endswith("cursor-is-unknown")
