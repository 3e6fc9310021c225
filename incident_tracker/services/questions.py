"""Questions of those who read a notice: they land on its incident and are answered by mail.

Nobody is woken by them, and nothing is sent before a person has written the answer.
"""

from dataclasses import dataclass
from datetime import datetime

from incident_tracker import rendering
from incident_tracker.delivery.enqueue import NewDelivery, enqueue
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.errors import Refusal
from incident_tracker.domain.events import QuestionReceived, QuestionSettled
from incident_tracker.domain.notices import Notice, layout
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.domain.suspicions import receipt
from incident_tracker.services import emails
from incident_tracker.services.accounts import one_of
from incident_tracker.services.context import Context
from incident_tracker.services.notices import composing
from incident_tracker.services.suspicions import PUBLIC
from incident_tracker.services.texts import clean
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as notice_rows
from incident_tracker.store import questions as rows
from incident_tracker.store.deliveries import Purpose
from incident_tracker.store.ids import new_id
from incident_tracker.store.incidents import Loaded
from incident_tracker.store.keys import KeyIsGone
from incident_tracker.store.plain import from_json, to_json
from incident_tracker.store.suspicions import receipt_of as receipt_bits
from notifiers.protocol import Channel, Content

QUESTION, NOT_ME = "question", "not_me"
KINDS = (QUESTION, NOT_ME)
TEXT_LIMIT = 5000
RANK = 50
MOST_WAITING = 20


class SettledMeanwhile(Refusal):
    """Somebody else has answered or closed the question already."""

    message = "Somebody has settled this question already. Nothing was sent; look at what was answered."


class NoAddress(Refusal):
    """Whoever wrote left no e-mail address."""

    message = "No e-mail address was given, so it cannot be answered by mail. Close it with a reason instead."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader of a notice wrote. `kind` is `question` or `not_me` ("this was not meant for me")."""

    text: str
    email: str = ""
    kind: str = QUESTION
    language: str = "da"


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as staff reads it. `asked` is None where it is forgotten; `answer` is what was sent, or why not."""

    id: str
    receipt: str
    state: str
    notice_number: int
    notice_reference: str
    received_at: datetime
    asked: Asked | None
    answer: str = ""
    settled_by: str = ""
    settled_at: datetime | None = None
    delivery_id: str = ""


def ask(context: Context, public_reference: str, asked: Asked, *, once: str) -> str | None:
    """Keep what a reader of a notice wrote and return its receipt; None where no such notice was sent.

    Sent twice (`once`) it is kept once.
    """
    asked = check(asked)
    with context.database.reading() as session:
        notice = notice_rows.by_public_reference(session, context.keyring, public_reference, None)
    if notice is None or not notice.has_begun:
        return None
    with working(context, PUBLIC) as work:
        loaded = incident_rows.load(work.session, work.keyring, notice.reference, None)
        new = rows.Question(
            id=new_id(work.now),
            controller_id=notice.controller_id,
            incident_id=notice.incident_id,
            notice_id=notice.id,
            once=once,
            kind=asked.kind,
            state="open",
            sealed=work.keyring.seal(loaded.people_key, rows.PLACE, to_json(_plain(asked))),
            received_at=work.now,
        )
        kept = rows.add(work.session, new)
        if kept == new.id:
            work.note_on(loaded.head, QuestionReceived(kept, asked.kind, notice.id))
    return receipt_of(kept)


def check(asked: Asked) -> Asked:
    """Return what was asked in the form in which it is kept, or refuse the first that cannot be.

    A question needs an address to answer to. That a notice was not meant for somebody may be said without one.
    """
    one_of(asked.language, LANGUAGES, "language")
    one_of(asked.kind, KINDS, "kind")
    is_question = asked.kind == QUESTION
    return Asked(
        text=clean(asked.text, "text", limit=TEXT_LIMIT, required=is_question),
        email=emails.read(asked.email, "email", required=is_question),
        kind=asked.kind,
        language=asked.language,
    )


def receipt_of(question_id: str) -> str:
    """Return the number by which its sender speaks of a question."""
    return receipt(receipt_bits(question_id))


def decoy(context: Context) -> str:
    """Return a receipt that looks like any other for what a machine sent: nothing is kept."""
    return receipt_of(new_id(context.now()))


def listing(context: Context, actor: Actor, reference: str) -> list[Shown]:
    """Return what was asked about an incident, the oldest first."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        found = rows.of_incident(session, loaded.id, scope)
        notices = rows.notices(session, found, scope)
    return [_shown(context, one, *notices[one.notice_id]) for one in found]


def show(context: Context, actor: Actor, question_id: str) -> tuple[Shown, str]:
    """Return one question with its incident's reference."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        one = rows.get(session, question_id, scope)
        reference = rows.reference_of(session, one.incident_id, scope)
        notices = rows.notices(session, [one], scope)
    return _shown(context, one, *notices[one.notice_id]), reference


def count(context: Context, actor: Actor, incident_id: int) -> tuple[int, int]:
    """Return how many questions about an incident there are, and how many of them are open."""
    with context.database.reading() as session:
        return rows.counts(session, incident_id, actor.scope_for(Act.READ))


def waiting(context: Context, actor: Actor) -> list[tuple[str, int]]:
    """Return (reference, how many) of the incidents with open questions, the longest waiting first."""
    with context.database.reading() as session:
        return rows.waiting(session, actor.scope_for(Act.READ), MOST_WAITING)


def answer(context: Context, actor: Actor, question_id: str, *, text: str) -> str:
    """Answer a question by mail in the controller's name; return the id of the delivery."""
    one, reference = _open(context, actor, question_id)
    text = clean(text, "text")
    asked = _opened(context, one)
    if asked is None:
        raise KeyIsGone
    if not asked.email:
        raise NoAddress(field="text")
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        notice = notice_rows.get(work.session, work.keyring, one.notice_id, actor.scope)
        delivery_id = _send(work, loaded, one, asked, _content(work, notice, one, asked.language, text))
        _settle(work, loaded, one, "answered", text, delivery_id)
        work.note_on(loaded.head, QuestionSettled(one.id, answered=True, delivery_id=delivery_id))
    return delivery_id


def close(context: Context, actor: Actor, question_id: str, *, reason: str) -> None:
    """Close a question without an answer, for the written reason."""
    one, reference = _open(context, actor, question_id)
    reason = clean(reason, "reason", limit=TEXT_LIMIT)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        _settle(work, loaded, one, "closed", reason, None)
        work.note_on(loaded.head, QuestionSettled(one.id, answered=False))


def _open(context: Context, actor: Actor, question_id: str) -> tuple[rows.Question, str]:
    """Return a question that the actor may settle and that nobody has settled, with its incident's reference."""
    with context.database.reading() as session:
        one = rows.get(session, question_id, actor.scope)
        reference = rows.reference_of(session, one.incident_id, actor.scope)
    actor.must(Act.WORK, one.controller_id)
    if one.state != "open":
        raise SettledMeanwhile
    return one, reference


def _settle(work: Work, loaded: Loaded, one: rows.Question, state: str, said: str, delivery_id: str | None) -> None:
    kept = work.keyring.seal_text(loaded.people_key, rows.ANSWER, said)
    if not rows.settle(
        work.session, one.id, state=state, by=work.actor.name, now=work.now, answer=kept, delivery_id=delivery_id
    ):
        raise SettledMeanwhile


def _send(work: Work, loaded: Loaded, one: rows.Question, asked: Asked, content: Content) -> str:
    subject = controller_rows.look_up_subject(one.controller_id)
    mail = NewDelivery(
        controller_id=one.controller_id,
        incident_id=loaded.id,
        purpose=Purpose.QUESTION,
        once=f"question:{one.id}",
        channel=Channel.EMAIL,
        address=asked.email,
        address_hash=work.keyring.fingerprint(subject, asked.email, work.now),
        content=content,
        values={"brace": "{"},
        rank=RANK,
    )
    return enqueue(
        work.session,
        work.keyring,
        loaded.people_key,
        work.now,
        work.context.routing,
        [mail],
        local_only=loaded.incident.exercise,
    )[0]


def _content(work: Work, notice: Notice, one: rows.Question, language: str, said: str) -> Content:
    """Return the answer as a mail: what it answers, the words of whoever wrote it, and who sends it."""
    controller = controller_rows.get(work.session, work.keyring, one.controller_id, None)
    values = {
        "controller": controller.name,
        "cvr": controller.cvr,
        "reference": notice.public_reference,
        "receipt": receipt_of(one.id),
        "kind": one.kind,
        "asked": rendering.moment(one.received_at, controller.time_zone, language, "date"),
        "contact": composing.contact_of(controller),
    }
    head = rendering.message("question/answer", "body", language, **values).strip()
    foot = rendering.message("question/foot", "body", language, **values).strip()
    subject = rendering.message("question/answer", "subject", language, **values).strip()
    body = f"{head}\n\n{said.replace('{', '{{brace}}')}"
    return Content(
        text=layout.plain_page(body, foot),
        subject=subject,
        html=layout.page(subject, body, foot, language),
        language=language,
        sender_name=controller.name,
        reply_to=composing.reply_to_of(controller),
    )


def _shown(context: Context, one: rows.Question, number: int, public_reference: str) -> Shown:
    return Shown(
        id=one.id,
        receipt=receipt_of(one.id),
        state=one.state,
        notice_number=number,
        notice_reference=public_reference,
        received_at=one.received_at,
        asked=_opened(context, one),
        answer=_answered(context, one),
        settled_by=one.settled_by or "",
        settled_at=one.settled_at,
        delivery_id=one.delivery_id or "",
    )


def _plain(asked: Asked) -> dict[str, str]:
    return {"text": asked.text, "email": asked.email, "language": asked.language}


def _opened(context: Context, one: rows.Question) -> Asked | None:
    """Return what was asked, None where it is forgotten."""
    try:
        plain = from_json(context.keyring.open(rows.PLACE, one.sealed))
    except KeyIsGone:
        return None
    return Asked(plain["text"], plain["email"], one.kind, plain["language"])


def _answered(context: Context, one: rows.Question) -> str:
    try:
        return "" if one.answer is None else context.keyring.open_text(rows.ANSWER, one.answer)
    except KeyIsGone:
        return ""
