"""The wrapped data keys, in a store of their own that is backed up apart."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import KEYRING, Table


class DataKey(Table):
    """One random data key, wrapped by the master key; `wrapped` is emptied when what it opens must be forgotten."""

    __tablename__ = "data_keys"
    __table_args__ = (UniqueConstraint("kind", "subject"), {"schema": KEYRING})

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
