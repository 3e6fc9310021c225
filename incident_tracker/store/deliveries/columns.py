"""The tables of the outbox as statements use them.

Statements say the state as a literal, so that its partial index is used; the plan tests look at it.
"""

from typing import Any, cast

from sqlalchemy import ColumnElement, Select, literal_column, select
from sqlalchemy import Table as SqlTable

from incident_tracker.store.deliveries.words import State
from incident_tracker.store.tables.outbox import AttemptRow, DeliveryRow

CHUNK = 500
"""How many ids a statement lists."""
OUT = cast("SqlTable", DeliveryRow.__table__)
TRIES = cast("SqlTable", AttemptRow.__table__)


def is_in(state: State) -> ColumnElement[bool]:
    """Return "is in this state", with the state as a literal."""
    return OUT.c.state == literal_column(f"'{state}'")


def taken(condition: Select[Any]) -> ColumnElement[bool]:
    """Return "is one of these rows, which nobody else holds"; PostgreSQL evaluates the locked part once."""
    return OUT.c.id.in_(select(condition.with_for_update(skip_locked=True).cte("taken").c.id))


HELD = tuple(
    OUT.c[name]
    for name in (
        "id",
        "controller_id",
        "contact_id",
        "purpose",
        "channel",
        "notifier",
        "local_only",
        "sealed",
        "valid_for",
        "rank",
        "not_before",
        "attempts",
        "possible_duplicate",
        "notice_id",
        "content_id",
    )
)
"""The columns of a Claimed, in its order."""
STANDING = (
    OUT.c.id,
    OUT.c.state,
    OUT.c.batch,
    OUT.c.attempts,
    OUT.c.contact_id,
    OUT.c.provider_id,
    OUT.c.reason,
)
