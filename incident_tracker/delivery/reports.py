"""Applying what providers report about messages: by our own id first, by theirs second, and only forward."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from incident_tracker.delivery.classify import FINAL, LOST, apply_report, plain
from incident_tracker.delivery.record import end_alerts
from incident_tracker.store import callbacks, controllers
from incident_tracker.store import deliveries as rows
from incident_tracker.store.deliveries import Standing, State
from notifiers.protocol import ReportedState, StatusReport


@dataclass(frozen=True, slots=True)
class Target:
    """The delivery and the try that a report is about; the number is None where only the provider's id is known."""

    delivery_id: str
    number: int | None


def targets(session: Session, notifier: str, reports: Sequence[StatusReport]) -> list[Target | None]:
    """Return what each report is about; None where it is nothing of ours, or cannot be told from another."""
    tries = callbacks.tries(session, {one.attempt for one in reports if one.attempt})
    rest = {one.provider_id for one in reports if one.provider_id and one.attempt not in tries}
    theirs = callbacks.by_provider_id(session, notifier, rest) if rest else {}
    found: list[Target | None] = []
    for one in reports:
        known = theirs.get(one.provider_id or "", [])
        if one.attempt in tries:
            found.append(Target(*tries[one.attempt]))
        else:
            found.append(Target(known[0], None) if len(known) == 1 else None)
    return found


def mind_alerts(session: Session, pairs: Iterable[tuple[Target | None, StatusReport]]) -> None:
    """Lock the alerts that bad news may move on; call it before `apply`, once for all that is applied."""
    bad = {target.delivery_id for target, one in pairs if target and one.state is ReportedState.FAILED}
    rows.unwanted(session, bad)


def apply(
    session: Session,
    pairs: Sequence[tuple[Target, StatusReport]],
    now: datetime,
    look_up_after: timedelta | None,
) -> int:
    """Move deliveries to what was reported, in order; return how many reports changed something.

    `look_up_after` says when a newly accepted one is asked for again (None: never).
    """
    standing = rows.standing(session, {target.delivery_id for target, _ in pairs})
    changes: list[dict[str, Any]] = []
    lost: list[str] = []
    muted: set[int] = set()
    for target, report in pairs:
        row = standing.get(target.delivery_id)
        if row is None:
            continue
        state = apply_report(row, report, newest=target.number in {None, row.number})
        if state is None:
            continue
        written = _written(row, report, state, now, look_up_after)
        changes.append(written)
        standing[row.id] = replace(row, state=state, reason=written["b_reason"])
        if state in LOST:
            lost.append(row.id)
        if report.opted_out and row.contact_id is not None:
            muted.add(row.contact_id)
    callbacks.write_reported(session, changes)
    callbacks.keep_evidence(session, [_evidence(report, now) for _, report in pairs if report.attempt])
    end_alerts(session, lost, now)
    if muted:
        controllers.mute_contacts(session, muted, now)
    return len(changes)


def _written(
    row: Standing, report: StatusReport, state: State, now: datetime, look_up_after: timedelta | None
) -> dict[str, Any]:
    corrected = row.state == State.FAILED
    asks_again = state is State.ACCEPTED and look_up_after is not None
    return {
        "b_id": row.id,
        "b_state": state,
        "b_now": now,
        "b_finished_at": now if state in FINAL else None,
        "b_look_up_at": now + look_up_after if asks_again and look_up_after else None,
        "b_provider_id": report.provider_id,
        "b_reason": plain(f"corrected, was: {row.reason}" if corrected else report.reason),
        "b_code": report.code,
    }


def _evidence(report: StatusReport, now: datetime) -> dict[str, Any]:
    return {
        "b_id": report.attempt,
        "b_provider_id": report.provider_id,
        "b_state": report.state.value,
        "b_now": now,
    }
