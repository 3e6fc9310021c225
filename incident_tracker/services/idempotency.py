"""Requests that a program repeats under the same `Idempotency-Key`: carried out once, answered alike for a day."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from incident_tracker.domain.errors import Refusal
from incident_tracker.services.context import Context
from incident_tracker.store import idempotency as rows
from incident_tracker.store.database import NotSaved
from incident_tracker.store.idempotency import Kept

_log = structlog.get_logger()
KEPT_FOR = timedelta(days=1)
UNDER_WAY = timedelta(minutes=1)
"""For so long the first request may be at work; afterwards it ended without an answer."""


class KeyBelongsToAnother(Refusal):
    """The key came with another request before."""

    message = "This Idempotency-Key came with another request before. Choose a new key for each new request."


class FirstIsUnderWay(Refusal):
    """Two requests with one key at the same moment."""

    message = "The first request with this Idempotency-Key is still under way. Ask again in a moment."


class OutcomeIsUnknown(Refusal):
    """The first request was cut off; nobody can say what it did."""

    message = (
        "The first request with this Idempotency-Key was cut off, and may have been carried out. Look whether it "
        "was; if not, send it with a new key."
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, body, and the address of what was made, if anything was."""

    status: int
    body: Any
    location: str | None = None


def begin(context: Context, token_id: str, key: str, digest: str, *, safe_again: bool) -> Answer | datetime:
    """Take the key for a request and return since when it has it, or the answer that its first request got.

    `safe_again`: the service itself does the same thing once only, so that a request that was cut off may run again.
    """
    now = context.now()
    with context.database.writing() as session:
        rows.sweep(session, now - KEPT_FOR)
        if rows.claim(session, token_id, key, digest, now):
            return now
        kept = rows.find(session, token_id, key)
        if kept is None or kept.request_digest != digest:
            raise KeyBelongsToAnother(field="Idempotency-Key")
        if kept.answer is None:
            if now - kept.created_at < UNDER_WAY:
                raise FirstIsUnderWay(field="Idempotency-Key")
            if not safe_again:
                raise OutcomeIsUnknown(field="Idempotency-Key")
            return kept.created_at
    return _opened(context, kept)


def finish(context: Context, token_id: str, key: str, answer: Answer) -> None:
    """Keep the answer, sealed; what was done stays done where that is not possible."""
    now = context.now()
    sealed_by = context.keyring.year(now)
    plain = json.dumps(asdict(answer), ensure_ascii=False).encode()
    try:
        with context.database.writing() as session:
            rows.keep(session, context.keyring, sealed_by, token_id, key, answer.status, plain)
    except NotSaved:
        _log.warning("answer_not_kept")


def give_free(context: Context, token_id: str, key: str) -> None:
    """Forget a request that changed nothing; the key may be used again."""
    try:
        with context.database.writing() as session:
            rows.release(session, token_id, key)
    except NotSaved:
        _log.warning("key_not_given_free")


def _opened(context: Context, kept: Kept) -> Answer:
    if kept.answer is None:
        raise OutcomeIsUnknown(field="Idempotency-Key")
    return Answer(**json.loads(context.keyring.open(rows.PLACE, kept.answer)))
