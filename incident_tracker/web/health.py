"""`/healthz` and `/readyz`: what machines ask. Nothing in the answers is personal or secret."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from incident_tracker.domain.facts import instant_text
from incident_tracker.services import health
from incident_tracker.web import current
from incident_tracker.web.guard import public

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@public("a machine asks whether the process lives", csrf=False)
def healthz() -> ResponseReturnValue:
    """Say that the process answers; the database is not asked."""
    return jsonify(alive=True)


@pages.get("/readyz")
@public("a machine asks whether the promise is kept", csrf=False)
def readyz() -> ResponseReturnValue:
    """Say whether database, migrations and clock are as they must be; 503 with the reason otherwise."""
    found = health.readiness(current.context())
    body = {
        "ready": found.ready,
        "database": found.database,
        "migrations": found.migrations,
        "clock": {
            "heartbeat_age_seconds": found.heartbeat_age_seconds,
            "overdue_unsent_alarms": found.overdue_unsent_alarms,
        },
        "backup": {
            "last_at": None if found.last_backup_at is None else instant_text(found.last_backup_at),
            "late": found.backup_is_late,
        },
    }
    return jsonify(body), 200 if found.ready else 503
