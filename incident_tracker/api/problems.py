"""What is answered when something is refused or fails: problem+json (RFC 9457), without a word of what was sent."""

import json
import re
import secrets
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from incident_tracker import rendering
from incident_tracker.api import current
from incident_tracker.domain.errors import NotAllowed, NotFound, Refusal, TextIsMissing, TextIsTooLong, phrase
from incident_tracker.domain.tokens import ScopeIsMissing
from incident_tracker.services.attachments import AttachmentIsTooLarge
from incident_tracker.services.idempotency import FirstIsUnderWay
from incident_tracker.services.tokens import TokenRefused, TokenSlowedDown
from incident_tracker.services.trouble import NotSaved

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger()
_URN = "urn:incident-tracker:problem:"
_HIDDEN = "…"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}", re.ASCII)
_TITLES: Mapping[int, str] = {
    400: phrase("This could not be understood"),
    401: phrase("A token is needed"),
    403: phrase("Not allowed"),
    404: phrase("There is nothing here"),
    405: phrase("This cannot be done here"),
    409: phrase("Refused as things stand"),
    413: phrase("This is too large"),
    415: phrase("Another kind of content is needed"),
    422: phrase("The request does not fit the API document"),
    429: phrase("Too many tries"),
    500: phrase("Something went wrong here"),
    503: phrase("Not saved"),
}
_DETAILS: Mapping[int, str] = {
    400: phrase("The body is not JSON as RFC 8259 has it, or the request names another host."),
    404: phrase("Check the address or the reference."),
    405: phrase("Look into the API document for what can be done at this address."),
    413: phrase("The body is larger than this address takes."),
    415: phrase("Look into the API document for what this address takes, and name it in Content-Type."),
    500: phrase("It is not your fault, and it was written down."),
}
_STATUSES: tuple[tuple[type[Refusal], int], ...] = (
    (NotFound, 404),
    (TokenRefused, 401),
    (ScopeIsMissing, 403),
    (NotAllowed, 403),
    (TokenSlowedDown, 429),
    (NotSaved, 503),
    (AttachmentIsTooLarge, 413),
)
"""What is refused for another reason than how things stand (409)."""
_TEXT = phrase("Write a text.")
_WHOLE = phrase("Write a whole number within the limits of the API document.")
_LIST = phrase("Write a list.")
_UNFIT = phrase("This does not fit the API document.")
_MISTAKES: Mapping[str, str] = {
    "missing": phrase("This is missing."),
    "extra_forbidden": phrase("This is not known here. Check the spelling."),
    "repeated": phrase("This may stand only once."),
    "json": phrase("This line is not JSON."),
    "time": phrase("Write the time with its offset, for example 2026-11-22T21:15:00+01:00."),
    "string_too_short": TextIsMissing.message,
    "string_too_long": phrase("This is too long: at most %(max_length)s characters."),
    "literal_error": phrase("Choose one of: %(expected)s."),
    "bool_type": phrase("Write true or false."),
    "list_type": _LIST,
    "too_long": phrase("This holds too many items: at most %(max_length)s."),
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "model_type": phrase("Write an object with the fields of the API document."),
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing", "greater_than_equal", "less_than_equal"), _WHOLE),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field: a stable word for programs, and a sentence for people."""

    field: str
    code: str
    detail: str


class DoesNotFit(Exception):  # noqa: N818 - named for what was refused, as all refusals are
    """A request does not fit the API document; `mistakes` are (field, code, values of the sentence)."""

    def __init__(self, *mistakes: tuple[str, str, Mapping[str, object]]) -> None:
        """Keep every mistake."""
        super().__init__("the request does not fit the API document")
        self.mistakes = mistakes


def answer(app: Flask) -> None:
    """Register what is answered to what does not work."""
    app.register_error_handler(HTTPException, _refused_by_http)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(DoesNotFit, _unfit)
    app.register_error_handler(Exception, _failed)


def unfit(error: ValidationError) -> Response:
    """Answer to a request that does not fit its model."""
    found = error.errors(include_input=False, include_url=False, include_context=True)
    return _unfit(DoesNotFit(*((_place(one["loc"]), one["type"], one.get("ctx", {})) for one in found)))


def problem(
    status: int, kind: str, detail: str, mistakes: Sequence[Mistake] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer as problem+json."""
    told = {
        "type": f"{_URN}{kind}",
        "title": _say(_TITLES.get(status, _TITLES[400])),
        "status": status,
        "detail": detail,
        "errors": [{"field": one.field, "code": one.code, "detail": one.detail} for one in mistakes],
    }
    response = Response(json.dumps(told, ensure_ascii=False), status, mimetype=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def _unfit(error: DoesNotFit) -> Response:
    mistakes = [
        Mistake(field, code, _say(_MISTAKES.get(code, _UNFIT), values)) for field, code, values in error.mistakes
    ]
    return problem(422, "does-not-fit", _say(_TITLES[422]), mistakes)


def _refused(error: Refusal) -> Response:
    said = rendering.refusal(_without_input(error), current.language(), "UTC")
    kind = _kebab(type(error).__name__)
    if isinstance(error, NotSaved):
        _log.error("not_saved", endpoint=request.endpoint, why=type(error).__name__)
    status = next((code for kind_of, code in _STATUSES if isinstance(error, kind_of)), 409)
    mistakes = [Mistake(error.field, kind, said)] if error.field and status == 409 else []  # noqa: PLR2004
    return problem(status, kind, said, mistakes, _headers_of(error))


def _headers_of(error: Refusal) -> dict[str, str]:
    """Return what programs act upon: how to sign in, and when to ask again."""
    match error:
        case TokenRefused():
            return {"WWW-Authenticate": "Bearer"}
        case ScopeIsMissing():
            return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.params["wanted"]}"'}
        case TokenSlowedDown():
            return {"Retry-After": str(error.params["seconds"])}
        case NotSaved():
            return {"Retry-After": "5"}
        case FirstIsUnderWay():
            return {"Retry-After": "1"}
    return {}


def _refused_by_http(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    code = error.code or 500
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    kind = _kebab(type(error).__name__)
    return problem(code, kind, _say(_DETAILS.get(code, _DETAILS[400])), headers=headers)


def _failed(error: Exception) -> Response:
    mark = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{PurePath(one.filename).name}:{one.lineno} {one.name}" for one in frames[-12:]]
    _log.error("request_failed", mark=mark, endpoint=request.endpoint, error=type(error).__name__, where=where)
    return problem(500, "unforeseen", f"{_say(_DETAILS[500])} ({mark})")


def _say(msgid: str, values: Mapping[str, object] | None = None) -> str:
    sentence = rendering.translations(current.language()).gettext(msgid)
    return sentence % values if "%(" in sentence else sentence


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _place(path: Iterable[int | str]) -> str:
    """Return the way to a field; a name that could be anything somebody sent is not said."""
    return ".".join(str(one) if isinstance(one, int) or _NAME.fullmatch(one) else _HIDDEN for one in path)


def _without_input(error: Refusal) -> Refusal:
    """Return the same refusal without what was sent; the reference of an incident that was found may stay."""
    sent = list(_sent())
    for name, value in error.params.items():
        kept = name == "reference" or isinstance(error, TextIsTooLong)
        if isinstance(value, str) and value and not kept and any(value in one for one in sent):
            error.params[name] = _HIDDEN
    return error


def _sent() -> Iterator[str]:
    """Yield every text of the request: in its address and in its body."""
    yield from map(str, (request.view_args or {}).values())
    yield from request.args.values()
    if request.mimetype != "application/json":
        yield request.get_data(as_text=True)
    body: Any = getattr(request, "_cached_json", (None, None))[0]
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
