"""What became of the lists of an incident, and the rows that were not taken over, as a file to repair."""

import csv
import io
from collections.abc import Callable, Collection, Iterator

from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import phrase
from incident_tracker.domain.people import harmless
from incident_tracker.services.context import Context
from incident_tracker.services.people.pieces import DUPLICATE, REFUSED, WARNING
from incident_tracker.services.people.reading import Reason
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import people_imports as readings
from incident_tracker.store.people_imports import Reading

LINE, WHY = phrase("line"), phrase("reason")
_KINDS = {REFUSED: phrase("Refused"), WARNING: phrase("Accepted"), DUPLICATE: phrase("Duplicate")}
_MARK = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""


def imports(context: Context, actor: Actor, reference: str) -> tuple[Reading, ...]:
    """Return the lists that were read into an incident, the newest first."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        return tuple(readings.of_incident(session, context.keyring, scope, loaded.id))


def with_refused(context: Context, actor: Actor, found: Collection[Reading]) -> frozenset[str]:
    """Return the ids of those readings that have rows to look at."""
    with context.database.reading() as session:
        ids = readings.with_refused(session, actor.scope_for(Act.READ), [one.id for one in found])
    return frozenset(ids)


def one_import(context: Context, actor: Actor, reference: str, import_id: str) -> Reading:
    """Return one reading of a list."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        return readings.get(session, context.keyring, scope, loaded.id, import_id)


def refused_rows(
    context: Context, actor: Actor, reference: str, import_id: str, *, gettext: Callable[[str], str]
) -> Iterator[str]:
    """Return the lines of a CSV file with every row that was not taken over, or not wholly; nothing if there is none.

    Each line says the line of the file, the reason in the words of `gettext`, and the cells as they were, made
    harmless for spreadsheets. The file can be repaired and read again.
    """
    found = one_import(context, actor, reference, import_id)
    return _lines(context, actor, found, gettext)


def _lines(context: Context, actor: Actor, found: Reading, gettext: Callable[[str], str]) -> Iterator[str]:
    after_id, first = 0, True
    while True:
        with context.database.reading() as session:
            after_id, some = readings.refused(session, context.keyring, actor.scope, found.id, after_id)
        if not some:
            return
        if first:
            yield _MARK + _line([gettext(LINE), gettext(WHY), *found.shape.get("heads", ())])
            first = False
        for row in some:
            why = f"{gettext(_KINDS[row['kind']])}: {Reason.say(row['why'], gettext)}"
            yield _line([str(row["line"]), why, *row["cells"]])


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return out.getvalue()
