"""The ids that addresses hold, as they are kept; what cannot be one is not there."""

import re

from incident_tracker.api.fields import OfIncident
from incident_tracker.domain.errors import NotFound

_LONGEST = 64
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{1,64}", re.ASCII)


def reference_of(path: OfIncident) -> str:
    """Return the reference of an incident."""
    written = path.reference.strip().upper()
    if not written or len(written) > _LONGEST or not written.isprintable():
        raise NotFound(what=written[:_LONGEST])
    return written


def id_of(written: str) -> str:
    """Return the id of a delivery, an alert or their like."""
    if not _ID.fullmatch(written):
        raise NotFound(what=written[:_LONGEST])
    return written


def slug_of(written: str) -> str:
    """Return the short name of a controller."""
    slug = written.strip().casefold()
    if not _SLUG.fullmatch(slug):
        raise NotFound(what=slug[:_LONGEST])
    return slug
