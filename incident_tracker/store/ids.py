"""Ids that say nothing, sort by time and cannot be guessed."""

import secrets
from datetime import datetime


def new_id(now: datetime) -> str:
    """Return 32 hexadecimal digits: 12 of the time in milliseconds, then 80 random bits."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
