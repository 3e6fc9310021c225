"""An empty machine beside the first, and a backup brought back on it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from incident_tracker import bootstrap
from incident_tracker.services import backup
from incident_tracker.services.backup import Restored
from incident_tracker.services.context import Context
from incident_tracker.settings import Settings
from incident_tracker.store.keys import backup_key
from incident_tracker.store.tables import KEYRING, Table


@dataclass
class Machine:
    """A machine with the master key from the recovery sheet, and nothing else."""

    settings: Settings
    now: Callable[[], datetime]

    @property
    def folder(self) -> Path:
        return self.settings.data.dir

    def restore(self, file: Path, **choices: Any) -> Restored:
        key = backup_key(bootstrap.master_key(self.settings))
        return backup.restore(self.settings, key, file, now=self.now(), context_of=self.context_of, **choices)

    def context_of(self, settings: Settings) -> Context:
        return bootstrap.context_of(settings, now=self.now)

    def files(self) -> dict[str, bytes]:
        """Return everything that lies on it."""
        return {
            str(one.relative_to(self.folder)): one.read_bytes() for one in self.folder.rglob("*") if one.is_file()
        }


def make_machine(context: Context, folder: Path, database_url: str, now: Callable[[], datetime]) -> Machine:
    """Set up a machine like the one of `context`, with its master key and an empty database."""
    folder.mkdir(mode=0o700)
    shutil.copy(context.settings.master_key_file, folder / "master.key")
    values = {
        "data": context.settings.data.model_copy(update={"dir": folder}),
        "database": context.settings.database.model_copy(update={"url": database_url}),
    }
    return Machine(context.settings.model_copy(update=values), now)


def counts(context: Context) -> dict[str, int]:
    """Return how many rows each table of the register has."""
    with context.database.reading() as session:
        return {
            name: len(session.execute(select(*table.primary_key.columns)).all())
            for name, table in Table.metadata.tables.items()
            if table.schema != KEYRING
        }
