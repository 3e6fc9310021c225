"""What clock, board and lists ask is answered from indexes, on both databases, however full the register is.

The statements of the outbox are looked at in `tests/delivery/test_plans.py`.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.escalation import PlannedAlarm
from incident_tracker.store import alerts, controllers, heartbeats, incidents, journal, obligations
from incident_tracker.store.database import Database
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.tables.incidents import AlarmRow, AlertRow, IncidentRow, JournalRow, ObligationRow
from incident_tracker.store.tables.outbox import AlertDeliveryRow, DeliveryRow
from incident_tracker.store.tables.parties import ContactRow
from tests.delivery.test_plans import plans
from tests.delivery.world import START, World, make_world

Ask = Callable[[Session, World], object]

INCIDENTS = 1500
HOUR = timedelta(hours=1)
NORDLYS: Scope = frozenset({1})
BIG = "alarms|alerts|incidents|obligations|journal|deliveries|alert_deliveries|contacts"


def _incidents(world: World) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "controller_id": 1,
            "reference": f"2026-{number:04d}",
            "title": f"Hændelse {number}",
            "role": "controller",
            "status": "aware" if number % 50 == 0 else "closed",
            "is_open": number % 50 == 0,
            "exercise": False,
            "detected_at": world.clock(),
            "awareness_version": 1,
            "next_due_at": world.clock() + number * HOUR,
            "version": 1,
            "record_key": f"r{number}",
            "people_key": f"p{number}",
            "facts": b"",
            "created_at": world.clock(),
        }
        for number in range(2, INCIDENTS)
    ]


def _duty(world: World, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "controller_id": 1,
        "incident_id": number,
        "rule_id": "gdpr_33_1",
        "regime": "gdpr",
        "duty": "notify_authority",
        "addressee": "supervisory_authority",
        "article": "GDPR Art. 33(1)",
        "anchor_at": world.clock(),
        "anchor_version": 1,
        "due_at": world.clock() + 72 * HOUR,
    }


def _alarm(world: World, number: int, rung: int) -> dict[str, Any]:
    return {
        "id": number * 10 + rung,
        "controller_id": 1,
        "incident_id": number,
        "obligation_id": number,
        "rung": f"{rung}h",
        "anchor_version": 1,
        "occurrence": 0,
        "fire_at": world.clock() + (number - 10) * HOUR,
        "state": "planned" if number % 50 == 0 else "fired",
    }


def _alert(world: World, number: int) -> dict[str, Any]:
    return {
        "id": f"a{number:06d}",
        "controller_id": 1,
        "incident_id": number,
        "obligation_id": number,
        "kind": "reminder",
        "rung": "48h",
        "raised_at": world.clock(),
        "state": "open" if number % 100 == 0 else "acknowledged",
        "step": 0,
        "stepped_at": world.clock(),
        "next_step_at": world.clock() + number * HOUR if number % 100 == 0 else None,
    }


def _delivery(world: World, number: int) -> dict[str, Any]:
    return {
        "id": f"d{number:06d}",
        "controller_id": 1,
        "incident_id": number,
        "contact_id": 7 + number % 40,
        "purpose": "alert",
        "once": f"o{number}",
        "channel": "sms",
        "notifier": "postman",
        "rank": 0,
        "state": "delivered",
        "sealed": b"",
        "address_hash": b"",
        "not_before": world.clock(),
        "created_at": world.clock(),
        "sent_at": world.clock() + number * HOUR,
    }


def _entry(world: World, seq: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "recorded_at": world.clock(),
        "actor": "shell",
        "controller_id": 1,
        "incident_id": 2 + seq % (INCIDENTS - 2),
        "kind": "note_added",
        "key_id": "",
        "payload": b"",
        "previous_hash": b"",
        "hash": b"",
    }


def _contact(world: World, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "controller_id": 1,
        "position": number,
        "name": b"",
        "phone": b"",
        "phone_hash": number.to_bytes(4),
        "language": "da",
        "created_at": world.clock(),
    }


def load(session: Session, world: World) -> None:
    with contextlib.suppress(KeyIsGone):  # these rows hold nothing that could be opened
        incidents.load(session, world.keyring, "2026-0002", NORDLYS, lock=True)


@pytest.fixture
def full(database: Database) -> World:
    """Give a register in which most is over and done with."""
    world = make_world(database)
    numbers = range(2, INCIDENTS)
    told = [
        {"delivery_id": f"d{one:06d}", "alert_id": f"a{one:06d}", "controller_id": 1, "step": 0} for one in numbers
    ]
    with database.writing() as session:
        session.execute(insert(ContactRow), [_contact(world, number) for number in range(7, 47)])
        session.execute(insert(IncidentRow), _incidents(world))
        session.execute(insert(ObligationRow), [_duty(world, number) for number in numbers])
        session.execute(insert(AlarmRow), [_alarm(world, number, rung) for number in numbers for rung in range(7)])
        session.execute(insert(AlertRow), [_alert(world, number) for number in numbers])
        session.execute(insert(DeliveryRow), [_delivery(world, number) for number in numbers])
        session.execute(insert(AlertDeliveryRow), told)
        session.execute(insert(JournalRow), [_entry(world, seq) for seq in range(1, 6000)])
    with database.writing() as session:
        session.execute(text("ANALYZE"))
    return world


ASKED: dict[str, tuple[Ask, str]] = {
    "is anything due": (lambda session, _: obligations.any_due(session, START), "ix_alarms_due"),
    "is a step due": (lambda session, _: obligations.any_due(session, START), "ix_alerts_next_step"),
    "claim alarms": (lambda session, _: obligations.claim_due(session, START, 500), "ix_alarms_due"),
    "due one by one": (lambda session, _: obligations.due_obligations(session, START), "ix_alarms_due"),
    "overdue alarms": (lambda session, _: obligations.count_overdue_unsent(session, START), "ix_alarms_due"),
    "claim steps": (lambda session, _: alerts.claim_steps(session, START, 500), "ix_alerts_next_step"),
    "overdue steps": (lambda session, _: alerts.count_overdue_steps(session, START), "ix_alerts_next_step"),
    "steps too far ahead": (lambda session, _: alerts.bring_forward(session, START), "ix_alerts_next_step"),
    "alerts nobody was told of": (lambda session, _: alerts.any_untold(session, START), "ix_alerts_"),
    "older alerts of a duty": (lambda session, _: alerts.supersede(session, [100, 200], START), "ix_alerts_"),
    "end the alerts of an incident": (lambda session, _: alerts.end_for(session, 100, START), "ix_alerts_"),
    "alerts of an incident": (lambda session, _: alerts.of_incident(session, 100, NORDLYS), "ix_alerts_incident"),
    "open alerts": (lambda session, _: alerts.open_alerts(session, NORDLYS), "ix_alerts_open"),
    "any open alert": (lambda session, _: alerts.any_open(session), "ix_alerts_"),
    "newest message to a person": (
        lambda session, _: alerts.newest_told(session, [7], START + 9000 * HOUR, local=False),
        "ix_deliveries_contact",
    ),
    "what a person was told": (lambda session, _: alerts.open_told(session, [7], local=False), "alert_deliveries"),
    "answers in an hour": (
        lambda session, _: alerts.count_answers(session, 7, START),
        "ix_deliveries_contact|uq_deliveries_once",
    ),
    "unsent messages of alerts": (lambda session, _: alerts.any_unsent(session, START), "ix_alerts_"),
    "whom an alert told": (lambda session, _: alerts.told(session, "a000100", NORDLYS), "alert_deliveries"),
    "cancel what waits": (lambda session, _: alerts.cancel_messages(session, ["a000100"], START), "deliveries"),
    "the board": (lambda session, _: incidents.board(session, NORDLYS, 100), "ix_incidents_board"),
    "the counts of the board": (
        lambda session, _: incidents.tally(session, NORDLYS, START, (START + HOUR, START + 24 * HOUR)),
        "ix_incidents_board",
    ),
    "a page of the list": (lambda session, _: incidents.listing(session, NORDLYS), "incidents"),
    "the next page": (lambda session, _: incidents.listing(session, NORDLYS, after_id=700), "incidents"),
    "one incident": (load, "incidents"),
    "heads": (lambda session, _: incidents.heads(session, [100, 200]), "incidents"),
    "duties of incidents": (
        lambda session, world: obligations.of_incidents(session, world.keyring, [100, 200], NORDLYS),
        "obligations",
    ),
    "cancel alarms": (
        lambda session, _: obligations.cancel_alarms(session, [100]),
        "uq_alarms|sqlite_autoindex_alarms|ix_alarms_due",
    ),
    "planned alarms": (lambda session, _: obligations.planned_alarms(session, 100, NORDLYS), "ix_alarms_incident"),
    "plan alarms": (
        lambda session, world: obligations.plan_alarms(
            session,
            obligations.by_ids(session, world.keyring, [100])[100],
            [PlannedAlarm(START, "asked_4h")],
        ),
        "obligations",
    ),
    "who is on call": (lambda session, _: controllers.contact_ids_by_phone(session, [b"1"]), "contacts"),
    "last sign of life": (lambda session, _: heartbeats.last(session, START), "heartbeats"),
}


def test_clock_board_and_lists_ask_indexes(full: World) -> None:
    for what, (ask, index) in ASKED.items():
        plan = plans(full.database, lambda session, ask=ask: ask(session, full))  # type: ignore[misc]
        assert re.search(index, plan), f"{what}: {plan}"
        whole = re.search(rf"SCAN ({BIG})\b(?! USING)|Seq Scan on ({BIG})\b", plan)
        assert not whole, f"{what}: {plan}"


def test_the_journal_of_one_incident_is_found_by_its_index(full: World) -> None:
    def history(session: Session) -> object:
        return journal.of_incident(session, full.keyring, 1, NORDLYS, newest_first=True, limit=20)

    plan = plans(full.database, history)
    assert "ix_journal_incident" in plan, plan
    assert "USE TEMP B-TREE" not in plan, plan


def test_a_page_of_the_list_is_not_sorted(full: World) -> None:
    plan = plans(full.database, lambda session: incidents.listing(session, NORDLYS, after_id=700))
    assert not re.search(r"USE TEMP B-TREE|\bSort\b", plan), plan
