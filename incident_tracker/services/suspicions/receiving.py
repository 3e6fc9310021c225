"""Taking a report in: nobody is judged, nothing is fetched, and who is on call is told by the clock."""

from dataclasses import dataclass, replace
from typing import Any

from incident_tracker.domain.access import Actor
from incident_tracker.domain.events import SuspicionReceived
from incident_tracker.domain.facts import from_plain, to_plain
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.domain.suspicions import receipt
from incident_tracker.services import emails
from incident_tracker.services.accounts import one_of
from incident_tracker.services.context import Context
from incident_tracker.services.texts import clean, clean_line
from incident_tracker.services.work import working
from incident_tracker.store import installation
from incident_tracker.store import suspicions as rows
from incident_tracker.store.ids import new_id
from incident_tracker.store.keys import Keyring
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.suspicions import Suspicion

PUBLIC = Actor("public", {})
"""Somebody outside, whom we do not know and who may do nothing else."""
WHAT_LIMIT = 5000
LINE_LIMIT = 500
PHONE_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody outside tells us, in her own words. `phone` is kept for a person to call, never for an SMS."""

    what: str
    where: str = ""
    when: str = ""
    email: str = ""
    phone: str = ""
    language: str = "da"


def receive(
    context: Context,
    controller_id: int,
    told: Told,
    *,
    once: str,
    source: str = "public",
    partner_id: int | None = None,
    actor: Actor = PUBLIC,
) -> str:
    """Keep a report and return its id; sent twice (`once`) it is kept once. `receipt_of` gives its sender's number.

    `source` is `public`, `partner` or `api`. The words are sealed with the key of the year until they belong to an
    incident.
    """
    told = check(told)
    now = context.now()
    key_id = context.keyring.year(now)
    with working(context, actor) as work:
        new = Suspicion(
            id=new_id(work.now),
            controller_id=controller_id,
            source=source,
            partner_id=partner_id,
            once=once,
            state="open",
            sealed=sealed(work.keyring, key_id, told),
            received_at=work.now,
        )
        kept = rows.add(work.session, new)
        if kept == new.id:
            work.note(SuspicionReceived(kept, controller_id, source), controller_id)
    return kept


def check(told: Told) -> Told:
    """Return what is told in the form in which it is kept, or refuse the first that cannot be."""
    one_of(told.language, LANGUAGES, "language")
    return replace(
        told,
        what=clean(told.what, "what", limit=WHAT_LIMIT),
        where=clean_line(told.where, "where", limit=LINE_LIMIT, required=False),
        when=clean_line(told.when, "when", limit=LINE_LIMIT, required=False),
        email=emails.read(told.email, "email", required=False),
        phone=clean_line(told.phone, "phone", limit=PHONE_LIMIT, required=False),
    )


def receipt_of(suspicion_id: str) -> str:
    """Return the number by which its sender speaks of a report."""
    return receipt(rows.receipt_of(suspicion_id))


def decoy(context: Context, controller_id: int) -> str:
    """Count a report that a machine sent; return a receipt that looks like any other, for nothing is kept."""
    now = context.now()
    name = _trapped(controller_id)
    with context.database.writing() as session:
        installation.put(session, name, str(int(installation.get(session, name) or 0) + 1), now)
    return receipt_of(new_id(now))


def count_trapped(context: Context, controller_id: int) -> int:
    """Return how many reports of machines were dropped so far."""
    with context.database.reading() as session:
        return int(installation.get(session, _trapped(controller_id)) or 0)


def sealed(keyring: Keyring, key_id: str, told: Told) -> bytes:
    """Return what was told, sealed for its column."""
    return keyring.seal(key_id, rows.PLACE, to_json(to_plain(told)))


def opened(keyring: Keyring, one: Suspicion) -> Told:
    """Return what was told; raise KeyIsGone where it is forgotten."""
    plain: dict[str, Any] = from_json(keyring.open(rows.PLACE, one.sealed))
    return from_plain(Told, plain)


def _trapped(controller_id: int) -> str:
    return f"trapped_reports_{controller_id}"
