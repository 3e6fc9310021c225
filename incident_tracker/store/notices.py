"""Notices: their wording, sealed with the incident's record key, and how far their sending has come."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, literal_column, or_, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Scope
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.notices import Notice, NoticeText, State
from incident_tracker.store.deliveries.columns import OUT
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import Keyring
from incident_tracker.store.people import SealedPerson
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.tables.incidents import IncidentRow
from incident_tracker.store.tables.telling import NoticeRow, PersonRow

WORDING = "notices.wording"
PAUSE_REASON = "notices.pause_reason"
_N = cast("SqlTable", NoticeRow.__table__)
_I = cast("SqlTable", IncidentRow.__table__)
_FIRST = cast("SqlTable", NoticeRow.__table__).alias("corrected")


@dataclass(frozen=True, slots=True)
class NewNotice:
    """What a notice begins with."""

    audience: str
    channels: tuple[str, ...]
    texts: Mapping[str, NoticeText]
    digest: str
    corrects_id: int | None
    written_by: str


def new_public_reference() -> str:
    """Return a reference that a person can read out and nobody can guess: `K7QM-2RXT`."""
    return rules.spelled("".join(secrets.choice(rules.REFERENCE_SIGNS) for _ in range(rules.REFERENCE_LENGTH)))


def add(session: Session, keyring: Keyring, loaded: Loaded, new: NewNotice, now: datetime) -> tuple[int, int]:
    """Insert a draft; return its id and its number on the incident, which must be locked."""
    last = session.execute(select(func.max(_N.c.number)).where(_N.c.incident_id == loaded.id)).scalar_one()
    number = (last or 0) + 1
    row = {
        "controller_id": loaded.incident.controller_id,
        "incident_id": loaded.id,
        "number": number,
        "public_reference": new_public_reference(),
        "audience": new.audience,
        "state": State.DRAFT.value,
        "version": 1,
        "channels": ",".join(new.channels),
        "wording": _seal_wording(keyring, loaded.record_key, new.texts, (), {}),
        "digest": new.digest,
        "corrects_id": new.corrects_id,
        "written_by": new.written_by,
        "written_at": now,
    }
    return int(session.execute(insert(NoticeRow).values(**row).returning(_N.c.id)).scalar_one()), number


def get(session: Session, keyring: Keyring, notice_id: int, scope: Scope, *, lock: bool = False) -> Notice:
    """Return one notice, or refuse alike whether it is missing or somebody else's; `lock` holds its row."""
    if lock:
        session.execute(select(_N.c.id).where(_N.c.id == notice_id).with_for_update(key_share=True)).all()
    row = session.execute(_readable(scope).where(_N.c.id == notice_id)).first()
    if row is None:
        raise NotFound(what="notice")
    return _notice(keyring, row)


def of_incident(session: Session, keyring: Keyring, incident_id: int, scope: Scope) -> list[Notice]:
    """Return the notices of an incident, the first one first."""
    rows = session.execute(_readable(scope).where(_N.c.incident_id == incident_id).order_by(_N.c.number))
    return [_notice(keyring, row) for row in rows]


def by_public_reference(session: Session, keyring: Keyring, public_reference: str, scope: Scope) -> Notice | None:
    """Return the notice with this public reference, if there is one."""
    row = session.execute(_readable(scope).where(_N.c.public_reference == public_reference)).first()
    return None if row is None else _notice(keyring, row)


def corrections(session: Session, notice_id: int, scope: Scope) -> list[str]:
    """Return the public references of the notices that correct this one and were begun, oldest first."""
    statement = select(_N.c.public_reference).where(_N.c.corrects_id == notice_id, _N.c.begun_at.is_not(None))
    if scope is not None:
        statement = statement.where(_N.c.controller_id.in_(scope))
    return list(session.scalars(statement.order_by(_N.c.id)))


def public_reference_of(session: Session, incident_id: int, number: int, scope: Scope) -> str:
    """Return the public reference of a notice by its number."""
    statement = select(_N.c.public_reference).where(_N.c.incident_id == incident_id, _N.c.number == number)
    if scope is not None:
        statement = statement.where(_N.c.controller_id.in_(scope))
    return str(session.execute(statement).scalar_one())


def sending(session: Session) -> list[tuple[int, bool]]:
    """Return (id, whether a message is written for everybody) of what is being sent, for the clock."""
    rows = session.execute(
        select(_N.c.id, _N.c.all_told).where(_N.c.state == literal_column("'sending'")).order_by(_N.c.id)
    )
    return [(row.id, row.all_told) for row in rows]


def left_waiting(session: Session) -> list[int]:
    """Return the ids of stopped notices of which a message still waits, for the clock."""
    stopped = select(_N.c.id).where(_N.c.state == literal_column("'stopped'"), _any_in("pending"))
    return list(session.scalars(stopped.order_by(_N.c.id)))


def count_standing(session: Session, scope: Scope) -> int:
    """Return how many sendings go on only when a person acts: paused, or nothing but messages in doubt is left."""
    statement = select(func.count()).select_from(_N).join(_I, _I.c.id == _N.c.incident_id)
    statement = statement.where(~_I.c.exercise, _stands())
    if scope is not None:
        statement = statement.where(_N.c.controller_id.in_(scope))
    return int(session.execute(statement).scalar_one())


def standing(session: Session, scope: Scope, limit: int) -> list[tuple[str, int]]:
    """Return (reference of the incident, number) of such sendings, exercises included, the oldest first."""
    statement = select(_I.c.reference, _N.c.number).join(_I, _I.c.id == _N.c.incident_id).where(_stands())
    if scope is not None:
        statement = statement.where(_N.c.controller_id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(statement.order_by(_N.c.id).limit(limit))]


def waits_for(session: Session, notice_id: int, channel: str) -> bool:
    """Return whether a message of a notice waits to go over a channel."""
    statement = select(OUT.c.id).where(
        OUT.c.notice_id == notice_id, OUT.c.state == literal_column("'pending'"), OUT.c.channel == channel
    )
    return session.execute(statement.limit(1)).first() is not None


def write(session: Session, keyring: Keyring, record_key: str, notice: Notice) -> None:
    """Write text, channels, ticks, version and state of a notice anew."""
    sealed = _seal_wording(keyring, record_key, notice.texts, notice.ticked, notice.dismissed)
    session.execute(
        update(_N)
        .where(_N.c.id == notice.id)
        .values(
            state=notice.state.value,
            version=notice.version,
            channels=",".join(notice.channels),
            wording=sealed,
            digest=notice.digest,
            written_by=notice.written_by,
            written_at=notice.written_at,
        )
    )


def move(session: Session, notice_id: int, *, was: Collection[State], state: State, **facts: Any) -> bool:
    """Bring a notice from one of some states into another, with columns that change alongside.

    Return whether it was in one of them: of two who ask at once, one gets False.
    """
    done = session.execute(
        update(_N)
        .where(_N.c.id == notice_id, _N.c.state.in_([one.value for one in was]))
        .values(state=state.value, **facts)
        .returning(_N.c.id)
    )
    return done.first() is not None


def keep_sending(session: Session, notice: Notice) -> None:
    """Write how far the sending has come: texts in the outbox, who was told last, how many."""
    session.execute(
        update(_N)
        .where(_N.c.id == notice.id)
        .values(
            content_ids=_packed(notice),
            told_up_to=notice.told_up_to,
            all_told=notice.all_told,
            recipients=notice.recipients,
            unreachable=notice.unreachable,
        )
    )


def seal_reason(keyring: Keyring, record_key: str, reason: str) -> bytes:
    """Return why a sending was paused, sealed."""
    return keyring.seal_text(record_key, PAUSE_REASON, reason)


def states_of_recipients(session: Session, notice_id: int, recipient_ids: Collection[str]) -> dict[str, set[str]]:
    """Return the states of every message to some recipients of a notice that the caller has found."""
    found: dict[str, set[str]] = {}
    rows = session.execute(
        select(OUT.c.recipient_id, OUT.c.state).where(
            OUT.c.notice_id == notice_id, OUT.c.recipient_id.in_(sorted(recipient_ids))
        )
    )
    for row in rows:
        found.setdefault(row.recipient_id, set()).add(row.state)
    return found


def sent_since(session: Session, notice_id: int, since: datetime) -> int:
    """Return how many messages of a notice were sent since then."""
    statement = select(func.count()).where(
        OUT.c.notice_id == notice_id,
        OUT.c.state.in_([literal_column("'accepted'"), literal_column("'delivered'"), literal_column("'failed'")]),
        OUT.c.sent_at >= since,
    )
    return int(session.execute(statement).scalar_one())


def people_by_address(session: Session, incident_id: int) -> list[tuple[str, bool, bool, int]]:
    """Return (language, has an e-mail, has a phone, how many) of the people of an incident found before."""
    has_email, has_phone = PersonRow.email_hash.is_not(None), PersonRow.phone_hash.is_not(None)
    rows = session.execute(
        select(PersonRow.language, has_email, has_phone, func.count())
        .where(PersonRow.incident_id == incident_id)
        .group_by(PersonRow.language, has_email, has_phone)
    )
    return [(row[0], bool(row[1]), bool(row[2]), int(row[3])) for row in rows]


def people_by_ids(session: Session, incident_id: int, ids: Collection[str]) -> list[SealedPerson]:
    """Return some people of an incident found before."""
    statement = select(*(getattr(PersonRow, name) for name in SealedPerson.__slots__))
    rows = session.execute(statement.where(PersonRow.incident_id == incident_id, PersonRow.id.in_(sorted(ids))))
    return [SealedPerson(*row) for row in rows]


def _stands() -> ColumnElement[bool]:
    """Return "nothing moves it but a person"."""
    doubtful = and_(
        _N.c.state == literal_column("'sending'"),
        _N.c.all_told,
        _any_in("in_doubt"),
        ~_any_in("pending"),
        ~_any_in("sending"),
    )
    return or_(_N.c.state == literal_column("'paused'"), doubtful)


def _any_in(state: str) -> ColumnElement[bool]:
    """Return "a message of the notice is in this state"."""
    of_it = (OUT.c.notice_id == _N.c.id, OUT.c.notice_id.is_not(None), OUT.c.state == literal_column(f"'{state}'"))
    one: Select[Any] = select(literal_column("1")).where(*of_it)
    return one.correlate(_N).exists()


def _readable(scope: Scope) -> Select[Any]:
    statement = (
        select(*_N.c, _I.c.reference, _I.c.exercise, _FIRST.c.number.label("corrects"))
        .join(_I, _I.c.id == _N.c.incident_id)
        .join(_FIRST, _FIRST.c.id == _N.c.corrects_id, isouter=True)
    )
    return statement if scope is None else statement.where(_N.c.controller_id.in_(scope))


def _notice(keyring: Keyring, row: Row[Any]) -> Notice:
    wording = from_json(keyring.open(WORDING, row.wording))
    sent = _unpacked(row.content_ids)
    return Notice(
        id=row.id,
        number=row.number,
        public_reference=row.public_reference,
        reference=row.reference,
        incident_id=row.incident_id,
        controller_id=row.controller_id,
        exercise=row.exercise,
        audience=row.audience,
        state=State(row.state),
        version=row.version,
        channels=tuple(row.channels.split(",")),
        texts={language: NoticeText(*parts) for language, parts in wording["texts"]},
        digest=row.digest,
        corrects=row.corrects,
        written_by=row.written_by,
        written_at=row.written_at,
        begun_at=row.begun_at,
        finished_at=row.finished_at,
        recipients=row.recipients,
        unreachable=row.unreachable,
        all_told=row.all_told,
        paused_at=row.paused_at,
        pause_reason=keyring.open_text(PAUSE_REASON, row.pause_reason) if row.pause_reason else "",
        ticked=tuple(wording["ticked"]),
        dismissed=wording["dismissed"],
        told_up_to=row.told_up_to,
        contents=sent["contents"],
        round=sent["round"],
        seen=(sent["seen"][0], sent["seen"][1]),
    )


def _seal_wording(
    keyring: Keyring,
    record_key: str,
    texts: Mapping[str, NoticeText],
    ticked: Iterable[str],
    dismissed: Mapping[str, str],
) -> bytes:
    plain = {
        "texts": [[language, [one.subject, one.body, one.sms]] for language, one in texts.items()],
        "ticked": sorted(ticked),
        "dismissed": dict(dismissed),
    }
    return keyring.seal(record_key, WORDING, to_json(plain))


def _packed(notice: Notice) -> str:
    return json.dumps({"contents": dict(notice.contents), "round": notice.round, "seen": list(notice.seen)})


def _unpacked(written: str) -> dict[str, Any]:
    return {"contents": {}, "round": 1, "seen": [0, 0]} | (json.loads(written) if written else {})
