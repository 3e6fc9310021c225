"""What readers of a notice asked, and what they were answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.telling import NoticeRow, QuestionRow

PLACE = "questions.sealed"
ANSWER = "questions.answer"
_OPEN = QuestionRow.state == text("'open'")
"""Said as a literal, so that the partial index is used."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is kept. `sealed` and `answer` open with the incident's people key."""

    id: str
    controller_id: int
    incident_id: int
    notice_id: int
    once: str
    kind: str
    state: str
    sealed: bytes
    received_at: datetime
    answer: bytes | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    delivery_id: str | None = None


_COLUMNS = tuple(getattr(QuestionRow, name) for name in Question.__slots__)


def add(session: Session, new: Question) -> str:
    """Insert a question and return its id; one that was sent already (`once`) keeps its row and its id."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {name: getattr(new, name) for name in Question.__slots__}
    added = insert(QuestionRow).values(**values).on_conflict_do_nothing(index_elements=["notice_id", "once"])
    session.execute(added)
    same = select(QuestionRow.id).where(QuestionRow.notice_id == new.notice_id, QuestionRow.once == new.once)
    return str(session.execute(same).scalar_one())


def get(session: Session, question_id: str, scope: Scope) -> Question:
    """Return a question, or refuse alike whether it is missing or somebody else's."""
    found = session.execute(select(*_COLUMNS).where(QuestionRow.id == question_id, *_scoped(scope))).first()
    if found is None:
        raise NotFound(what=question_id)
    return Question(*found)


def of_incident(session: Session, incident_id: int, scope: Scope) -> list[Question]:
    """Return the questions about an incident, the oldest first."""
    statement = select(*_COLUMNS).where(QuestionRow.incident_id == incident_id, *_scoped(scope))
    return [Question(*row) for row in session.execute(statement.order_by(QuestionRow.id))]


def notices(session: Session, found: Sequence[Question], scope: Scope) -> dict[int, tuple[int, str]]:
    """Return (number, public reference) of the notices that were asked about, by notice."""
    wanted = {one.notice_id for one in found}
    statement = select(NoticeRow.id, NoticeRow.number, NoticeRow.public_reference).where(NoticeRow.id.in_(wanted))
    if scope is not None:
        statement = statement.where(NoticeRow.controller_id.in_(scope))
    return {row.id: (row.number, row.public_reference) for row in session.execute(statement)}


def reference_of(session: Session, incident_id: int, scope: Scope) -> str:
    """Return the reference of the incident that a question was found to belong to."""
    statement = select(IncidentRow.reference).where(IncidentRow.id == incident_id)
    if scope is not None:
        statement = statement.where(IncidentRow.controller_id.in_(scope))
    return str(session.execute(statement).scalar_one())


def counts(session: Session, incident_id: int, scope: Scope) -> tuple[int, int]:
    """Return how many questions about an incident there are, and how many of them are open."""
    statement = select(func.count(), func.count().filter(QuestionRow.state == "open")).where(
        QuestionRow.incident_id == incident_id, *_scoped(scope)
    )
    row = session.execute(statement).one()
    return int(row[0]), int(row[1])


def count_open(session: Session, scope: Scope) -> int:
    """Return how many questions nobody has answered or closed."""
    statement = select(func.count()).select_from(QuestionRow).where(_OPEN, *_scoped(scope))
    return int(session.execute(statement).scalar_one())


def waiting(session: Session, scope: Scope, limit: int) -> list[tuple[str, int]]:
    """Return (reference, how many questions are open) of the incidents with open ones, the longest waiting first."""
    statement = (
        select(IncidentRow.reference, func.count())
        .join(QuestionRow, QuestionRow.incident_id == IncidentRow.id)
        .where(_OPEN, *_scoped(scope))
        .group_by(IncidentRow.reference)
        .order_by(func.min(QuestionRow.id))
        .limit(limit)
    )
    return [(row[0], int(row[1])) for row in session.execute(statement)]


def settle(
    session: Session,
    question_id: str,
    *,
    state: str,
    by: str,
    now: datetime,
    answer: bytes,
    delivery_id: str | None = None,
) -> bool:
    """Settle a question that is still open; return False where somebody else was faster."""
    statement = (
        update(QuestionRow)
        .where(QuestionRow.id == question_id, _OPEN)
        .values(state=state, settled_by=by, settled_at=now, answer=answer, delivery_id=delivery_id)
    )
    return session.execute(statement.returning(QuestionRow.id)).first() is not None


def _scoped(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope is None else [QuestionRow.controller_id.in_(scope)]
