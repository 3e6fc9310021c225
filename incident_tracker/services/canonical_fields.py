"""The canonical fields that this version ships with, for everything that checks, asks or explains them."""

import tomllib
from functools import cache

from incident_tracker import paths
from incident_tracker.domain.canonical import CanonicalFields, fields_from


@cache
def canonical_fields() -> CanonicalFields:
    """Return the fields of `config/edpb/fields.toml`."""
    file = paths.config() / "edpb" / "fields.toml"
    return fields_from(tomllib.loads(file.read_text("utf-8")))
