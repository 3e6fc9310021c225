"""The people affected: lists of them, as CSV or NDJSON, and how many there are."""

import csv
import io
from typing import Any

from flask import current_app, request
from pydantic import Field

from incident_tracker import rendering
from incident_tracker.api import current
from incident_tracker.api.answers import HowMany, PeopleImport
from incident_tracker.api.fields import OfIncident
from incident_tracker.api.paths import id_of, reference_of
from incident_tracker.api.problems import DoesNotFit
from incident_tracker.api.routes import address, noun
from incident_tracker.domain.facts import to_plain
from incident_tracker.services import people
from incident_tracker.services.people import Reading, Reason

pages = noun("people", "People")
_SCOPE = "people:write"
CSV, NDJSON = "text/csv", "application/x-ndjson"
PATIENCE = 5.0
"""Seconds that a request waits for its list to be read to the end; longer lists are asked about again."""
_MOST_COLUMNS = 60


class OfImport(OfIncident):
    """The list that an address names."""

    import_id: str = Field(description="The `id` that sending the list gave.")


@address(pages, "get", "/incidents/<reference>/people", scope=_SCOPE, answers=HowMany)
def count(path: OfIncident) -> dict[str, Any]:
    """Count the people on the list."""
    return {"count": people.count(current.context(), current.actor(), reference_of(path))}


@address(
    pages,
    "post",
    "/incidents/<reference>/people",
    scope=_SCOPE,
    answers=PeopleImport,
    status=202,
    takes=(CSV, NDJSON),
    large=True,
)
def send(path: OfIncident) -> tuple[dict[str, Any], int]:
    """Add people: CSV with a line of heads, or one JSON object a line (name, email, phone, language, own fields)."""
    context, actor, reference = current.context(), current.actor(), reference_of(path)
    plain = request.get_data()
    if request.mimetype == NDJSON:
        plain = _as_csv(plain)
    import_id = people.start(context, actor, reference, file_name="api.csv", pieces=[plain], size=len(plain))
    people.wait(import_id, PATIENCE)
    return _shape(people.one_import(context, actor, reference, import_id)), 202


@address(pages, "get", "/incidents/<reference>/people/imports/<import_id>", scope=_SCOPE, answers=PeopleImport)
def show(path: OfImport) -> dict[str, Any]:
    """Read how far a list is."""
    found = people.one_import(current.context(), current.actor(), reference_of(path), id_of(path.import_id))
    return _shape(found)


def _as_csv(plain: bytes) -> bytes:
    """Return lines of JSON as a list with heads: each line stands one further down than it was sent."""
    rows = [_row(number, line) if line.strip() else {} for number, line in enumerate(plain.splitlines(), 1)]
    heads = list(dict.fromkeys(head for row in rows for head in row))
    if len(heads) > _MOST_COLUMNS:
        raise DoesNotFit(("", "too_long", {"max_length": _MOST_COLUMNS}))
    out = io.StringIO()
    table = csv.DictWriter(out, heads, restval="", delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if heads:
        table.writeheader()
    for row in rows:
        if row:
            table.writerow(row)
        else:
            out.write("\r\n")
    return out.getvalue().encode()


def _row(number: int, line: bytes) -> dict[str, str]:
    place = f"line {number}"
    try:
        row = current_app.json.loads(line)
    except ValueError:
        raise DoesNotFit((place, "json", {})) from None
    if not isinstance(row, dict):
        raise DoesNotFit((place, "model_type", {}))
    said = {name: "" if value is None else value for name, value in row.items()}
    if not all(isinstance(value, str) and _storable(name) and _storable(value) for name, value in said.items()):
        raise DoesNotFit((place, "string_type", {}))
    return {name: " ".join(value.splitlines()) for name, value in said.items()}


def _storable(text: str) -> bool:
    """Return whether a text can be written at all: half a character cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _shape(one: Reading) -> dict[str, Any]:
    gettext = rendering.translations(current.language()).gettext
    return {
        "id": one.id,
        "state": one.state,
        "read": one.read,
        "accepted": one.accepted,
        "duplicates": one.duplicates,
        "refused": one.refused,
        "warned": one.warned,
        "started_at": to_plain(one.started_at),
        "finished_at": to_plain(one.finished_at),
        "trouble": Reason.say(one.trouble, gettext) if one.trouble else "",
    }
