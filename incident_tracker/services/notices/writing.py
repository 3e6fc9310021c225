"""Writing a notice: draft, versions, hand it over to a second pair of eyes, and what the answer makes of it."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from incident_tracker.domain import incident as incident_rules
from incident_tracker.domain import notices as rules
from incident_tracker.domain.access import Act, Actor
from incident_tracker.domain.approvals import about_notice
from incident_tracker.domain.errors import NotFound
from incident_tracker.domain.events import NoticeWritten
from incident_tracker.domain.notices import WRITABLE, Notice, NoticeText, State, placeholders
from incident_tracker.domain.parties import LANGUAGES
from incident_tracker.services import approvals, people
from incident_tracker.services.context import Context
from incident_tracker.services.notices import checking, composing
from incident_tracker.services.texts import clean, clean_line
from incident_tracker.services.work import Work, working
from incident_tracker.store import controllers as controller_rows
from incident_tracker.store import incidents as incident_rows
from incident_tracker.store import notices as rows
from incident_tracker.store.incidents import Loaded

REASON_LIMIT = 1000


def create(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    texts: Mapping[str, NoticeText],
    channels: Collection[str],
    audience: str = rules.PEOPLE,
    corrects: int | None = None,
) -> int:
    """Keep a new draft and return its id; `corrects` is the number of the notice that it corrects."""
    clean_texts = _texts(context, actor, reference, texts, audience)
    ways = _channels(channels)
    with working(context, actor) as work:
        loaded = work.load(reference, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        corrected = _corrected(work, loaded, corrects)
        digest = rules.digest(clean_texts, ways, audience, corrects=corrects)
        corrects_id = None if corrected is None else corrected.id
        new = rows.NewNotice(audience, ways, clean_texts, digest, corrects_id, actor.name)
        notice_id, number = rows.add(work.session, work.keyring, loaded, new, work.now)
        languages = tuple(clean_texts)
        work.record(loaded, NoticeWritten(notice_id, number, 1, audience, ways, languages, digest, corrects))
    return notice_id


def change(
    context: Context,
    actor: Actor,
    notice_id: int,
    *,
    texts: Mapping[str, NoticeText],
    channels: Collection[str],
    after_version: int,
) -> int:
    """Write a new version of what is not sent yet and return its number; whatever was approved is not any more.

    `after_version` is the one that the page showed: if somebody wrote another since, nothing is saved.
    """
    before = show(context, actor, notice_id)
    clean_texts = _texts(context, actor, before.reference, texts, before.audience)
    ways = _channels(channels)
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, *WRITABLE)
        if notice.version != after_version:
            raise rules.NoticeChangedMeanwhile(number=notice.number)
        digest = rules.digest(clean_texts, ways, notice.audience, corrects=notice.corrects)
        after = replace(
            notice,
            state=State.DRAFT,
            version=notice.version + 1,
            channels=ways,
            texts=clean_texts,
            ticked=(),
            dismissed={},
            digest=digest,
            written_by=actor.name,
            written_at=work.now,
        )
        rows.write(work.session, work.keyring, loaded.record_key, after)
        approvals.withdraw(work, loaded, about_notice(notice.id))
        work.record(loaded, _written(after))
    return after.version


def submit(
    context: Context, actor: Actor, notice_id: int, *, ticked: Collection[str], dismissed: Mapping[str, str]
) -> str:
    """Hand a notice over for approval, with what a person vouches for; return the id of the approval.

    `ticked` and `dismissed` (check -> reason) are part of what is approved. Refuses while anything is missing that a
    notice must have.
    """
    before = show(context, actor, notice_id)
    reasons = {one: clean(why, f"dismissed_{one}", limit=REASON_LIMIT) for one, why in dismissed.items()}
    with working(context, actor) as work:
        loaded, notice = held(work, before, Act.WORK)
        incident_rules.must_be_open(loaded.incident)
        rules.must_be(notice, *WRITABLE)
        answered = replace(notice, ticked=tuple(sorted(set(ticked))), dismissed=reasons, state=State.SUBMITTED)
        contact = _contact(work, loaded)
        _must_be_answerable(answered, contact)
        checking.must_be_ready(answered, contact)
        digest = rules.digest(
            answered.texts,
            answered.channels,
            answered.audience,
            ticked=answered.ticked,
            dismissed=reasons,
            corrects=answered.corrects,
        )
        if notice.state is not State.DRAFT and digest == notice.digest:
            return approvals.ask(
                work, loaded, subject=about_notice(notice.id), digest=digest, not_by=(notice.written_by,)
            )
        answered = replace(answered, digest=digest)
        rows.write(work.session, work.keyring, loaded.record_key, answered)
        work.record(loaded, replace(_written(answered), ticked=answered.ticked, dismissed=reasons, submitted=True))
        return approvals.ask(
            work, loaded, subject=about_notice(notice.id), digest=digest, not_by=(notice.written_by,)
        )


def approved(work: Work, loaded: Loaded, notice_id: int) -> None:
    """Let a notice be sent: a second pair of eyes said yes, in this transaction."""
    del loaded
    rows.move(work.session, notice_id, was=(State.SUBMITTED,), state=State.APPROVED)


def rejected(work: Work, loaded: Loaded, notice_id: int) -> None:
    """Give a notice back to its writers: a second pair of eyes said no, or what was asked was taken back."""
    del loaded
    rows.move(work.session, notice_id, was=(State.SUBMITTED, State.APPROVED), state=State.DRAFT)


def show(context: Context, actor: Actor, notice_id: int) -> Notice:
    """Return a notice; one of another controller is answered like one that is not there."""
    with context.database.reading() as session:
        return rows.get(session, context.keyring, notice_id, actor.scope_for(Act.READ))


def of_incident(context: Context, actor: Actor, reference: str) -> tuple[Notice, ...]:
    """Return the notices of an incident, the first one first."""
    scope = actor.scope_for(Act.READ)
    with context.database.reading() as session:
        loaded = incident_rows.load(session, context.keyring, reference, scope)
        return tuple(rows.of_incident(session, context.keyring, loaded.id, scope))


def held(work: Work, notice: Notice, act: Act) -> tuple[Loaded, Notice]:
    """Return incident and notice, both locked, the notice as it is now."""
    loaded = work.load(notice.reference, act)
    return loaded, rows.get(work.session, work.keyring, notice.id, work.actor.scope, lock=True)


def _written(notice: Notice) -> NoticeWritten:
    return NoticeWritten(
        notice.id,
        notice.number,
        notice.version,
        notice.audience,
        notice.channels,
        tuple(notice.texts),
        notice.digest,
        notice.corrects,
    )


def _texts(
    context: Context, actor: Actor, reference: str, texts: Mapping[str, NoticeText], audience: str
) -> dict[str, NoticeText]:
    """Return the texts, clean; refuse unknown languages, empty ones, and placeholders that do not exist."""
    if not texts:
        raise rules.NoTextInAnyLanguage(field="texts", languages=LANGUAGES)
    if audience not in rules.AUDIENCES:
        raise rules.AudienceUnknown(field="audience", audience=audience[:40])
    for language in texts:
        if language not in LANGUAGES:
            raise rules.LanguageUnknown(field="language", languages=LANGUAGES, language=language[:40])
    columns = _columns(context, actor, reference, audience)
    return {language: _text(one, language, columns) for language, one in texts.items()}


def _columns(context: Context, actor: Actor, reference: str, audience: str) -> tuple[str, ...]:
    return people.columns_of(context, actor, reference) if audience == rules.PEOPLE else ()


def _text(text: NoticeText, language: str, columns: Collection[str]) -> NoticeText:
    subject = clean_line(text.subject, f"subject_{language}", limit=rules.SUBJECT_LIMIT)
    body = clean(text.body, f"body_{language}", limit=rules.BODY_LIMIT)
    sms = clean(text.sms, f"sms_{language}", limit=rules.SMS_LIMIT, required=False)
    for part, name in ((subject, "subject"), (body, "body"), (sms, "sms")):
        placeholders.check(part, columns, f"{name}_{language}")
    return NoticeText(subject, body, sms)


def _channels(channels: Collection[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(channels))
    if not chosen or set(chosen) - set(rules.CHANNELS):
        raise rules.ChannelUnknown(field="channels")
    return chosen


def _corrected(work: Work, loaded: Loaded, number: int | None) -> Notice | None:
    if number is None:
        return None
    known = rows.of_incident(work.session, work.keyring, loaded.id, work.actor.scope)
    first = next((one for one in known if one.number == number), None)
    if first is None:
        raise NotFound(what=str(number), field="corrects")
    if not first.has_begun:
        raise rules.NothingToCorrect(field="corrects", number=number)
    return first


def _contact(work: Work, loaded: Loaded) -> str:
    controller = controller_rows.get(work.session, work.keyring, loaded.incident.controller_id, None)
    return composing.contact_of(controller)


def _must_be_answerable(notice: Notice, contact: str) -> None:
    """Refuse a tick where software decides, and a reason where a reason does not help."""
    listed = {one.id: one for one in checking.look_at(notice, contact)}
    for check_id in (*notice.ticked, *notice.dismissed):
        if check_id not in listed:
            raise rules.CheckUnknown(field="ticked", check=check_id[:40], how=rules.TICKED)
    for check_id in notice.dismissed:
        if not listed[check_id].can_be_dismissed:
            raise rules.CheckUnknown(field="dismissed", check=check_id, how=rules.DISMISSED)
