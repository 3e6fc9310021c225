"""The people affected by an incident: their list, how it is read from files, searched, added to, taken off again."""

from incident_tracker.domain.people import Person
from incident_tracker.services.people.changing import (
    AddressIsMissing,
    IsOnTheList,
    NobodyToRemove,
    StillBeingRead,
    WereTold,
    add_person,
    remove,
)
from incident_tracker.services.people.encodings import (
    EncodingIsUnclear,
    FileIsASpreadsheet,
    FileIsEmpty,
    FileIsNotText,
)
from incident_tracker.services.people.importing import (
    SILENT,
    ListIsBeingRead,
    ReadingIsOver,
    settle_silent,
    stop,
)
from incident_tracker.services.people.reading import HeaderIsMissing, HeaderIsTooWide, ListIsEmpty, Reason
from incident_tracker.services.people.refused import imports, one_import, refused_rows, with_refused
from incident_tracker.services.people.the_list import columns_of, count, listing, sample
from incident_tracker.services.people.uploads import (
    FileCannotBeRead,
    FileChanged,
    read_file,
    start,
    sweep,
    wait,
)
from incident_tracker.store.people_imports import Counts, Reading

__all__ = [
    "SILENT",
    "AddressIsMissing",
    "Counts",
    "EncodingIsUnclear",
    "FileCannotBeRead",
    "FileChanged",
    "FileIsASpreadsheet",
    "FileIsEmpty",
    "FileIsNotText",
    "HeaderIsMissing",
    "HeaderIsTooWide",
    "IsOnTheList",
    "ListIsBeingRead",
    "ListIsEmpty",
    "NobodyToRemove",
    "Person",
    "Reading",
    "ReadingIsOver",
    "Reason",
    "StillBeingRead",
    "WereTold",
    "add_person",
    "columns_of",
    "count",
    "imports",
    "listing",
    "one_import",
    "read_file",
    "refused_rows",
    "remove",
    "sample",
    "settle_silent",
    "start",
    "stop",
    "sweep",
    "wait",
    "with_refused",
]
