"""Texts that many deliveries share, sealed once."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from incident_tracker.store.tables.telling import ContentRow


def add_content(session: Session, content_id: str, controller_id: int, sealed: bytes, now: datetime) -> None:
    """Keep a sealed text under its id."""
    session.execute(
        insert(ContentRow).values(id=content_id, controller_id=controller_id, sealed=sealed, created_at=now)
    )


def sealed_content(session: Session, content_id: str) -> bytes | None:
    """Return a sealed text, or None where there is none (any more)."""
    return session.execute(select(ContentRow.sealed).where(ContentRow.id == content_id)).scalar_one_or_none()
