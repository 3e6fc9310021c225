"""How many forms without an account are taken, counted in the database, so that all nodes count together."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from incident_tracker.domain.errors import Refusal
from incident_tracker.services.context import Context
from incident_tracker.services.sign_in import network_of
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import slowdowns

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_NEIGHBOURS = {4: 24, 6: 48}


class TooManyForms(Refusal):
    """More forms came than people send; whoever has something to say is told whom to write to instead."""

    message = "Too many forms have been sent just now. Wait %(seconds)s seconds, or write to us instead."


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many forms in a stretch of time, from one place; of a crowd that was written to, one in `of`."""

    place: str
    most: int
    within: timedelta
    of: int = 0

    def for_crowd(self, crowd: int) -> int:
        """Return how many are let in where so many people were asked to come."""
        return max(self.most, crowd // self.of) if self.of else self.most


ADDRESS = (Limit("address", 10, _MINUTE), Limit("address", 60, _HOUR))
"""One address (IPv6: the /64 of one household); behind it may stand a whole office."""
NEIGHBOURS = (Limit("neighbours", 30, _MINUTE, 1000), Limit("neighbours", 200, _HOUR, 100))
"""The addresses beside it (IPv4: the /24, IPv6: the /48); behind them may stand the phones of a whole company."""
ALL = (Limit("all", 60, _MINUTE, 100), Limit("all", 600, _HOUR, 10))
"""Everybody who writes to one controller."""


def let_in(context: Context, controller_id: int, kind: str, address: str, *, crowd: int = 0) -> None:
    """Count one more form of a kind that came from `address`; refuse (`TooManyForms`) where there were too many.

    `crowd` is how many people were told that they may write: they must not shut one another out.
    What is refused is not counted, so that whoever waits gets through.
    """
    now = context.now()
    doors = _doors(context, controller_id, kind, address, now)
    with context.database.reading() as session:
        known = slowdowns.failures(session, doors)
    _refuse(doors, known, now, crowd, one_more=1)
    with context.database.writing() as session:
        slowdowns.sweep(session, now - _HOUR)
        counted = {door: slowdowns.count(session, door, now)[0] for door in sorted(doors)}
        _refuse(doors, counted, now, crowd)


def _refuse(
    doors: dict[bytes, Limit], counted: dict[bytes, int], now: datetime, crowd: int, one_more: int = 0
) -> None:
    full = [limit for door, limit in doors.items() if counted.get(door, 0) + one_more > limit.for_crowd(crowd)]
    if full:
        longest = max(one.within for one in full)
        passed = timedelta(seconds=now.timestamp() % longest.total_seconds())
        raise TooManyForms(seconds=int((longest - passed).total_seconds()) + 1)


def _doors(context: Context, controller_id: int, kind: str, address: str, now: datetime) -> dict[bytes, Limit]:
    network = network_of(address)
    places = {"address": network, "neighbours": _neighbours(network), "all": ""}
    subject = controller_rows.look_up_subject(controller_id)
    found = {}
    for one in (*ADDRESS, *NEIGHBOURS, *ALL):
        stretch = int(now.timestamp() // one.within.total_seconds())
        name = f"form {kind} {one.place} {places[one.place]} {one.within} {stretch}"
        found[context.keyring.fingerprint(subject, name, now)] = one
    return found


def _neighbours(network: str) -> str:
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        return network
    return str(parsed.supernet(new_prefix=_NEIGHBOURS[parsed.version]))
