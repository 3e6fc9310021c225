"""How an address is declared: what it asks for stands in the gate and in the document, written once."""

from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel

from incident_tracker.api import gate
from incident_tracker.api.gate import Gate

View = TypeVar("View", bound=Callable[..., Any])
TOKEN = "token"  # noqa: S105 - the name of the way to sign in
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WRONG = {
    400: "The body is not JSON, or the request names another host.",
    401: "No token, or one that is wrong, revoked or expired, or whose owner's account is shut.",
    403: "The token lacks the scope, or its owner's role does not include this.",
    404: "It does not exist, or belongs to a controller that the owner does not serve.",
    405: "Not this way.",
    409: "It fits this document, and is refused as things stand; `type` says why.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "The request does not fit this document; `errors` names each field.",
    429: "Too many wrong tokens from this network.",
    503: "Nothing was saved; ask again.",
}
_OF_READING = (401, 403, 404, 405, 409, 422, 429, 503)


def noun(name: str, tag: str) -> APIBlueprint:
    """Return the addresses of a noun, to be filled."""
    return APIBlueprint(name, __name__, url_prefix="/v1", abp_tags=[{"name": tag}])


def address(
    pages: APIBlueprint,
    method: str,
    rule: str,
    *,
    scope: str,
    answers: type[BaseModel],
    status: int = 200,
    takes: tuple[str, ...] = (),
    large: bool = False,
    safe_again: bool = False,
) -> Callable[[View], View]:
    """Declare a view: its address, the scope it asks for, and the shape of its answer.

    `takes`: the kinds of content, where that is not JSON; `safe_again`: the service does the same thing once only.
    """

    def declare(view: View) -> View:
        hints = get_type_hints(view)
        wanted = takes or ((gate.JSON,) if "body" in hints else ())
        asks = frozenset(hints["query"].model_fields) if "query" in hints else frozenset()
        gate.declare(view, Gate(scope, "", wanted, asks, large, safe_again))
        codes = _OF_READING if method == "get" else tuple(_WRONG)
        wrong = {code: {"description": _WRONG[code], "content": _PROBLEM} for code in codes}
        options: dict[str, Any] = {}
        if takes:
            text = {"schema": {"type": "string"}}
            options["request_body"] = {"required": True, "content": dict.fromkeys(takes, text)}
        register = getattr(pages, method)(
            rule,
            responses={status: answers, **wrong},
            security=[{TOKEN: [scope]}],
            operation_id=f"{pages.name}_{view.__name__}",
            description=f"Scope: `{scope}`.",
            **options,
        )
        register(view)
        return view

    return declare
