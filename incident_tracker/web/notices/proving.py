"""The proof of a notice: what was sent to how many, what became of it, and where the journal says so."""

from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from incident_tracker.domain.events import NoticeFinished
from incident_tracker.domain.notices import NoticeText
from incident_tracker.services import colleagues, notices, register
from incident_tracker.services.notices import Notice
from incident_tracker.web import current, words
from incident_tracker.web.incidents.history import name_of
from incident_tracker.web.notices import progress, reading, view
from incident_tracker.web.notices.progress import Part


@dataclass(frozen=True, slots=True)
class Proof:
    """Facts as label and value, the parts of the bar, and the fingerprint of the outcomes where there is one."""

    facts: list[tuple[str, str]]
    parts: list[Part]
    sentence: str
    outcome: str


def proof_of(notice: Notice, zone: str) -> Proof:
    """Return what can be shown of a notice now; it is complete once the notice is finished."""
    context, actor = current.context(), current.actor()
    name = name_of(notice.written_by, colleagues.names(context, actor, {notice.written_by}))
    facts = view.facts_of(notice, name, zone)
    if notice.begun_at is None:
        return Proof(facts, [], "", "")
    status = notices.status(context, actor, notice.id)
    found = _finished(notice)
    shown = progress.parts(status.counts, 0)
    rows = [
        (_("Begun"), words.moment(notice.begun_at, zone)),
        (_("Finished"), _("not yet") if notice.finished_at is None else words.moment(notice.finished_at, zone)),
        (_("Recipients"), view.number(status.recipients)),
        (_("Reached"), view.number(status.reached)),
        (_("Without an address"), view.number(status.unreachable)),
    ]
    if status.came_later:
        rows.append((_("Came to the list afterwards, not told"), view.number(status.came_later)))
    if status.kept_here:
        rows.append((_("Only in the outbox of this machine"), view.number(status.kept_here)))
    if found is not None:
        rows.append((_("Entry of the journal"), str(found[0])))
    said = [(str(label), str(text)) for label, text in rows]
    sentence = ", ".join(f"{one.number} {one.words}" for one in shown)
    return Proof(facts + said, shown, sentence, found[1].digest if found else "")


def texts_of(notice: Notice) -> list[tuple[str, str, NoticeText, Markup]]:
    """Return the languages of a notice: code, name, text, and the text laid out."""
    return [
        (one, words.capital(view.languages_words([one])), text, reading.laid_out(text.body))
        for one, text in notice.texts.items()
    ]


def _finished(notice: Notice) -> tuple[int, NoticeFinished] | None:
    """Return the newest entry of the journal that says how the sending ended."""
    records = register.history(current.context(), current.actor(), notice.reference, newest_first=True)
    return next(
        (
            (one.seq, one.event)
            for one in records
            if isinstance(one.event, NoticeFinished) and one.event.notice_id == notice.id
        ),
        None,
    )
