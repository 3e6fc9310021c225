"""The statements of the sending path use their partial indexes, on both databases."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.orm import Session

from incident_tracker.store import callbacks, deliveries, lanes
from incident_tracker.store.database import Database
from incident_tracker.store.deliveries import Term, of_notices
from incident_tracker.store.ids import new_ids
from incident_tracker.store.tables.outbox import CallbackRow, DeliveryRow, LaneRow
from tests.delivery.crowd import make_crowd
from tests.delivery.world import START, World

Act = Callable[[Session], object]


@pytest.fixture
def full(world: World) -> Database:
    """Give a database with many rows in every state, most of them finished long ago."""
    states = ["delivered"] * 20 + ["accepted", "pending", "sending", "in_doubt", "failed"]
    ids = new_ids(world.clock(), 5000)
    rows: list[dict[str, Any]] = [
        {
            "id": one,
            "controller_id": 1,
            "incident_id": 1,
            "purpose": "notice" if place % 3 else "alert",
            "once": f"o{place}",
            "channel": "sms",
            "notifier": "postman",
            "rank": 100,
            "state": states[place % len(states)],
            "sealed": b"",
            "address_hash": place.to_bytes(4),
            "not_before": world.clock(),
            "created_at": world.clock(),
            "lease_until": world.clock(),
            "look_up_at": world.clock(),
            "provider_id": f"SM{place}",
            "notice_id": 1 + place % 2 if place % 3 else None,
            "recipient_id": f"r{place // 2}" if place % 3 else None,
        }
        for place, one in enumerate(ids)
    ]
    told: list[dict[str, Any]] = [
        {
            "notifier": "postman",
            "kind": "status",
            "unique_key": f"u{place}",
            "received_at": world.clock(),
            "sealed": b"",
            "applied_at": world.clock() if place % 100 else None,
        }
        for place in range(5000)
    ]
    for notice in (1, 2):
        make_crowd(world, notice)
    with world.database.writing() as session:
        session.execute(insert(LaneRow).values(notifier="postman", paused_at=world.clock()))
        session.execute(insert(DeliveryRow), rows)
        session.execute(insert(CallbackRow), told)
    with world.database.writing() as session:
        session.execute(text("ANALYZE"))
    return world.database


def plans(database: Database, act: Act) -> str:
    """Return what the database means to do for each statement of an act, which is then taken back."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    lines: list[str] = []

    def explained(connection: Connection, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        other = connection.connection.cursor()
        other.execute(explain + sql, parameters)
        lines.extend(" ".join(str(part) for part in row) for row in other.fetchall())

    with database.writing() as session:
        connection = session.connection()
        if not database.is_sqlite:  # on a small table reading all of it is cheap; on a large one it is not
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        event.listen(connection, "before_cursor_execute", explained)
        act(session)
        session.rollback()
    return "\n".join(lines)


def claim(session: Session) -> None:
    deliveries.claim(session, "postman", "sms", size=20, term=Term("b", START, START))


def everything_of_a_notice(session: Session) -> None:
    of_notices.counts(session, frozenset({1}), [1, 2])
    of_notices.any_open(session, 1)
    of_notices.outcome_digest(session, 1)
    of_notices.reached(session, 1)
    of_notices.unreached(session, frozenset({1}), 1, limit=20)
    of_notices.ledger(session, frozenset({1}), 1, after="a")
    of_notices.ledger(session, None, 1, states=["failed"])
    of_notices.cancel_pending(session, 1, START, 20)
    for decision in of_notices.Decision:
        of_notices.settle_doubts(session, 1, decision, START, 20)


def known(session: Session) -> None:
    one = session.scalars(select(DeliveryRow.id).limit(1)).one()
    deliveries.known_to_provider(session, [one], START)


ACTS: dict[str, tuple[Act, str]] = {
    "claim": (claim, "ix_deliveries_pending"),
    "peek": (lambda session: deliveries.any_due(session, "postman", "sms", START), "ix_deliveries_pending"),
    "claim of a notice": (
        lambda session: deliveries.claim_of_notice(
            session, "postman", "sms", 1, size=20, term=Term("b", START, START)
        ),
        "ix_deliveries_notice_pending",
    ),
    "peek at notices": (
        lambda session: deliveries.any_due_of_notices(session, "postman", "sms", START),
        "ix_deliveries_notice",
    ),
    "reroute of notices": (
        lambda session: deliveries.reroute(session, "postman", "sms", "other", 2000),
        "ix_deliveries_notice",
    ),
    "routes": (deliveries.waiting_routes, "ix_deliveries_notice"),
    "open a lane": (lambda session: lanes.unpause(session, "postman", START), "ix_deliveries_notice"),
    "the numbers of a notice": (everything_of_a_notice, "ix_deliveries_notice"),
    "one recipient": (
        lambda session: of_notices.of_recipient(session, frozenset({1}), "r7"),
        "ix_deliveries_recipient",
    ),
    "reroute": (lambda session: deliveries.reroute(session, "postman", "sms", "other", 20), "ix_deliveries_pending"),
    "sweep": (lambda session: deliveries.expire(session, START, 20), "ix_deliveries_sending"),
    "settle": (
        lambda session: [
            deliveries.take_doubtful(session, START, START, 20, of_notices=one) for one in (False, True)
        ],
        "ix_deliveries_in_doubt",
    ),
    "poll": (
        lambda session: [
            deliveries.take_for_look_up(session, "postman", START, START, 20, of_notices=one) for one in (False, True)
        ],
        "ix_deliveries_accepted",
    ),
    "search": (known, "ix_deliveries_address"),
    "inbox": (lambda session: callbacks.waiting(session, "status", 0, 20), "ix_callbacks_waiting"),
    "their id": (
        lambda session: callbacks.by_provider_id(session, "postman", ["SM1", "SM2"]),
        "ix_deliveries_provider",
    ),
}


def test_the_sending_path_uses_its_partial_indexes(full: Database) -> None:
    for act, (run, index) in ACTS.items():
        plan = plans(full, run)
        assert index in plan, f"{act}: {plan}"
        whole = re.search(r"SCAN (deliveries|callbacks)\b(?! USING)|Seq Scan on (deliveries|callbacks)", plan)
        assert not whole, f"{act}: {plan}"


def test_results_are_written_without_reading_the_whole_table(full: Database) -> None:
    with full.reading() as session:
        ids = list(session.scalars(select(DeliveryRow.id).where(DeliveryRow.state == "sending").limit(20)))
    rows = [(one, "b", "accepted", START, "postman", "SM1", START, None, None, "", "") for one in ids]

    plan = plans(full, lambda session: deliveries.write_results(session, rows, if_mine=True))

    assert re.search(r"SEARCH deliveries USING INDEX sqlite_autoindex|pk_deliveries|ix_deliveries_sending", plan), (
        plan
    )
