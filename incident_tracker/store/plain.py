"""Plain data to bytes and back, always the same bytes for the same data."""

import json
from typing import Any

_SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_json(plain: Any) -> bytes:
    """Return compact JSON with sorted keys, in UTF-8."""
    return _SORTED.encode(plain).encode()


def from_json(raw: bytes) -> Any:
    """Return what the JSON holds."""
    return json.loads(raw.decode())
