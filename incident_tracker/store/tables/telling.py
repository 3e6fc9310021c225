"""Telling people: who is affected, what they are told, who approved it, and what they ask."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import Table


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class PeopleImportRow(Table):
    """One reading of a list of people. `refused` rows lie sealed in `refused_rows`, each with line and reason.

    `warned` counts the rows that were accepted with something left out. `beat_at` is the last sign of life of a
    reading under way; one that is silent was broken off. `trouble` says, sealed, why a reading broke off. Without
    `finished_at` its entry in the journal is still to be written. `removed_at` is when its people were taken off.
    """

    __tablename__ = "people_imports"
    __table_args__ = (
        Index("ix_people_imports_incident", "incident_id", "id"),
        CheckConstraint("state IN ('reading', 'finished', 'broken_off', 'stopped')", name="state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    state: Mapped[str]
    file_name: Mapped[bytes]
    total_bytes: Mapped[int]
    read_bytes: Mapped[int] = mapped_column(server_default=text("0"))
    read: Mapped[int] = mapped_column(server_default=text("0"))
    accepted: Mapped[int] = mapped_column(server_default=text("0"))
    duplicates: Mapped[int] = mapped_column(server_default=text("0"))
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    warned: Mapped[int] = mapped_column(server_default=text("0"))
    columns: Mapped[bytes | None]
    trouble: Mapped[bytes | None]
    imported_by: Mapped[str]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class RefusedRowsRow(Table):
    """Rows of a list that were not taken over, some at a time, sealed: line, reason and what it said."""

    __tablename__ = "refused_rows"
    __table_args__ = (Index("ix_refused_rows_import", "import_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    import_id: Mapped[str] = mapped_column(ForeignKey("people_imports.id"))
    sealed: Mapped[bytes]


class PersonRow(Table):
    """Someone affected by an incident. `sealed` holds name, addresses and further fields under the people key.

    `person_hash` is the keyed hash of the address by which she is told, so that she stands in the list once.
    """

    __tablename__ = "people"
    __table_args__ = (
        UniqueConstraint("incident_id", "person_hash"),
        Index("ix_people_incident", "incident_id", "id"),
        Index("ix_people_import", "import_id", "id"),
        _partial("ix_people_email", "controller_id", "email_hash", where="email_hash IS NOT NULL"),
        _partial("ix_people_phone", "controller_id", "phone_hash", where="phone_hash IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    import_id: Mapped[str | None] = mapped_column(ForeignKey("people_imports.id"))
    person_hash: Mapped[bytes]
    email_hash: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None]
    language: Mapped[str]
    sealed: Mapped[bytes]
    added_at: Mapped[datetime]


class ContentRow(Table):
    """A text that many deliveries share, sealed; each delivery keeps only its address and its values."""

    __tablename__ = "contents"

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class NoticeRow(Table):
    """A message to the people (or partners) of an incident, from the first draft to the last delivery.

    `wording` is the sealed text in each language; `digest` covers what was approved. `told_up_to` is the last person
    for whom a delivery was written; `recipients` and `unreachable` count those written and those without an address.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        _partial("ix_notices_sending", "id", where="state = 'sending'"),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'sending', 'paused', 'stopped', 'finished')", name="state"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    number: Mapped[int]
    public_reference: Mapped[str] = mapped_column(unique=True)
    audience: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    channels: Mapped[str]
    wording: Mapped[bytes]
    digest: Mapped[str]
    corrects_id: Mapped[int | None]
    written_by: Mapped[str]
    written_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    content_ids: Mapped[str] = mapped_column(server_default="")
    told_up_to: Mapped[str] = mapped_column(server_default="")
    all_told: Mapped[bool] = mapped_column(server_default=text("false"))
    recipients: Mapped[int] = mapped_column(server_default=text("0"))
    unreachable: Mapped[int] = mapped_column(server_default=text("0"))
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[bytes | None]
    finished_at: Mapped[datetime | None]


class ApprovalRow(Table):
    """A decision that needs a second pair of eyes: what is asked for (`subject`, `digest`), by whom, how it ended.

    `sealed` holds reasons, the outside approver's name and e-mail. `invite_hash` is the hash of the one-time link.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        Index("ix_approvals_subject", "incident_id", "subject", "id"),
        _partial("ix_approvals_waiting", "controller_id", "id", where="state = 'waiting'"),
        _partial("uq_approvals_invite", "invite_hash", where="invite_hash IS NOT NULL", unique=True),
        CheckConstraint("state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'used')", name="state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    subject: Mapped[str]
    digest: Mapped[str]
    state: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    way: Mapped[str] = mapped_column(server_default="")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    invite_hash: Mapped[bytes | None]
    invite_until: Mapped[datetime | None]
    sealed: Mapped[bytes]


class QuestionRow(Table):
    """What a reader of a notice asked, or "this was not me", and the answer; sealed with the people key.

    `once` names the form that was sent, so that a form sent twice asks once.
    """

    __tablename__ = "questions"
    __table_args__ = (
        Index("ix_questions_incident", "incident_id", "id"),
        _partial("ix_questions_open", "controller_id", "id", where="state = 'open'"),
        UniqueConstraint("notice_id", "once"),
        CheckConstraint("state IN ('open', 'answered', 'closed')", name="state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    once: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    sealed: Mapped[bytes]
    answer: Mapped[bytes | None]
    received_at: Mapped[datetime]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    delivery_id: Mapped[str | None]
