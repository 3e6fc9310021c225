"""What the pages of notices show before anything is sent: the list, the facts, the checks, who will be told."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from incident_tracker import rendering
from incident_tracker.services import backup
from incident_tracker.services.notices import Audience, Check, Notice, Segments
from incident_tracker.services.notices.checking import check_list
from incident_tracker.web import words
from incident_tracker.web.current import context, language

ICONS = {
    "draft": "file-pen-line",
    "submitted": "user-check",
    "approved": "circle-check",
    "sending": "send",
    "paused": "pause",
    "stopped": "octagon-x",
    "finished": "circle-check-big",
}
GOING = frozenset({"sending", "paused"})
SENT = frozenset({"sending", "paused", "stopped", "finished"})
GROUPS = ("content", "style", "anti_phishing", "confidentiality", "sms_oncall", "delivery")


@dataclass(frozen=True, slots=True)
class Row:
    """A notice in the list."""

    number: int
    url: str
    corrects: int | None
    state_words: str
    icon: str
    audience: str
    recipients: str
    reached: str
    when: str
    may_correct: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A check as its line shows it: `ticks` is answered by a person, `dismissable` may be set aside with a reason.

    `blocks` is what only a better text puts right.
    """

    id: str
    level: str
    rule: str
    basis: str
    ok: bool
    found: tuple[str, ...]
    ticks: bool
    ticked: bool
    dismissable: bool
    dismissed: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that belong together."""

    title: str
    count: str
    checks: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was ticked and written beside the checks, so that a mistake loses nothing."""

    ticked: Collection[str] = ()
    dismissed: Mapping[str, str] = field(default_factory=dict)


def state_words(state: str) -> str:
    """Return where a notice stands."""
    return str(
        {
            "draft": _("draft"),
            "submitted": _("waits for approval"),
            "approved": _("approved"),
            "sending": _("is being sent"),
            "paused": _("paused"),
            "stopped": _("stopped"),
            "finished": _("finished"),
        }.get(state, state)
    )


def audience_words(audience: str) -> str:
    """Return whom a notice is for."""
    return str(_("partners") if audience == "partners" else _("the people affected"))


def channels_words(channels: Sequence[str]) -> str:
    """Return the ways of a notice in their order."""
    return str(_(", then ")).join(words.channel(one) for one in channels)


def languages_words(languages: Iterable[str]) -> str:
    """Return languages as they stand inside a sentence."""
    said = {"da": pgettext("inside a sentence", "Danish"), "en": pgettext("inside a sentence", "English")}
    names = [str(said.get(one, one)) for one in languages]
    return str(_(" and ")).join(names) if names else str(_("none yet"))


def row(notice: Notice, reached: int | None, zone: str, *, may_correct: bool) -> Row:
    """Return a notice as the list shows it; `reached` is None where nothing was sent."""
    at = notice.finished_at or notice.begun_at or notice.written_at
    said = (
        {True: _("finished"), False: _("begun")}[notice.finished_at is not None] if notice.begun_at else _("written")
    )
    return Row(
        number=notice.number,
        url=url_for("notices.show", reference=notice.reference, number=notice.number),
        corrects=notice.corrects,
        state_words=state_words(notice.state),
        icon=ICONS.get(notice.state, "circle-dashed"),
        audience=audience_words(notice.audience),
        recipients=number(notice.recipients) if notice.begun_at else "",
        reached="" if reached is None else number(reached),
        when=f"{said} {words.moment(at, zone, 'short')}",
        may_correct=may_correct and notice.state in SENT,
    )


def facts_of(notice: Notice, who: str, zone: str) -> list[tuple[str, str]]:
    """Return the facts of a notice that is not sent yet."""
    rows = [
        (_("Languages"), words.capital(languages_words(notice.texts))),
        (_("How"), words.capital(channels_words(notice.channels))),
        (_("To"), words.capital(audience_words(notice.audience))),
        (_("Reference for the reader"), notice.public_reference),
        (_("Written"), f"{who}, {words.moment(notice.written_at, zone, 'short')}"),
    ]
    if notice.corrects:
        rows.append((_("Corrects"), _("notice %(number)s", number=notice.corrects)))
    return [(str(label), str(text)) for label, text in rows]


def restored_words(notice: Notice, zone: str) -> str:
    """Return that a notice may have been sent although nothing here says so; empty where nothing suggests it."""
    if notice.state in SENT or not notice.pause_reason:
        return ""
    backup_of = backup.restored_from(context())
    if backup_of is None:
        return ""
    return str(
        _(
            "This installation was restored from the backup of %(when)s. The notice may have been sent after that, "
            "and nothing here would show it. Ask your provider what left: otherwise people may get it twice.",
            when=words.moment(backup_of, zone),
        )
    )


def who_of(audience: Audience) -> list[tuple[str, str]]:
    """Return how many get the notice in which language and by which way, and what its text messages come to."""
    rows = [
        (words.capital(languages_words([one])), people(count)) for one, count in sorted(audience.by_language.items())
    ]
    rows += [(words.capital(words.channel(one)), people(count)) for one, count in audience.by_channel.items()]
    rows += [(_sms_label(one), _parts(found)) for one, found in audience.segments.items()]
    told = audience.by_channel.get("sms", 0)
    if audience.segments and told:
        most = told * max(one.most for one in audience.segments.values())
        label = str(_("Text messages in all"))
        rows.append((label, str(_("at most %(count)s parts to pay for", count=number(most)))))
    return rows


def _sms_label(code: str) -> str:
    said = {"da": _("Text message in Danish"), "en": _("Text message in English")}
    return str(said.get(code, code))


def _parts(found: Segments) -> str:
    """Return how many parts a text message has, and what makes them short."""
    said = str(ngettext("%(num)s part", "%(num)s parts", found.most))
    if found.fewest != found.most:
        said = str(_("%(fewest)s to %(most)s parts", fewest=found.fewest, most=found.most))
    why = _("with signs that make every part shorter")
    return said if found.encoding == "gsm7" else f"{said}, {why}"


def people(count: int) -> str:
    """Return a number of people."""
    return str(ngettext("%(count)s person", "%(count)s people", count, count=number(count)))


def number(value: float) -> str:
    """Return a number as the reader writes it."""
    return rendering.number(value, language())


def check_groups(checks: Sequence[Check]) -> list[Group]:
    """Return the checks by what they are about, in the order of the work."""
    titles = {
        "content": _("What it says"),
        "style": _("How it says it"),
        "anti_phishing": _("That it is believed"),
        "confidentiality": _("That it reveals nothing"),
        "sms_oncall": _("That the text message reveals nothing"),
        "delivery": _("That it arrives"),
    }
    found = []
    for key in GROUPS:
        shown = [_shown(one) for one in checks if one.group == key]
        if shown:
            good = sum(one.ok for one in shown)
            count = _("%(ready)s of %(asked)s", ready=good, asked=len(shown))
            found.append(Group(str(titles[key]), str(count), shown))
    return found


def blocking(checks: Sequence[Check]) -> int:
    """Return how many checks only a better text puts right, before the notice can be handed over."""
    return sum(_blocks(one) for one in checks)


def _blocks(one: Check) -> bool:
    return not (one.ok or one.can_be_ticked or one.can_be_dismissed)


def _shown(one: Check) -> Shown:
    return Shown(
        id=one.id,
        level=one.level,
        rule=one.rule,
        basis=_basis(one.id),
        ok=one.ok,
        found=one.found,
        ticks=one.can_be_ticked,
        ticked=one.ticked,
        dismissable=one.can_be_dismissed and (not one.ok or bool(one.dismissed)),
        dismissed=one.dismissed,
        blocks=_blocks(one),
    )


def _basis(check_id: str) -> str:
    """Return what a check rests on, in the reader's language; not every basis is settled law, and that is said."""
    rule = check_list().rule(check_id)
    if rule is None:
        return ""
    said = {
        "Art. 34(2)": _("GDPR Art. 34(2)"),
        "Art. 34(2) with 33(3)(b)": _("GDPR Art. 34(2) with 33(3)(b)"),
        "Art. 34(2) with 33(3)(c); missing in the Copenhagen Zoo case": _(
            "GDPR Art. 34(2) with 33(3)(c). It was missing in the decision on Copenhagen Zoo."
        ),
        "Art. 34(2) with 33(3)(d)": _("GDPR Art. 34(2) with 33(3)(d)"),
        "Art. 34(3)(c)": _("GDPR Art. 34(3)(c)"),
        "Spanish authority; proposal": _("What the Spanish authority asks for; no Danish text says so."),
        "recital 86; study of 161 notices": _("GDPR recital 86, and a study of 161 notices."),
        "study of 161 notices": _("A study of 161 notices."),
        "97 % of 161 notices were hard to read": _("A study: 97 per cent of 161 notices were hard to read."),
        "Copenhagen Zoo and Danish tax cases": _("Datatilsynet's decisions on Copenhagen Zoo and the tax authority."),
        "Datatilsynet's e-mail encryption rule, applied to notices (our inference)": _(
            "Datatilsynet's rule on encrypted e-mail, applied to notices; that is our own conclusion."
        ),
        "EDPB Guidelines 9/2022": _("EDPB Guidelines 9/2022."),
        "EDPB Guidelines 9/2022; Irish case on a password sent to the wrong address again": _(
            "EDPB Guidelines 9/2022, and an Irish decision on a password sent to the wrong address again."
        ),
        "SMS is not encrypted; no text from Datatilsynet found": _(
            "A text message is not encrypted. No text from Datatilsynet was found."
        ),
        "fake notices copy real ones": _("False notices copy real ones."),
        "people are told to check the sender's domain": _("People are told to look at the sender's domain."),
        "proposal": _("Our own advice."),
    }
    return str(said.get(rule.basis, rule.basis))
