"""What the stand-in does with one request: accept or not, answer or not, when and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Step:
    """One behaviour. The fields combine, for instance accepted and then answered with 503.

    `accept`: the message is taken (None: decided by the request itself). `status`, `body` and `headers` replace the
    honest answer. `delay` and `drip` are seconds, before the answer and between its bytes. `cut` breaks the
    connection: `before_reading`, `instead_of_answering`, `reset` (RST) or `half` (our half closed, then silence).
    `hang` is the number of seconds without any answer. `callbacks` are states reported before the answer.
    """

    accept: bool | None = None
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    hang: float = 0.0
    cut: str = ""
    callbacks: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a step as the running stand-in gets it."""
        return cls(**{**data, "callbacks": tuple(data.get("callbacks", ()))})


def accept(*, delay: float = 0.0, drip: float = 0.0, callbacks: tuple[str, ...] = ()) -> Step:
    """Take the message and say so, perhaps late or byte by byte."""
    return Step(delay=delay, drip=drip, callbacks=callbacks)


def refuse(code: int, status: int = 400, message: str = "refused") -> Step:
    """Do not take the message; answer with one of Twilio's codes."""
    body = json.dumps({"code": code, "message": message, "status": status, "more_info": f"errors/{code}"})
    return Step(accept=False, status=status, body=body)


def too_many(retry_after: str | None = None, **headers: str) -> Step:
    """Answer 429, with any `Retry-After` (seconds, a date, nonsense) or none."""
    waits = {} if retry_after is None else {"Retry-After": retry_after}
    rates = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"code": 20429, "message": "Too Many Requests", "status": 429})
    return Step(accept=False, status=429, body=body, headers=waits | rates)


def broken(status: int = 503, *, accepted: bool = False) -> Step:
    """Answer 5xx, having taken the message or not."""
    return Step(accept=accepted, status=status, body="<html>upstream error</html>")


def hang(seconds: float = 60.0, *, accepted: bool = False) -> Step:
    """Read the request and never answer."""
    return Step(accept=accepted, hang=seconds)


def drop(when: str = "instead_of_answering", *, accepted: bool = False) -> Step:
    """Break the connection: `before_reading`, `instead_of_answering`, `reset` or `half`."""
    return Step(accept=accepted, cut=when)


def strange(body: str, status: int = 201, *, accepted: bool = True) -> Step:
    """Answer 2xx with a body that is not as documented: empty, HTML, cut JSON, another's id."""
    return Step(accept=accepted, status=status, body=body)
