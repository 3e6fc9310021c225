"""Places in a list, handed out as signs that say nothing, and the parts of a list that lie between them."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from incident_tracker.domain.errors import Refusal

Item = TypeVar("Item")


class CursorIsUnknown(Refusal):
    """A cursor that this list did not hand out."""

    message = "This list did not hand out this cursor. Begin again without one."


def written(kind: str, last: object) -> str:
    """Return the cursor of the place after `last`."""
    return base64.urlsafe_b64encode(f"{kind}:{last}".encode()).decode().rstrip("=")


def read(kind: str, cursor: str | None) -> str | None:
    """Return the id after which the list goes on, None for its beginning."""
    if cursor is None:
        return None
    try:
        found = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise CursorIsUnknown(field="cursor") from None
    named, _, last = found.partition(":")
    if named != kind or not last.isalnum():
        raise CursorIsUnknown(field="cursor")
    return last


def read_number(kind: str, cursor: str | None) -> int | None:
    """Return the number after which the list goes on."""
    last = read(kind, cursor)
    if last is None:
        return None
    if not last.isdigit() or len(last) > 15:  # noqa: PLR2004 - more incidents than anyone has
        raise CursorIsUnknown(field="cursor")
    return int(last)


def part(kind: str, found: Sequence[Item], limit: int, id_of: Callable[[Item], object], shape: Any) -> dict[str, Any]:
    """Return a part of a list, and where it goes on. `found` holds one item more than `limit` if it does."""
    items = found[:limit]
    more = written(kind, id_of(items[-1])) if len(found) > limit else None
    return {"items": [shape(one) for one in items], "next": more}
