"""The OpenAPI document, drawn up from what the addresses declare."""

from functools import cache
from typing import Any, cast

from flask import Blueprint, current_app
from flask_openapi.openapi import OpenAPI

from incident_tracker.api import gate
from incident_tracker.api.gate import Gate
from incident_tracker.domain.tokens import SCOPES

pages = Blueprint("document", __name__)
VERSION = "1"
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "Danish (da) or English (en), for the sentences of problems.",
    "schema": {"type": "string", "examples": ["da"]},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A name of your own for this request, new for each. Sent again within a day with the same key and"
    " content, it is carried out once and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def show() -> dict[str, Any]:
    """Show the document. It holds nothing of this installation, so that it may be read without a token."""
    return drawn_up(cast("OpenAPI", current_app))


pages.get("/openapi.json")(show)
gate.declare(show, Gate(reason="the document holds nothing of this installation"))


def about() -> dict[str, Any]:
    """Return what stands at the head of the document."""
    scopes = "\n".join(f"* `{name}`: {what}" for name, what in SCOPES.items())
    return {
        "title": "incident-tracker",
        "version": VERSION,
        "description": "Personal data breaches: the 72 hours, the alarms, the report and the proof. Times are UTC"
        f" with `Z`; times that are sent carry their offset.\n\nScopes of tokens:\n{scopes}",
        "license": {"name": "MIT", "identifier": "MIT"},
    }


@cache
def drawn_up(app: OpenAPI) -> dict[str, Any]:
    """Return the document, with what holds for every address."""
    document: dict[str, Any] = app.api_doc
    for path in document["paths"].values():
        for method, operation in path.items():
            own = [_without_null(one) for one in operation.get("parameters", [])]
            operation["parameters"] = own + ([_LANGUAGE, _KEY] if method == "post" else [_LANGUAGE])
    return document


def _without_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter of an address as it is: left out or written, never null."""
    kinds = parameter["schema"].get("anyOf", [])
    written = [one for one in kinds if one.get("type") != "null"]
    if len(written) == len(kinds):
        return parameter
    rest = {name: value for name, value in parameter["schema"].items() if name != "anyOf"}
    return parameter | {"schema": rest | written[0]}
