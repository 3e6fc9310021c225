"""Who asks, in which language: what a view may know about the present request."""

from typing import cast

from flask import current_app, g, request

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import Actor
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.services.context import Context
from incident_tracker.services.tokens import Holder


def tracker() -> Tracker:
    """Return the product behind the API."""
    return cast("Tracker", current_app.extensions["incident_tracker"])


def context() -> Context:
    """Return what services need."""
    return tracker().context


def holder() -> Holder:
    """Return who holds the token of this request. Only views behind the gate may ask."""
    return cast("Holder", g.holder)


def actor() -> Actor:
    """Return who acts."""
    return holder().actor


def language() -> str:
    """Return the language of sentences: what the program accepts, else English."""
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"


def once() -> str:
    """Return the name of this request where the program gave it a key: sent twice within a day, it is done once."""
    return str(g.get("once", ""))
