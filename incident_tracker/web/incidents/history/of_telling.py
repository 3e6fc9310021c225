"""Sentences about telling people: the list, the second pair of eyes, the notice, the questions, the partners."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from incident_tracker import rendering
from incident_tracker.domain import events
from incident_tracker.web import words
from incident_tracker.web.current import language
from incident_tracker.web.incidents.history.saying import Said, Telling


def _imported(one: events.PeopleImported, telling: Telling) -> Said:
    text = ngettext("took %(num)s person over into the list", "took %(num)s people over into the list", one.accepted)
    parts = [
        _("%(count)s rows read", count=_count(one.read)),
        _("%(count)s duplicates", count=_count(one.duplicates)),
        _("%(count)s refused", count=_count(one.refused)),
    ]
    if not one.complete:
        parts.insert(0, _("stopped before the end"))
    return Said("users", text, ", ".join(parts), f"{telling.url}/people")


def _removed(one: events.PeopleRemoved, telling: Telling) -> Said:
    text = ngettext("took %(num)s person off the list", "took %(num)s people off the list", one.count)
    return Said("users", text, one.reason, f"{telling.url}/people")


def _asked(one: events.ApprovalAsked, telling: Telling) -> Said:
    url = f"{telling.url}/approvals/{one.approval_id}"
    if one.invited:
        return Said("scan-eye", _("invited an outside approver: %(what)s", what=_subject(one.subject)), "", url)
    return Said("scan-eye", _("asked for approval: %(what)s", what=_subject(one.subject)), one.reason, url)


def _decided(one: events.ApprovalDecided, telling: Telling) -> Said:
    what, url = _subject(one.subject), f"{telling.url}/approvals/{one.approval_id}"
    if one.way == "taken_back":
        return Said("undo-2", _("took back the request: %(what)s", what=what), one.reason, url)
    if not one.approved and one.way == "outside":
        text = _("rejected as outside approver (%(name)s): %(what)s", name=one.outsider or "-", what=what)
        return Said("x", text, one.reason, url)
    if not one.approved:
        return Said("x", _("rejected: %(what)s", what=what), one.reason, url)
    if one.way == "outside":
        text = _("approved as outside approver (%(name)s): %(what)s", name=one.outsider or "-", what=what)
    elif one.way == "alone" and one.not_before is not None:
        text = _("approved alone, to act from %(at)s: %(what)s", at=telling.time(one.not_before), what=what)
    else:
        text = _("approved: %(what)s", what=what)
    return Said("user-check", text, one.reason, url)


def _written(one: events.NoticeWritten, telling: Telling) -> Said:
    url = _notice(telling, one.number)
    if one.submitted:
        text = _("vouched for the checks of notice %(number)s", number=one.number)
        return Said("check", text, "; ".join(one.dismissed.values()), url)
    if one.version > 1:
        return Said("file-pen-line", _("changed notice %(number)s", number=one.number), "", url)
    if one.corrects is not None:
        text = _("wrote notice %(number)s, which corrects notice %(first)s", number=one.number, first=one.corrects)
        return Said("file-pen-line", text, "", url)
    return Said("file-pen-line", _("wrote notice %(number)s", number=one.number), "", url)


def _begun(one: events.NoticeBegun, telling: Telling) -> Said:
    text = ngettext(
        "began to send notice %(number)s to %(num)s recipient",
        "began to send notice %(number)s to %(num)s recipients",
        one.recipients,
        number=one.number,
    )
    out = ngettext(
        "%(num)s has no address that can be used",
        "%(num)s have no address that can be used",
        one.unreachable,
    )
    return Said("send", text, out if one.unreachable else "", _notice(telling, one.number))


def _halted(one: events.NoticeHalted, telling: Telling) -> Said:
    said = {
        "paused": ("pause", _("paused notice %(number)s", number=one.number)),
        "resumed": ("play", _("let notice %(number)s go on", number=one.number)),
        "stopped": ("octagon-x", _("stopped notice %(number)s", number=one.number)),
        "taken_back": ("undo-2", _("took notice %(number)s back, to be decided anew", number=one.number)),
    }
    icon, text = said.get(one.change, ("history", _("recorded a change")))
    return Said(icon, text, words.reason(one.reason), _notice(telling, one.number))


def _retried(one: events.NoticeRetried, telling: Telling) -> Said:
    text = ngettext(
        "let notice %(number)s go again to %(num)s recipient by %(channel)s",
        "let notice %(number)s go again to %(num)s recipients by %(channel)s",
        one.recipients,
        number=one.number,
        channel=words.channel(one.channel),
    )
    return Said("send", text, one.reason, _notice(telling, one.number))


def _finished(one: events.NoticeFinished, telling: Telling) -> Said:
    text = _(
        "finished sending notice %(number)s: %(reached)s of %(recipients)s reached",
        number=one.number,
        reached=_count(one.reached),
        recipients=_count(one.recipients),
    )
    counts = [f"{words.delivery_state(state)} {_count(number)}" for state, number in one.counts.items() if number]
    return Said("mail", text, ", ".join([*counts, f"SHA-256 {one.digest[:16]}"]), _notice(telling, one.number))


def _doubts(one: events.DoubtsSettled, telling: Telling) -> Said:
    del telling
    if one.decision == "again":
        text = ngettext(
            "let %(num)s message in doubt be sent again", "let %(num)s messages in doubt be sent again", one.count
        )
    else:
        text = ngettext(
            "decided that %(num)s message in doubt counts as sent",
            "decided that %(num)s messages in doubt count as sent",
            one.count,
        )
    return Said("mail", text, words.reason(one.reason))


def _question(one: events.QuestionReceived, telling: Telling) -> Said:
    text = _("A reader of a notice asked a question")
    if one.kind == "not_me":
        text = _("A reader says that a notice was not meant for her or him")
    return Said("message-square-text", text, "", f"{telling.url}/questions")


def _answered(one: events.QuestionSettled, telling: Telling) -> Said:
    text = _("answered a question by mail") if one.answered else _("closed a question without an answer")
    return Said("message-square-text", text, "", f"{telling.url}/questions")


def _partner(one: events.PartnerConcerned, telling: Telling) -> Said:
    text = _("named %(name)s as a partner who is told", name=one.name)
    if not one.concerned:
        text = _("took the partner %(name)s off the incident", name=one.name)
    return Said("handshake", text, "", f"{telling.url}/partners")


def _subject(subject: str) -> str:
    kind, _colon, rest = subject.partition(":")
    if kind == "notice":
        return str(_("the notice"))
    if kind == "set_aside":
        return str(_("to set »%(duty)s« aside", duty=words.duty_title(rest.partition(".")[2])))
    return subject


def _notice(telling: Telling, number: int) -> str:
    return f"{telling.url}/notices/{number}"


def _count(number: int) -> str:
    return rendering.number(number, language())


SAY: Mapping[type, Callable[[Any, Telling], Said]] = {
    events.PeopleImported: _imported,
    events.PeopleRemoved: _removed,
    events.ApprovalAsked: _asked,
    events.ApprovalDecided: _decided,
    events.NoticeWritten: _written,
    events.NoticeBegun: _begun,
    events.NoticeHalted: _halted,
    events.NoticeRetried: _retried,
    events.NoticeFinished: _finished,
    events.DoubtsSettled: _doubts,
    events.QuestionReceived: _question,
    events.QuestionSettled: _answered,
    events.PartnerConcerned: _partner,
}
