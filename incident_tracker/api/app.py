"""The API put together, for `wsgi` to set under /api. It never starts the clock."""

from flask_openapi.openapi import OpenAPI

from incident_tracker.api import (
    alerts,
    deliveries,
    document,
    gate,
    incidents,
    journal,
    notices,
    people,
    problems,
    reports,
    scope,
    suspicions,
)
from incident_tracker.api.answers import Problem
from incident_tracker.api.routes import TOKEN
from incident_tracker.bootstrap import Tracker

NOUNS = (
    incidents.pages,
    scope.pages,
    alerts.pages,
    reports.pages,
    people.pages,
    notices.pages,
    deliveries.pages,
    journal.pages,
    suspicions.pages,
)
"""One blueprint a noun."""


def create_api(tracker: Tracker) -> OpenAPI:
    """Return the API of a tracker."""
    app = OpenAPI(
        "incident_tracker.api",
        info=document.about(),
        security_schemes={
            TOKEN: {
                "type": "http",
                "scheme": "bearer",
                "description": "From `incident-tracker token create`.",
            }
        },
        servers=[{"url": "/api"}],
        validation_error_callback=problems.unfit,
        validation_error_model=Problem,
        doc_ui=False,
        static_folder=None,
    )
    app.openapi_version = "3.1.0"
    app.extensions["incident_tracker"] = tracker
    gate.watch(app, tracker.settings)
    problems.answer(app)
    for pages in NOUNS:
        app.register_api(pages)
    app.register_blueprint(document.pages)
    return app
