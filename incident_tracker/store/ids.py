"""Ids that say nothing, sort by time and cannot be guessed."""

import secrets
from datetime import datetime


def new_id(now: datetime) -> str:
    """Return 32 hexadecimal digits: 12 of the time in milliseconds, then 80 random bits."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def new_ids(now: datetime, number: int) -> list[str]:
    """Return so many ids at once, from one question to the system."""
    start, chance = f"{int(now.timestamp() * 1000):012x}", secrets.token_hex(10 * number)
    return [start + chance[place : place + 20] for place in range(0, 20 * number, 20)]


def earliest_id(at: datetime) -> str:
    """Return what sorts before every id made from then on."""
    return f"{int(at.timestamp() * 1000):012x}"
