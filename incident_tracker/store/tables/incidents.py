"""The register: incidents, their obligations, alarms and alerts, their files and reports."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from incident_tracker.store.tables.types import Table


def _partial(name: str, *columns: str, where: str) -> Index:
    """Return an index whose predicate is written exactly as the queries have it."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class IncidentRow(Table):
    """The projection of one incident's events. `facts` holds everything that may be personal, encrypted."""

    __tablename__ = "incidents"
    __table_args__ = (
        _partial("ix_incidents_board", "controller_id", "next_due_at", "id", where="is_open"),
        Index("ix_incidents_by_controller", "controller_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    role: Mapped[str]
    status: Mapped[str]
    is_open: Mapped[bool]
    exercise: Mapped[bool]
    detected_at: Mapped[datetime]
    became_aware_at: Mapped[datetime | None]
    awareness_version: Mapped[int]
    contained_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    not_a_breach_at: Mapped[datetime | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    next_due_at: Mapped[datetime | None]
    version: Mapped[int]
    record_key: Mapped[str] = mapped_column(unique=True)
    people_key: Mapped[str] = mapped_column(unique=True)
    facts: Mapped[bytes]
    created_at: Mapped[datetime]


class ReferenceRow(Table):
    """The last number given to an incident, a controller, a year and a series (real or exercise)."""

    __tablename__ = "reference_numbers"

    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class ObligationRow(Table):
    """A duty that arose from an incident, as planned from the facts and the dated rules."""

    __tablename__ = "obligations"
    __table_args__ = (UniqueConstraint("incident_id", "regime", "duty", "addressee"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"), index=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    rule_id: Mapped[str]
    regime: Mapped[str]
    duty: Mapped[str]
    addressee: Mapped[str]
    article: Mapped[str]
    anchor_at: Mapped[datetime | None]
    anchor_version: Mapped[int]
    due_at: Mapped[datetime | None]
    outer_reading_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
    set_aside_at: Mapped[datetime | None]
    set_aside_reason: Mapped[bytes | None]


class AlarmRow(Table):
    """A rung of the ladder: at `fire_at` someone must be told. One mistake-proof row a rung and occurrence."""

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("obligation_id", "rung", "anchor_version", "occurrence"),
        _partial("ix_alarms_due", "fire_at", "id", where="state = 'planned'"),
        Index("ix_alarms_incident", "incident_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligations.id"))
    rung: Mapped[str]
    anchor_version: Mapped[int]
    occurrence: Mapped[int]
    fire_at: Mapped[datetime]
    state: Mapped[str]


class AlertRow(Table):
    """An alarm that went off (or a new suspicion): who was told, which step is next, who took it."""

    __tablename__ = "alerts"
    __table_args__ = (
        _partial("ix_alerts_next_step", "next_step_at", "id", where="state = 'open'"),
        Index("ix_alerts_incident", "incident_id", "raised_at"),
        _partial("ix_alerts_open", "controller_id", "raised_at", where="state = 'open'"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    obligation_id: Mapped[int | None] = mapped_column(ForeignKey("obligations.id"))
    alarm_id: Mapped[int | None] = mapped_column(ForeignKey("alarms.id"), unique=True)
    kind: Mapped[str]
    rung: Mapped[str]
    raised_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    state: Mapped[str]
    step: Mapped[int]
    stepped_at: Mapped[datetime]
    next_step_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    acknowledged_via: Mapped[str | None]


class AttachmentRow(Table):
    """A file kept as evidence; its bytes lie encrypted under `data.dir/attachments/<id>`."""

    __tablename__ = "attachments"
    __table_args__ = (Index("ix_attachments_incident", "incident_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    purpose: Mapped[str]
    file_name: Mapped[bytes]
    size: Mapped[int]
    sha256: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[datetime]


class AssessmentRow(Table):
    """A version of the scope assessment."""

    __tablename__ = "scope_assessments"
    __table_args__ = (UniqueConstraint("incident_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    version: Mapped[int]
    content: Mapped[bytes]
    assessed_by: Mapped[str]
    assessed_at: Mapped[datetime]


class ReportVersionRow(Table):
    """A filed, frozen version of a report: the JSON it was made from, encrypted, and its digest."""

    __tablename__ = "report_versions"
    __table_args__ = (UniqueConstraint("incident_id", "authority", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    authority: Mapped[str]
    version: Mapped[int]
    phase: Mapped[str]
    content: Mapped[bytes]
    digest: Mapped[str]
    filed_at: Mapped[datetime]
    filed_by: Mapped[str]
    recorded_at: Mapped[datetime]


class JournalRow(Table):
    """One entry of the hash-chained journal. Triggers refuse to change or delete it."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_incident", "incident_id", "seq"),
        CheckConstraint("seq > 0", name="positive"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    controller_id: Mapped[int | None] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    kind: Mapped[str]
    key_id: Mapped[str]
    payload: Mapped[bytes]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class JournalHeadRow(Table):
    """The head of the chain: one row, locked by whoever appends."""

    __tablename__ = "journal_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[bytes]


class AccessRow(Table):
    """Who looked at what. Kept apart from the chain: reading is not a fact of the incident."""

    __tablename__ = "access_log"
    __table_args__ = (Index("ix_access_log_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    controller_id: Mapped[int] = mapped_column(ForeignKey("controllers.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    what: Mapped[str]
