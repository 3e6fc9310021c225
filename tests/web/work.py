"""Incidents for the tests of the pages: logged, alerted, decided through the services."""

import html
import re
from collections import Counter
from datetime import datetime
from typing import Any

import html5lib
from werkzeug.test import TestResponse

from incident_tracker.bootstrap import Tracker
from incident_tracker.domain.access import SHELL
from incident_tracker.services import clock, incidents, replies
from tests.delivery.world import NEVER

NAUGHTY = "<script>alert(1)</script> {{ 7*7 }} \" onload=x ' & </title><h1>ÆØÅ »…« 🐙"
WHAT = "Et nyhedsbrev er sendt ud. Alle kan se hinandens adresser."


def log(tracker: Tracker, title: str = "Kundeliste lå åbent", **facts: Any) -> str:
    """Log a suspicion by the shell and let it be told."""
    reference = incidents.open_incident(tracker.context, SHELL, title=title, **facts)
    turn(tracker)
    return reference


def aware(tracker: Tracker, reference: str, at: datetime | None = None) -> None:
    """Record awareness; now, unless told otherwise."""
    at = at or tracker.context.now()
    incidents.record_awareness(tracker.context, SHELL, reference, at=at, reason="Set i loggen.")


def turn(tracker: Tracker) -> None:
    """Let the clock tick, the outbox send and the replies be read, once."""
    replies.apply(tracker.context)
    clock.tick(tracker.context, "test")
    tracker.engine.drain(NEVER)


def typed(**changed: str) -> dict[str, str]:
    """Return the five fields, filled in well but for what is named."""
    return {
        "what_happened": WHAT,
        "detected_at": "i dag 13.30",
        "where": "Nyhedsbrevssystemet",
        "ongoing": "no",
        "people": "200-400",
        "role": "controller",
    } | changed


def words(answer: TestResponse) -> str:
    """Return what a page says, without its markup."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def census(answer: TestResponse) -> Counter[str]:
    """Return how many of each element a page has."""
    tree = html5lib.parse(answer.text, namespaceHTMLElements=False)
    return Counter(str(element.tag) for element in tree.iter())
